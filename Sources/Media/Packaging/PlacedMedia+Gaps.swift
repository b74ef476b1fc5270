import Feed
import Timing

/// What becomes of a span in which a track has nothing (DESIGN section 3): silence of the same configuration, a picture
/// that lasts longer, or a hole.
extension PlacedMedia {
    /// A gap in front of a sample.
    struct Opening {
        /// Where the sample before it ends, in ticks of the track.
        var end: Int64
        /// Set if it is to be told.
        var stated: MediaGap?
        var filling: Filling?
    }

    /// Frames of silence that are made one by one, as they are asked for: a gap of an hour needs no memory.
    struct Filling: Sendable {
        var index: Int
        /// Where the next frame begins, and where the last one ends, in ticks of the track.
        var time: Int64
        var end: Int64
        /// How long a frame lasts.
        var step: Int64
        var description: UInt32
        var bytes: ArraySlice<UInt8>
        var cause: MediaGap.Cause
    }

    /// The gap between the track at `index`, as it was in `state`, and a sample at `time`; `nil` if there is none.
    func opening(
        before time: Int64, from state: TrackTimeline.State, cause: MediaGap.Cause?, in index: Int
    ) -> Opening? {
        guard let last = state.clock.lastTime else { return nil }
        return tracks[index].isVideo
            ? picture(from: last, to: time, cause, index) : sound(from: state, to: time, cause, index)
    }

    private func picture(from last: Int64, to time: Int64, _ cause: MediaGap.Cause?, _ index: Int) -> Opening? {
        let track = tracks[index].track
        let limit = options.longestPicture?.nanoseconds ?? .max
        let length = track.nanoseconds(at: time) &- track.nanoseconds(at: last)
        var opening = Opening(end: limit < length ? track.ticks(at: track.nanoseconds(at: last) &+ limit) : time)
        if length > MediaGap.longestPicture, cause != .pause {
            let from = track.nanoseconds(at: last &+ tracks[index].estimatedDuration)
            opening.stated = MediaGap(
                track: index, from: from, length: track.nanoseconds(at: time) &- from, cause: cause ?? .silence,
                isFilled: false)
        }
        return opening.stated != nil || opening.end != time ? opening : nil
    }

    private func sound(
        from state: TrackTimeline.State, to time: Int64, _ cause: MediaGap.Cause?, _ index: Int
    ) -> Opening? {
        var clock = state.clock
        guard let end = clock.end, let last = clock.lastTime else { return nil }
        clock.carry = 0
        let step = max(1, (clock.end ?? 0) &- last)
        guard time &- end >= step else { return nil }
        let track = tracks[index].track
        let from = track.nanoseconds(at: end)
        let length = track.nanoseconds(at: time) &- from
        let entry = track.entries[Int(state.description) - 1]
        let silence = length <= options.longestSilence.nanoseconds ? SampleCoding.silence(of: entry) : nil
        var opening = Opening(end: end)
        if cause != nil || length >= MediaGap.shortestSound, cause != .pause, !state.isGapStated {
            opening.stated = MediaGap(
                track: index, from: from, length: length, cause: cause ?? .silence, isFilled: silence != nil)
        }
        guard let silence else { return opening.stated == nil ? nil : opening }
        opening.filling = Filling(
            index: index, time: end, end: time, step: step, description: state.description, bytes: silence[...],
            cause: cause ?? .silence)
        return opening
    }

    /// The next frame of silence, and from then on a later attempt goes on behind it.
    mutating func fill() -> PlacedSample? {
        guard var now = filling, let before = tracks[now.index].pending?.sample.before,
            let position = tracks[now.index].pending?.sample.position
        else {
            filling = nil
            return nil
        }
        let isLast = now.end &- now.time < 2 &* now.step
        let sample = PlacedSample(
            track: now.index, time: now.time, duration: isLast ? now.end &- now.time : now.step,
            compositionOffset: 0, isFill: true, isSync: true, description: now.description, bytes: now.bytes,
            position: position, before: before)
        var next = before
        next.clock.lastTime = now.time
        next.clock.carry = 0
        (next.gap, next.isGapStated) = (now.cause, true)
        tracks[now.index].pending?.sample.before = next
        now.time &+= now.step
        filling = isLast ? nil : now
        gaps.filled &+= 1
        return sample
    }

    // MARK: Drift between sources

    /// A source may be this far from the room's clock before it is corrected; sound that is never silent, that far.
    private static let driftLimit: Int64 = 20_000_000
    private static let soundLimit: Int64 = 60_000_000
    /// A frame of sound with no more bytes than this for each channel is silence.
    private static let silentBytes = 8

    /// Moves a track onto the room's clock where that cannot be seen or heard: at a key frame, or in silence. Only where
    /// several sources must agree; a single one keeps its own deltas exactly.
    /// - Returns: whether it did.
    func correct(
        _ unit: Unit, _ record: Record, _ index: Int, _ configuration: Configuration,
        _ state: inout TrackTimeline.State, _ room: RecordedRoom
    ) -> Bool {
        guard hasManySources, var anchor = state.clock.anchor,
            let clock = room.clocks[tracks[index].info.participant], clock.announced != .min
        else { return false }
        let stamp = SampleClock.scale(unit.dts, from: Int64(configuration.timescale), to: 1_000_000_000)
        let drift = record.time &- stamp &- clock.announced
        let excess = drift &- anchor.drift
        guard excess.magnitude > Self.driftLimit.magnitude, excess.magnitude < 1_000_000_000 else { return false }
        let isSilent = unit.bytes.count <= Self.silentBytes * max(1, Int(configuration.channels))
        let mayMove =
            tracks[index].isVideo
            ? unit.isKey : isSilent || state.gap != nil || excess.magnitude > Self.soundLimit.magnitude
        let ticks = SampleClock.scale(excess, from: 1_000_000_000, to: Int64(tracks[index].timescale))
        guard mayMove, let mapped = state.clock.mapped(unit.dts) else { return false }
        if tracks[index].isVideo, let end = state.clock.end, mapped &+ ticks < end { return false }
        anchor.time &+= ticks
        anchor.drift = drift
        state.clock.anchor = anchor
        return true
    }
}
