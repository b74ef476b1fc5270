import FFmpeg
import Feed

/// A clip of `fixtures/media`, as an RTMP publisher would send it: stamps in milliseconds.
struct Clip {
    struct Frame {
        var pts: Int64
        var dts: Int64
        var isKey: Bool
        var bytes: [UInt8]
    }

    var videoRecord: [UInt8] = []
    var audioRecord: [UInt8] = []
    var video: [Frame] = []
    var audio: [Frame] = []
    var sampleRate = 0
    var channels = 0

    /// 25 pictures a second with B-frames, a key frame each second, 4 s; 48 kHz stereo.
    static func bFrames() throws -> Clip { try Clip(named: "bframes-25.flv") }
    /// 30 pictures a second without B-frames, a key frame each second, 3 s; 44.1 kHz mono.
    static func plain() throws -> Clip { try Clip(named: "plain-30.flv") }

    private init(named name: String) throws {
        let folder = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
        var reader = try MediaReader(path: "/\(folder)/fixtures/media/\(name)")
        let streams = reader.streams
        for stream in streams {
            if stream.kind == .video { videoRecord = stream.configuration }
            if stream.kind == .audio {
                (audioRecord, sampleRate, channels) = (stream.configuration, stream.sampleRate, stream.channels)
            }
        }
        while let packet = try reader.next() {
            guard let pts = packet.pts, let dts = packet.dts else { continue }
            let frame = Frame(pts: pts, dts: dts, isKey: packet.isKey, bytes: packet.bytes)
            if streams[packet.stream].kind == .video { video.append(frame) } else { audio.append(frame) }
        }
    }

    /// The clip `times` over, as one stream that goes on; whole seconds long each.
    func repeated(_ times: Int, seconds: Int64) -> Clip {
        var clip = self
        clip.video = []
        clip.audio = []
        let perRound = Int64(sampleRate) * seconds / 1024
        for round in 0..<Int64(times) {
            clip.video += video.map { $0.moved(by: round * seconds * 1000) }
            for (index, frame) in audio.prefix(Int(perRound)).enumerated() {
                let count = round * perRound + Int64(index)
                let stamp = count * 1024 * 1000 / Int64(sampleRate)
                clip.audio.append(Frame(pts: stamp, dts: stamp, isKey: true, bytes: frame.bytes))
            }
        }
        return clip
    }

    /// The same pictures at another rate, with a key frame every `gop` pictures.
    func restamped(framesPerSecond rate: Int64, count: Int, gop: Int) -> Clip {
        var clip = self
        guard let key = video.first(where: \.isKey), let other = video.first(where: { !$0.isKey }) else { return clip }
        clip.video = (0..<count).map { index in
            let stamp = Int64(index) * 1000 / rate
            let source = index % gop == 0 ? key : other
            return Frame(pts: stamp, dts: stamp, isKey: source.isKey, bytes: source.bytes)
        }
        return clip
    }

    func moved(by milliseconds: Int64) -> Clip {
        var clip = self
        clip.video = video.map { $0.moved(by: milliseconds) }
        clip.audio = audio.map { $0.moved(by: milliseconds) }
        return clip
    }
}

extension Clip.Frame {
    func moved(by milliseconds: Int64) -> Self {
        Self(pts: pts + milliseconds, dts: dts + milliseconds, isKey: isKey, bytes: bytes)
    }
}
