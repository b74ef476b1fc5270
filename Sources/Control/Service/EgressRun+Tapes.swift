import Assignments
import FoundationEssentials
import Store
import Timing

extension EgressRun {
    /// The tapes that its outputs write.
    var tapeRecords: [TapeRecord] {
        outputs.compactMap { assigned in
            guard case .tape(_, _, let id) = assigned.target,
                let output = record.outputs.first(where: { $0.id == assigned.id })
            else { return nil }
            return tape(id, output)
        }
    }

    /// Says in each output that writes a tape where that is.
    mutating func linkTapes() {
        for assigned in outputs {
            guard case .tape(_, _, let id) = assigned.target,
                let index = record.outputs.firstIndex(where: { $0.id == assigned.id })
            else { continue }
            record.outputs[index].href = "/v1/tapes/" + id
        }
    }

    private func tape(_ id: String, _ output: OutputRecord) -> TapeRecord {
        let report = tapes?[output.id]
        let state: TapeRecord.State =
            !output.state.isFinal ? .writing : output.state == .failed ? .failed : .complete
        return TapeRecord(
            id: id, egress: record.id, output: output.id, roomId: record.roomId, room: record.room, state: state,
            createdAt: record.createdAt, startedAt: OrNull(wrappedValue: output.startedAt),
            endedAt: OrNull(wrappedValue: output.endedAt),
            durationSeconds: output.durationSeconds, sizeBytes: output.sizeBytes,
            location: OrNull(wrappedValue: output.location),
            participants: report?.participants.map { TapeRecord.Participant($0) } ?? [],
            tracks: report?.tracks.map { TapeRecord.Track($0) } ?? [],
            gaps: report?.gaps.map { TapeRecord.Gap($0) } ?? [], leftOutCount: report?.leftOut ?? 0,
            error: OrNull(wrappedValue: output.error), labels: record.labels, keyId: OrNull(wrappedValue: record.keyId))
    }
}

extension TapeRecord {
    /// The record as the store keeps it.
    func document() throws -> Document {
        var document = Document(
            kind: .tape, id: id, createdAt: createdAt.wallTime, room: room, roomID: roomId, state: state.rawValue,
            isActive: state == .writing, labels: labels, keyID: keyId, body: Array(try JSONEncoder().encode(self)))
        document.updatedAt = endedAt?.wallTime ?? createdAt.wallTime
        return document
    }

    /// What the end of its egress makes of a tape: its last record, or nothing where no media was written.
    func ending() throws -> DocumentChange {
        startedAt == nil ? .delete(.tape, id: id, expected: 1) : .put(try document(), expected: 1)
    }
}

extension TapeRecord.Participant {
    fileprivate init(_ report: TapeReport.Participant) {
        self.init(
            id: report.id, identity: report.identity, name: report.name, joinedAt: Timestamp(report.joinedAt),
            leftAt: OrNull(wrappedValue: report.leftAt.map { Timestamp($0) }))
    }
}

extension TapeRecord.Track {
    fileprivate init(_ report: TapeReport.Track) {
        func known(_ value: Int) -> OrNull<Int> { OrNull(wrappedValue: value > 0 ? value : nil) }
        self.init(
            id: report.id, identity: report.identity, kind: report.kind,
            codec: OrNull(wrappedValue: report.codec.isEmpty ? nil : report.codec), width: known(report.width),
            height: known(report.height), channels: known(report.channels), sampleRateHz: known(report.sampleRate),
            unitCount: report.units, sizeBytes: report.bytes,
            firstAt: OrNull(wrappedValue: report.firstAt.map { Timestamp($0) }),
            lastAt: OrNull(wrappedValue: report.lastAt.map { Timestamp($0) }))
    }
}

extension TapeRecord.Gap {
    fileprivate init(_ report: TapeReport.Gap) {
        self.init(
            cause: report.cause, track: OrNull(wrappedValue: report.track), startedAt: Timestamp(report.from),
            durationSeconds: Duration.nanoseconds(max(0, report.to &- report.from)).inSeconds,
            lostRecords: report.records)
    }
}

extension Timestamp {
    fileprivate init(_ nanoseconds: Int64) { self.init(WallTime(nanoseconds: nanoseconds)) }
}
