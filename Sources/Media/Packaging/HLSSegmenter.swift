public import Feed
import HLS
import ISOBMFF
import Timing

/// Turns a feed into an HLS presentation (DESIGN section 4, rfc8216bis): CMAF segments, a playlist for each rendition, and
/// the playlist above them; without doing any I/O.
///
/// The first video is one rendition, each sound another; their segments are cut at the same times. After **every** input
/// the owner drains ``pollOutput()`` until it says `wait`.
public struct HLSSegmenter: Sendable {
    /// A cut waits this long, in nanoseconds of room time, for the other renditions.
    private static let patience: Int64 = 1_500_000_000

    let options: Options
    var timeline: RoomTimeline
    var cutter: HLSCutter
    var renditions: [HLSRendition] = []
    /// The picture is away, and the sound leads.
    var isVideoAway = false
    /// Each segment so far begins with a key frame.
    var isIndependent = true
    /// Wall time of the first sample; `nil` before the first publication.
    var startedAt: WallTime?
    var markers = HLSMarkers()
    /// Segments that have left the playlists, and when they may go: nanoseconds since 1970, on the media's clock.
    var doomed: [(name: String, until: Int64)] = []
    private var cuts: [HLSCut] = []
    private var outputs: [Output] = []
    private var isOver = false
    private var leftOut: Set<Int> = []
    /// The first sound that came while nothing is gathered and the picture is away.
    private var soundOpening: HLSCutter.Step?
    /// When the timeline wants to be called, in room time.
    private var due: Int64?
    /// While paused: up to where the feed was acknowledged, though nothing is written.
    private var passed: UInt64 = 0
    /// Of timelines that are over.
    private var earlier = RecordingCounts()

    /// Begins in an empty folder.
    public init(options: Options = Options()) {
        self.init(options: options, timeline: RoomTimeline(options: Self.timelineOptions(options)))
    }

    init(options: Options, timeline: RoomTimeline) {
        self.options = options
        self.timeline = timeline
        cutter = HLSCutter(asked: max(1_000_000_000, options.segmentDuration.nanoseconds))
    }

    /// Goes on from the ``stateName`` file that an earlier attempt left. Subscribe from ``nextPosition``.
    /// - Returns: `nil` if it holds no state of ours: begin anew, elsewhere.
    public init?(adopting state: [UInt8], options: Options = Options()) {
        guard let adopted = Self.decode(state, options) else { return nil }
        self = adopted
        // A kill may have come before the playlists knew what the state knows.
        outputs.append(.publish(publication([], removed: [])))
    }

    static func timelineOptions(_ options: Options) -> RoomTimeline.Options {
        // A segment that is out takes no more: sound that was missing stays a hole, and a picture does not last over it.
        RoomTimeline.Options(
            selection: options.selection, longestSilence: .zero, longestPicture: .nanoseconds(HLSCutter.holdLimit))
    }

    /// The feed's position from which the presentation goes on: all before it is in segments.
    public var nextPosition: UInt64? { timeline.safePosition }

    /// The feed whose position that is, by its epoch (nanoseconds since 1970).
    public var epoch: Int64? { timeline.beginning?.epoch }

    // MARK: Inputs

    /// Takes the next record of the feed. Records are given in order.
    public mutating func receive(_ record: Record) {
        guard !isOver else { return }
        timeline.receive(record)
        pump()
    }

    /// Moves room time (nanoseconds) forward. Call it after each batch of records, and when `wait(until:)` is over.
    public mutating func advance(to roomTime: Int64) {
        guard !isOver else { return }
        timeline.advance(to: roomTime)
        pump()
        if timeline.isLeavingOut, let position = timeline.safePosition, position > passed {
            passed = position
            var publication = Publication()
            publication.position = position
            outputs.append(.publish(publication))
        }
    }

    /// Publishes what is there, and leaves out what comes until ``resume()``.
    public mutating func pause() {
        guard !isOver else { return }
        timeline.pause()
        pump()
    }

    /// Goes on with the next key frame, behind a discontinuity.
    public mutating func resume() {
        timeline.resume()
    }

    /// Ends the presentation: writes what is held and says in each playlist that nothing more comes.
    public mutating func finish() { end(forGood: true) }

    /// Writes what is held, and leaves the presentation to a later attempt.
    public mutating func suspend() { end(forGood: false) }

    // MARK: Outputs

