import Feed

/// A publisher that comes back, and a room that begins anew: what is published goes on in the tracks that it had.
extension PlacedMedia {
    /// After a longer gap than this nothing goes on, in nanoseconds.
    private static let longestGap: Int64 = 600_000_000_000

    /// Takes up a feed that began anew at `epoch` (nanoseconds since 1970), as after a restart of the gateway. Its
    /// positions and numbers mean others; wall time ties its clock to the timeline's. All that was held must have been
    /// polled.
    mutating func rebase(onto epoch: Int64, at record: Record) {
        indices = [:]
        excluded = []
        for index in tracks.indices {
            tracks[index].resumesAt = 0
            tracks[index].state.gap = .restart
        }
        let zero = beginning.zero &- (epoch &- beginning.epoch)
        restart(
            RoomTimeline.Beginning(
                epoch: epoch, zero: zero, position: record.position, leftOut: beginning.leftOut),
            roomTime: record.time)
    }

    /// Whether a feed that begins at `epoch` with `record` stands near enough to what came to go on with it.
    func canRebase(onto epoch: Int64, at record: Record) -> Bool {
        let (step, isOver) = epoch.subtractingReportingOverflow(beginning.epoch)
        let ends = tracks.compactMap { track in track.state.clock.end.map { track.track.nanoseconds(at: $0) } }
        let gap = record.time &+ step &- beginning.zero &- beginning.leftOut &- (ends.max() ?? 0)
        return !isOver && abs(Double(gap)) < Double(Self.longestGap)
    }

    /// Finds the track that a newly published one goes on in: of the same person, source and kind, and not
    /// published any more.
    /// - Returns: false when there is none.
    mutating func goOn(with published: RecordedRoom.Track, _ room: RecordedRoom) -> Bool {
        guard let identity = room.participants[published.info.participant]?.identity,
            let index = tracks.indices.first(where: { index in
                let track = tracks[index]
                return track.track.identity == identity && track.info.kind == published.info.kind
                    && track.info.source == published.info.source && !isTaken(index, room)
            })
        else { return false }
        if indices[tracks[index].info.number] == index { indices[tracks[index].info.number] = nil }
        indices[published.info.number] = index
        tracks[index].track.info = published.info
        tracks[index].state.publication = published.publication
        tracks[index].state.configuration = .max  // of another numbering: looked up again
        tracks[index].state.clock.anchor = nil
        tracks[index].state.needsKey = tracks[index].isVideo
        tracks[index].state.gap = tracks[index].state.gap ?? .away
        return true
    }

    private func isTaken(_ index: Int, _ room: RecordedRoom) -> Bool {
        let number = tracks[index].info.number
        return indices[number] == index && room.isLive(number)
    }
}
