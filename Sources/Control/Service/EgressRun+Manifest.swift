import Assignments
import Timing

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
        let tracks = files?.tracks ?? tapes?[output.id]?.tracks.map(\.reported) ?? []
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
            JSONMember("tracks", .array(tracks.map(\.manifest))),
            JSONMember("clock", .array((files?.clocks ?? []).map(\.manifest))),
            JSONMember("parts", .array(output.parts.map(\.manifest))),
            JSONMember("pauses", .array(pauses)),
            JSONMember("gapCount", .integer(files?.gapCount ?? 0)),
            JSONMember("gapSeconds", .number(files?.gapSeconds ?? 0)), JSONMember("gaps", .array(gaps)),
        ])
    }
}

extension ReportedTrack {
    fileprivate var manifest: JSONValue {
        let isVideo = kind == "video"
        let forms: [JSONValue] = forms.map { form in
            let coding: [JSONMember] =
                isVideo
                ? [
                    JSONMember("width", .integer(Int64(form.width))),
                    JSONMember("height", .integer(Int64(form.height))),
                ]
                : [
                    JSONMember("channels", .integer(Int64(form.channels))),
                    JSONMember("sampleRateHz", .integer(Int64(form.sampleRate))),
                ]
            let place = [JSONMember("atSeconds", .number(form.atSeconds)), JSONMember("codec", .string(form.codec))]
            return .object(place + coding)
        }
        return [
            "id": .string(id), "identity": .string(identity), "kind": .string(kind), "unitsOut": .integer(frames),
            "forms": .array(forms),
        ]
    }
}

extension TapeReport.Track {
    /// As other outputs tell theirs; a tape's has its last form alone.
    fileprivate var reported: ReportedTrack {
        let form = ReportedTrack.Form(
            atSeconds: 0, codec: codec, width: width, height: height, channels: channels, sampleRate: sampleRate)
        return ReportedTrack(id: id, identity: identity, kind: kind, frames: units, forms: codec.isEmpty ? [] : [form])
    }
}

extension PlacedClock {
    /// The media at `atSeconds` is of `utc`, and of each source's `stampSeconds`; from there on all go on together.
    fileprivate var manifest: JSONValue {
        let time = WallTime(nanoseconds: clock.zeroAt &+ Duration.seconds(atSeconds).nanoseconds)
        return [
            "atSeconds": .number(atSeconds), "utc": .string(Timestamp(time).description),
            "sources": .array(
                clock.sources.map { source in
                    ["identity": .string(source.identity), "stampSeconds": .number(source.stampSeconds + atSeconds)]
                }),
        ]
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