    /// The next thing to do, oldest first. Call until it returns `wait`.
    public mutating func pollOutput() -> Output {
        if !outputs.isEmpty { return outputs.removeFirst() }
        return .wait(
            until: isOver ? nil : [due, cuts.first.map { $0.madeAt &+ Self.patience }].compactMap { $0 }.min())
    }

    // MARK: From the timeline

    /// Takes all that the timeline has.
    private mutating func pump() {
        while true {
            switch timeline.pollOutput() {
            case .began: break
            case .track(let track): add(track)
            case .entry(let index, let entry):
                if let rendition = rendition(of: index) { renditions[rendition].track?.entries.append(entry) }
            case .sample(let sample): take(sample)
            case .newEpoch: beginAnew()
            case .warning(let warning): outputs.append(.warning(warning))
            case .paused(let indices): pause(indices)
            case .leftOut(let length, let place): leaveOut(length, at: place)
            case .missed, .split, .gap: break
            case .finished: return
            case .wait(let until):
                due = until
                return publishCuts(all: false)
            }
        }
    }

    private func rendition(of index: Int) -> Int? { renditions.firstIndex { $0.track?.index == index } }

    /// Finds the rendition that a new track goes on in, or makes one.
    private mutating func add(_ track: TimelineTrack) {
        if let known = renditions.firstIndex(where: { rendition in
            rendition.track == nil && rendition.isVideo == track.isVideo
                && (track.isVideo || rendition.title == track.name)
        }) {
            renditions[known].track = track
            renditions[known].isPaused = false
        } else if track.isVideo, renditions.contains(where: \.isVideo) {
            leftOut.insert(track.index)
            outputs.append(.warning(.secondVideo(track.name)))
        } else {
            let number = renditions.count { !$0.isVideo } + 1
            var rendition = HLSRendition(
                stem: track.isVideo ? "video" : "audio-\(number)", isVideo: track.isVideo, title: title(of: track),
                playlist: emptyPlaylist())
            rendition.discontinuities = renditions.first?.discontinuities ?? 0
            rendition.lastEnd = (renditions.first(where: \.isVideo) ?? renditions.first)?.lastEnd
            rendition.track = track
            renditions.append(rendition)
        }
    }

    /// A name that no other rendition of the group has.
    private func title(of track: TimelineTrack) -> String {
        let name = MultivariantPlaylist.quotable(track.name)
        var title = name
        var number = 2
        while renditions.contains(where: { $0.title == title && $0.isVideo == track.isVideo }) {
            title = "\(name) \(number)"
            number += 1
        }
        return title
    }

    /// The playlist of a rendition that joins: what the others have already is a gap in it.
    private func emptyPlaylist() -> MediaPlaylist {
        var playlist = MediaPlaylist(targetDuration: cutter.target ?? 0)
        playlist.kind = options.window == nil ? .event : nil
        guard let other = renditions.first(where: \.isVideo) ?? renditions.first else { return playlist }
        playlist.discontinuitySequence = other.playlist.discontinuitySequence
        playlist.mediaSequence = other.playlist.mediaSequence
        playlist.segments = other.playlist.segments.map { segment in
            var gap = segment
            (gap.uri, gap.isGap, gap.map) = ("gap.m4s", true, nil)
            return gap
        }
        return playlist
    }

    // MARK: Samples

    /// What follows a pause stands right behind what came before it, and is of another time.
    private mutating func leaveOut(_ length: Int64, at place: Int64) {
        closeAll()
        breakAll()
        if let beginning = timeline.beginning { markers.leaveOut(length, at: place, beginning) }
        outputs.append(.leftOut(.nanoseconds(length), at: .nanoseconds(place)))
    }

    private mutating func take(_ sample: PlacedSample) {
        guard let index = rendition(of: sample.track) else { return }
        renditions[index].isPaused = false
        var step = renditions[index].step(sample)
        let isLeader = index == leader
        step.takesLead = renditions[index].isVideo && !isLeader && cutter.start != nil
        guard isLeader || renditions[index].isVideo else {
            renditions[index].add(sample, step, isHeld: false)
            return openWithSound(step) || leadIfStalled(step, by: index) ? publishCuts(all: false) : ()
        }
        if renditions[index].isVideo { isVideoAway = false }
        soundOpening = nil
        let isHeld = cutter.holds(step)
        cuts += cutter.take(step, isHeld: isHeld, sound: isHeld ? nil : sound(before: step), at: timeline.roomTime)
        renditions[index].add(sample, step, isHeld: isHeld)
        takeOpening()
        publishCuts(all: false)
    }

