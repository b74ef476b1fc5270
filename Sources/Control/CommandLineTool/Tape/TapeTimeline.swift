import Feed

/// What a time line of a tape shows: who was there, what each track carried in every piece of time, and where something is missing.
struct TapeTimeline {
    /// A span in seconds from the first media.
    struct Span: Equatable {
        var from: Double
        var to: Double
    }

    struct Row {
        var info: TrackInfo
        var what = ""
        /// Bytes in each bin.
        var bytes: [Double] = []
        /// Spans in which it was published.
        var spans: [Span] = []
        var mutes: [Span] = []
        var gaps: [Span] = []
    }

    struct Person {
        var identity: String
        var name: String
        var spans: [Span] = []
        var rows: [Row] = []
    }

    private(set) var title = ""
    private(set) var subtitle = ""
    private(set) var duration: Double
    /// Seconds of one bin.
    private(set) var bin: Double
    private(set) var people: [Person] = []
    /// Records that the tape missed, pauses, and damage: spans of the whole room.
    private(set) var losses: [(span: Span, words: String)] = []
    private(set) var markers: [(at: Double, name: String)] = []

    private var place = TapePlace()
    private var summary = TapeSummary()
    private var personOf: [ParticipantNumber: Int] = [:]
    private var rowOf: [TrackNumber: (person: Int, row: Int)] = [:]
    private var time = 0.0
    private var damage = 0

    /// Bins over the whole width.
    static let bins = 480.0

    init(path: String) throws(CommandError) {
        let info = try TapeInfo(path: path)
        title = "\(info.identity.room)  \u{00B7}  \(info.identity.tape)"
        duration = max(info.duration, 0.001)
        bin = max(0.5, duration / Self.bins)
        var line = self
        try TapeReading.forEach(path) { item throws(CommandError) in
            line.take(item)
            return true
        }
        line.finish()
        let begins = info.summary.firstAt.map { TapeInfo.date($0) } ?? ""
        let counts = "\(line.summary.units + line.summary.packets) units and packets"
        line.subtitle =
            "\(begins)  \u{00B7}  \(Measure.seconds(info.duration))  \u{00B7}  \(Measure.bytes(info.byteCount))  \u{00B7}  \(counts)"
        self = line
    }

    // MARK: Reading

    private mutating func take(_ item: TapeReader.Item) {
        place.take(item)
        switch item {
        case .record(let record):
            summary.add(record)
            if place.firstAt != nil { time = max(time, place.seconds(record)) }
            switch record.body {
            case .event(let event): take(event)
            case .unit(let unit): add(unit.bytes.count, to: unit.track)
            case .packet(let packet): add(packet.bytes.count, to: packet.track)
            }
        case .note(let note):
            summary.add(note)
        case .damage(let found):
            damage += 1
            losses.append((Span(from: time, to: time), "damaged: \(found)"))
        case .identity(let identity):
            if identity.run > 1 { beginRun() }
        case .snapshot, .index, .unknown: break
        }
    }

    private mutating func take(_ event: RoomEvent) {
        switch event {
        case .joined(let info): join(info)
        case .left(let number):
            personOf[number].map { people[$0].spans.close(at: time) }
            for (track, at) in rowOf where people[at.person].rows[at.row].info.participant == number {
                close(track)
            }
        case .published(let info): publish(info)
        case .unpublished(let number): close(number)
        case .configuration(let number, _, let configuration):
            row(number) { $0.what = Self.words(configuration) }
        case .muted(let number, true): row(number) { [time] in $0.mutes.open(at: time) }
        case .muted(let number, false): row(number) { [time] in $0.mutes.close(at: time) }
        default: break
        }
    }

    private mutating func join(_ info: ParticipantInfo) {
        let known = personOf[info.number] ?? people.firstIndex { $0.identity == info.identity }
        let index = known ?? people.count
        if index == people.count { people.append(Person(identity: info.identity, name: info.name)) }
        personOf[info.number] = index
        people[index].spans.open(at: time)
    }

    private mutating func publish(_ info: TrackInfo) {
        if rowOf[info.number] == nil {
            let person = personOf[info.participant] ?? people.count
            if person == people.count { people.append(Person(identity: "?", name: "")) }
            let known = people[person].rows.firstIndex { $0.info.id == info.id }
            if known == nil { people[person].rows.append(Row(info: info)) }
            rowOf[info.number] = (person, known ?? people[person].rows.count - 1)
        }
        row(info.number) { [time] in $0.spans.open(at: time) }
    }

    private mutating func add(_ count: Int, to track: TrackNumber) {
        let index = min(Int(time / bin), Int(Self.bins) * 4)
        row(track) { row in
            if row.bytes.count <= index {
                row.bytes.append(contentsOf: repeatElement(0, count: index + 1 - row.bytes.count))
            }
            row.bytes[index] += Double(count)
        }
    }

    private mutating func close(_ track: TrackNumber) {
        row(track) { [time] row in
            row.spans.close(at: time)
            row.mutes.close(at: time)
        }
    }

    private mutating func row(_ track: TrackNumber, _ change: (inout Row) -> Void) {
        guard let at = rowOf[track] else { return }
        change(&people[at.person].rows[at.row])
    }

    /// The gateway was restarted: whoever was there is gone until the feed says otherwise.
    private mutating func beginRun() {
        for index in people.indices { people[index].spans.close(at: time) }
        for track in rowOf.keys { close(track) }
        personOf = [:]
        rowOf = [:]
    }

    private mutating func finish() {
        beginRun()
        func seconds(_ time: Int64) -> Double { Double(time &- (summary.firstAt ?? time)) / 1e9 }
        for gap in summary.gaps {
            let span = Span(from: max(0, seconds(gap.from)), to: max(0, seconds(gap.to)))
            guard gap.cause == .silence else {
                losses.append((span, gap.cause == .pause ? "paused" : "\(gap.records) records missed"))
                continue
            }
            for person in people.indices {
                for row in people[person].rows.indices where people[person].rows[row].info.id == gap.track {
                    people[person].rows[row].gaps.append(span)
                }
            }
        }
        markers = summary.markers.map { (max(0, seconds($0.at)), $0.name) }
        duration = max(duration, time)
    }

    private static func words(_ configuration: Configuration) -> String {
        if configuration.width > 0 {
            return "\(configuration.codec.rawValue) \(configuration.width)\u{00D7}\(configuration.height)"
        }
        let rate = Measure.short(Double(configuration.sampleRate) / 1000)
        return "\(configuration.codec.rawValue) \(rate) kHz, \(configuration.channels) ch"
    }
}

extension [TapeTimeline.Span] {
    /// An open span has no end yet: it ends before it begins.
    fileprivate mutating func open(at time: Double) {
        if let last, last.to < last.from { return }
        append(TapeTimeline.Span(from: time, to: -1))
    }

    fileprivate mutating func close(at time: Double) {
        guard let last, last.to < last.from else { return }
        self[count - 1].to = Swift.max(time, last.from)
    }
}
