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
        let (folder, rooms, control) = try await Self.site()
        defer { withExtendedLifetime(folder) {} }
        let made = try await control.create(CreateIngress(room: "demo"), keyID: nil, answer: nil)
        let room = try #require(await rooms.room(named: "demo"))
        @Sendable func publish(_ number: Int) async { await Self.publish(number, on: made, control) }
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
    @Test("whoever a full room turns away is counted once, also when it goes by itself")
    func turnedAway() async throws {
        let (folder, rooms, control) = try await Self.site()
        defer { withExtendedLifetime(folder) {} }
        _ = try await rooms.open(CreateRoom(name: "small", maxParticipants: 1), keyID: nil)
        let inside = try await control.create(CreateIngress(room: "small"), keyID: nil, answer: nil)
        let outside = try await control.create(CreateIngress(room: "small"), keyID: nil, answer: nil)
        await Self.publish(0, on: inside, control)
        for number in 1...200 {
            async let begins: Void = Self.publish(number, on: outside, control)
            async let ends: Void = {
                _ = await rooms.room(named: "small")
                await control.handle(.ended(RTMPSessionNumber(rawValue: UInt64(number)), reason: "", nil))
            }()
            _ = await (begins, ends)
            let counters = await control.counters
            try #require(counters.started - counters.ended == 1, "round \(number)")
        }
    }

    private static func site() async throws -> (TemporaryFolder, RoomDirectory, IngressControl) {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.path("store.db"))
        let plane = await MediaPlane(replay: FeedRing.Limits(), rtmp: RTMPServer.Limits())
        let rooms = RoomDirectory(store: store, plane: plane)
        let control = IngressControl(
            store: store, plane: plane, rooms: rooms,
            addresses: Addresses(Configuration(), rtmpPort: 1935, rtmpsPort: nil), onMedia: { _, _ in })
        return (folder, rooms, control)
    }

    private static func publish(_ number: Int, on ingress: IngressRecord, _ control: IngressControl) async {
        let request = PublishRequest(
            session: RTMPSessionNumber(rawValue: UInt64(number)), app: "live", streamKey: Secret(ingress.streamKey),
            remote: "", encoder: "")
        await control.handle(.publishRequested(request))
    }
}
