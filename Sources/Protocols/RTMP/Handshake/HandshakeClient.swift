import Bytes

/// The client's side of the simple handshake (RTMP 1.0 section 5.2).
public struct HandshakeClient: Sendable {
    private var received: [UInt8] = []
    public private(set) var isDone = false

    /// C0 and C1, to be sent first.
    public static func opening(random: [UInt8] = []) -> [UInt8] {
        var bytes: [UInt8] = [3, 0, 0, 0, 0, 0, 0, 0, 0]
        for index in 0..<HandshakeDigest.packetBytes - 8 {
            bytes.append(random.isEmpty ? 0 : random[index % random.count])
        }
        return bytes
    }

    public init() {}

    /// Takes what it needs of `bytes` from `offset` on, which moves, and appends C2 to `output` when it is due.
    public mutating func receive(
        _ bytes: Span<UInt8>, at offset: inout Int, into output: inout [UInt8]
    ) throws(HandshakeError) {
        guard !isDone else { return }
        let wanted = HandshakeServer.firstBytes + HandshakeDigest.packetBytes
        let taken = min(wanted - received.count, bytes.count - offset)
        let before = received.count
        received.append(copying: bytes.extracting(offset..<offset + taken))
        offset += taken
        if let version = received.first, version != 3 { throw .unsupportedVersion(version) }
        if before < HandshakeServer.firstBytes, received.count >= HandshakeServer.firstBytes {
            output.append(contentsOf: received[1..<HandshakeServer.firstBytes])  // C2 is the echo of S1
        }
        guard received.count == wanted else { return }
        received = []
        isDone = true
    }
}
