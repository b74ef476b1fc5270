import Spec
import Testing

@testable import RTMP

@Suite("Client session", .spec("RTMP 1.0", "7.2"))
struct RTMPClientSessionTests {
    private static let target = RTMPClientSession.Target(
        app: "live", tcURL: "rtmp://host/live", streamKey: "key?x=y")

    /// Carries bytes both ways, `pieces` at a time, until neither side has more to say.
    private func exchange(
        _ client: inout RTMPClientSession, _ host: inout Host, pieces: Int
    ) -> [RTMPClientSession.Output] {
        var outputs: [RTMPClientSession.Output] = []
        var delivered = host.sent.count
        while true {
            while let output = client.pollOutput() {
                guard case .send(let bytes) = output else {
                    outputs.append(output)
                    continue
                }
                host.receive(bytes, pieces: pieces)
            }
            guard delivered < host.sent.count else { return outputs }
            let end = min(host.sent.count, delivered + pieces)
            let piece = Array(host.sent[delivered..<end])
            delivered = end
            client.receive(piece.span)
        }
    }

    @Test("publishes to a server session", arguments: [1, 100, 100_000])
    func publishes(pieces: Int) {
        var client = RTMPClientSession(Self.target, random: [1, 2])
        var host = Host(accepts: true)
        #expect(exchange(&client, &host, pieces: pieces) == [.publishing])
        let metadata = FLVMetadata(properties: [AMF0Property("framerate", 30), AMF0Property("videodatarate", 2500)])
        #expect(metadata.frameRate == 30 && metadata.videoBitrate == 2_500_000)
        client.send(metadata)
        let picture = FLVVideoTag.header(.units, isKey: true) + [UInt8](repeating: 7, count: 10_000)
        client.sendVideo(picture.span, timestamp: 40)
        client.sendAudio([0xAF, 1, 2].span, timestamp: 42)
        client.finish()
        client.sendAudio([0xAF, 1, 3].span, timestamp: 43)
        #expect(exchange(&client, &host, pieces: pieces).isEmpty)
        #expect(
            host.events.dropFirst() == [
                .metadata(metadata), .video(40, picture), .audio(42, [0xAF, 1, 2]), .unpublished,
            ])
        guard case .publish(let info) = host.events[0] else { return #expect(Bool(false)) }
        #expect(info.streamKey == "key" && info.query == "x=y" && info.tcURL == "rtmp://host/live")
    }

    @Test("is told why it may not")
    func refused() {
        var client = RTMPClientSession(Self.target)
        var host = Host()
        #expect(exchange(&client, &host, pieces: 1000).isEmpty)
        let before = host.sent.count
        host.reject("NetStream.Publish.BadName")
        let answer = Array(host.sent[before...])
        client.receive(answer.span)
        #expect(client.pollOutput() == .refused(code: "NetStream.Publish.BadName", description: "no"))
        #expect(client.pollOutput() == nil)
    }

    @Test("fails where the server's bytes cannot be read")
    func failed() {
        var client = RTMPClientSession(Self.target)
        _ = client.pollOutput()
        client.receive([6].span)
        #expect(client.pollOutput() == .failed(.handshake(.unsupportedVersion(6))))
        var other = RTMPClientSession(Self.target)
        let server = [3] + [UInt8](repeating: 0, count: 3072) + hex("c5")
        other.receive(server.span)
        while let output = other.pollOutput() {
            if case .send = output { continue }
            #expect(output == .failed(.chunk(.missingHeader(chunkStreamID: 5))))
        }
    }
}
