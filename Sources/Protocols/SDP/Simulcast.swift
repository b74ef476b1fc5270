/// A restriction identifier: one stream among several of a section (RFC 8851 section 10).
public struct RestrictionIdentifier: Equatable, Sendable {
    public var id: String
    /// Whether the side that says it sends the stream; else it receives.
    public var isSent: Bool
    /// Payload types it is restricted to; empty for all.
    public var payloadTypes: [UInt8]
    /// Other restrictions, as they came.
    public var restrictions: String?

    public init(_ id: String, isSent: Bool, payloadTypes: [UInt8] = [], restrictions: String? = nil) {
        self.id = id
        self.isSent = isSent
        self.payloadTypes = payloadTypes
        self.restrictions = restrictions
    }

    init(_ value: Substring, _ line: SDPLine) throws(SDPError) {
        let words = value.words
        guard 2...3 ~= words.count, words[1] == "send" || words[1] == "recv" else {
            throw line.malformed("a rid has an id and a direction")
        }
        id = try Self.id(words[0], line)
        isSent = words[1] == "send"
        payloadTypes = []
        var rest: [Substring] = []
        for item in words.count == 3 ? words[2].split(separator: ";") : [] {
            guard item.hasPrefix("pt=") else {
                rest.append(item)
                continue
            }
            for type in item.dropFirst(3).split(separator: ",") {
                payloadTypes.append(
                    UInt8(truncatingIfNeeded: try line.number(type, in: 0...127, "a payload type of the rid")))
            }
        }
        restrictions = rest.isEmpty ? nil : rest.joined(separator: ";")
    }

    /// Letters and digits, also `-` and `_` (RFC 8851 section 10, with the erratum that RFC 8852 needs).
    static func id(_ text: Substring, _ line: SDPLine) throws(SDPError) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
            default: false
            }
        }
        guard isPlain, 1...64 ~= text.utf8.count else { throw line.malformed("the id of a rid is none") }
        return String(text)
    }

    var line: String {
        let types = payloadTypes.isEmpty ? nil : "pt=" + payloadTypes.map { "\($0)" }.joined(separator: ",")
        let rest = [types, restrictions].compactMap { $0 }.joined(separator: ";")
        return "a=rid:\(id) \(isSent ? "send" : "recv")\(rest.isEmpty ? "" : " \(rest)")"
    }
}

/// `a=simulcast` (RFC 8853 section 5.1): streams, each with alternatives of which one flows.
public struct Simulcast: Equatable, Sendable {
    public struct Alternative: Equatable, Sendable {
        public var rid: String
        /// `~`: known, and not sent yet.
        public var isPaused: Bool

        public init(_ rid: String, isPaused: Bool = false) {
            self.rid = rid
            self.isPaused = isPaused
        }
    }

    static let maximumStreams = 16

    public var send: [[Alternative]]
    public var receive: [[Alternative]]

    public init(send: [[Alternative]] = [], receive: [[Alternative]] = []) {
        self.send = send
        self.receive = receive
    }

    init(_ value: Substring, _ line: SDPLine) throws(SDPError) {
        self.init()
        let words = value.words
        guard words.count == 2 || words.count == 4 else {
            throw line.malformed("a simulcast has a direction and streams, once or twice")
        }
        for index in stride(from: 0, to: words.count, by: 2) {
            let streams = try Self.streams(words[index + 1], line)
            switch words[index] {
            case "send" where send.isEmpty: send = streams
            case "recv" where receive.isEmpty: receive = streams
            default: throw line.malformed("the direction of a simulcast is none, or said twice")
            }
        }
    }

    private static func streams(_ text: Substring, _ line: SDPLine) throws(SDPError) -> [[Alternative]] {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        var count = 0
        var streams: [[Alternative]] = []
        for part in parts {
            var stream: [Alternative] = []
            for item in part.split(separator: ",", omittingEmptySubsequences: false) {
                count += 1
                guard count <= maximumStreams else { throw line.tooMany("streams of a simulcast") }
                let isPaused = item.hasPrefix("~")
                stream.append(
                    Alternative(
                        try RestrictionIdentifier.id(isPaused ? item.dropFirst() : item, line), isPaused: isPaused))
            }
            streams.append(stream)
        }
        return streams
    }

    var line: String {
        let text = { (streams: [[Alternative]]) in
            streams.map { $0.map { ($0.isPaused ? "~" : "") + $0.rid }.joined(separator: ",") }.joined(separator: ";")
        }
        let parts = [send.isEmpty ? nil : "send \(text(send))", receive.isEmpty ? nil : "recv \(text(receive))"]
        return "a=simulcast:" + parts.compactMap { $0 }.joined(separator: " ")
    }
}
