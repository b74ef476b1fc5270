// Tagged fields; lists are repeated fields. Places by number are kept for the present run, so that a later attempt goes on
// where this one was.
extension TapeSummary {
    func encode(into bytes: inout [UInt8]) {
        for participant in participants { bytes.append(field: 1) { participant.encode(into: &$0) } }
        let numbers = Dictionary(trackPlaces.map { ($0.value, $0.key) }) { first, _ in first }
        for (place, track) in tracks.enumerated() {
            let heard = numbers[place].flatMap { heardAt[$0] }
            bytes.append(field: 2) { track.encode(into: &$0, isPresent: numbers[place] != nil, heardAt: heard) }
        }
        for gap in gaps { bytes.append(field: 3) { gap.encode(into: &$0) } }
        bytes.append(field: 4, leftOut)
        for marker in markers {
            bytes.append(field: 16) {
                $0.append(field: 1, marker.name)
                $0.append(field: 2, marker.at)
            }
        }
        bytes.append(field: 5, units)
        bytes.append(field: 6, packets)
        bytes.append(field: 7, events)
        bytes.append(field: 8, missed)
        if let firstAt { bytes.append(field: 9, firstAt) }
        if let lastAt { bytes.append(field: 10, lastAt) }
        bytes.append(field: 11, runs)
        bytes.append(field: 12, epoch)
        if let missedSince {
            bytes.append(field: 13, missedSince.from)
            bytes.append(field: 14, missedSince.records)
        }
        for place in participantPlaces.values.sorted() { bytes.append(field: 15, UInt32(clamping: place)) }
    }

    init(_ fields: Fields) throws(FeedError) {
        for slice in try fields.slices(1).prefix(Self.listLimit) {
            participants.append(try Participant(Fields(parsing: slice)))
        }
        for slice in try fields.slices(2).prefix(Self.listLimit) {
            let fields = try Fields(parsing: slice)
            let track = try Track(fields)
            if try fields.flag(20) { trackPlaces[track.info.number] = tracks.count }
            if try fields.has(21) { heardAt[track.info.number] = try fields.int64(21) }
            tracks.append(track)
        }
        for slice in try fields.slices(3).prefix(Self.listLimit) { gaps.append(try Gap(Fields(parsing: slice))) }
        for slice in try fields.slices(16).prefix(Self.listLimit) {
            let fields = try Fields(parsing: slice)
            markers.append(Marker(name: try fields.string(1), at: try fields.int64(2)))
        }
        leftOut = try fields.int64(4)
        units = try fields.int64(5)
        packets = try fields.int64(6)
        events = try fields.int64(7)
        missed = try fields.int64(8)
        if try fields.has(9) { firstAt = try fields.int64(9) }
        if try fields.has(10) { lastAt = try fields.int64(10) }
        runs = try fields.integer(11, as: UInt32.self)
        epoch = try fields.int64(12)
        if try fields.has(13) { missedSince = (try fields.int64(13), try fields.int64(14)) }
        for place in try fields.integers(15) {
            guard let place = Int(exactly: place), place < participants.count else { continue }
            participantPlaces[participants[place].info.number] = place
        }
    }
}

extension TapeSummary.Participant {
    fileprivate func encode(into bytes: inout [UInt8]) {
        info.encode(into: &bytes)
        bytes.append(field: 20, joinedAt)
        if let leftAt { bytes.append(field: 21, leftAt) }
    }

    fileprivate init(_ fields: Fields) throws(FeedError) {
        self.init(
            info: try ParticipantInfo(fields), joinedAt: try fields.int64(20),
            leftAt: try fields.has(21) ? try fields.int64(21) : nil)
    }
}

extension TapeSummary.Track {
    fileprivate func encode(into bytes: inout [UInt8], isPresent: Bool, heardAt: Int64?) {
        info.encode(into: &bytes)
        bytes.append(field: 20, isPresent)
        if let heardAt { bytes.append(field: 21, heardAt) }
        bytes.append(field: 22, identity)
        bytes.append(field: 23, codec)
        bytes.append(field: 24, width)
        bytes.append(field: 25, height)
        bytes.append(field: 26, sampleRate)
        bytes.append(field: 27, channels)
        bytes.append(field: 28, units)
        bytes.append(field: 29, packets)
        bytes.append(field: 30, keyFrames)
        bytes.append(field: 31, self.bytes)
        if let firstAt { bytes.append(field: 32, firstAt) }
        if let lastAt { bytes.append(field: 33, lastAt) }
    }

    fileprivate init(_ fields: Fields) throws(FeedError) {
        guard let info = try TrackInfo.decode(fields) else { throw .malformed("a track of an unknown sort") }
        self.init(info: info, identity: try fields.string(22))
        codec = try fields.string(23)
        width = try fields.integer(24, as: UInt32.self)
        height = try fields.integer(25, as: UInt32.self)
        sampleRate = try fields.integer(26, as: UInt32.self)
        channels = try fields.integer(27, as: UInt32.self)
        units = try fields.int64(28)
        packets = try fields.int64(29)
        keyFrames = try fields.int64(30)
        bytes = try fields.int64(31)
        if try fields.has(32) { firstAt = try fields.int64(32) }
        if try fields.has(33) { lastAt = try fields.int64(33) }
    }
}

extension TapeSummary.Gap {
    fileprivate func encode(into bytes: inout [UInt8]) {
        bytes.append(field: 1, cause.rawValue)
        bytes.append(field: 2, track)
        bytes.append(field: 3, from)
        bytes.append(field: 4, to)
        bytes.append(field: 5, records)
    }

    fileprivate init(_ fields: Fields) throws(FeedError) {
        self.init(
            cause: Cause(rawValue: try fields.integer(1, as: UInt8.self)) ?? .silence, track: try fields.string(2),
            from: try fields.int64(3), to: try fields.int64(4), records: try fields.int64(5))
    }
}
