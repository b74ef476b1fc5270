import Forwarding
import RTMPServer

extension PublicationReport {
    /// The tracks that clients see, of what has come so far.
    func tracks(as grant: PublishGrant, publishedAt: Timestamp) -> [TrackRecord] {
        var tracks: [TrackRecord] = []
        if let video {
            var track = TrackRecord(id: grant.videoTrack, kind: .video, source: .camera, publishedAt: publishedAt)
            track.codec = video.codec
            track.width = video.width
            track.height = video.height
            track.framesPerSecond = video.framesPerSecond > 0 ? video.framesPerSecond : nil
            track.keyFrameSeconds = video.keyFrameSeconds
            track.bitrateBps = video.bitrateBps > 0 ? Int64(video.bitrateBps) : nil
            tracks.append(track)
        }
        if let audio {
            var track = TrackRecord(id: grant.audioTrack, kind: .audio, source: .microphone, publishedAt: publishedAt)
            track.codec = audio.codec
            track.channels = audio.channels
            track.sampleRateHz = audio.sampleRateHz
            track.bitrateBps = audio.bitrateBps > 0 ? Int64(audio.bitrateBps) : nil
            tracks.append(track)
        }
        return tracks
    }
}

extension IngressSession {
    /// Takes over what was measured of the session's stream.
    mutating func apply(_ report: PublicationReport, tracks: [String]) {
        self.tracks = tracks
        warnings = report.warnings.map { Notice(code: $0.code, message: $0.message, remedy: $0.remedy) }
        video = report.video.map { seen in
            var video = Video(codec: seen.codec, width: seen.width, height: seen.height)
            video.framesPerSecond = seen.framesPerSecond > 0 ? seen.framesPerSecond : nil
            video.bitrateBps = seen.bitrateBps > 0 ? Int64(seen.bitrateBps) : nil
            video.keyFrameSeconds = seen.keyFrameSeconds
            return video
        }
        audio = report.audio.map { seen in
            var audio = Audio(codec: seen.codec, channels: seen.channels, sampleRateHz: seen.sampleRateHz)
            audio.bitrateBps = seen.bitrateBps > 0 ? Int64(seen.bitrateBps) : nil
            return audio
        }
    }
}