    /// When sound went on, or is back, behind a hole in the picture that ends with `step`.
    private func sound(before step: HLSCutter.Step) -> Int64? {
        guard let end = cutter.end, step.time &- end > HLSCutter.slack else { return nil }
        return renditions.filter { !$0.isVideo && $0.track != nil }
            .compactMap { $0.firstTime(from: $0.lastBreak(after: end)?.begin ?? end) }.min()
    }

    private mutating func takeOpening() {
        guard let opening = cutter.takeOpening() else { return }
        if opening.isDiscontinuity { breakAll() }
        if opening.isDependent { isIndependent = false }
    }

    /// The rendition whose samples say where segments end.
    private var leader: Int? {
        let video = renditions.firstIndex(where: \.isVideo)
        if !isVideoAway, let video { return video }
        if video != nil, cutter.start == nil { return nil }  // sound waits a little for its picture
        return renditions.firstIndex { !$0.isVideo && !$0.isPaused && $0.track != nil }
    }

    /// Sound is there again, and its picture does not come: the presentation goes on with it.
    private mutating func openWithSound(_ step: HLSCutter.Step) -> Bool {
        guard isVideoAway, cutter.start == nil else { return false }
        let opening = soundOpening ?? step
        soundOpening = opening
        guard step.time &- opening.time > HLSCutter.holdLimit else { return false }
        soundOpening = nil
        cutter.open(at: opening)
        takeOpening()
        return true
    }

    /// Sound goes on, and what leads does not: the sound leads. Sound that was away itself waits as long for its picture.
    private mutating func leadIfStalled(_ step: HLSCutter.Step, by rendition: Int) -> Bool {
        guard let start = cutter.start, step.time > start &+ cutter.limit &+ Self.patience else { return false }
        let lead = max(start, cutter.end ?? start)
        let since = renditions[rendition].firstTime(from: lead) ?? lead
        guard step.time &- since > HLSCutter.holdLimit else { return false }
        for index in renditions.indices
        where step.time &- (renditions[index].sampleEnd ?? .min / 2) > HLSCutter.holdLimit {
            renditions[index].isPaused = true
            if renditions[index].isVideo { isVideoAway = true }
        }
        let seam = renditions[rendition].lastBreak(after: start)
        let cut =
            if let seam {
                cutter.cut(at: seam.begin, border: max(lead, seam.end ?? lead), roomTime: timeline.roomTime)
            } else {
                cutter.cut(at: max(start &+ cutter.asked, lead), roomTime: timeline.roomTime)
            }
        if let cut { cuts.append(cut) }
        return true
    }

    /// Tracks end for now. When all do, viewers get what there is.
    private mutating func pause(_ indices: [Int]) {
        for index in renditions.indices {
            guard let track = renditions[index].track, indices.contains(track.index) else { continue }
            renditions[index].isPaused = true
            if renditions[index].isVideo { isVideoAway = true }
        }
        if renditions.allSatisfy(\.isPaused) { closeAll() }
    }

    private mutating func closeAll() {
        if let opening = soundOpening.take(), cutter.start == nil {
            cutter.open(at: opening)
            takeOpening()
        }
        if let cut = cutter.finish(at: timeline.roomTime) { cuts.append(cut) }
        publishCuts(all: true)
    }

    /// The room began anew, too far from what came: the presentation goes on behind a discontinuity.
    private mutating func beginAnew() {
        timeline.finish()
        while true {
            if case .sample(let sample) = timeline.pollOutput() { take(sample) } else { break }
        }
        closeAll()
        earlier.add(timeline.counts)
        timeline = timeline.next()
        for index in renditions.indices { renditions[index].detach() }
        var next = HLSCutter(asked: cutter.asked)
        next.target = cutter.target
        cutter = next
    }

    private mutating func breakAll() {
        for index in renditions.indices {
            renditions[index].discontinuities += 1
            renditions[index].lastEnd = nil
        }
    }

