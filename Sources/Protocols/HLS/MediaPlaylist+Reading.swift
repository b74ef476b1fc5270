import Timing

extension MediaPlaylist {
    /// Reads a playlist's text (section 4.1).
    /// - Throws: ``HLSError`` for a text that is none, a tag without its value, or a playlist without a target duration.
    public init(parsing bytes: Span<UInt8>) throws(HLSError) {
        var reader = try PlaylistReader(bytes)
        self.init(targetDuration: -1)
        version = 1
        var next = Segment(uri: "", duration: .zero)
        var hasDuration = false
        while let line = reader.next() {
            guard let tag = line.tag else {
                guard hasDuration else { throw .missing(tag: "EXTINF") }
                guard segments.count < Self.segmentLimit else { throw .tooLarge(line: line.number) }
                next.uri = line.text
                segments.append(next)
                next = Segment(uri: "", duration: .zero)
                hasDuration = false
                continue
            }
            if tag == "EXTINF" { hasDuration = true }
            if try !next.read(tag, line) { try read(tag, line) }
        }
        guard targetDuration >= 0 else { throw .missing(tag: "EXT-X-TARGETDURATION") }
    }

    private mutating func read(_ tag: String, _ line: PlaylistLine) throws(HLSError) {
        switch tag {
        case "EXT-X-VERSION": version = Int(clamping: try line.integer())
        case "EXT-X-TARGETDURATION": targetDuration = Int(clamping: try line.integer())
        case "EXT-X-MEDIA-SEQUENCE": mediaSequence = try line.integer()
        case "EXT-X-DISCONTINUITY-SEQUENCE": discontinuitySequence = try line.integer()
        case "EXT-X-ENDLIST": isEnded = true
        case "EXT-X-PLAYLIST-TYPE":
            guard let kind = Kind(rawValue: line.value) else { throw line.malformed }
            self.kind = kind
        default: break
        }
    }
}

extension MediaPlaylist.Marker {
    /// - Returns: `nil` for a date range of another class.
    fileprivate init?(_ line: PlaylistLine) throws(HLSError) {
        let attributes = try AttributeList(line)
        guard attributes["CLASS"] == Self.className else { return nil }
        guard let id = attributes["ID"], let name = attributes["X-SLUICE-NAME"],
            let date = attributes["START-DATE"].flatMap({ CivilTime.parse(Array($0.utf8)) })
        else { throw line.malformed }
        self.init(id: id, date: date, name: name)
    }
}

extension MediaPlaylist.Segment {
    /// Takes a tag that belongs to one segment.
    /// - Returns: false for any other tag.
    fileprivate mutating func read(_ tag: String, _ line: PlaylistLine) throws(HLSError) -> Bool {
        switch tag {
        case "EXTINF": duration = try line.duration()
        case "EXT-X-DISCONTINUITY": discontinuities += 1
        case "EXT-X-GAP": isGap = true
        case "EXT-X-PROGRAM-DATE-TIME":
            guard let time = CivilTime.parse(Array(line.value.utf8)) else { throw line.malformed }
            programDateTime = time
        case "EXT-X-DATERANGE":
            if let marker = try MediaPlaylist.Marker(line) { markers.append(marker) }
        case "EXT-X-MAP":
            guard let uri = try AttributeList(line)["URI"] else { throw line.malformed }
            map = uri
        default: return false
        }
        return true
    }
}
