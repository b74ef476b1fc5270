import Feed
import JSON

/// What `sluice tape verify` finds: every byte is read.
struct TapeCheck {
    private(set) var damage: [TapeDamage] = []
    private(set) var records: Int64 = 0
    private(set) var media: Int64 = 0
    private(set) var unknown: Int64 = 0
    private(set) var attempts = 0
    private(set) var isFinished = false
    private(set) var byteCount: Int64 = 0

    var isGood: Bool { damage.isEmpty }

    init(path: String) throws(CommandError) {
        var found = TapeCheck()
        found.byteCount = try TapeReading.forEach(path) { item throws(CommandError) in
            found.take(item)
            return true
        }
        self = found
    }

    private init() {}

    private mutating func take(_ item: TapeReader.Item) {
        isFinished = false
        switch item {
        case .record(let record):
            records += 1
            if case .event = record.body {} else { media += 1 }
        case .damage(let found): damage.append(found)
        case .unknown: unknown += 1
        case .identity: attempts += 1
        case .index: isFinished = true
        case .snapshot, .note: break
        }
    }

    var text: String {
        var lines = damage.map { "damaged  \($0)" }
        let bytes = damage.reduce(UInt64(0)) { $0 + UInt64($1.bytes.count) }
        let what = "\(records) records, \(media) of media, in \(Measure.bytes(byteCount))"
        if isGood {
            lines.append("good     \(what)")
        } else {
            lines.append("readable \(what); \(damage.count) damaged places, \(Measure.bytes(Int64(clamping: bytes)))")
            lines.append("         `sluice tape export` makes files of what is readable.")
        }
        if unknown > 0 { lines.append("skipped  \(unknown) entries that a later version of Sluice wrote") }
        if !isFinished { lines.append("note     not finished: it has no index; its writer goes on, or was killed") }
        return lines.joined(separator: "\n")
    }

    var json: JSONValue {
        [
            "good": .bool(isGood), "finished": .bool(isFinished), "sizeBytes": .integer(byteCount),
            "recordCount": .integer(records), "mediaCount": .integer(media), "unknownCount": .integer(unknown),
            "attempts": .integer(Int64(attempts)),
            "damage": .array(
                damage.map {
                    [
                        "from": .integer(Int64(clamping: $0.bytes.lowerBound)),
                        "to": .integer(Int64(clamping: $0.bytes.upperBound)), "cause": .string("\($0.cause)"),
                    ]
                }),
        ]
    }
}