    private mutating func end(forGood: Bool) {
        guard !isOver else { return }
        timeline.finish()
        pump()
        isOver = true
        closeAll()
        if forGood, startedAt != nil {
            for index in renditions.indices {
                renditions[index].playlist.isEnded = true
                // Deviation: section 6.2.1 lets an EVENT playlist only grow; ours says VOD in the same change that ends it,
                // behind which nobody loads it again.
                if options.window == nil { renditions[index].playlist.kind = .vod }
            }
            outputs.append(.publish(publication([], removed: [])))
        }
        outputs.append(.finished(statistics))
    }

    // MARK: Segments

    /// Publishes the segments before each cut for which all is here.
    /// - Parameter all: what is not here will not come.
    private mutating func publishCuts(all: Bool) {
        while let cut = cuts.first {
            let isDue = all || timeline.roomTime &- cut.madeAt >= Self.patience
            guard isDue || renditions.allSatisfy({ $0.isComplete(for: cut) }) else { return }
            cuts.removeFirst()
            publish(cut)
        }
    }

    private mutating func publish(_ cut: HLSCut) {
        guard let beginning = timeline.beginning else { return }
        let wall = beginning.startedAt.nanoseconds &+ beginning.leftOut
        if cutter.target == nil { setTarget(cut.end &- cut.start) }
        let told = markers.take(before: cut.end, beginning)
        var files: [Publication.File] = []
        for index in renditions.indices {
            renditions[index].markers += told
            let samples = renditions[index].take(before: cut)
            files += renditions[index].close(samples, at: cut, wall: wall)
        }
        if cut.isDiscontinuity { breakAll() }
        if cut.isDependent { isIndependent = false }
        guard !files.isEmpty || startedAt != nil else { return }
        let isFirst = startedAt == nil
        if isFirst { startedAt = WallTime(nanoseconds: wall &+ cut.start) }
        let removed = slideWindow(to: wall &+ cut.end)
        var publication = publication(files, removed: removed)
        if isFirst { publication.startedAt = startedAt }
        outputs.append(.publish(publication))
    }

    /// Says what the target duration is, once and for all (section 4.4.3.1): as asked, or as long as the longest group of
    /// pictures.
    private mutating func setTarget(_ length: Int64) {
        let asked = Int(clamping: (cutter.asked &+ 999_999_999) / 1_000_000_000)
        let longest = max(length, cutter.longestGroup)
        let isWithin = longest <= Int64(clamping: asked) &* 1_000_000_000 &+ HLSCutter.slack
        let target = isWithin ? asked : Int(clamping: (longest &+ 999_999_999) / 1_000_000_000)
        cutter.target = target
        for index in renditions.indices { renditions[index].playlist.targetDuration = target }
    }
}

// MARK: Counts

extension HLSSegmenter {
    /// What was counted so far, with what waits for its segment.
    public var statistics: RecorderStatistics {
        var counts = timeline.counts
        counts.add(earlier)
        var statistics = RecorderStatistics()
        statistics.unitsIn = counts.unitsIn
        statistics.unitsLost = counts.unitsLost
        statistics.unitsSkipped = counts.unitsSkipped
        statistics.timesRepaired = counts.timesRepaired
        statistics.startedAt = startedAt
        statistics.tracks = renditions.map {
            RecorderStatistics.Track(
                id: $0.track?.info.id ?? "", frames: $0.rate.frames &+ Int64($0.pending.count),
                duration: .nanoseconds($0.rate.nanoseconds))
        }
        statistics.take(timeline)
        let waiting = renditions.flatMap(\.pending).reduce(0) { $0 + $1.bytes.count }
        let written = renditions.reduce(0) { $0 &+ $1.rate.byteCount }
        statistics.byteCount = startedAt == nil ? 0 : UInt64(clamping: written &+ Int64(waiting))
        let gathered = cutter.start.flatMap { start in cutter.end.map { max(0, $0 &- start) } } ?? 0
        let published = renditions.map(\.rate.nanoseconds).max() ?? 0
        statistics.duration = .nanoseconds(published &+ (isOver ? 0 : gathered))
        return statistics
    }
}

extension RecordingCounts {
    fileprivate mutating func add(_ other: RecordingCounts) {
        unitsIn &+= other.unitsIn
        unitsLost &+= other.unitsLost
        unitsSkipped &+= other.unitsSkipped
        timesRepaired &+= other.timesRepaired
    }
}

extension RecorderWarning {
    fileprivate static func secondVideo(_ name: String) -> Self {
        Self(
            code: "track_left_out", message: "\(name) is not in the HLS output: it shows the first video only.",
            remedy: "Take this participant with an egress of its own.")
    }
}
