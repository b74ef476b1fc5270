// modules: Bytes Timing Codecs RTMP
// covers: Sources/Protocols/RTMP/AMF/*.swift Sources/Protocols/RTMP/FLV/FLVMetadata.swift
// max-length: 2048

@testable import RTMP

/// The first byte of an input tells a command from data.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let types: [MessageType] = [.command, .commandAMF3, .data, .dataAMF3]
    let message = RTMPMessage(
        chunkStreamID: 3, timestamp: 0, type: types[Int(first & 3)], messageStreamID: 0,
        payload: Array(input.dropFirst()))

    if let command = try? Command(message) {
        for index in 0..<3 { _ = (command.argument(index)["app"]?.string, command.argument(index).boolean) }
        let again = try? Command(RTMPMessage(command.serialized()))
        precondition(again?.serialized() == command.serialized(), "a command does not read as it was written")
    }
    guard let values = try? message.amf0Values() else { return 0 }
    precondition(values.count <= AMF0Reader.maximumValues, "more values than are let")
    let written = write(values)
    guard let again = try? RTMPMessage(written).amf0Values() else {
        preconditionFailure("what was written does not read")
    }
    // As bytes, since NaN is not equal to itself.
    precondition(write(again) == written, "what was written reads otherwise")
    for value in values { _ = value.integer }
    if let metadata = FLVMetadata(values: values) {
        _ = (metadata.width, metadata.height, metadata.frameRate, metadata.videoBitrate, metadata.audioBitrate)
        _ = (metadata.audioSampleRate, metadata.audioChannels, metadata.encoder)
        let body = metadata.serialized()
        precondition((try? RTMPMessage(body).amf0Values()) != nil, "metadata does not read as it was written")
        #if FUZZ_CANARY
            // The planted bug: a number that nobody checked becomes an integer.
            if let width = metadata["width"]?.number { _ = UInt16(width) }
        #endif
    }
    return 0
}

private func write(_ values: [AMF0Value]) -> [UInt8] {
    var bytes: [UInt8] = []
    for value in values { bytes.append(amf0: value) }
    return bytes
}

extension RTMPMessage {
    fileprivate init(_ payload: [UInt8]) {
        self.init(chunkStreamID: 3, timestamp: 0, type: .command, messageStreamID: 0, payload: payload)
    }
}
