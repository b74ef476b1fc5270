import Crypto
import Forwarding
import FoundationEssentials
import Jobs
import Log
import MediaLoop
import RTMPServer
import Store
import Timing

/// The doors by which encoders stream in: their records, and the sessions on them.
actor IngressControl {
    struct Entry: Sendable {
        /// With the stream key; what clients see is masked by the service.
        var record: IngressRecord
        var version: Int64
        var live: Live?
        var takeovers = TakeoverGuard()
    }

    /// Who publishes, or did until a moment ago and is still held in the room.
    struct Live: Sendable {
        var session: RTMPSessionNumber?
        var sessionID: String
        var roomID: String
        var participant: ParticipantRecord
        var grant: PublishGrant
        var startedAt: Instant
        /// When the participant leaves, unless its encoder is back by then.
        var leavesAt: Instant?
        var hasMedia = false
        /// How many frames had come, and when that last grew: a session that stands still may be taken over freely.
        var frames = 0
        var lastMedia: Instant?
        var warned: Set<String> = []
    }

    private let store: any Store
    private let plane: MediaPlane
    private let rooms: RoomDirectory
    private let addresses: Addresses
    private let onMedia: @Sendable (_ room: String, _ flows: Bool) async -> Void
    private let log = Logger("ingress")
    private var entries: [String: Entry] = [:]
    private var idByKey: [String: String] = [:]
    private(set) var counters = IngressCounters()
    private var idBySession: [RTMPSessionNumber: String] = [:]

    init(
        store: any Store, plane: MediaPlane, rooms: RoomDirectory, addresses: Addresses,
        onMedia: @escaping @Sendable (_ room: String, _ flows: Bool) async -> Void
    ) {
        self.store = store
        self.plane = plane
        self.rooms = rooms
        self.addresses = addresses
        self.onMedia = onMedia
    }

    /// Reads the doors of the last run. Nobody is at them yet.
    func load() async throws {
        var query = DocumentQuery(.ingress)
        query.limit = PageLimit.range.upperBound
        repeat {
            let page = try await store.documents(query)
            for document in page.items {
                var record = try JSONDecoder().decode(IngressRecord.self, from: Data(document.body))
                record.state = .inactive
                record.session = nil
                record.url = addresses.ingest
                record.publish = addresses.publish(streamKey: record.streamKey)
                remember(record, version: document.version)
            }
            query.after = page.next
        } while query.after != nil
    }

    // MARK: Records

    func find(_ id: String) -> IngressRecord? { entries[id]?.record }

    func all() -> [IngressRecord] {
        entries.values.map(\.record).sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
    }

    func create(_ request: CreateIngress, keyID: String?, answer: Answer<IngressRecord>?) async throws -> IngressRecord
    {
        let streamKey = request.streamKey?.reveal() ?? Self.newStreamKey()
        let now = Timestamp(Clocks.wall())
        _ = try await rooms.open(CreateRoom(name: request.room), keyID: keyID)
        let record = IngressRecord(
            id: Identifier.ingress.make(), request: request, streamKey: streamKey, url: addresses.ingest,
            publish: addresses.publish(streamKey: streamKey), state: .inactive, createdAt: now, updatedAt: now,
            keyId: keyID)
        var change = Change(
            documents: [.put(try document(record), expected: nil)],
            events: [event("ingress_created", record)])
        change.answer = answer?(record)
        let committed = try await store.commit(change)
        remember(record, version: committed.documents.first?.version ?? 1)
        log.info("ingress created", ["ingress": record.id, "room": record.room])
        return record
    }

    /// Stores the record as `change` makes it of the present one, which may be another than the caller saw. A new key, room
    /// or identity, or `enabled: false`, ends the session that is on it.
    func update(
        _ id: String, _ change: @Sendable (IngressRecord) throws(ServiceError) -> IngressRecord
    ) async throws -> IngressRecord {
        guard let entry = entries[id] else { throw ServiceError.noIngress(id) }
        var record = try change(entry.record)
        record.updatedAt = Timestamp(Clocks.wall())
        record.publish = addresses.publish(streamKey: record.streamKey)
        if record.room != entry.record.room {
            _ = try await rooms.open(CreateRoom(name: record.room), keyID: record.keyId)
        }
        let committed = try await store.commit(
            Change(
                documents: [.put(try document(record), expected: entry.version)],
                events: [event("ingress_updated", record)]))
        idByKey[entry.record.streamKey] = nil
        idByKey[record.streamKey] = record.id
        let isSame =
            record.enabled && record.room == entry.record.room && record.identity == entry.record.identity
            && record.streamKey == entry.record.streamKey
        if let present = entries[record.id]?.record {  // a session may have come or gone meanwhile
            (record.state, record.session, record.error) = (present.state, present.session, present.error)
        }
        entries[record.id]?.record = record
        entries[record.id]?.version = committed.documents.first?.version ?? entry.version + 1
        if !isSame, let session = entries[record.id]?.live?.session {
            plane.close(session, because: "the ingress was changed")
        }
        return entries[record.id]?.record ?? record
    }

    func delete(_ id: String) async throws -> IngressRecord {
        guard let entry = entries[id] else { throw ServiceError(.notFound, "There is no ingress \(id).") }
        try await store.commit(
            Change(
                documents: [.delete(.ingress, id: id, expected: entry.version)],
                events: [event("ingress_deleted", entry.record)]))
        let live = entries[id]?.live  // one that came meanwhile, too
        idByKey[entry.record.streamKey] = nil
        entries[id] = nil
        if let live { await end(live, because: "the ingress was deleted") }
        return entry.record
    }

    static func newStreamKey() -> String {
        var generator = SystemRandomNumberGenerator()
        return Identifier.text(length: 24, using: &generator)
    }

    /// Ends the session that is on an ingress; its encoder may come back, as a new participant.
    func disconnect(_ id: String) async { await drop(id, because: "the participant was removed") }

    /// The room is gone: so are those who publish into it.
    func roomClosed(_ roomID: String) async {
        for id in Array(entries.keys) where entries[id]?.live?.roomID == roomID {
            await drop(id, because: "the room was deleted")
        }
    }

    /// Ends what is on an ingress, without a hold.
    private func drop(_ id: String, because reason: String) async {
        guard let live = entries[id]?.live else { return }
        entries[id]?.live = nil
        entries[id]?.record.session = nil
        entries[id]?.record.state = .inactive
        await end(live, because: reason)
    }

    private func end(_ live: Live, because reason: String) async {
        if let session = live.session {
            idBySession[session] = nil
            counters.noteEnd()
            plane.close(session, because: reason)
        }
        await rooms.leave(live.participant.id, room: live.roomID)
        await onMedia(live.roomID, mediaFlows(into: live.roomID))
    }

    /// Whether anybody publishes into the room now: there may be several.
    private func mediaFlows(into roomID: String) -> Bool {
        entries.values.contains { entry in
            guard let live = entry.live else { return false }
            return live.roomID == roomID && live.session != nil && live.hasMedia
        }
    }

    private func remember(_ record: IngressRecord, version: Int64) {
        entries[record.id] = Entry(record: record, version: version)
        idByKey[record.streamKey] = record.id
    }

    private func event(_ kind: String, _ record: IngressRecord) -> EventRow {
        EventRow(kind, subject: record.id, room: record.room, roomID: nil, record.masked)
    }

    private func document(_ record: IngressRecord) throws -> Document {
        var stored = record
        stored.session = nil
        return Document(
            kind: .ingress, id: record.id, createdAt: record.createdAt.wallTime, room: record.room,
            state: IngressRecord.State.inactive.rawValue, isActive: true, labels: record.labels, keyID: record.keyId,
            uniqueKey: record.streamKey, body: Array(try JSONEncoder().encode(stored)))
    }

    // MARK: Sessions

    func handle(_ event: RTMPServerEvent) async {
        switch event {
        case .publishRequested(let request): await admit(request)
        case .progress(let session, let report): await note(report, of: session)
        case .ended(let session, let reason, let report): await ended(session, reason, report)
        }
    }

    private func admit(_ request: PublishRequest) async {
        guard let known = entry(for: request)?.record else {
            log.warning(
                "publish refused: unknown stream key", ["connection": request.session, "remote": request.remote])
            return reject(request, .unknownKey, "Unknown stream key.")
        }
        guard known.enabled else { return reject(request, .disabled, "This ingress is disabled.") }
        guard let room = await openRoom(of: known) else {
            return reject(request, .noRoom, "The room cannot be opened now.")
        }
        // Opening took time: the ingress may have been changed or deleted in it. From here on nothing is waited for.
        guard let present = entry(for: request), present.record.enabled, present.record.room == room.name else {
            return reject(request, .changed, "The ingress was changed.")
        }
        let now = Clocks.now()
        guard takesOver(present, at: now) else {
            log.warning(
                "publish refused: somebody is live",
                ["connection": request.session, "ingress": known.id, "remote": request.remote])
            return reject(request, .busy, "Another encoder is live on this stream key.")
        }
        await begin(request, on: present, room: room, at: now)
    }

    private func reject(_ request: PublishRequest, _ refusal: IngressCounters.Refusal, _ reason: String) {
        counters.note(refusal)
        plane.reject(request.session, because: reason)
    }

    private func entry(for request: PublishRequest) -> Entry? {
        idByKey[request.streamKey.reveal()].flatMap { entries[$0] }
    }

    /// Ends the session that is on the ingress, if there is one and it may be ended.
    private func takesOver(_ entry: Entry, at now: Instant) -> Bool {
        guard let live = entry.live, let session = live.session else { return true }
        guard entry.record.onConflict == .takeOver else { return false }
        let isHealthy = live.lastMedia.map { now - $0 < Self.healthySilence } ?? false
        guard !isHealthy || entries[entry.record.id]?.takeovers.allows(at: now) == true else { return false }
        idBySession[session] = nil
        counters.noteTakeover()
        counters.noteEnd()
        entries[entry.record.id]?.live?.session = nil
        plane.close(session, because: "another encoder took over the stream key")
        return true
    }

    /// A session without media for so long is dead, as it seems: its encoder is back before the connection's end was seen.
    private static let healthySilence = Duration.seconds(3)

    private func openRoom(of record: IngressRecord) async -> RoomRecord? {
        do {
            return try await rooms.open(CreateRoom(name: record.room), keyID: record.keyId).record
        } catch {
            log.error("the ingress's room cannot be opened", ["ingress": record.id, "error": "\(error)"])
            return nil
        }
    }

    private func begin(_ request: PublishRequest, on entry: Entry, room: RoomRecord, at now: Instant) async {
        let id = entry.record.id
        // The participant that is still in the room, unless the ingress stands for another, or for another room, by now.
        let held = entry.live.flatMap { live in
            live.roomID == room.id && live.participant.identity == entry.record.identity ? live : nil
        }
        let participant = held?.participant ?? newParticipant(for: entry.record)
        let sessionID = Identifier.session.make()
        let grant = PublishGrant(
            session: SessionMark.of(sessionID), room: room.id, participant: participant.id,
            identity: participant.identity, name: participant.name,
            videoTrack: held?.grant.videoTrack ?? trackID("video", of: entry.record, in: room),
            audioTrack: held?.grant.audioTrack ?? trackID("audio", of: entry.record, in: room))
        var session = IngressSession(
            id: sessionID, roomId: room.id, remote: request.remote, startedAt: Timestamp(Clocks.wall()))
        session.encoder = request.encoder
        entries[id]?.live = Live(
            session: request.session, sessionID: session.id, roomID: room.id, participant: participant, grant: grant,
            startedAt: now)
        entries[id]?.record.session = session
        entries[id]?.record.state = .buffering
        entries[id]?.record.error = nil
        idBySession[request.session] = id
        counters.noteStart()
        if held == nil, let former = entry.live { await rooms.leave(former.participant.id, room: former.roomID) }
        // Each wait may have brought the end of the ingress, of the room or of the session, or another session.
        func isPresent() -> Bool { entries[id]?.live?.participant.id == participant.id }
        guard isPresent() else { return }
        guard await rooms.join(participant, room: room.id) else { return turnAway(request, from: id) }
        guard isPresent() else { return await rooms.leave(participant.id, room: room.id) }
        guard entries[id]?.live?.session == request.session else { return }
        plane.accept(request.session, as: grant)
        log.info(
            held == nil ? "publishing" : "publishing again",
            [
                "session": grant.session, "connection": request.session, "ingress": id, "room": room.name,
                "identity": participant.identity,
                "remote": request.remote, "encoder": request.encoder,
            ])
    }

    /// The room holds as many as it may.
    private func turnAway(_ request: PublishRequest, from id: String) {
        // Unless it has ended by itself meanwhile.
        if idBySession.removeValue(forKey: request.session) != nil { counters.noteEnd() }
        if entries[id]?.live?.session == request.session {
            entries[id]?.live = nil
            entries[id]?.record.session = nil
            entries[id]?.record.state = .inactive
        }
        log.warning(
            "publish refused: the room is full",
            ["connection": request.session, "ingress": id, "remote": request.remote])
        reject(request, .full, "The room is full.")
    }

    /// An encoder that comes back has the tracks that it had, over restarts of the gateway too: an egress may name them.
    private func trackID(_ kind: String, of record: IngressRecord, in room: RoomRecord) -> String {
        let name = [record.id, room.id, record.identity, kind].joined(separator: "\0")
        guard let digest = try? SHA256.digest(of: Array(name.utf8)) else { return Identifier.track.make() }
        var generator = DigestBytes(digest: digest)
        return Identifier.track.make(using: &generator)
    }

    private func newParticipant(for record: IngressRecord) -> ParticipantRecord {
        ParticipantRecord(
            id: Identifier.participant.make(), identity: record.identity, name: record.participantName,
            kind: .ingress, joinedAt: Timestamp(Clocks.wall()), ingressId: record.id)
    }

    private func note(_ report: PublicationReport, of session: RTMPSessionNumber) async {
        guard let id = idBySession[session], var live = entries[id]?.live else { return }
        live.participant.tracks = report.tracks(as: live.grant, publishedAt: live.participant.joinedAt)
        let frames = (report.video?.frames ?? 0) + (report.audio?.frames ?? 0)
        counters.note(soundAhead: report.soundAheadMilliseconds)
        if frames > live.frames { (live.frames, live.lastMedia) = (frames, Clocks.now()) }
        for warning in report.warnings where live.warned.insert(warning.code).inserted {
            log.warning(
                warning.message,
                ["session": live.grant.session, "ingress": id, "code": warning.code, "remedy": warning.remedy])
        }
        let begins = !live.hasMedia && !live.participant.tracks.isEmpty
        live.hasMedia = live.hasMedia || begins
        entries[id]?.live = live
        entries[id]?.record.session?.apply(report, tracks: live.participant.tracks.map(\.id))
        if live.hasMedia { entries[id]?.record.state = .publishing }
        await rooms.update(live.participant, room: live.roomID)
        if begins {
            log.info(
                "media flows",
                ["session": live.grant.session, "tracks": live.participant.tracks.map(\.id).joined(separator: " ")])
            await onMedia(live.roomID, true)
        }
    }

    private func ended(_ session: RTMPSessionNumber, _ reason: String, _ report: PublicationReport?) async {
        guard let id = idBySession.removeValue(forKey: session), let record = entries[id]?.record,
            let live = entries[id]?.live
        else { return }
        counters.noteEnd()
        log.info("publishing ended", ["session": live.grant.session, "ingress": id, "reason": reason])
        let now = Clocks.now()
        entries[id]?.live?.session = nil
        entries[id]?.live?.hasMedia = false
        entries[id]?.record.state = .inactive
        entries[id]?.record.session = nil
        let hold = record.onDisconnect.action == .hold ? Duration.seconds(record.onDisconnect.holdSeconds) : .zero
        entries[id]?.live?.leavesAt = now + hold
        await onMedia(live.roomID, mediaFlows(into: live.roomID))
        if hold == .zero { await advance(to: now) }
    }

    /// Lets those leave whose encoder did not come back in time. Call it about once a second.
    func advance(to now: Instant) async {
        for id in Array(entries.keys) {  // looked at one by one: an encoder may come back while another leaves
            guard let live = entries[id]?.live, live.session == nil, let due = live.leavesAt, due <= now else {
                continue
            }
            entries[id]?.live = nil
            await end(live, because: "its encoder did not come back")
        }
    }
}

/// Numbers from a digest: the same for the same name, and as good as random.
private struct DigestBytes: RandomNumberGenerator {
    let digest: [UInt8]
    private var state: UInt64 = 0

    init(digest: [UInt8]) {
        self.digest = digest
        for byte in digest.prefix(8) { state = state << 8 | UInt64(byte) }
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
