import Feed
import JSON
import Service
import Storage
import Timing

/// What `sluice tape info` tells: from the tape's end, which knows all of it.
struct TapeInfo {
    let path: String
    let byteCount: Int64
    let identity: TapeIdentity
    let summary: TapeSummary
    let isFinished: Bool

    init(path: String) throws(CommandError) {
        do throws(TapeFileError) {
            let tape = try TapeFile(path: path)
            guard let tail = try tape.tail() else { throw .tape(.notATape, path: path) }
            self.path = path
            byteCount = tape.byteCount
            (identity, summary, isFinished) = (tail.identity, tail.summary, tail.isFinished)
        } catch {
            throw CommandError(error)
        }
    }

    /// Seconds from the first media.
    func place(_ time: Int64) -> Double { Double(time &- (summary.firstAt ?? time)) / 1e9 }

    var duration: Double { Double(summary.duration) / 1e9 }

    // MARK: Words

    var text: String {
        var lines = [
            "Tape      \(identity.tape)  \(isFinished ? "finished" : "not finished: its writer goes on, or was killed")",
            "Room      \(identity.room)  (\(identity.roomID), \(identity.egress) \(identity.output))",
            "Begins    \(summary.firstAt.map { Self.date($0) } ?? "no media yet")",
            "Holds     \(Measure.seconds(duration)), \(Measure.bytes(byteCount)): \(counts)",
        ]
        if !summary.participants.isEmpty { lines += ["", participants] }
        if !summary.tracks.isEmpty { lines += ["", tracks] }
        if !summary.gaps.isEmpty { lines += ["", gaps] }
        if !summary.markers.isEmpty {
            lines += [
                "", Output.table(["Place", "At"], summary.markers.map { [$0.name, TapeTime.text(place($0.at))] }),
            ]
        }
        if summary.leftOut > 0 { lines += ["", "\(summary.leftOut) further entries are not listed."] }
        return lines.joined(separator: "\n")
    }

    private var counts: String {
        var parts = ["\(summary.units) units", "\(summary.packets) packets", "\(summary.events) events"]
        if summary.missed > 0 { parts.append("\(summary.missed) records missed") }
        if identity.attempt > 1 { parts.append("\(identity.attempt) attempts") }
        if summary.runs > 1 { parts.append("\(summary.runs) runs of the gateway") }
        return parts.joined(separator: ", ")
    }

    private var participants: String {
        Output.table(
            ["Who", "Name", "From", "To"],
            summary.participants.map { participant in
                [
                    participant.info.identity, participant.info.name, TapeTime.text(place(participant.joinedAt)),
                    participant.leftAt.map { TapeTime.text(place($0)) } ?? "the end",
                ]
            })
    }

    private var tracks: String {
        Output.table(
            ["Track", "Of", "What", "Units", "Size", "Mean", "From", "To"],
            summary.tracks.map { track in
                let from = track.firstAt.map(place)
                let to = track.lastAt.map(place)
                let seconds = (to ?? 0) - (from ?? 0)
                return [
                    track.info.id, track.identity, track.what, "\(track.units + track.packets)",
                    Measure.bytes(track.bytes),
                    seconds > 0 ? Measure.bitrate(Int64(Double(track.bytes) * 8 / seconds)) : "-",
                    from.map { TapeTime.text($0) } ?? "-", to.map { TapeTime.text($0) } ?? "-",
                ]
            })
    }

    private var gaps: String {
        Output.table(
            ["Gap", "Of", "From", "For", "Lost"],
            summary.gaps.map { gap in
                [
                    gap.cause.name, gap.track.isEmpty ? "the room" : gap.track, TapeTime.text(place(gap.from)),
                    Measure.seconds(Double(max(0, gap.to &- gap.from)) / 1e9), gap.records > 0 ? "\(gap.records)" : "-",
                ]
            })
    }

    static func date(_ time: Int64) -> String { Timestamp(WallTime(nanoseconds: time)).description }

    // MARK: JSON

    var json: JSONValue {
        .object([
            JSONMember("tape", .string(identity.tape)), JSONMember("roomId", .string(identity.roomID)),
            JSONMember("room", .string(identity.room)), JSONMember("egress", .string(identity.egress)),
            JSONMember("output", .string(identity.output)), JSONMember("finished", .bool(isFinished)),
            JSONMember("attempts", .integer(Int64(identity.attempt))),
            JSONMember("runs", .integer(Int64(summary.runs))),
            JSONMember("startedAt", summary.firstAt.map { .string(Self.date($0)) } ?? .null),
            JSONMember("durationSeconds", .number(duration)), JSONMember("sizeBytes", .integer(byteCount)),
            JSONMember("unitCount", .integer(summary.units)), JSONMember("packetCount", .integer(summary.packets)),
            JSONMember("eventCount", .integer(summary.events)), JSONMember("missedCount", .integer(summary.missed)),
            JSONMember("participants", .array(summary.participants.map(json))),
            JSONMember("tracks", .array(summary.tracks.map(json))),
            JSONMember("gaps", .array(summary.gaps.map(json))),
            JSONMember(
                "markers",
                .array(summary.markers.map { ["name": .string($0.name), "atSeconds": .number(place($0.at))] })),
        ])
    }

    private func seconds(_ time: Int64?) -> JSONValue { time.map { .number(place($0)) } ?? .null }

    private func json(_ participant: TapeSummary.Participant) -> JSONValue {
        [
            "id": .string(participant.info.id), "identity": .string(participant.info.identity),
            "name": .string(participant.info.name), "fromSeconds": seconds(participant.joinedAt),
            "toSeconds": seconds(participant.leftAt),
        ]
    }

    private func json(_ track: TapeSummary.Track) -> JSONValue {
        [
            "id": .string(track.info.id), "identity": .string(track.identity),
            "kind": track.info.kind == .video ? "video" : "audio",
            "codec": track.codec.isEmpty ? .null : .string(track.codec), "width": .integer(Int64(track.width)),
            "height": .integer(Int64(track.height)), "sampleRateHz": .integer(Int64(track.sampleRate)),
            "channels": .integer(Int64(track.channels)), "unitCount": .integer(track.units),
            "packetCount": .integer(track.packets), "keyFrameCount": .integer(track.keyFrames),
            "sizeBytes": .integer(track.bytes), "fromSeconds": seconds(track.firstAt),
            "toSeconds": seconds(track.lastAt),
        ]
    }

    private func json(_ gap: TapeSummary.Gap) -> JSONValue {
        [
            "cause": .string(gap.cause.name), "track": gap.track.isEmpty ? .null : .string(gap.track),
            "fromSeconds": seconds(gap.from), "toSeconds": seconds(gap.to), "lostRecords": .integer(gap.records),
        ]
    }
}

extension TapeSummary.Track {
    /// As `H.264 1280x720`, `AAC 48 kHz, 2 channels`.
    var what: String {
        let name =
            switch codec {
            case "avc1": "H.264"
            case "mp4a": "AAC"
            case "": info.form == .packets ? "\(info.kind == .video ? "video" : "sound") packets" : "nothing yet"
            default: codec
            }
        if width > 0 { return "\(name) \(width)x\(height)" }
        guard sampleRate > 0 else { return name }
        return
            "\(name) \(Measure.short(Double(sampleRate) / 1000)) kHz, \(channels == 1 ? "mono" : "\(channels) channels")"
    }
}
