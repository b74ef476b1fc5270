/// Which MediaStream and track a section's media belongs to (RFC 8830 section 2).
public struct MediaStreamID: Equatable, Sendable {
    /// `-` for none.
    public var stream: String
    public var track: String?

    public init(stream: String, track: String? = nil) {
        self.stream = stream
        self.track = track
    }

    init(_ value: Substring, _ line: SDPLine) throws(SDPError) {
        let words = value.words
        guard 1...2 ~= words.count, words.allSatisfy({ $0.utf8.count <= 128 }) else {
            throw line.malformed("an msid has a stream and perhaps a track")
        }
        stream = String(words[0])
        track = words.count == 2 ? String(words[1]) : nil
    }

    var line: String { "a=msid:\(stream)\(track.map { " \($0)" } ?? "")" }
}

/// A synchronization source and its CNAME (RFC 5576 section 4.1).
public struct SourceDescription: Equatable, Sendable {
    public var ssrc: UInt32
    public var cname: String?

    public init(_ ssrc: UInt32, cname: String? = nil) {
        self.ssrc = ssrc
        self.cname = cname
    }

    var line: String { "a=ssrc:\(ssrc)\(cname.map { " cname:\($0)" } ?? "")" }
}

/// Sources that belong together (RFC 5576 section 4.2): `FID` for a stream and its retransmission.
public struct SourceGroup: Equatable, Sendable {
    public var semantics: String
    public var ssrcs: [UInt32]

    public init(_ semantics: String, _ ssrcs: [UInt32]) {
        self.semantics = semantics
        self.ssrcs = ssrcs
    }

    init(_ value: Substring, _ line: SDPLine) throws(SDPError) {
        let words = value.words
        guard 2...17 ~= words.count else { throw line.malformed("an ssrc-group has 1 to 16 sources") }
        semantics = try line.token(words[0], limit: 32, "the semantics of an ssrc-group")
        ssrcs = []
        for word in words.dropFirst() {
            ssrcs.append(UInt32(truncatingIfNeeded: try line.number(word, in: 0...0xFFFF_FFFF, "an SSRC")))
        }
    }

    var line: String { "a=ssrc-group:\(semantics) \(ssrcs.map { "\($0)" }.joined(separator: " "))" }
}
