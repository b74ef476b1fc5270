import Bytes

/// Why a handshake failed. End the session.
public enum HandshakeError: Error, Equatable, Sendable {
    /// The first byte is not 3: another protocol, or encrypted RTMP.
    case unsupportedVersion(UInt8)
}

/// The server's side of the handshake (RTMP 1.0 section 5.2), simple, or with digests if the client's C1 has one.
public struct HandshakeServer: Sendable {
    private enum State {
        case awaitingFirst, awaitingSecond, done
    }

    /// C0 and C1, S0 and S1.
    static let firstBytes = 1 + HandshakeDigest.packetBytes

    private var state = State.awaitingFirst
    private var received: [UInt8] = []
    private let random: [UInt8]
    private let digest: HandshakeDigest?

    /// - Parameters:
    ///   - random: what fills S1; repeated as needed. It is there to tell echoes apart, and protects nothing.
    ///   - hmac: without it every client is answered by the simple handshake.
    public init(random: [UInt8] = [], hmac: HMACSHA256? = nil) {
        self.random = random
        digest = hmac.map { HandshakeDigest(hmac: $0) }
    }

    public var isDone: Bool { if case .done = state { true } else { false } }

    /// Takes what it needs of `bytes` from `offset` on, which moves, and appends what is to be sent to `output`.
    public mutating func receive(
        _ bytes: Span<UInt8>, at offset: inout Int, into output: inout [UInt8]
    ) throws(HandshakeError) {
        if case .awaitingFirst = state {
            guard collect(Self.firstBytes, bytes, &offset) else { return try checkVersion() }
            try checkVersion()
            answer(Array(received.dropFirst()), into: &output)
            received = []
            state = .awaitingSecond
        }
        // Deviation: C2 is not compared with S1; encoders fill it as they like.
        if case .awaitingSecond = state, collect(HandshakeDigest.packetBytes, bytes, &offset) {
            received = []
            state = .done
        }
    }

    private mutating func collect(_ count: Int, _ bytes: Span<UInt8>, _ offset: inout Int) -> Bool {
        let taken = min(count - received.count, bytes.count - offset)
        received.append(copying: bytes.extracting(offset..<offset + taken))
        offset += taken
        return received.count == count
    }

    private func checkVersion() throws(HandshakeError) {
        guard let version = received.first, version != 3 else { return }
        throw .unsupportedVersion(version)
    }

    private func answer(_ c1: [UInt8], into output: inout [UInt8]) {
        output.append(3)
        // A C1 with a version in its second word is Flash Player's, and may have a digest.
        let hasVersion = c1[4..<8].contains { $0 != 0 }
        guard hasVersion, let digest, let found = digest.find(in: c1, key: HandshakeDigest.clientKey) else {
            output.append(contentsOf: [0, 0, 0, 0, 0, 0, 0, 0])
            output.append(contentsOf: filling(HandshakeDigest.packetBytes - 8))
            output.append(contentsOf: c1)
            return
        }
        var s1 = [0, 0, 0, 0, 4, 5, 0, 1] + filling(HandshakeDigest.packetBytes - 8)
        digest.sign(&s1, found.scheme, key: HandshakeDigest.serverKey)
        var s2 = filling(HandshakeDigest.packetBytes)
        digest.sign(&s2, answering: found.digest, key: HandshakeDigest.serverKey)
        output.append(contentsOf: s1)
        output.append(contentsOf: s2)
    }

    private func filling(_ count: Int) -> [UInt8] {
        guard !random.isEmpty else { return [UInt8](repeating: 0, count: count) }
        return (0..<count).map { random[$0 % random.count] }
    }
}
