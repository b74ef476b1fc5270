import Assignments
import Packaging
import Timing

extension OutputReport {
    /// Adds the tracks of a file that begins `start` after the output's begin, and its clock.
    mutating func addTracks(of statistics: RecorderStatistics, from start: Duration) {
        for track in statistics.tracks {
            let index = tracks.firstIndex { $0.id == track.id } ?? tracks.count
            if index == tracks.count {
                tracks.append(
                    ReportedTrack(id: track.id, identity: track.identity, kind: track.isVideo ? "video" : "audio"))
            }
            tracks[index].frames &+= track.frames
            tracks[index].append(
                track.forms.map { form in
                    ReportedTrack.Form(
                        atSeconds: (start + form.from).inSeconds, codec: form.codec, width: form.width,
                        height: form.height, channels: form.channels, sampleRate: form.sampleRate)
                })
        }
        guard let known = statistics.clock else { return }
        clock = ReportedClock(
            zeroAt: known.zeroAt.nanoseconds &- start.nanoseconds,
            sources: known.sources.map {
                ReportedClock.Source(identity: $0.identity, stampSeconds: ($0.stamp - start).inSeconds)
            })
    }
}
