/// An offer or an answer (RFC 8866, RFC 8829): the session's lines that matter here, and its sections.
public struct SessionDescription: Equatable, Sendable {
    static let maximumSections = 32

    /// `o=`: the id and version of the session.
    public var sessionID: UInt64
    public var sessionVersion: UInt64
    /// `a=ice-lite` (RFC 8839 section 5.3).
    public var isICELite = false
    /// The mids of each `a=group:BUNDLE`, in their order (RFC 9143 section 5).
    public var bundles: [[String]] = []
    public var sections: [MediaSection]

    public init(sessionID: UInt64, sessionVersion: UInt64 = 1, sections: [MediaSection] = []) {
        self.sessionID = sessionID
        self.sessionVersion = sessionVersion
        self.sections = sections
    }

    /// Reads a description. Lines that are unknown are left out.
    /// - Throws: ``SDPError``, with the number of the line.
    public init(parsing text: [UInt8]) throws(SDPError) {
        let lines = try SDPLine.lines(of: text)
        guard let first = lines.first, first.type == "v", first.value == "0" else {
            throw .malformed(line: 1, "a description begins with v=0")
        }
        let start = lines.firstIndex { $0.type == "m" } ?? lines.endIndex
        self.init(sessionID: 0, sessionVersion: 0)
        var session = SectionReader()
        var hasOrigin = false
        for line in lines[..<start] {
            if line.type == "o", !hasOrigin {
                hasOrigin = true
                try takeOrigin(line)
            } else if line.type == "a" {
                try takeAttribute(line)
            }
            try session.take(line)
        }
        guard hasOrigin else { throw .malformed(line: 1, "a description has an o= before its sections") }
        try takeSections(lines[start...], try session.finished(nil))
    }

    private mutating func takeOrigin(_ line: SDPLine) throws(SDPError) {
        let words = line.value.words
        guard words.count == 6, let id = Self.number(words[1]), let version = Self.number(words[2]) else {
            throw line.malformed("an o= has six words, of which the second and third are numbers")
        }
        (sessionID, sessionVersion) = (id, version)
    }

    /// Digits only, up to 64 bits.
    private static func number(_ text: Substring) -> UInt64? {
        text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? UInt64(text) : nil
    }

    private mutating func takeAttribute(_ line: SDPLine) throws(SDPError) {
        let (name, value) = line.attribute
        if name == "ice-lite" { isICELite = true }
        guard name == "group", value.words.first == "BUNDLE" else { return }
        guard bundles.count < 4, value.words.count <= 1 + Self.maximumSections else { throw line.tooMany("groups") }
        var mids: [String] = []
        for word in value.words.dropFirst() {
            mids.append(try line.token(word, limit: SectionReader.Limit.mid, "a mid of the group"))
        }
        bundles.append(mids)
    }

    private mutating func takeSections(_ lines: ArraySlice<SDPLine>, _ session: MediaSection) throws(SDPError) {
        var reader: SectionReader?
        var mids: Set<String> = []
        for line in lines {
            guard line.type == "m" else {
                try reader?.take(line)
                continue
            }
            if let reader { sections.append(try reader.finished(session)) }
            guard sections.count < Self.maximumSections else { throw line.tooMany("sections") }
            if let mid = sections.last?.mid, !mids.insert(mid).inserted {
                throw line.malformed("the section before has the mid of another")
            }
            reader = try SectionReader(line)
        }
        guard let reader else { return }
        let last = try reader.finished(session)
        if let mid = last.mid, mids.contains(mid), let line = lines.last {
            throw line.malformed("the section has the mid of another")
        }
        sections.append(last)
    }

    /// The description as text, lines ending with CRLF.
    public var text: String {
        var lines = ["v=0", "o=- \(sessionID) \(sessionVersion) IN IP4 127.0.0.1", "s=-", "t=0 0"]
        if isICELite { lines.append("a=ice-lite") }
        lines += bundles.map { "a=group:BUNDLE" + $0.map { " \($0)" }.joined() }
        if sections.contains(where: { !$0.streams.isEmpty }) { lines.append("a=msid-semantic:WMS *") }
        lines += sections.flatMap(\.lines)
        return lines.map { $0 + "\r\n" }.joined()
    }

    /// The section whose transport the bundle uses: the first that is named first by a group, or the first at all
    /// (RFC 9143 section 7.2.1).
    public var taggedSection: MediaSection? {
        for mid in bundles.first ?? [] {
            if let section = sections.first(where: { $0.mid == mid && !$0.isRejected }) { return section }
        }
        return sections.first { !$0.isRejected }
    }
}
