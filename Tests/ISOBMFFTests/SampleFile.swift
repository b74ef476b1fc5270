import ISOBMFF

/// A small file of two tracks with three fragments, made without a recorder.
struct SampleFile {
    static let avcC: [UInt8] = [
        0x01, 0x42, 0xC0, 0x1E, 0xFF, 0xE1, 0x00, 0x04, 0x67, 0x42, 0xC0, 0x1E, 0x01, 0x00, 0x02, 0x68, 0xCE,
    ]
    static let audioSpecificConfig: [UInt8] = [0x11, 0x90]

    static let movie: Movie = {
        let video = SampleEntry(video: "avc1", configuration: avcC, width: 640, height: 360)
        let wide = SampleEntry(
            video: "avc1", configuration: avcC + [0], width: 720, height: 576,
            pixelAspect: .init(horizontal: 16, vertical: 15))
        let audio = SampleEntry(audio: "mp4a", configuration: audioSpecificConfig, channels: 2, sampleRate: 48_000)
        return Movie(
            creationTime: 3_800_000_000,
            tracks: [
                MovieTrack(
                    id: 1, kind: .video, timescale: 90_000, name: "alice (camera)", creationTime: 3_800_000_000,
                    entries: [video, wide].compactMap { $0 }, origin: 6000),
                MovieTrack(
                    id: 2, kind: .audio, timescale: 48_000, name: "alice (microphone)", creationTime: 3_800_000_000,
                    entries: [audio].compactMap { $0 }, origin: 1024),
            ])
    }()

    /// Fragment `number` from 0: 3 pictures with a B-frame, and 4 frames of sound.
    static func fragment(_ number: Int) -> Fragment {
        let time = Int64(number) * 9000
        var video = Fragment.Run(trackID: 1, description: number == 2 ? 2 : 1, time: time)
        for (index, offset) in [Int32(6000), 3000, -3000].enumerated() {
            let size = 10 + index
            video.samples.append(
                FragmentSample(
                    duration: 3000, size: UInt32(size), compositionOffset: offset, isSync: index == 0 && number != 1))
            video.payload += [UInt8](repeating: UInt8(number * 16 + index), count: size)
        }
        var audio = Fragment.Run(trackID: 2, description: 1, time: 1024 + Int64(number) * 4800)
        for index in 0..<4 {
            audio.samples.append(FragmentSample(duration: 1024, size: 5, isSync: true))
            audio.payload += [UInt8](repeating: UInt8(0x80 + number * 16 + index), count: 5)
        }
        return Fragment(
            sequenceNumber: UInt32(number + 1), runs: [video, audio], resumeState: [1, 2, 3, UInt8(number)])
    }

    var bytes: [UInt8] = HybridHead.bytes(movie) ?? []
    var tables = [SampleTable(), SampleTable()]
    /// Where each fragment ends.
    var ends: [Int] = []

    /// The file as it grows; its last fragment may be left a draft.
    init(fragments: Int = 3, isCommitted: Bool = true) {
        for number in 0..<fragments {
            let start = bytes.count
            let fragment = Self.fragment(number)
            for (index, (run, offset)) in zip(fragment.runs, fragment.write(into: &bytes)).enumerated() {
                tables[index].append(run, at: UInt64(offset))
            }
            if isCommitted || number + 1 < fragments { bytes[start + Fragment.commitOffset] = Fragment.commitByte }
            ends.append(bytes.count)
        }
    }

    /// The finished file.
    var sealed: [UInt8] {
        var file = bytes
        Self.movie.writeFinal(tables, into: &file)
        let seal = HybridHead.seal(finalMovieAt: UInt64(bytes.count))
        file.replaceSubrange(Int(seal.offset)..<Int(seal.offset) + seal.bytes.count, with: seal.bytes)
        return file
    }
}

func parse(_ file: [UInt8]) throws(ISOBMFFError) -> MovieFile { try MovieFile(parsing: file.span) }

/// Scans a file as it was left; the scanner must end within `steps` reads.
func scan(_ file: [UInt8], steps: Int = 1000) -> HybridScan? {
    var scanner = HybridScanner(fileSize: UInt64(file.count))
    for _ in 0..<steps {
        switch scanner.pollOutput() {
        case .finished(let scan): return scan
        case .read(let offset, let count):
            let start = Int(min(offset, UInt64(file.count)))
            scanner.receive(Array(file[start..<min(start + count, file.count)]))
        }
    }
    return nil
}
