import Crypto
import Spec
import Testing

@testable import RTMP

@Suite("Handshake", .spec("RTMP 1.0", "5.2"))
struct HandshakeTests {
    private static let hmac: HMACSHA256 = { key, message in
        (try? SHA256.authenticationCode(of: message, key: key)) ?? []
    }

    @Test("a client without digest gets its own bytes back", arguments: [1, 7, 1536, 4000])
    func simple(piece: Int) throws {
        var server = HandshakeServer(random: [1, 2, 3], hmac: Self.hmac)
        let opening = HandshakeClient.opening(random: [9, 8])
        let answer = try feed(&server, opening, pieces: piece)
        #expect(answer.count == 3073 && answer[0] == 3)
        #expect(Array(answer[5..<12]) == [0, 0, 0, 0, 1, 2, 3])
        #expect(Array(answer[1537...]) == Array(opening.dropFirst()))
        #expect(!server.isDone)
        #expect(try feed(&server, [UInt8](repeating: 5, count: 1536), pieces: piece).isEmpty)
        #expect(server.isDone)
    }

    @Test("takes no byte of what follows")
    func remainder() throws {
        var server = HandshakeServer()
        var offset = 0
        var output: [UInt8] = []
        let bytes = HandshakeClient.opening() + [UInt8](repeating: 5, count: 1540)
        try server.receive(bytes.span, at: &offset, into: &output)
        #expect(server.isDone && offset == bytes.count - 4)
    }

    @Test("refuses another first byte at once", arguments: [6, 0x16, UInt8(ascii: "G")])
    func version(first: UInt8) {
        #expect(throws: HandshakeError.unsupportedVersion(first)) {
            var server = HandshakeServer()
            _ = try feed(&server, [first], pieces: 1)
        }
    }

    @Test("finds the digest of ffmpeg's C1, and of nginx-rtmp's S1, and signs S2 as it does")
    func recorded() throws {
        let digest = HandshakeDigest(hmac: Self.hmac)
        let c1 = Array(Vectors.ffmpeg[1..<1537])
        let found = try #require(digest.find(in: c1, key: HandshakeDigest.clientKey))
        let s1 = Array(Vectors.nginxHandshake[1..<1537])
        #expect(digest.find(in: s1, key: HandshakeDigest.serverKey) != nil)
        let s2 = Array(Vectors.nginxHandshake[1537...])
        var signed = s2
        digest.sign(&signed, answering: found.digest, key: HandshakeDigest.serverKey)
        #expect(signed == s2)
    }

    @Test("answers ffmpeg's digest with one of its own")
    func complex() throws {
        var server = HandshakeServer(random: [4, 5, 6, 7], hmac: Self.hmac)
        let answer = try feed(&server, Array(Vectors.ffmpeg[..<1537]), pieces: 1000)
        #expect(answer.count == 3073)
        let digest = HandshakeDigest(hmac: Self.hmac)
        #expect(digest.find(in: Array(answer[1..<1537]), key: HandshakeDigest.serverKey) != nil)
    }

    @Test("finds digests of both schemes, wherever their offsets lead", arguments: [0, 1, 100, 255])
    func schemes(byte: UInt8) throws {
        let digest = HandshakeDigest(hmac: Self.hmac)
        for scheme in HandshakeDigest.Scheme.allCases {
            var packet = [UInt8](repeating: byte, count: HandshakeDigest.packetBytes)
            digest.sign(&packet, scheme, key: HandshakeDigest.clientKey)
            let found = try #require(digest.find(in: packet, key: HandshakeDigest.clientKey))
            #expect(found.scheme == scheme)
            #expect(digest.find(in: packet, key: HandshakeDigest.serverKey) == nil)
        }
    }

    @Test("the client's side echoes S1 and ends after S2", arguments: [1, 100, 3073])
    func client(piece: Int) throws {
        var server = HandshakeServer()
        let answer = try feed(&server, HandshakeClient.opening(), pieces: 5000)
        var client = HandshakeClient()
        var output: [UInt8] = []
        for start in stride(from: 0, to: answer.count, by: piece) {
            var offset = 0
            let part = Array(answer[start..<min(start + piece, answer.count)])
            try client.receive(part.span, at: &offset, into: &output)
        }
        #expect(client.isDone && output == Array(answer[1..<1537]))
    }
}

private func feed(
    _ server: inout HandshakeServer, _ bytes: [UInt8], pieces size: Int
) throws(HandshakeError) -> [UInt8] {
    var output: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
        var offset = 0
        let piece = Array(bytes[start..<min(start + size, bytes.count)])
        try server.receive(piece.span, at: &offset, into: &output)
    }
    return output
}
