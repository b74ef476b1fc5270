import Config
import Forwarding
import Log
import MediaLoop
import Spec
import Store
import Testing

@testable import RTMPServer
@testable import Service

@Suite("Sessions of an ingress", .timeLimit(.minutes(1)))
struct IngressControlTests {
    // The two meet while the participant of before leaves: sooner or later, in so many rounds.
    @Test("whoever is removed while its session begins is not left in the room")
    func removedMeanwhile() async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.path + "/store.db")
        let plane = await MediaPlane(replay: FeedRing.Limits(), rtmp: RTMPServer.Limits())
        let rooms = RoomDirectory(store: store, plane: plane)
        let control = IngressControl(
            store: store, plane: plane, rooms: rooms,
            addresses: Addresses(Configuration(), rtmpPort: 1935, rtmpsPort: nil), onMedia: { _, _ in })
        let made = try await control.create(CreateIngress(room: "demo"), keyID: nil, answer: nil)
        let room = try #require(await rooms.room(named: "demo"))
        @Sendable func publish(_ number: Int) async {
            let request = PublishRequest(
                session: RTMPSessionNumber(rawValue: UInt64(number)), app: "live", streamKey: Secret(made.streamKey),
                remote: "", encoder: "")
            await control.handle(.publishRequested(request))
        }
        for round in 0..<200 {
            await publish(2 * round)
            // Another identity takes over: the participant of before leaves first.
            _ = try await control.update(made.id) { record in
                var changed = record
                changed.identity = "encoder-\(round)"
                return changed
            }
            async let begins: Void = publish(2 * round + 1)
            async let ends: Void = {
                _ = await rooms.room(named: "demo")
                await control.disconnect(made.id)
            }()
            _ = await (begins, ends)
            await control.disconnect(made.id)
            try #require(await rooms.participants(of: room.id).isEmpty, "round \(round)")
        }
    }
}
