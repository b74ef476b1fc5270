import JSON
import Service
import Store
import Timing

/// One record of each kind, as JSON, by the name of its schema.
enum RecordSamples {
    static let time = Timestamp(WallTime(nanoseconds: 0))

    static let all: [(name: String, json: JSONValue)] = [
        sample("Room", RoomRecord(id: "RM_1", name: "demo", createdAt: time)),
        sample("Participant", ParticipantRecord(id: "PA_1", identity: "a", name: "A", kind: .ingress, joinedAt: time)),
        sample("Track", TrackRecord(id: "TR_1", kind: .video, source: .camera, publishedAt: time)),
        sample(
            "Ingress",
            IngressRecord(
                id: "IN_1", request: CreateIngress(room: "demo"), streamKey: "k", url: "u", publish: PublishAddresses(),
                state: .inactive, createdAt: time, updatedAt: time)),
        sample("Publish", PublishAddresses()),
        sample("Session", IngressSession(id: "SE_1", roomId: "RM_1", remote: "::1", startedAt: time)),
        sample(
            "Egress",
            EgressRecord(
                id: "EG_1", roomId: "RM_1", room: "demo", state: .queued, createdAt: time, updatedAt: time, spec: [:],
                outputs: [])),
        sample("Output", OutputRecord(id: "o", type: .mp4)),
        sample("Part", PartRecord(number: 1, location: "/x", href: "/y", durationSeconds: 1, sizeBytes: 1)),
        sample(
            "FileRecord",
            FileRecord(path: "x", output: nil, sizeBytes: 1, modifiedAt: time, contentType: "video/mp4", href: "/x")),
        sample("Notice", Notice(.noMedia, "none")),
        sample(
            "Queue", QueueRecord(position: 1, waitingFor: "cpu", needs: ResourceRecord(milliCores: 1, memoryBytes: 1))),
        sample("Resources", ResourceRecord(milliCores: 1, memoryBytes: 1)),
        sample(
            "Job",
            JobRecord(
                id: "JB_1", type: "egress", subject: "EG_1", room: "demo", state: .queued, attempt: 1, createdAt: time)),
        sample(
            "Worker",
            WorkerRecord(
                id: "WK_1", processId: 1, state: .ready, startedAt: time,
                capacity: ResourceRecord(milliCores: 1, memoryBytes: 1),
                used: ResourceRecord(milliCores: 1, memoryBytes: 1), jobs: [])),
        sample("Pipeline", PipelineRecord(name: "p", description: "d", spec: [:])),
        sample("FieldError", FieldError(pointer: "#", code: "c", detail: "d", remedy: "r")),
        sample("Readiness", Readiness(checks: [])),
    ]

    private static func sample(_ name: String, _ record: some Encodable) -> (String, JSONValue) {
        (name, (try? JSONValue(encoding: record)) ?? .null)
    }
}
