/// A track as the files of an output hold it.
public struct ReportedTrack: Codable, Equatable, Sendable {
    /// How its samples are coded, from a place on.
    public struct Form: Codable, Equatable, Sendable {
        /// Seconds of media before it, over all parts.
        public var atSeconds: Double
        /// RFC 6381, as `avc1.64001f`.
        public var codec: String
        /// In pixels; 0 for sound.
        public var width: Int
        public var height: Int
        /// 0 for pictures.
        public var channels: Int
        public var sampleRate: Int

        public init(atSeconds: Double, codec: String, width: Int, height: Int, channels: Int, sampleRate: Int) {
            self.atSeconds = atSeconds
            self.codec = codec
            self.width = width
            self.height = height
            self.channels = channels
            self.sampleRate = sampleRate
        }

        /// The same coding, wherever it begins.
        public func codesAs(_ other: Form) -> Bool {
            var moved = other
            moved.atSeconds = atSeconds
            return self == moved
        }
    }

    /// `TR_…`
    public var id: String
    /// Of its participant.
    public var identity: String
    /// `audio` or `video`.
    public var kind: String
    /// Access units or frames of sound that were written, silence that was made among them.
    public var frames: Int64
    public var forms: [Form]

    public init(id: String, identity: String, kind: String, frames: Int64 = 0, forms: [Form] = []) {
        self.id = id
        self.identity = identity
        self.kind = kind
        self.frames = frames
        self.forms = forms
    }

    /// Takes the forms of what was written later: each stands once.
    public mutating func append(_ later: [Form]) {
        guard let first = later.first else { return }
        for form in later {
            if form == first { forms.removeAll { $0.atSeconds >= first.atSeconds } }
            if forms.last?.codesAs(form) != true { forms.append(form) }
        }
    }
}

/// Where an output's time stands in the world's, and in its sources'.
public struct ReportedClock: Codable, Equatable, Sendable {
    public struct Source: Codable, Equatable, Sendable {
        public var identity: String
        /// The source's own stamp at the output's zero.
        public var stampSeconds: Double

        public init(identity: String, stampSeconds: Double) {
            self.identity = identity
            self.stampSeconds = stampSeconds
        }
    }

    /// UTC at the output's zero, nanoseconds since 1970, counted back over pauses from what is written now.
    public var zeroAt: Int64
    public var sources: [Source]

    public init(zeroAt: Int64, sources: [Source]) {
        self.zeroAt = zeroAt
        self.sources = sources
    }

    /// The same but for what no recording is exact to: 20 ms.
    public func agrees(with other: ReportedClock) -> Bool {
        let isNear = sources.map(\.identity) == other.sources.map(\.identity)
        let steps = zip(sources, other.sources).map { abs($0.stampSeconds - $1.stampSeconds) }
        return isNear && (zeroAt &- other.zeroAt).magnitude < 20_000_000 && steps.allSatisfy { $0 < 0.02 }
    }
}
