import Feed

/// What of a feed reaches an output that was paused: events always; media not, from the pause up to the next key frame
/// after its end (or the next sound, where there is no picture). What is left out stands as a gap.
struct PauseGate {
    private enum State {
        case open, closed, opening
    }

    private var state = State.open
    private var videoTracks: Set<TrackNumber> = []

    mutating func close() { state = .closed }

    mutating func open() {
        if state == .closed { state = .opening }
    }

    /// Whether `record` is for the output. Give it every record.
    mutating func passes(_ record: Record) -> Bool {
        switch record.body {
        case .event(.published(let track)) where track.kind == .video: videoTracks.insert(track.number)
        case .event(.unpublished(let track)): videoTracks.remove(track)
        case .event(.missed): return state == .open  // nobody is too slow for what is left out
        case .event: break
        case .unit(let unit): return passes(unit.track, isKey: unit.isKey)
        case .packet(let packet): return passes(packet.track, isKey: packet.isKey)
        }
        return true
    }

    private mutating func passes(_ track: TrackNumber, isKey: Bool) -> Bool {
        switch state {
        case .open: return true
        case .closed: return false
        case .opening:
            guard isKey, videoTracks.isEmpty || videoTracks.contains(track) else { return false }
            state = .open
            return true
        }
    }
}
