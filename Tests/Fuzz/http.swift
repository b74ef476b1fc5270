// modules: JSON HTTP
// covers: Sources/Protocols/HTTP/HTTPGate.swift Sources/Protocols/HTTP/RequestTarget.swift Sources/Protocols/HTTP/ByteRange.swift Sources/Protocols/JSON/JSONValueParser.swift
// max-length: 2048

import HTTP
import JSON

/// The first byte of an input tells what it is read as: a target, a range, a JSON text, or the head of a request.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let rest = Array(input.dropFirst())
    switch first & 3 {
    case 0: checkTarget(rest)
    case 1: checkRange(rest)
    case 2: checkJSON(rest)
    default: checkHead(rest)
    }
    return 0
}

/// What was decoded encodes to a target that decodes the same, and holds no control character.
private func checkTarget(_ bytes: [UInt8]) {
    guard let target = try? RequestTarget(parsing: bytes) else { return }
    let texts = target.segments + target.query.flatMap { [$0.name, $0.value] }
    precondition(texts.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }, "a control character")
    precondition(target.segments.allSatisfy { !$0.isEmpty } && target.segments.count <= RequestTarget.maximumParts)
    let path = target.segments.map { "/" + escaped($0) }.joined()
    let query = target.query.map { escaped($0.name) + "=" + escaped($0.value) }.joined(separator: "&")
    let written = (path.isEmpty ? "/" : path) + "?" + query
    guard let again = try? RequestTarget(parsing: Array(written.utf8)) else {
        preconditionFailure("what was written does not read")
    }
    precondition(again.segments == target.segments, "the path reads otherwise")
    precondition(again.query.map(\.name) == target.query.map(\.name), "the query reads otherwise")
    precondition(again.query.map(\.value) == target.query.map(\.value), "the query reads otherwise")
}

private func escaped(_ text: String) -> String {
    text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// A part lies within the file and is not empty. The first two bytes are the file's length.
private func checkRange(_ bytes: [UInt8]) {
    guard bytes.count >= 2 else { return }
    let length = Int64(bytes[0]) << 8 | Int64(bytes[1])
    let text = String(decoding: bytes.dropFirst(2), as: UTF8.self)
    if case .part(let range) = ByteRange(text, length: length) {
        precondition(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= length, "outside the file")
    }
    #if FUZZ_CANARY
        // The planted bug: a suffix is taken off the length, and nobody looks whether it is longer.
        if text.hasPrefix("bytes=-"), let suffix = Int64(text.dropFirst(7)), length > 0 {
            precondition(length - suffix >= 0, "before the file")
        }
    #endif
}

/// What was read is written and reads the same.
private func checkJSON(_ bytes: [UInt8]) {
    guard let value = try? JSONValue(parsing: bytes) else { return }
    guard let again = try? JSONValue(parsing: value.bytes) else {
        preconditionFailure("what was written does not read")
    }
    precondition(again == value, "what was written reads otherwise")
}

/// Whatever passes the gate has one framing. Lines: the request line, then fields.
private func checkHead(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let words = (lines.first ?? []).split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count == 3 else { return }
    let fields = lines.dropFirst().compactMap { line -> (name: [UInt8], value: [UInt8])? in
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        return (Array(line[..<colon]), Array(line[colon...].dropFirst().drop { $0 == 0x20 || $0 == 0x09 }))
    }
    let head = RequestHead(
        method: Array(words[0]), target: Array(words[1]), version: Array(words[2]), fields: fields,
        byteCount: bytes.count, isExact: true)
    guard let admitted = try? HTTPGate(headerBytes: 1024, bodyBytes: 1000).admit(head) else { return }
    precondition(bytes.count <= 1024)
    let lengths = admitted.headers.values(of: "content-length")
    let codings = admitted.headers.values(of: "TRANSFER-ENCODING")
    precondition(lengths.count + codings.count <= 1, "the body's length is said twice")
    precondition(lengths.allSatisfy { Int($0).map { 0...1000 ~= $0 } ?? false }, "a length that is none")
    precondition(codings.allSatisfy { $0.lowercased() == "chunked" }, "a coding that is none")
    precondition(admitted.headers.values(of: "host").count <= 1, "two hosts")
    precondition(
        admitted.headers.fields.allSatisfy { !$0.name.isEmpty && !$0.name.contains(" ") && !$0.value.contains("\0") })
}
