/// Makes and checks the ids of resources: a prefix that says what it is, then random characters of base 62.
public struct Identifier: Hashable, Sendable {
    public let prefix: String
    /// Random characters after the prefix: 12 are 71 bits, enough to be unique; 22 are 131 bits, enough to be a secret.
    public let length: Int

    public static let room = Self(prefix: "RM_", length: 12)
    public static let participant = Self(prefix: "PA_", length: 12)
    public static let track = Self(prefix: "TR_", length: 12)
    public static let ingress = Self(prefix: "IN_", length: 12)
    /// A session's URL is a secret.
    public static let session = Self(prefix: "SE_", length: 22)
    public static let egress = Self(prefix: "EG_", length: 12)
    public static let tape = Self(prefix: "TP_", length: 12)
    public static let composition = Self(prefix: "CO_", length: 12)
    public static let job = Self(prefix: "JB_", length: 12)
    public static let worker = Self(prefix: "WK_", length: 12)
    public static let event = Self(prefix: "EV_", length: 12)

    public static let all = [
        room, participant, track, ingress, session, egress, tape, composition, job, worker, event,
    ]

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// A new id, each character equally likely.
    public func make(using generator: inout some RandomNumberGenerator) -> String {
        prefix + Self.text(length: length, using: &generator)
    }

    /// A new id from the system's generator.
    public func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return make(using: &generator)
    }

    /// True for text that has this id's form.
    public func matches(_ text: String) -> Bool {
        let bytes = text.utf8
        guard bytes.count == prefix.utf8.count + length, text.hasPrefix(prefix) else { return false }
        return bytes.dropFirst(prefix.utf8.count).allSatisfy(Self.alphabet.contains)
    }

    /// `length` random characters of base 62: also a stream key.
    public static func text(length: Int, using generator: inout some RandomNumberGenerator) -> String {
        let characters = (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
        return String(decoding: characters, as: UTF8.self)
    }
}
