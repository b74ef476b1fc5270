extension MultivariantPlaylist {
    // MARK: Writing

    /// The playlist as text, which reads the same again.
    public var text: String {
        var text = "#EXTM3U\n#EXT-X-VERSION:\(version)\n"
        if hasIndependentSegments { text += "#EXT-X-INDEPENDENT-SEGMENTS\n" }
        for rendition in renditions {
            let flag = rendition.isDefault ? "YES" : "NO"
            text += "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"\(rendition.group)\",NAME=\"\(rendition.name)\","
            text += "DEFAULT=\(flag),AUTOSELECT=YES,CHANNELS=\"\(rendition.channels)\",URI=\"\(rendition.uri)\"\n"
        }
        for variant in variants { text += "#EXT-X-STREAM-INF:\(variant.attributes)\n\(variant.uri)\n" }
        return text
    }

    // MARK: Reading

    /// Reads a playlist's text. Renditions of other kinds than sound are skipped.
    /// - Throws: ``HLSError`` for a text that is none, or a tag without what it must say.
    public init(parsing bytes: Span<UInt8>) throws(HLSError) {
        var reader = try PlaylistReader(bytes)
        self.init()
        version = 1
        var variant: Variant?
        while let line = reader.next() {
            guard renditions.count + variants.count < Self.entryLimit else { throw .tooLarge(line: line.number) }
            switch line.tag {
            case nil:
                guard var complete = variant.take() else { throw .missing(tag: "EXT-X-STREAM-INF") }
                complete.uri = line.text
                variants.append(complete)
            case "EXT-X-VERSION": version = Int(clamping: try line.integer())
            case "EXT-X-INDEPENDENT-SEGMENTS": hasIndependentSegments = true
            case "EXT-X-MEDIA":
                if let rendition = try Rendition(line) { renditions.append(rendition) }
            case "EXT-X-STREAM-INF": variant = try Variant(line)
            default: break
            }
        }
        guard variant == nil else { throw .missing(tag: "URI") }
    }
}

extension MultivariantPlaylist.Rendition {
    /// - Returns: `nil` for another type, or one whose media is in the variant itself.
    fileprivate init?(_ line: PlaylistLine) throws(HLSError) {
        let attributes = try AttributeList(line)
        guard let type = attributes["TYPE"], let group = attributes["GROUP-ID"], let name = attributes["NAME"] else {
            throw line.malformed
        }
        guard type == "AUDIO", let uri = attributes["URI"] else { return nil }
        let channels = attributes["CHANNELS"].map { $0.prefix { $0 != "/" } }
        self.init(
            group: group, name: name, uri: uri, isDefault: attributes["DEFAULT"] == "YES",
            channels: channels.flatMap { Int($0) } ?? 0)
    }
}

extension MultivariantPlaylist.Variant {
    fileprivate var attributes: String {
        var list = ["BANDWIDTH=\(bandwidth)"]
        if let averageBandwidth { list.append("AVERAGE-BANDWIDTH=\(averageBandwidth)") }
        if !codecs.isEmpty { list.append("CODECS=\"\(codecs.joined(separator: ","))\"") }
        if let resolution { list.append("RESOLUTION=\(resolution.width)x\(resolution.height)") }
        if let frameRate { list.append("FRAME-RATE=\(Self.decimal(frameRate))") }
        if let audio { list.append("AUDIO=\"\(audio)\"") }
        return list.joined(separator: ",")
    }

    /// With three decimals, as section 4.4.6.2 asks.
    private static func decimal(_ value: Double) -> String {
        let thousandths = Int64(exactly: (min(max(value, 0), 1_000_000) * 1000).rounded()) ?? 0
        let fraction = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.utf8.count) + fraction
    }

    fileprivate init(_ line: PlaylistLine) throws(HLSError) {
        let attributes = try AttributeList(line)
        guard let bandwidth = attributes["BANDWIDTH"].flatMap({ Int64($0) }), bandwidth >= 0 else {
            throw line.malformed
        }
        self.init(uri: "", bandwidth: bandwidth)
        averageBandwidth = attributes["AVERAGE-BANDWIDTH"].flatMap { Int64($0) }
        codecs = attributes["CODECS"].map { $0.split(separator: ",").map { String($0) } } ?? []
        frameRate = attributes["FRAME-RATE"].flatMap { Double($0) }.flatMap { 0...1_000_000 ~= $0 ? $0 : nil }
        audio = attributes["AUDIO"]
        guard let text = attributes["RESOLUTION"] else { return }
        let sizes = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard sizes.count == 2, let width = sizes[0], let height = sizes[1] else { throw line.malformed }
        resolution = MultivariantPlaylist.Resolution(width: width, height: height)
    }
}
