import Config
import FoundationEssentials
import Assignments
import Jobs
import Log
import MediaLoop
import Storage
import Store

extension Service {
    public func createEgress(
        _ request: CreateEgress, caller: Caller, answer: Answer<EgressRecord>? = nil
    ) async throws(ServiceError) -> EgressRecord {
        try caller.requireSight(of: request.room)
        try await requireWork()
        var request = try filled(request)
        request.limits.emptySeconds = request.limits.emptySeconds ?? EgressLimits.defaultEmptySeconds
        if request.outputs.contains(where: { $0.type.isFileLike }) { try requireSpace() }
        let room = try await egressRoom(request, caller: caller)
        let participants = await roomDirectory.participants(of: room.id)
        let run = try plan(request, room: room, participants: participants, caller: caller)
        return try await translating {
            try await self.egressControl.create(run, answer: answer)
        }
    }

    public func egresses(_ query: ListQuery, caller: Caller) async throws(ServiceError) -> Page<EgressRecord> {
        let page = try await stored(.egress, query, caller: caller)
        var records: [EgressRecord] = []
        for document in page.items {
            records.append(try await egressRecord(document))
        }
        return Page(items: records, nextCursor: page.next)
    }

    public func egress(_ id: String, caller: Caller) async throws(ServiceError) -> EgressRecord {
        let record: EgressRecord
        if let running = await egressControl.record(id) {
            record = running
        } else {
            let found = try await translating { try await self.store.document(.egress, id: id) }
            guard let document = found else { throw .noEgress(id) }
            record = try await egressRecord(document)
        }
        guard caller.maySee(room: record.room) else { throw .noEgress(id) }
        return record
    }

    public func updateEgress(_ id: String, _ patch: PatchEgress, caller: Caller) async throws(ServiceError)
        -> EgressRecord
    {
        _ = try await egress(id, caller: caller)
        guard let record = try await egressControl.patch(patch, on: id) else {
            throw ServiceError(.alreadyEnded, "The egress \(id) has ended.")
        }
        return record
    }

    /// Repeated, or after the end, it changes nothing.
    public func stopEgress(_ id: String, caller: Caller) async throws(ServiceError) -> Outcome<EgressRecord> {
        let record = try await egress(id, caller: caller)
        return await egressControl.stop(id) ?? Outcome(record, didChange: false)
    }

    public func addOutput(_ output: OutputRequest, toEgress id: String, caller: Caller) async throws(ServiceError)
        -> EgressRecord
    {
        let record = try await egress(id, caller: caller)
        try await requireWork()
        if output.type.isFileLike { try requireSpace() }
        guard let selection = await egressControl.selection(of: id) else {
            throw ServiceError(.alreadyEnded, "The egress \(id) has ended.")
        }
        let planned = assignment(output, room: record.room, egress: id, selection: selection)
        let added = try await translating {
            try await self.egressControl.add(planned, as: self.outputRecord(output, egress: id), to: id)
        }
        guard let added else { throw ServiceError(.alreadyEnded, "The egress \(id) has ended.") }
        return added
    }

    public func removeOutput(_ output: String, fromEgress id: String, caller: Caller) async throws(ServiceError)
        -> EgressRecord
    {
        let record = try await egress(id, caller: caller)
        guard record.outputs.contains(where: { $0.id == output }) else {
            throw ServiceError(.notFound, "The egress has no output `\(output)`.")
        }
        return await egressControl.remove(output, from: id) ?? record
    }

    /// Removes the files of an egress that has ended, and keeps its record with `deletedAt`.
    public func deleteEgress(_ id: String, caller: Caller) async throws(ServiceError) {
        let record = try await egress(id, caller: caller)
        guard record.state.isFinal else {
            throw ServiceError(.stillRunning, "The egress \(id) has not ended.", remedy: "Stop it first.")
        }
        guard record.deletedAt == nil else { return }
        await egressControl.settle(id)
        try await translating {
            if let file = try await self.removeFiles(of: record).left.first {
                throw ServiceError(
                    .unavailable, "The file \(self.relative(file)) could not be removed.",
                    remedy: "Check the folder of recordings, its owner and its disk.", retryAfterSeconds: 30)
            }
            guard let document = try await self.store.document(.egress, id: id) else { return }
            try await self.markDeleted(document, at: Clocks.wall())
        }
    }

