import Bytes

extension Movie {
    /// Most tracks that are read; a file of ours has at most 16.
    static let trackLimit = 64

    /// Reads the payload of a `moov`, without its samples.
    init(parsing moov: Span<UInt8>) throws(ISOBMFFError) {
        try self.init(parsing: moov) { (_, _) throws(ISOBMFFError) in }
    }

    /// Reads the payload of a `moov`; `visit` is given each track and the payload of its `stbl`.
    init(
        parsing moov: Span<UInt8>, visit: (MovieTrack, Span<UInt8>) throws(ISOBMFFError) -> Void
    ) throws(ISOBMFFError) {
        let header = try moov.child("mvhd")
        guard header.count >= 108, header[0] == 1 else { throw .unsupported("mvhd") }
        creationTime = header.uint64(at: 4)
        tracks = []
        let scale = header.uint32(at: 20)
        var boxes = BoxIterator(moov)
        while let box = try boxes.next() {
            guard box.type == "trak" else { continue }
            guard tracks.count < Self.trackLimit else { throw .badCount("trak", count: UInt64(tracks.count)) }
            let trak = moov.extracting(box.payload)
            let track = try MovieTrack(parsing: trak, movieTimescale: scale)
            guard !tracks.contains(where: { $0.id == track.id }) else { throw .malformed("tkhd") }
            tracks.append(track)
            try visit(track, try trak.child("mdia").child("minf").child("stbl"))
        }
    }
}

extension MovieTrack {
    fileprivate init(parsing trak: Span<UInt8>, movieTimescale: UInt32) throws(ISOBMFFError) {
        let header = try trak.child("tkhd")
        guard header.count >= 96, header[0] == 1 else { throw .unsupported("tkhd") }
        let mdia = try trak.child("mdia")
        let mediaHeader = try mdia.child("mdhd")
        guard mediaHeader.count >= 32, mediaHeader[0] == 1 else { throw .unsupported("mdhd") }
        let handler = try mdia.child("hdlr")
        guard handler.count >= 24 else { throw .truncated("hdlr") }
        switch FourCC(rawValue: handler.uint32(at: 8)) {
        case "vide": kind = .video
        case "soun": kind = .audio
        case let other: throw .unsupported(other)
        }
        id = header.uint32(at: 20)
        isDefault = header[3] & 1 != 0
        creationTime = header.uint64(at: 4)
        timescale = mediaHeader.uint32(at: 20)
        guard timescale > 0, movieTimescale > 0 else { throw .malformed("mdhd") }
        let text = handler.extracting(24..<handler.count)
        name = String(decoding: [UInt8](copying: text).prefix { $0 != 0 }, as: UTF8.self)
        entries = try Self.entries(of: try mdia.child("minf").child("stbl").child("stsd"), kind: kind)
        origin = 0
        if trak.hasChild("edts") { origin = try Self.origin(of: try trak.child("edts").child("elst")) }
    }

    private static func entries(of stsd: Span<UInt8>, kind: Kind) throws(ISOBMFFError) -> [SampleEntry] {
        guard stsd.count >= 8 else { throw .truncated("stsd") }
        let announced = stsd.uint32(at: 4)
        var entries: [SampleEntry] = []
        var boxes = BoxIterator(stsd, from: 8)
        while let box = try boxes.next() {
            let entry = try SampleEntry(parsing: stsd.extracting(box.payload), format: box.type)
            guard entry.isVideo == (kind == .video) else { throw .malformed("stsd") }
            entries.append(entry)
        }
        guard entries.count == Int(announced) else { throw .badCount("stsd", count: UInt64(announced)) }
        return entries
    }

    /// The track's time at the movie's zero. An empty edit before it cannot be told here: a fragmented file has none.
    private static func origin(of elst: Span<UInt8>) throws(ISOBMFFError) -> Int64 {
        let edits = try Edit.parse(elst)
        guard let shown = edits.first(where: { $0.mediaTime >= 0 }) else { return 0 }
        return shown.mediaTime
    }
}

extension Edit {
    static func parse(_ elst: Span<UInt8>) throws(ISOBMFFError) -> [Edit] {
        guard elst.count >= 8, elst[0] == 1 else { throw .unsupported("elst") }
        let count = Int(elst.uint32(at: 4))
        guard count <= (elst.count - 8) / 20 else { throw .badCount("elst", count: UInt64(count)) }
        return (0..<count).map {
            Edit(
                duration: elst.uint64(at: 8 + 20 * $0), mediaTime: Int64(bitPattern: elst.uint64(at: 16 + 20 * $0)))
        }
    }
}
