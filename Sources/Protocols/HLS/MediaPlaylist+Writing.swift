import Timing

extension MediaPlaylist {
    /// The playlist as text (section 4.1), which reads the same again.
    public var text: String {
        var text = "#EXTM3U\n#EXT-X-VERSION:\(version)\n#EXT-X-TARGETDURATION:\(targetDuration)\n"
        if mediaSequence != 0 || kind == nil { text += "#EXT-X-MEDIA-SEQUENCE:\(mediaSequence)\n" }
        if discontinuitySequence != 0 { text += "#EXT-X-DISCONTINUITY-SEQUENCE:\(discontinuitySequence)\n" }
        if let kind { text += "#EXT-X-PLAYLIST-TYPE:\(kind.rawValue)\n" }
        for segment in segments { segment.write(into: &text) }
        if isEnded { text += "#EXT-X-ENDLIST\n" }
        return text
    }
}

extension MediaPlaylist.Marker {
    fileprivate func write(into text: inout String) {
        text += "#EXT-X-DATERANGE:ID=\"\(id)\",CLASS=\"\(Self.className)\","
        text += "START-DATE=\"\(CivilTime(date).text)\",DURATION=0,X-SLUICE-NAME=\"\(name)\"\n"
    }
}

extension MediaPlaylist.Segment {
    fileprivate func write(into text: inout String) {
        for _ in 0..<discontinuities { text += "#EXT-X-DISCONTINUITY\n" }
        if let map { text += "#EXT-X-MAP:URI=\"\(map)\"\n" }
        if let programDateTime { text += "#EXT-X-PROGRAM-DATE-TIME:\(CivilTime(programDateTime).text)\n" }
        if isGap { text += "#EXT-X-GAP\n" }
        for marker in markers { marker.write(into: &text) }
        let microseconds = max(0, duration.nanoseconds) / 1000
        let fraction = String(microseconds % 1_000_000)
        let zeros = String(repeating: "0", count: 6 - fraction.utf8.count)
        text += "#EXTINF:\(microseconds / 1_000_000).\(zeros)\(fraction),\n\(uri)\n"
    }
}
