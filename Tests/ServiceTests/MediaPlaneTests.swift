import Encoder
import Forwarding
import MediaLoop
import RTMPServer
import Testing

@testable import Service

@Suite("The media plane", .timeLimit(.minutes(1)))
struct MediaPlaneTests {
    @Test("takes what publishers have sent before it carries a command to a worker: what a stop ends has it")
    func readsBeforeCommands() async throws {
        let plane = await MediaPlane(replay: FeedRing.Limits(), rtmp: RTMPServer.Limits())
        let port = try await plane.listenRTMP(host: "127.0.0.1", port: 0)
        plane.openRoom("RM_1")
        let publisher = try TestPublisher(port: port, key: "key")
        for await event in plane.events {
            guard case .rtmp(.publishRequested(let request)) = event else { continue }
            plane.accept(
                request.session,
                as: PublishGrant(
                    room: "RM_1", participant: "PA_1", identity: "obs", name: "", videoTrack: "TR_v",
                    audioTrack: "TR_a"))
            break
        }
        #expect(try publisher.answer() == .publishing)
        try publisher.sendHeaders()
        // Publications are read on a grid of 40 ms: without the command most of these rounds would see nothing new.
        // One GOP, since the room lets the last one go when the next begins.
        for frame in 0..<10 {
            let before = await plane.heldBytes()
            try publisher.play(frame..<frame + 1, bytes: 1000)
            plane.command(job: "JB_1", fence: 1, body: [], to: "WK_1")
            #expect(await plane.heldBytes() >= before + 1000, "frame \(frame)")
        }
        plane.stopListening()
    }
}
