import Assignments

/// Where an output's time stood in the world's from a place on.
struct PlacedClock: Codable, Equatable, Sendable {
    /// Seconds of media before it, over all parts.
    var atSeconds: Double
    var clock: ReportedClock
}

extension OutputFiles {
    /// Clocks that are kept.
    private static let clockLimit = 100

    /// Takes what the present attempt tells of its tracks.
    mutating func note(_ reported: [ReportedTrack]) {
        guard !reported.isEmpty else { return }
        var known = tracks ?? []
        for track in reported {
            guard let index = known.firstIndex(where: { $0.id == track.id }) else {
                known.append(track)
                continue
            }
            known[index].frames = track.frames
            known[index].append(track.forms)
        }
        tracks = known
    }

    /// Takes where the clock stands, `seconds` of media in; what a pause moved, it moved where the pause was.
    mutating func note(_ clock: ReportedClock, at seconds: Double) {
        var known = clocks ?? []
        if let last = known.last {
            guard !clock.agrees(with: last.clock) else { return }
            let pause = allPauses.last?.atSeconds ?? 0
            known.append(PlacedClock(atSeconds: pause > last.atSeconds ? pause : seconds, clock: clock))
        } else {
            known = [PlacedClock(atSeconds: 0, clock: clock)]
        }
        clocks = Array(known.suffix(Self.clockLimit))
    }
}
