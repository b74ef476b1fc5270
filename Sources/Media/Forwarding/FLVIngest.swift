import Bytes
import Codecs
public import Feed
import RTMP

/// Turns the audio and video messages of one RTMP publication into configurations and units. A message that does not
/// parse is dropped and counted; the publication goes on.
public struct FLVIngest: Sendable {
    /// What a message brought.
    public enum Item: Equatable, Sendable {
        case configuration(TrackInfo.Kind, Configuration)
        case unit(TrackInfo.Kind, IngestedUnit)
    }

    /// A unit without its track number; times in milliseconds, as RTMP gives them.
    public struct IngestedUnit: Equatable, Sendable {
        public var configuration: UInt32
        public var pts: Int64
        public var dts: Int64
        public var isKey: Bool
        public var bytes: ArraySlice<UInt8>
    }

    private static let timescale: UInt32 = 1000

    private var meter = PublicationMeter()
    private var video: Configuration?
    private var audio: Configuration?
    private var lastVideoID: UInt32
    private var lastAudioID: UInt32

    /// - Parameters: the ids of the configurations that an earlier publication of the same tracks gave out last.
    public init(lastVideoID: UInt32 = 0, lastAudioID: UInt32 = 0) {
        self.lastVideoID = lastVideoID
        self.lastAudioID = lastAudioID
    }

    public var report: PublicationReport { meter.report }

    /// Takes the body of a video message (FLV VideoTagHeader and what follows), stamped in milliseconds.
    public mutating func video(timestamp: Int64, payload: ArraySlice<UInt8>) -> Item? {
        guard let tag = try? FLVVideoTag(parsing: payload.span) else {
            meter.drop()
            return nil
        }
        guard tag.codec == .h264 else {
            meter.unsupported("video codec \(tag.codec.name)", remedy: "Set the encoder to H.264 (x264).")
            return nil
        }
        let body = payload.dropFirst(tag.dataOffset)
        switch tag.packet {
        case .sequenceHeader: return configureVideo(body)
        case .units: return videoUnit(tag, body, timestamp)
        case .endOfSequence, nil: return nil
        }
    }

    /// Takes the body of an audio message (FLV AudioTagHeader and what follows), stamped in milliseconds.
    public mutating func audio(timestamp: Int64, payload: ArraySlice<UInt8>) -> Item? {
        guard let tag = try? FLVAudioTag(parsing: payload.span) else {
            meter.drop()
            return nil
        }
        guard tag.codec == .aac else {
            meter.unsupported("audio codec \(tag.codec.name)", remedy: "Set the encoder to AAC.")
            return nil
        }
        let body = payload.dropFirst(tag.dataOffset)
        switch tag.packet {
        case .sequenceHeader: return configureAudio(body)
        case .frame: return audioUnit(body, timestamp)
        case nil: return nil
        }
    }

    // MARK: Video

    /// A codec is known only once its parameter sets have parsed. A header that repeats the last one changes nothing.
    private mutating func configureVideo(_ body: ArraySlice<UInt8>) -> Item? {
        guard video?.record != Array(body) else { return nil }
        guard let record = try? AVCDecoderConfigurationRecord(parsing: body.span),
            let set = try? record.sequenceParameterSet()
        else {
            meter.drop()
            return nil
        }
        lastVideoID &+= 1
        let configuration = Configuration(
            id: lastVideoID, codec: .h264, timescale: Self.timescale, record: Array(body),
            width: UInt32(clamping: set.width), height: UInt32(clamping: set.height))
        video = configuration
        meter.beginVideo(codec: "h264", width: set.width, height: set.height)
        return .configuration(.video, configuration)
    }

    private mutating func videoUnit(_ tag: FLVVideoTag, _ body: ArraySlice<UInt8>, _ timestamp: Int64) -> Item? {
        guard let video, !body.isEmpty else {
            meter.drop()
            return nil
        }
        meter.addVideo(
            bytes: body.count, stamp: timestamp, compositionTime: tag.compositionTime, isKey: tag.isKey)
        let unit = IngestedUnit(
            configuration: video.id, pts: timestamp &+ Int64(tag.compositionTime), dts: timestamp, isKey: tag.isKey,
            bytes: body)
        return .unit(.video, unit)
    }

    // MARK: Audio

    private mutating func configureAudio(_ body: ArraySlice<UInt8>) -> Item? {
        guard audio?.record != Array(body) else { return nil }
        guard let config = try? AudioSpecificConfig(parsing: body.span) else {
            meter.drop()
            return nil
        }
        lastAudioID &+= 1
        let configuration = Configuration(
            id: lastAudioID, codec: .aac, timescale: Self.timescale, record: Array(body),
            sampleRate: config.sampleRate, channels: UInt32(clamping: config.channels))
        audio = configuration
        meter.beginAudio(codec: "aac", channels: config.channels, sampleRateHz: Int(config.sampleRate))
        return .configuration(.audio, configuration)
    }

    private mutating func audioUnit(_ body: ArraySlice<UInt8>, _ timestamp: Int64) -> Item? {
        guard let audio, !body.isEmpty else {
            meter.drop()
            return nil
        }
        meter.addAudio(bytes: body.count, stamp: timestamp)
        let unit = IngestedUnit(
            configuration: audio.id, pts: timestamp, dts: timestamp, isKey: true, bytes: body)
        return .unit(.audio, unit)
    }
}
