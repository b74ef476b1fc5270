public import ICE

/// The body of a trickle or of a restart: `application/trickle-ice-sdpfrag` (RFC 8840 section 4.4, RFC 9725 section 4.3).
public struct TrickleFragment: Equatable, Sendable {
    public struct Section: Equatable, Sendable {
        /// Of the tagged section of the bundle.
        public var mid: String?
        public var candidates: [ICECandidate]
        public var endOfCandidates: Bool

        public init(mid: String?, candidates: [ICECandidate] = [], endOfCandidates: Bool = false) {
            self.mid = mid
            self.candidates = candidates
            self.endOfCandidates = endOfCandidates
        }
    }

    /// New ones ask for a restart; the present ones, or none, trickle.
    public var credentials: ICECredentials?
    public var iceOptions: [String]
    public var isICELite: Bool
    public var sections: [Section]

    public init(
        credentials: ICECredentials?, iceOptions: [String] = [], isICELite: Bool = false, sections: [Section] = []
    ) {
        self.credentials = credentials
        self.iceOptions = iceOptions
        self.isICELite = isICELite
        self.sections = sections
    }

    /// Reads a fragment. Candidates that cannot be used are skipped in silence.
    /// - Throws: ``SDPError``: answer 400, and let the session live on.
    public init(parsing text: [UInt8]) throws(SDPError) {
        let lines = try SDPLine.lines(of: text)
        guard let first = lines.first else { throw .malformed(line: 1, "the fragment is empty") }
        self.init(credentials: nil)
        var readers = [SectionReader()]
        for line in lines {
            if line.type == "m" {
                guard readers.count <= SessionDescription.maximumSections else { throw line.tooMany("sections") }
                readers.append(try SectionReader(line))
            } else {
                if line.type == "a", line.attribute.name == "ice-lite" { isICELite = true }
                try readers[readers.count - 1].take(line)
            }
        }
        for (index, reader) in readers.enumerated() {
            let section = try reader.finished(nil)
            if credentials == nil { credentials = section.credentials }
            if iceOptions.isEmpty { iceOptions = section.iceOptions }
            // What stands before the first `m=` counts for the transport, whatever section that has.
            guard index > 0 || !section.candidates.isEmpty || section.endOfCandidates else { continue }
            sections.append(
                Section(mid: section.mid, candidates: section.candidates, endOfCandidates: section.endOfCandidates))
        }
        guard credentials != nil || !sections.isEmpty else {
            throw first.malformed("the fragment has neither credentials nor candidates")
        }
    }

    /// The fragment as text, lines ending with CRLF.
    public var text: String {
        var lines: [String] = []
        if isICELite { lines.append("a=ice-lite") }
        if !iceOptions.isEmpty { lines.append("a=ice-options:\(iceOptions.joined(separator: " "))") }
        if let credentials {
            lines += ["a=ice-ufrag:\(credentials.usernameFragment)", "a=ice-pwd:\(credentials.password)"]
        }
        for section in sections {
            // RFC 8840 section 4.4: a pseudo section, whose values mean nothing.
            lines.append("m=audio 9 UDP/TLS/RTP/SAVPF 0")
            if let mid = section.mid { lines.append("a=mid:\(mid)") }
            lines += section.candidates.map { "a=\($0.text)" }
            if section.endOfCandidates { lines.append("a=end-of-candidates") }
        }
        return lines.map { $0 + "\r\n" }.joined()
    }
}
