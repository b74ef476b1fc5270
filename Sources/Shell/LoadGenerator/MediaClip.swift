import Bytes

/// What a publisher sends over and over: the bodies of FLV tags, ready for the wire.
public struct MediaClip: Sendable {
    public var videoHeader: [UInt8] = []
    public var audioHeader: [UInt8] = []
    /// Whole groups of pictures, the first begins with a key frame.
    public var video: [[UInt8]] = []
    public var audio: [[UInt8]] = []

    /// Seconds of a clip whose frames and AAC frames both end with it: 240 and 375.
    public static let seconds = 8

    /// Reads an FLV file (FLV 10.1 annex E). Its times are not used: ``MediaSchedule`` gives them.
    public init(flv file: Span<UInt8>) throws(LoadError) {
        guard file.count > 13, file[0] == 0x46, file[1] == 0x4C, file[2] == 0x56 else {
            throw LoadError("the clip is no FLV file")
        }
        var offset = Int(file.uint32(at: 5)) + 4
        while offset >= 0, file.count - offset >= 11 {
            let body = offset + 11
            let end = body + Int(file.uint24(at: offset + 1))
            guard end <= file.count else { break }
            take(type: file[offset], body: file.extracting(body..<end))
            offset = end + 4
        }
        let frames = Self.seconds * MediaSchedule.framesPerSecond
        let sounds = Self.seconds * 48_000 / 1024
        guard !videoHeader.isEmpty, !audioHeader.isEmpty, video.count >= frames, audio.count >= sounds else {
            throw LoadError("the clip is too short: \(video.count) frames and \(audio.count) AAC frames")
        }
        video.removeSubrange(frames...)
        audio.removeSubrange(sounds...)
    }

    /// H.264 and AAC only, as ``MediaSchedule`` knows them.
    private mutating func take(type: UInt8, body: Span<UInt8>) {
        guard body.count >= 2 else { return }
        switch (type, body[1]) {
        case (9, 0): videoHeader = Array(copying: body)
        case (9, 1): video.append(Array(copying: body))
        case (8, 0): audioHeader = Array(copying: body)
        case (8, 1): audio.append(Array(copying: body))
        default: break
        }
    }
}
