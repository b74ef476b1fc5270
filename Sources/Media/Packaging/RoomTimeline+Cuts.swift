import Feed

/// Behind the beginning: what is taken, what a pause leaves out, and what a split leaves to the next timeline.
extension RoomTimeline {
    mutating func place(_ record: Record) {
        if splitting != nil { return placeBesideSplit(record) }
        media?.note(record.time)
        switch record.body {
        case .packet: break
        case .event(let event):
            endCut()
            room.apply(event)
            warnOfPackets()
            if case .missed = event, pausing != .no { break }
            media?.apply(event)
            media?.pass(upTo: record.position)
        case .unit(let unit):
            switch pausing {
            case .no: take(unit, record)
            case .cutting(let cut): placeBesideCut(unit, record, cut)
            case .paused: media?.pass(upTo: record.position &+ 1)
            case .resuming(let sound): goOn(with: unit, record, behind: sound)
            }
        }
    }

    private mutating func take(_ unit: Unit, _ record: Record) {
        if isSplitDue, room.isCut(unit) { return beginSplit(unit, record) }
        media?.take(unit, record, &room)
        media?.pass(upTo: record.position &+ 1)
    }

    // MARK: Pause

    mutating func beginCut() {
        switch pausing {
        case .paused: break
        case .cutting(var cut):
            cut.isResumeDue = false
            pausing = .cutting(cut)
        case .resuming: pausing = .paused
        case .no:
            let cut = Cutting(least: media?.end ?? 0, since: roomTime, position: media?.position ?? 0)
            pausing = .cutting(cut)
            if media == nil || room.tracks(of: .video).isEmpty || splitting != nil { endCut() }
        }
    }

    /// Takes what belongs before the cut.
    private mutating func placeBesideCut(_ unit: Unit, _ record: Record, _ known: Cutting) {
        var cut = known
        cut.position = max(cut.position, record.position &+ 1)
        let time = time(of: unit, record)
        if room.tracks[unit.track]?.info.kind == .audio {
            if cut.time == nil {
                cut.records.append(record)
            } else if time < (cut.time ?? 0) &- Cutting.slack {
                media?.take(unit, record, &room)
            } else {
                cut.passed.insert(unit.track)
            }
        } else if cut.passed.contains(unit.track) || media?.isWhole(unit.track, before: time, from: cut.least) != false
        {
            cut.passed.insert(unit.track)
            if cut.time == nil, cut.passed.isSuperset(of: room.tracks(of: .video)) {
                cut.time = media?.pictureEnd
                backlog = cut.records[...] + backlog
                cut.records = []
            }
        } else {
            media?.take(unit, record, &room)
        }
        pausing = .cutting(cut)
        let isOver = cut.passed.isSuperset(of: room.tracks(of: .audio)) && cut.time != nil
        if isOver || record.time > cut.deadline || cut.records.count > Cutting.soundLimit { endCut() }
    }

    /// A unit's presentation time, in nanoseconds since the zero.
    private mutating func time(of unit: Unit, _ record: Record) -> Int64 {
        guard let beginning, let at = media?.roomTime(of: unit, record, &room) else { return .max }
        return at &- beginning.zero &- beginning.leftOut
    }

    /// What was taken is given out; nothing more is.
    mutating func endCut() {
        guard case .cutting(let cut) = pausing else { return }
        pausing = pausing.behindCut
        media?.pass(upTo: cut.position)
        let numbers = tracks.map(\.info.number)
        media?.pause(numbers)
    }

    /// Goes on with the first unit that can follow, and with sound that came before it and is heard behind.
    private mutating func goOn(with unit: Unit, _ record: Record, behind sound: [Record]) {
        guard room.isCut(unit) else {
            var sound = sound.suffix(Cutting.soundLimit).filter { record.time &- $0.time < Cutting.patience }
            if room.tracks[unit.track]?.info.kind == .audio { sound.append(record) }
            pausing = .resuming(sound)
            media?.pass(upTo: sound.first?.position ?? record.position &+ 1)
            return
        }
        pausing = .no
        media?.leaveOut(upTo: unit, record, &room)
        let least = time(of: unit, record) &- Cutting.slack
        var kept: [Record] = []
        for record in sound {
            if case .unit(let unit) = record.body, time(of: unit, record) >= least { kept.append(record) }
        }
        backlog = kept[...] + backlog
        take(unit, record)
    }

    // MARK: Split

    private mutating func beginSplit(_ unit: Unit, _ record: Record) {
        isSplitDue = false
        let time = media?.roomTime(of: unit, record, &room) ?? record.time
        splitting = Splitting(time: time, since: record.time, records: [record])
        endSplitIfPassed(at: record.time)
    }

    /// Gives each record to its side of the split.
    private mutating func placeBesideSplit(_ record: Record) {
        guard let time = splitting?.time else { return }
        guard case .unit(let unit) = record.body, room.tracks[unit.track]?.info.kind == .audio,
            let at = media?.roomTime(of: unit, record, &room), at < time
        else {
            splitting?.records.append(record)
            if case .unit(let unit) = record.body { splitting?.passed.insert(unit.track) }
            if case .event = record.body { endSplit() } else { endSplitIfPassed(at: record.time) }
            return
        }
        media?.note(record.time)
        media?.take(unit, record, &room)
        media?.pass(unit.track, upTo: record.position &+ 1)
        endSplitIfPassed(at: record.time)
    }

    private mutating func endSplitIfPassed(at time: Int64) {
        guard let splitting else { return }
        let isPassed = splitting.passed.isSuperset(of: room.tracks(of: .audio))
        if isPassed || time &- splitting.since > Splitting.patience { endSplit() }
    }

    private mutating func endSplit() {
        guard let splitting else { return }
        self.splitting = nil
        current = nil
        backlog = splitting.records[...] + backlog
        media?.outputs.append(.split)
        isClosed = true
    }
}
