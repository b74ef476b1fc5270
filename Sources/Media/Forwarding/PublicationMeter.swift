/// Measures one publication as its messages pass: rates, key-frame distance, and what to advise.
///
/// Stamps are the source's, in milliseconds; rates are taken over windows of about four seconds of them.
struct PublicationMeter: Sendable {
    private static let window: Int64 = 4000
    /// Key frames further apart than this make joins and HLS slow.
    private static let farKeyFrames: Int64 = 4000

    private struct Window {
        var start: Int64?
        var frames = 0
        var bytes = 0

        /// Counts a frame; gives frames and bytes a second each time a window is full.
        mutating func add(_ byteCount: Int, at stamp: Int64) -> (framesPerSecond: Double, bytesPerSecond: Double)? {
            guard let start, stamp >= start, stamp &- start < 10 * PublicationMeter.window else {
                self = Window(start: stamp, frames: 1, bytes: byteCount)
                return nil
            }
            let span = stamp &- start
            guard span >= PublicationMeter.window else {
                frames += 1
                bytes += byteCount
                return nil
            }
            let seconds = Double(span) / 1000
            defer { self = Window(start: stamp, frames: 1, bytes: byteCount) }
            return (Double(frames) / seconds, Double(bytes) / seconds)
        }
    }

    private(set) var report = PublicationReport()
    private var videoWindow = Window()
    private var audioWindow = Window()
    private var lastKey: Int64?
    private var lastVideo: Int64?
    private var lastAudio: Int64?
    /// The shortest and longest step between pictures in the present window.
    private var steps: (least: Int64, most: Int64)?
    private var unevenWindows = 0
    private var firstVideo: Int64?
    private var advised: Set<String> = []

    mutating func beginVideo(codec: String, width: Int, height: Int) {
        let frames = report.video?.frames ?? 0
        report.video = PublicationReport.Video(codec: codec, width: width, height: height, frames: frames)
    }

    mutating func beginAudio(codec: String, channels: Int, sampleRateHz: Int) {
        let frames = report.audio?.frames ?? 0
        report.audio = PublicationReport.Audio(
            codec: codec, channels: channels, sampleRateHz: sampleRateHz, frames: frames)
    }

    mutating func drop() { report.droppedMessages += 1 }

    mutating func unsupported(_ codec: String, remedy: String) {
        drop()
        advise("codec_not_supported", "\(codec) is not taken over RTMP", remedy)
    }

    mutating func addVideo(bytes: Int, stamp: Int64, compositionTime: Int32, isKey: Bool) {
        report.video?.frames += 1
        if let lastVideo { noteStep(stamp &- lastVideo) }
        lastVideo = stamp
        noteOffset()
        if isKey { noteKey(at: stamp) }
        if compositionTime != 0, report.video?.frames ?? 0 > 3 {
            advise(
                "b_frames", "the stream has B-frames, which WebRTC viewers cannot be sent as they are",
                "OBS: Settings > Output > x264 options: bframes=0, or Tune: zerolatency. Recordings keep B-frames.")
        }
        if let rate = videoWindow.add(bytes, at: stamp) {
            report.video?.framesPerSecond = (rate.framesPerSecond * 100).rounded() / 100
            report.video?.bitrateBps = Int(rate.bytesPerSecond * 8)
            closeStepWindow()
        }
        noteSilence(at: stamp)
    }

    private mutating func noteOffset() {
        guard let lastAudio, let lastVideo else { return }
        report.soundAheadMilliseconds = lastAudio &- lastVideo
    }

    mutating func addAudio(bytes: Int, stamp: Int64) {
        report.audio?.frames += 1
        lastAudio = stamp
        noteOffset()
        if let rate = audioWindow.add(bytes, at: stamp) { report.audio?.bitrateBps = Int(rate.bytesPerSecond * 8) }
        if !report.warnings.isEmpty { report.warnings.removeAll { $0.code == "no_audio" } }
    }

    private mutating func noteKey(at stamp: Int64) {
        defer { lastKey = stamp }
        guard let lastKey, stamp > lastKey, stamp &- lastKey < 600_000 else { return }
        let distance = stamp &- lastKey
        let seconds = Double(distance) / 1000
        report.video?.keyFrameSeconds = seconds
        if distance > Self.farKeyFrames {
            let text = "\(Double(distance / 100) / 10) s between key frames"
            advise("key_frames_far_apart", text, "OBS: Settings > Output > Advanced > Keyframe interval 2 s")
        } else {
            report.warnings.removeAll { $0.code == "key_frames_far_apart" }
            advised.remove("key_frames_far_apart")
        }
    }

    private mutating func noteStep(_ step: Int64) {
        guard step > 0 else { return }
        steps = (min(steps?.least ?? step, step), max(steps?.most ?? step, step))
    }

    /// Millisecond stamps make steps of 33 and 34; twice the least and more, window after window, is a varying rate.
    private mutating func closeStepWindow() {
        defer { steps = nil }
        guard let steps else { return }
        unevenWindows = steps.most >= 2 * steps.least + 2 ? unevenWindows + 1 : 0
        guard unevenWindows >= 2 else { return }
        advise(
            "variable_frame_rate", "pictures come \(steps.least) to \(steps.most) ms apart",
            "Set a constant frame rate in the encoder; OBS: check Stats for frames missed by rendering or encoding.")
    }

    private mutating func noteSilence(at stamp: Int64) {
        let first = firstVideo ?? stamp
        firstVideo = first
        guard report.audio == nil, stamp &- first > 5000 else { return }
        advise("no_audio", "the stream has no sound", "OBS: Settings > Audio, and check that the mixer is not muted")
    }

    private mutating func advise(_ code: String, _ message: String, _ remedy: String) {
        guard advised.insert(code).inserted else { return }
        report.warnings.append(.init(code: code, message: message, remedy: remedy))
    }
}
