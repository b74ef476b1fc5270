import Testing
import Timeline

@Suite("The map of a source's clock onto room time")
struct SourceClockTests {
    static let millisecond: Int64 = 1_000_000

    @Test("is anchored at the first stamp and keeps the source's own steps")
    func anchors() {
        var clock = SourceClock()
        let first = clock.map(stamp: 500, arrival: 7000)
        #expect(first.anchoredOffset == 6500)
        #expect(clock.map(stamp: 540, arrival: 7040).roomTime == 7040)
    }

    @Test("keeps jitter of the network out, and a stall is no jump")
    func jitter() {
        var clock = SourceClock()
        var anchors = 0
        var generator = SystemRandomNumberGenerator()
        for frame in 0..<3000 {
            let stamp = Int64(frame) * 40 * Self.millisecond
            let stall: Int64 = (1000..<1100).contains(frame) ? (4000 - Int64(frame - 1000) * 40) : 0
            let late = Int64.random(in: 0...80, using: &generator) + stall
            let mapped = clock.map(stamp: stamp, arrival: stamp + late * Self.millisecond)
            if mapped.anchoredOffset != nil { anchors += 1 }
            if frame > 500 { #expect(abs(mapped.roomTime - stamp) <= 100 * Self.millisecond) }
        }
        #expect(anchors == 1)
    }

    @Test(
        "is anchored anew at a jump, from where room time stands",
        arguments: [Int64(3_100), 100_000, -600, -100_000])
    func jump(milliseconds: Int64) {
        var clock = SourceClock()
        _ = clock.map(stamp: 1_000_000 * Self.millisecond, arrival: 0)
        let stamp = (1_000_040 + milliseconds) * Self.millisecond
        let mapped = clock.map(stamp: stamp, arrival: 40 * Self.millisecond)
        #expect(mapped.roomTime == 40 * Self.millisecond)
        #expect(mapped.anchoredOffset == mapped.roomTime - stamp)
    }

    @Test("sees a jump in each track by itself: tracks may come seconds apart", arguments: [0, 1])
    func interleaved(late: Int) {
        var clock = SourceClock()
        var anchors = 0
        for frame in 0..<500 {
            let stamp = Int64(frame) * 20 * Self.millisecond
            for track in 0...1 {  // one track always comes 900 ms before the other
                let shown = stamp - (track == late ? 900 * Self.millisecond : 0)
                let mapped = clock.map(stamp: shown, arrival: stamp, track: track)
                if mapped.anchoredOffset != nil { anchors += 1 }
                if frame > 0 { #expect(abs(mapped.roomTime - shown) <= 900 * Self.millisecond) }
            }
        }
        #expect(anchors == 1)
    }

    @Test("anchors once when all tracks jump, whichever goes first", arguments: [-60_000, 60_000])
    func together(jump: Int64) {
        var clock = SourceClock()
        var anchors = 0
        for frame in 0..<500 {
            for track in 0...1 {
                // The second track is 300 ms behind, so it jumps 15 frames later.
                let sent = Int64(frame - 15 * track) * 20
                let stamp = (100_000 + sent + (sent >= 5000 ? jump : 0)) * Self.millisecond
                let arrival = Int64(frame) * 20 * Self.millisecond
                let mapped = clock.map(stamp: stamp, arrival: arrival, track: track)
                if mapped.anchoredOffset != nil { anchors += 1 }
                #expect(abs(mapped.roomTime - sent * Self.millisecond) <= 320 * Self.millisecond, "\(frame) \(track)")
            }
        }
        #expect(anchors == 2)
    }

    @Test("survives any stamp", arguments: [Int64.min, .max, 0, -1])
    func extremes(stamp: Int64) {
        var clock = SourceClock()
        _ = clock.map(stamp: 0, arrival: 0)
        _ = clock.map(stamp: stamp, arrival: 1)
        #expect(clock.map(stamp: 0, arrival: 2).roomTime != .min)
    }
}
