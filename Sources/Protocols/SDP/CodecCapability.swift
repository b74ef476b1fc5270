/// A codec that can be forwarded, and what an answer says of it.
public struct CodecCapability: Equatable, Sendable {
    /// A parameter that must have one of some values.
    public struct Requirement: Equatable, Sendable {
        public var parameter: String
        public var allowed: [String]
        /// What a missing parameter means.
        public var missing: String

        public init(_ parameter: String, _ allowed: [String], missing: String) {
            self.parameter = parameter
            self.allowed = allowed
            self.missing = missing
        }
    }

    public var kind: MediaSection.Kind
    public var name: String
    /// In hertz.
    public var clockRate: Int
    public var channels: Int
    public var requirements: [Requirement]
    /// What an answer that receives says itself, in this order; the offer's other parameters are repeated behind it.
    public var parameters: [(name: String, value: String)]
    /// Values of `rtcp-fb` that are understood; the answer has those of them that the offer has.
    public var feedback: [String]
    /// Whether lost packets come again as `rtx` (RFC 4588).
    public var retransmits: Bool

    public init(
        _ kind: MediaSection.Kind, _ name: String, clockRate: Int, channels: Int = 1,
        requirements: [Requirement] = [], parameters: [(name: String, value: String)] = [],
        feedback: [String] = ["transport-cc"], retransmits: Bool = false
    ) {
        self.kind = kind
        self.name = name
        self.clockRate = clockRate
        self.channels = channels
        self.requirements = requirements
        self.parameters = parameters
        self.feedback = feedback
        self.retransmits = retransmits
    }

    /// All that can be forwarded without being opened.
    public static let forwarded: [CodecCapability] = [opus, red, pcmu, pcma, vp8, vp9, h264, h265, av1]

    /// Stereo and in-band FEC are asked for: browsers send neither unasked (RFC 7587 section 6.1).
    public static let opus = CodecCapability(
        .audio, "opus", clockRate: 48_000, channels: 2,
        parameters: [("minptime", "10"), ("useinbandfec", "1"), ("stereo", "1")], feedback: ["transport-cc", "nack"])
    /// Opus with redundancy (RFC 2198); accepted if what it repeats is.
    public static let red = CodecCapability(.audio, "red", clockRate: 48_000, channels: 2)
    public static let pcmu = CodecCapability(.audio, "PCMU", clockRate: 8000)
    public static let pcma = CodecCapability(.audio, "PCMA", clockRate: 8000)
    public static let vp8 = video("VP8")
    public static let vp9 = video("VP9")
    /// Any profile; single NAL units and the non-interleaved mode (RFC 6184 section 6).
    public static let h264 = video("H264", [Requirement("packetization-mode", ["0", "1"], missing: "0")])
    /// Without decoding order numbers (RFC 7798 section 7.1).
    public static let h265 = video("H265", [Requirement("sprop-max-don-diff", ["0"], missing: "0")])
    public static let av1 = video("AV1")

    private static func video(_ name: String, _ requirements: [Requirement] = []) -> CodecCapability {
        CodecCapability(
            .video, name, clockRate: 90_000, requirements: requirements,
            feedback: ["nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"], retransmits: true)
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.kind == right.kind && left.name == right.name && left.clockRate == right.clockRate
            && left.channels == right.channels && left.requirements == right.requirements
            && left.parameters.elementsEqual(right.parameters, by: ==) && left.feedback == right.feedback
            && left.retransmits == right.retransmits
    }

    func matches(_ format: PayloadFormat) -> Bool {
        format.isNamed(name) && format.clockRate == clockRate && format.channels == channels
            && requirements.allSatisfy { $0.allowed.contains(format[$0.parameter] ?? $0.missing) }
    }

    /// The format as an answer has it: the payload type and the parameters of the offer, with ours before them.
    func answer(_ format: PayloadFormat, receiving: Bool) -> PayloadFormat {
        var answer = format
        answer.feedback = format.feedback.filter { feedback.contains($0) }
        guard receiving, !parameters.isEmpty else { return answer }
        let rest = (format.parameters ?? "").split(separator: ";").filter { item in
            let name = item.split(separator: "=").first.map { $0.filter { $0 != " " }.lowercased() }
            // What the peer says of its own sending is not ours to repeat.
            return name.map { name in !name.hasPrefix("sprop-") && !parameters.contains { $0.name == name } } ?? false
        }
        answer.parameters = (parameters.map { "\($0.name)=\($0.value)" } + rest.map { String($0.filter { $0 != " " }) })
            .joined(separator: ";")
        return answer
    }
}

extension [CodecCapability] {
    /// The formats of an offer that are accepted, in the offer's order, as the answer has them.
    func accept(_ section: MediaSection, receiving: Bool) -> [PayloadFormat] {
        let ofKind = filter { $0.kind == section.kind }
        var accepted: [UInt8: PayloadFormat] = [:]
        var retransmitted: Set<UInt8> = []
        for format in section.payloads where !format.isNamed("red") {
            guard let capability = ofKind.first(where: { $0.matches(format) }) else { continue }
            accepted[format.payloadType] = capability.answer(format, receiving: receiving)
            if capability.retransmits { retransmitted.insert(format.payloadType) }
        }
        for format in section.payloads {
            if format.isNamed("rtx"), let type = format.associatedPayloadType, retransmitted.contains(type) {
                accepted[format.payloadType] = format
                accepted[format.payloadType]?.feedback = []
            }
            if let red = ofKind.first(where: { $0.isRed && $0.matches(format) }), Self.repeats(format, accepted) {
                accepted[format.payloadType] = red.answer(format, receiving: receiving)
            }
        }
        return section.payloads.compactMap { accepted[$0.payloadType] }
    }

    /// Whether all that a `red` repeats (`111/111`) is accepted.
    private static func repeats(_ format: PayloadFormat, _ accepted: [UInt8: PayloadFormat]) -> Bool {
        let types = (format.parameters ?? "").split(separator: "/").map {
            SDPLine.number($0).flatMap(UInt8.init(exactly:))
        }
        return !types.isEmpty && types.allSatisfy { $0.map { accepted[$0] != nil } ?? false }
    }
}

extension CodecCapability {
    fileprivate var isRed: Bool { name == "red" }
}
