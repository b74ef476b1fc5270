import Log
import RTMPPush
import Testing
import Timing

@Suite("A push's address")
struct PushAddressTests {
    static let good: [(url: String, server: String, host: String, port: UInt16, key: String)] = [
        ("rtmp://a.example/live/KEY", "rtmp://a.example/live", "a.example", 1935, "KEY"),
        ("RTMP://a.example:1936/live/KEY", "rtmp://a.example:1936/live", "a.example", 1936, "KEY"),
        ("rtmps://a.example/rtmp/FB-1?s_bl=1&u=a/b", "rtmps://a.example/rtmp", "a.example", 443, "FB-1?s_bl=1&u=a/b"),
        ("rtmp://[::1]:1935/app/instance/KEY", "rtmp://[::1]/app/instance", "::1", 1935, "KEY"),
    ]

    @Test("is taken apart at the last name before the query", arguments: good)
    func parse(url: String, server: String, host: String, port: UInt16, key: String) throws {
        let address = try PushAddress(url)
        #expect(address.server == server && address.host == host && address.port == port)
        #expect(address.key.reveal() == key)
        #expect(!"\(address)".contains(key))
    }

    static let bad = [
        "", "a.example/live/KEY", "http://a.example/live/KEY", "rtmp://a.example", "rtmp:///live/KEY",
        "rtmp://a.example/KEY", "rtmp://a.example//KEY", "rtmp://a.example/live/", "rtmp://a.example:0/live/KEY",
        "rtmp://a.example:70000/live/KEY", "rtmp://me:secret@a.example/live/KEY", "rtmp://a.example/live/K EY",
        "rtmp://a.example/live/\(String(repeating: "k", count: 600))", "rtmp://a.example/live/K\0EY", "rtmp://[::1/a/b",
    ]

    @Test("that cannot be used says why, and is not tried again", arguments: bad)
    func refuse(url: String) throws {
        #expect {
            try PushAddress(url)
        } throws: { error in
            guard let failure = error as? PushFailure, case .badAddress = failure else { return false }
            return !failure.isWorthRetrying && !failure.message.isEmpty && !failure.remedy.isEmpty
        }
    }
}

@Suite("A push's queue")
struct PushQueueTests {
    @Test("begins with a key frame, and is not held to have lost what came before it")
    func beginning() {
        var queue = PushQueue()
        queue.hasVideo = true
        for (index, kind) in "apakpa".enumerated() { queue.append(frame(kind, at: index), at: .zero) }
        #expect(times(&queue) == [3, 4, 5])
        #expect(queue.lostFrames == 0 && queue.byteCount == 0)
    }

    @Test("of sound alone begins at once")
    func sound() {
        var queue = PushQueue()
        for index in 0..<3 { queue.append(frame("a", at: index), at: .zero) }
        #expect(times(&queue) == [0, 1, 2])
    }

    @Test("that is older than two seconds is cut to the last key frame, if there is one to go on from")
    func lag() {
        var queue = PushQueue()
        queue.hasVideo = true
        queue.append(frame("k", at: 0), at: .zero)
        for second in 1...9 { queue.append(frame("p", at: second), at: Instant(nanoseconds: Int64(second) << 30)) }
        #expect(queue.lostFrames == 0, "nothing to go on from")
        queue.append(frame("k", at: 10), at: Instant(nanoseconds: 10 << 30))
        #expect(queue.lostFrames == 10)
        #expect(times(&queue) == [10])
    }

    @Test("never holds more bytes than its limit")
    func bytes() {
        var queue = PushQueue()
        queue.hasVideo = true
        let large = PushQueue.byteLimit / 4
        var most = 0
        for index in 0..<40 {
            queue.append(frame(index % 10 == 0 ? "k" : "p", at: index, bytes: large), at: .zero)
            most = max(most, queue.byteCount)
        }
        #expect(most <= PushQueue.byteLimit)
        #expect(queue.lostFrames > 0)
    }

    @Test("gives a new connection a key frame first")
    func begin() {
        var queue = PushQueue()
        queue.hasVideo = true
        for (index, kind) in "kpapkap".enumerated() { queue.append(frame(kind, at: index), at: .zero) }
        _ = queue.popFirst()
        queue.begin()
        #expect(times(&queue) == [4, 5, 6])
        #expect(queue.lostFrames == 3)
        queue.append(frame("p", at: 7), at: .zero)
        queue.begin()
        queue.append(frame("p", at: 8), at: .zero)
        queue.append(frame("k", at: 9), at: .zero)
        #expect(times(&queue) == [9])
    }

    private func frame(_ kind: Character, at time: Int, bytes: Int = 10) -> PushFrame {
        let data = [UInt8](repeating: 0, count: bytes)
        guard kind != "a" else {
            return .audio(data[...], time: Int64(time), header: .audioHeader([0x11, 0x90]), headerNumber: 1)
        }
        return .video(
            data[...], time: Int64(time), compositionTime: 0, isKey: kind == "k", header: .videoHeader([1]),
            headerNumber: 2)
    }

    private func times(_ queue: inout PushQueue) -> [Int64] {
        var times: [Int64] = []
        while let frame = queue.popFirst() { times.append(frame.time) }
        return times
    }
}

extension Instant {
    fileprivate static let zero = Instant(nanoseconds: 0)
}
