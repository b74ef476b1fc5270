import Codecs
import Feed
import ISOBMFF

/// What one codec needs to become samples of an MP4 track. One more codec is one more case, beside its row in
/// ``SampleEntry``.
enum SampleCoding: Equatable, Sendable {
    /// Access units lose filler, delimiters and the parameter sets that the sample entry holds.
    case h264(AVCDecoderConfigurationRecord)
    /// Frames go as they are; each is `frameLength` samples of the core coder at `rate`.
    case aac(rate: UInt32, frameLength: Int)

    /// What became of one unit.
    enum Outcome {
        case sample(ArraySlice<UInt8>)
        /// The unit brought parameter sets of its own: it is decoded by this entry from here on.
        case changed(SampleEntry, SampleCoding, ArraySlice<UInt8>)
        /// Nothing was left, or it does not parse.
        case dropped
    }

    /// - Returns: `nil` for a codec that MP4 does not take here, or a configuration that does not parse.
    static func of(_ configuration: Configuration) -> (coding: SampleCoding, entry: SampleEntry)? {
        switch configuration.codec {
        case .h264:
            guard let record = try? AVCDecoderConfigurationRecord(parsing: configuration.record.span),
                let entry = entry(of: record, bytes: configuration.record, like: configuration)
            else { return nil }
            return (.h264(record), entry)
        case .aac:
            guard let parsed = try? AudioSpecificConfig(parsing: configuration.record.span),
                let entry = SampleEntry(
                    audio: "mp4a", configuration: configuration.record, channels: UInt16(clamping: parsed.channels),
                    sampleRate: parsed.sampleRate)
            else { return nil }
            return (.aac(rate: parsed.coreSampleRate, frameLength: parsed.coreSamplesPerFrame), entry)
        default:
            return nil
        }
    }

    /// The coding behind an entry that stands in a file.
    static func of(_ entry: SampleEntry) -> SampleCoding? {
        let codec: CodecID = entry.isVideo ? .h264 : .aac
        return of(Configuration(id: 0, codec: codec, timescale: 1, record: entry.configuration))?.coding
    }

    private static func entry(
        of record: AVCDecoderConfigurationRecord, bytes: [UInt8], like configuration: Configuration?
    ) -> SampleEntry? {
        let sps = try? record.sequenceParameterSet()
        let width = sps.map { UInt16(clamping: $0.width) } ?? UInt16(clamping: configuration?.width ?? 0)
        let height = sps.map { UInt16(clamping: $0.height) } ?? UInt16(clamping: configuration?.height ?? 0)
        return SampleEntry(video: "avc1", configuration: bytes, width: width, height: height)
    }

    /// Makes a sample of `unit`.
    func sample(of unit: ArraySlice<UInt8>) -> Outcome {
        guard case .h264(let record) = self else { return unit.isEmpty ? .dropped : .sample(unit) }
        guard let filtered = try? AccessUnitFilter(record).filter(unit) else { return .dropped }
        guard let changed = filtered.changedConfiguration else {
            return filtered.bytes.isEmpty ? .dropped : .sample(filtered.bytes)
        }
        guard let entry = Self.entry(of: changed, bytes: changed.serialized(), like: nil),
            let again = try? AccessUnitFilter(changed).filter(unit), !again.bytes.isEmpty
        else { return .dropped }
        return .changed(entry, .h264(changed), again.bytes)
    }

    /// Ticks a second that a track of this coding has.
    var timescale: UInt32 {
        switch self {
        case .h264: 90_000
        case .aac(let rate, _): rate
        }
    }

    /// How long a frame of sound lasts.
    var frame: SampleClock.Frame {
        switch self {
        case .h264: .picture
        case .aac(let rate, let length): SampleClock.Frame(length: Int64(length), rate: Int64(rate))
        }
    }

    /// A frame of silence; `nil` for video, and for sound that has none that is known.
    static func silence(of entry: SampleEntry) -> [UInt8]? {
        guard !entry.isVideo, let parsed = try? AudioSpecificConfig(parsing: entry.configuration.span) else {
            return nil
        }
        return SilentFrame.aac(parsed)
    }
}