    /// - Throws: `draining` once no new work is taken.
    private func requireWork() async throws(ServiceError) {
        guard await egressControl.isDraining else { return }
        throw ServiceError(.draining, "The gateway is shutting down.", retryAfterSeconds: 5)
    }

    /// - Throws: `disk_full` once recordings may take no more of the disk.
    private func requireSpace() throws(ServiceError) {
        guard let space = try? storage.space() else { return }
        let reserve = Int64(configuration.limits.diskReserveBytes)
        guard space.free < reserve else { return }
        throw ServiceError(
            .diskFull, "The disk has \(space.free >> 20) MiB left, and \(reserve >> 20) MiB are kept.")
    }

    // MARK: Planning

    /// The request with what it leaves out taken from its pipeline.
    private func filled(_ request: CreateEgress) throws(ServiceError) -> CreateEgress {
        guard let name = request.pipeline else { return request }
        guard let pipeline = try loadPipelines().first(where: { $0.name == name }) else {
            throw ServiceError(
                .notFound, "There is no pipeline `\(name)`.", remedy: "GET /v1/pipelines lists those that exist.")
        }
        let base = try pipelineRequest(pipeline, room: request.room)
        let filled = request.filled(from: base)
        guard !filled.outputs.isEmpty else {
            throw ServiceError(.invalidRequest, "Neither the request nor the pipeline `\(name)` names an output.")
        }
        return filled
    }

    private func egressRoom(_ request: CreateEgress, caller: Caller) async throws(ServiceError) -> RoomRecord {
        if let room = await roomDirectory.find(request.room), caller.maySee(room: room.name) { return room }
        guard request.createRoom else { throw .noRoom(request.room) }
        return try await createRoom(CreateRoom(name: request.room), caller: caller).record
    }

    private func plan(
        _ request: CreateEgress, room: RoomRecord, participants: [ParticipantRecord], caller: Caller
    ) throws(ServiceError) -> EgressRun {
        let id = Identifier.egress.make()
        let selection = try (request.source ?? .room).selection(among: participants)
        let now = Timestamp(Clocks.wall())
        let record = EgressRecord(
            id: id, roomId: room.id, room: room.name, state: .queued, createdAt: now, updatedAt: now,
            spec: request.json(reveal: false), labels: request.labels,
            outputs: request.outputs.map { outputRecord($0, egress: id) }, keyId: caller.keyID)
        var run = EgressRun(
            record: record, job: Identifier.job.make(),
            outputs: request.outputs.map { assignment($0, room: room.name, egress: id, selection: selection) },
            preroll: (request.start.preroll ?? .gop).assigned, limits: request.limits,
            waitSeconds: request.start.waitSeconds ?? EgressStart.defaultWaitSeconds)
        run.linkTapes()
        if run.limits.emptySeconds == nil { run.limits.emptySeconds = 300 }
        run.poison = configuration.isDev && request.labels["sluice.test/poison"] == "true"
        return run
    }

    private func outputRecord(_ output: OutputRequest, egress id: String) -> OutputRecord {
        var record = OutputRecord(
            id: output.id, type: output.type,
            href: output.type == .mp4 ? "/v1/egress/\(id)/outputs/\(output.id)/file" : nil)
        switch output.target {
        case .rtmp(let url): record.location = PushURL.masked(url.reveal())
        case .hls(let request): record.access = request.access
        case .mp4, .tape: break
        }
        return record
    }

