// modules: Bytes ISOBMFF
// covers: Sources/Protocols/ISOBMFF/BoxReading.swift Sources/Protocols/ISOBMFF/MovieReading.swift Sources/Protocols/ISOBMFF/FragmentReading.swift Sources/Protocols/ISOBMFF/SampleTableReading.swift Sources/Protocols/ISOBMFF/MovieFile.swift Sources/Protocols/ISOBMFF/HybridScanner.swift Sources/Protocols/ISOBMFF/ElementaryStream.swift Sources/Protocols/ISOBMFF/SampleEntry.swift
// max-length: 4096

import Bytes
import ISOBMFF

/// An input is a whole file behind a 0, or behind another byte the length of a first `moov` in two bytes, that `moov`, and
/// the fragments that follow the head.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let mode = input.first else { return 0 }
    if mode == 0 {
        checkFile(Array(input.dropFirst()))
        return 0
    }
    guard input.count >= 3 else { return 0 }
    let length = Int(input[1]) << 8 | Int(input[2])
    let file = hybrid(moov: input.dropFirst(3).prefix(length), fragments: input.dropFirst(3 + length))
    checkFile(file)
    if case .open(let found) = scan(file) { check(found, of: file) }
    return 0
}

/// The head of a hybrid file around `moov`.
private func hybrid(moov: ArraySlice<UInt8>, fragments: ArraySlice<UInt8>) -> [UInt8] {
    var file = HybridHead.bytes(Movie()) ?? []
    let start = 48  // behind ftyp and the 16 bytes
    file.replaceSubrange(start..<start + moov.count, with: moov)
    return file + fragments
}

/// Samples stand within the file, and none is there twice as often as bytes could say.
private func checkFile(_ bytes: [UInt8]) {
    guard let file = try? MovieFile(parsing: bytes.span) else { return }
    precondition(file.tornByteCount >= 0 && file.tornByteCount <= bytes.count, "more torn than there is")
    precondition(file.tracks.count == file.movie.tracks.count, "tracks lost or won")
    for track in file.tracks {
        precondition(track.samples.count <= bytes.count, "more samples than bytes")
        for sample in track.samples {
            precondition(sample.range.lowerBound >= 0 && sample.range.upperBound <= bytes.count, "a sample outside")
        }
    }
}

/// The scanner ends, and asks for nothing without measure.
private func scan(_ file: [UInt8]) -> HybridScan {
    var scanner = HybridScanner(fileSize: UInt64(file.count))
    for _ in 0..<file.count {
        switch scanner.pollOutput() {
        case .finished(let scan): return scan
        case .read(let offset, let count):
            precondition(offset <= UInt64(file.count) && count <= 64 << 20, "a read outside")
            scanner.receive(Array(file[Int(offset)..<min(Int(offset) + count, file.count)]))
        }
    }
    preconditionFailure("the scanner does not end")
}

/// What was found can be written, and reads the same: as a head, and as the finished file.
private func check(_ found: HybridFile, of file: [UInt8]) {
    precondition(found.byteCount <= UInt64(file.count), "a fragment behind the end")
    precondition(found.tables.count == found.movie.tracks.count, "a track without a table")
    guard let head = HybridHead.bytes(found.movie) else { return }
    let again = try? MovieFile(parsing: head.span)
    precondition(again?.movie == found.movie, "a movie reads otherwise than it was written")
    #if FUZZ_CANARY
        // The planted bug: an edit list of version 1 taken for one of version 0.
        for track in found.movie.tracks { _ = UInt32(track.origin) }
    #endif
    // Times of nonsense do not fit the tables of a finished file; ours are years from that.
    guard found.tables.allSatisfy({ $0.presentationEnd < 1 << 31 }),
        found.movie.tracks.allSatisfy({ $0.origin < 1 << 31 })
    else { return }
    var sealed = head + file[head.count..<Int(found.byteCount)]
    guard let open = try? MovieFile(parsing: sealed.span) else { preconditionFailure("the scanner knows better") }
    let seal = HybridHead.seal(finalMovieAt: found.byteCount)
    found.movie.writeFinal(found.tables, into: &sealed)
    sealed.replaceSubrange(Int(seal.offset)..<Int(seal.offset) + seal.bytes.count, with: seal.bytes)
    guard let finished = try? MovieFile(parsing: sealed.span) else {
        preconditionFailure("a finished file does not read")
    }
    let wanted = open.tracks.map(\.samples).filter { !$0.isEmpty }
    let read = finished.tracks.map(\.samples)
    precondition(read.map { $0.map(\.range) } == wanted.map { $0.map(\.range) }, "samples stand elsewhere")
    precondition(read.map { $0.map(\.duration) } == wanted.map { $0.map(\.duration) }, "samples last otherwise")
}
