/// A username fragment and a password (RFC 8445 section 5.3): who sends checks with them was told them by signalling.
public struct ICECredentials: Hashable, Sendable {
    /// 4 to 256 ice-chars.
    public let usernameFragment: String
    /// 22 to 256 ice-chars.
    public let password: String

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    /// Bytes of ``init(entropy:prefix:)``: 48 bits of fragment, 144 of password.
    public static let entropyBytes = 32

    /// Takes what a peer's description says.
    /// - Returns: `nil` for a text that RFC 8839 section 5.4 does not allow.
    public init?(usernameFragment: String, password: String) {
        guard Self.isICEText(usernameFragment, 4...256), Self.isICEText(password, 22...256) else { return nil }
        self.usernameFragment = usernameFragment
        self.password = password
    }

    /// Makes credentials out of `entropyBytes` unguessable bytes.
    /// - Parameter prefix: stands before the fragment, in ice-chars; it may name the loop that owns the session.
    public init?(entropy: [UInt8], prefix: String = "") {
        guard entropy.count >= Self.entropyBytes else { return nil }
        let text = entropy.map { Self.alphabet[Int($0 & 63)] }
        self.init(
            usernameFragment: prefix + String(decoding: text[..<8], as: UTF8.self),
            password: String(decoding: text[8..<Self.entropyBytes], as: UTF8.self))
    }

    private static func isICEText(_ text: String, _ length: ClosedRange<Int>) -> Bool {
        length.contains(text.utf8.count) && text.utf8.allSatisfy { alphabet.contains($0) }
    }
}