    private func assignment(
        _ output: OutputRequest, room: String, egress: String, selection: OutputAssignment.Selection
    ) -> OutputAssignment {
        switch output.target {
        case .mp4(let path):
            var values = PathTemplate.Values(room: room, egress: egress, output: output.id, time: Clocks.wall())
            var assigned = OutputAssignment(
                id: output.id, target: .mp4(root: folder.recordings, path: path.resolved(values)),
                selection: selection)
            values.part = nil
            if path.numbersParts { assigned.partPath = path.resolved(values) }
            return assigned
        case .hls(let request):
            let path = request.path.resolved(
                .init(room: room, egress: egress, output: output.id, time: Clocks.wall()))
            return OutputAssignment(
                id: output.id, target: .hls(root: folder.recordings, path: path, request.plan), selection: selection)
        case .rtmp(let url):
            return OutputAssignment(id: output.id, target: .rtmp(url: url.reveal()), selection: selection)
        case .tape:
            let tape = Identifier.tape.make()
            return OutputAssignment(
                id: output.id, target: .tape(root: folder.tapes, path: tape + ".tape", id: tape), selection: selection)
        }
    }

    private func egressRecord(_ document: Document) async throws(ServiceError) -> EgressRecord {
        if let running = await egressControl.record(document.id) { return running }
        return try await translating {
            try JSONDecoder().decode(EgressRun.self, from: Data(document.body)).record
        }
    }

    func relative(_ path: String) -> String {
        path.hasPrefix(folder.recordings + "/") ? String(path.dropFirst(folder.recordings.count + 1)) : path
    }
}

extension EgressStart.Preroll {
    fileprivate var assigned: Preroll {
        switch self {
        case .gop: .gop
        case .none: .none
        case .seconds(let seconds): .seconds(seconds)
        }
    }
}

extension EgressSource {
    /// The tracks that this source means, of what is published now.
    /// - Throws: `not_found` for a track or an identity that the room does not have.
    fileprivate func selection(
        among participants: [ParticipantRecord]
    ) throws(ServiceError) -> OutputAssignment.Selection {
        switch self {
        case .room: return .all
        case .participant(let identity, let screenShare):
            return .participant(identity: identity, screenShare: screenShare)
        case .track(let track): return .tracks([try TrackChoice.track(track).track(.video, among: participants)])
        case .tracks(let video, let audio):
            var tracks: [String] = []
            if let video { tracks.append(try video.track(.video, among: participants)) }
            switch audio {
            case .all:
                tracks += participants.flatMap(\.tracks).filter { $0.kind == .audio }.map(\.id)
            case .tracks(let choices):
                for choice in choices { tracks.append(try choice.track(.audio, among: participants)) }
            case nil: break
            }
            return .tracks(tracks)
        }
    }
}

extension EgressSource.TrackChoice {
    fileprivate func track(
        _ kind: TrackRecord.Kind, among participants: [ParticipantRecord]
    ) throws(ServiceError) -> String {
        switch self {
        case .track(let id):
            guard participants.contains(where: { $0.tracks.contains { $0.id == id } }) else {
                throw ServiceError(
                    .notFound, "The room has no track `\(id)`.", remedy: "GET …/participants shows tracks.")
            }
            return id
        case .identity(let identity):
            let track = participants.first { $0.identity == identity }?.tracks.first { $0.kind == kind }
            guard let track else {
                throw ServiceError(.notFound, "`\(identity)` publishes no \(kind.rawValue) in the room.")
            }
            return track.id
        }
    }
}

extension EgressRecord {
    /// Every file that its outputs wrote, absolute; of a folder its playlist.
    var filePaths: [String] {
        outputs.flatMap(\.filePaths)
    }

    /// The folders that its outputs filled, absolute.
    var folderPaths: [String] { outputs.compactMap(\.folderPath) }
}

extension OutputRecord {
    /// Every file that it wrote, absolute; of a folder its playlist.
    var filePaths: [String] {
        guard type.hasOwnFiles else { return [] }
        let media = parts.isEmpty ? location.map { [$0] } ?? [] : parts.map(\.location)
        return media + [manifestPath].compactMap { $0 }
    }

    /// The folder that an HLS output filled, absolute.
    var folderPath: String? { type == .hls ? location.map { String($0.prefix(upToLast: "/")) } : nil }
}
