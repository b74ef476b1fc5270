/// One payload type of a section: its `rtpmap`, `fmtp` and `rtcp-fb` lines (RFC 8866 section 6.6, RFC 4585 section 4.2).
public struct PayloadFormat: Equatable, Sendable {
    /// 0 to 127.
    public var payloadType: UInt8
    /// As it is written; compare by ``isNamed(_:)``.
    public var name: String
    /// In hertz.
    public var clockRate: Int
    /// 1 unless said.
    public var channels: Int
    /// The value of `fmtp` behind the payload type, as it came.
    public var parameters: String?
    /// Values of `rtcp-fb` behind the payload type, as `nack pli`.
    public var feedback: [String]

    public init(
        _ payloadType: UInt8, _ name: String, clockRate: Int, channels: Int = 1, parameters: String? = nil,
        feedback: [String] = []
    ) {
        self.payloadType = payloadType & 0x7F
        self.name = name
        self.clockRate = clockRate
        self.channels = channels
        self.parameters = parameters
        self.feedback = feedback
    }

    /// Names are compared without case (RFC 8866 section 6.6).
    public func isNamed(_ other: String) -> Bool { name.lowercased() == other.lowercased() }

    /// A parameter of `name=value;name=value`; `nil` if it is not there.
    public subscript(parameter: String) -> String? {
        for item in (parameters ?? "").split(separator: ";") {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = pair.first, name.filter({ $0 != " " }).lowercased() == parameter else { continue }
            return pair.count == 2 ? String(pair[1].filter { $0 != " " }) : ""
        }
        return nil
    }

    /// What `rtx` retransmits (RFC 4588 section 8.1).
    public var associatedPayloadType: UInt8? {
        self["apt"].flatMap { SDPLine.number($0) }.flatMap { UInt8(exactly: $0) }
    }

    /// Payload types that need no `rtpmap` (RFC 3551 section 6).
    static func fixed(_ payloadType: UInt8) -> PayloadFormat? {
        switch payloadType {
        case 0: PayloadFormat(0, "PCMU", clockRate: 8000)
        case 8: PayloadFormat(8, "PCMA", clockRate: 8000)
        case 9: PayloadFormat(9, "G722", clockRate: 8000)
        default: nil
        }
    }

    var lines: [String] {
        var lines = ["a=rtpmap:\(payloadType) \(name)/\(clockRate)\(channels == 1 ? "" : "/\(channels)")"]
        lines += feedback.map { "a=rtcp-fb:\(payloadType) \($0)" }
        if let parameters { lines.append("a=fmtp:\(payloadType) \(parameters)") }
        return lines
    }
}

/// The payload types of a section while its lines are read, in the order of `m=`.
struct PayloadTable {
    static let maximumFeedback = 16
    static let maximumParameters = 1024

    private var formats: [PayloadFormat] = []
    /// Whether a name is known.
    private var isMapped: [Bool] = []
    private var indexOf = [Int?](repeating: nil, count: 128)
    private var feedbackOfAll: [String] = []

    /// Takes the formats of `m=`; one that is named twice counts once.
    init(_ words: some Sequence<Substring>, _ line: SDPLine) throws(SDPError) {
        for word in words {
            let type = try line.number(word, in: 0...127, "payload type `\(word.prefix(20))`")
            guard indexOf[type] == nil else { continue }
            indexOf[type] = formats.count
            let fixed = PayloadFormat.fixed(UInt8(truncatingIfNeeded: type))
            isMapped.append(fixed != nil)
            formats.append(fixed ?? PayloadFormat(UInt8(truncatingIfNeeded: type), "", clockRate: 0))
        }
    }

    /// Those with a name; a payload type that nothing explains is left out.
    var known: [PayloadFormat] {
        var known: [PayloadFormat] = []
        for (format, isMapped) in zip(formats, isMapped) where isMapped {
            var format = format
            let room = Self.maximumFeedback - format.feedback.count
            format.feedback += feedbackOfAll.filter { !format.feedback.contains($0) }.prefix(max(0, room))
            known.append(format)
        }
        return known
    }

    /// `rtpmap`: `96 VP8/90000`. A type that `m=` does not name is ignored.
    mutating func map(_ value: Substring, _ line: SDPLine) throws(SDPError) {
        let words = value.words
        guard words.count == 2 else { throw line.malformed("an rtpmap has a payload type and an encoding") }
        guard let index = try index(words[0], line) else { return }
        let parts = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard 2...3 ~= parts.count else { throw line.malformed("an encoding is a name, a rate and perhaps channels") }
        formats[index].name = try line.token(parts[0], limit: 64, "the encoding's name")
        formats[index].clockRate = try line.number(parts[1], in: 1...10_000_000, "the clock rate")
        formats[index].channels = parts.count == 3 ? try line.number(parts[2], in: 1...255, "the channels") : 1
        isMapped[index] = true
    }

    mutating func setParameters(_ value: Substring, _ line: SDPLine) throws(SDPError) {
        let words = value.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { throw line.malformed("an fmtp has a payload type and parameters") }
        guard let index = try index(words[0], line) else { return }
        guard words[1].utf8.count <= Self.maximumParameters else { throw line.malformed("the parameters are too long") }
        if formats[index].parameters == nil { formats[index].parameters = String(words[1]) }
    }

    mutating func addFeedback(_ value: Substring, _ line: SDPLine) throws(SDPError) {
        let words = value.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { throw line.malformed("an rtcp-fb has a payload type and a value") }
        guard words[1].utf8.count <= 64 else { throw line.malformed("the feedback is too long") }
        let text = words[1].words.joined(separator: " ")
        guard !text.isEmpty else { throw line.malformed("an rtcp-fb has a value") }
        if words[0] == "*" {
            let isNew = !feedbackOfAll.contains(text) && feedbackOfAll.count < Self.maximumFeedback
            if isNew { feedbackOfAll.append(text) }
        } else if let index = try index(words[0], line), formats[index].feedback.count < Self.maximumFeedback,
            !formats[index].feedback.contains(text)
        {
            formats[index].feedback.append(text)
        }
    }

    private func index(_ word: Substring, _ line: SDPLine) throws(SDPError) -> Int? {
        indexOf[try line.number(word, in: 0...127, "the payload type")]
    }
}
