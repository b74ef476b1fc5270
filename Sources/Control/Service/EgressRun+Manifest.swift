import Assignments

extension EgressRun {
    /// What was recorded, as far as the gateway knows it: served by the API, and written beside the files.
    var manifest: JSONValue {
        .object([
            JSONMember("egress", .string(record.id)), JSONMember("room", .string(record.room)),
            JSONMember("state", .string(record.state.rawValue)),
            JSONMember("stateReason", record.stateReason.map { .string($0) } ?? .null),
            JSONMember("startedAt", record.startedAt.map { .string($0.description) } ?? .null),
            JSONMember("endedAt", record.endedAt.map { .string($0.description) } ?? .null),
            JSONMember("attempts", .integer(Int64(record.attempt))),
            JSONMember("outputs", .array(record.outputs.map { manifest(of: $0) })),
            JSONMember(
                "markers",
                .array(
                    (verbs?.markers ?? []).map { ["name": .string($0.name), "atSeconds": .number($0.atSeconds)] })),
            JSONMember(
                "warnings",
                .array(record.warnings.map { ["code": .string($0.code), "message": .string($0.message)] })),
        ])
    }

    private func manifest(of output: OutputRecord) -> JSONValue {
        let files = files?[output.id]
        let pauses: [JSONValue] = (files?.allPauses ?? []).map {
            ["atSeconds": .number($0.atSeconds), "seconds": .number($0.seconds)]
        }
        let gaps: [JSONValue] = (files?.gaps ?? []).map {
            [
                "track": .string($0.track), "atSeconds": .number($0.atSeconds), "seconds": .number($0.seconds),
                "cause": .string($0.cause), "filled": .bool($0.isFilled),
            ]
        }
        return .object([
            JSONMember("id", .string(output.id)), JSONMember("type", .string(output.type.rawValue)),
            JSONMember("state", .string(output.state.rawValue)),
            JSONMember("location", output.location.map { .string($0) } ?? .null),
            JSONMember("durationSeconds", .number(output.durationSeconds)),
            JSONMember("sizeBytes", .integer(output.sizeBytes)), JSONMember("retries", .integer(Int64(output.retries))),
            JSONMember("unitsIn", .integer(files?.unitsIn ?? 0)),
            JSONMember("unitsLost", .integer(files?.unitsLost ?? 0)),
            JSONMember("parts", .array(output.parts.map(\.manifest))),
            JSONMember("pauses", .array(pauses)),
            JSONMember("gapCount", .integer(files?.gapCount ?? 0)),
            JSONMember("gapSeconds", .number(files?.gapSeconds ?? 0)), JSONMember("gaps", .array(gaps)),
        ])
    }
}

extension PartRecord {
    fileprivate var manifest: JSONValue {
        [
            "number": .integer(Int64(number)), "location": .string(location),
            "durationSeconds": .number(durationSeconds), "sizeBytes": .integer(sizeBytes),
        ]
    }
}
