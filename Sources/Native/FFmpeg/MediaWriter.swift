import Bytes
import CFFmpeg
import CShimFFmpeg

/// Writes a media file packet by packet, without encoding: an `AVFormatContext` with its file and one `AVPacket`, owned.
///
/// The same packets give the same bytes. A file whose writer goes before ``finish()`` has no index; most players play it.
@safe
public struct MediaWriter: ~Copyable, @unchecked Sendable {  // unchecked: one owner at a time holds the pointers
    /// A track of the file.
    public struct Track: Equatable, Sendable {
        public enum Codec: Equatable, Sendable {
            case h264
            case aac
        }

        public var codec: Codec
        /// AVCDecoderConfigurationRecord, AudioSpecificConfig.
        public var configuration: [UInt8]
        /// Ticks a second of the packets' times.
        public var timescale: Int32
        public var width: Int32 = 0
        public var height: Int32 = 0
        public var sampleRate: Int32 = 0
        public var channels: Int32 = 0
        /// For people.
        public var name = ""
        /// Played unless the viewer chooses otherwise.
        public var isDefault = false

        public init(codec: Codec, configuration: [UInt8], timescale: Int32) {
            self.codec = codec
            self.configuration = configuration
            self.timescale = timescale
        }
    }

    private let context: UnsafeMutablePointer<AVFormatContext>
    private let packet: UnsafeMutablePointer<AVPacket>
    private let timescales: [Int32]

    /// Makes the file at `path`, over one that is there, and writes its header.
    /// - Parameter format: libavformat's name, as `matroska`.
    /// - Throws: ``AVError`` for a format that cannot hold the tracks, or a file that cannot be made.
    public init(path: String, format: String, tracks: [Track]) throws(AVError) {
        var made: UnsafeMutablePointer<AVFormatContext>?
        let code = unsafe avformat_alloc_output_context2(&made, nil, format, path)
        guard code >= 0, let context = unsafe made else {
            throw AVError(code: min(code, -1), in: "avformat_alloc_output_context2")
        }
        do throws(AVError) {
            unsafe context.pointee.flags |= AVFMT_FLAG_BITEXACT
            unsafe context.pointee.avoid_negative_ts = 0  // times are as they are given
            for track in tracks { try unsafe Self.add(track, to: context) }
            let opened = unsafe avio_open(&context.pointee.pb, path, AVIO_FLAG_WRITE)
            guard opened >= 0 else { throw AVError(code: opened, in: "avio_open") }
            let written = unsafe avformat_write_header(context, nil)
            guard written >= 0 else { throw AVError(code: written, in: "avformat_write_header") }
            guard let packet = unsafe av_packet_alloc() else { throw AVError(code: -12, in: "av_packet_alloc") }
            unsafe self.packet = packet
        } catch {
            unsafe Self.free(context)
            throw error
        }
        unsafe self.context = context
        timescales = tracks.map(\.timescale)
    }

    deinit {
        var packet: UnsafeMutablePointer<AVPacket>? = unsafe packet
        unsafe av_packet_free(&packet)
        unsafe Self.free(context)
    }

    /// Adds a packet; those of one track come in decoding order. Times are in ticks of the track; Matroska takes no negative
    /// `pts`.
    public mutating func write(
        track: Int, pts: Int64, dts: Int64, duration: Int64, isKey: Bool, bytes: Span<UInt8>
    ) throws(AVError) {
        guard timescales.indices.contains(track), let stream = unsafe context.pointee.streams[track] else {
            throw AVError(code: -22, in: "write")
        }
        let code = unsafe av_new_packet(packet, Int32(clamping: bytes.count))
        guard code >= 0 else { throw AVError(code: code, in: "av_new_packet") }
        unsafe bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe packet.pointee.data.update(from: start, count: bytes.count)
        }
        unsafe packet.pointee.stream_index = Int32(clamping: track)
        unsafe packet.pointee.pts = pts
        unsafe packet.pointee.dts = dts
        unsafe packet.pointee.duration = duration
        if isKey { unsafe packet.pointee.flags |= AV_PKT_FLAG_KEY }
        unsafe av_packet_rescale_ts(packet, AVRational(num: 1, den: timescales[track]), stream.pointee.time_base)
        let written = unsafe av_interleaved_write_frame(context, packet)
        unsafe av_packet_unref(packet)
        guard written >= 0 else { throw AVError(code: written, in: "av_interleaved_write_frame") }
    }

    /// Writes what is held back, and the index. Nothing may be written after it.
    public mutating func finish() throws(AVError) {
        let code = unsafe av_write_trailer(context)
        guard code >= 0 else { throw AVError(code: code, in: "av_write_trailer") }
        let closed = unsafe avio_closep(&context.pointee.pb)
        guard closed >= 0 else { throw AVError(code: closed, in: "avio_closep") }
    }

    private static func add(_ track: Track, to context: UnsafeMutablePointer<AVFormatContext>) throws(AVError) {
        guard let stream = unsafe avformat_new_stream(context, nil), let parameters = unsafe stream.pointee.codecpar,
            let space = unsafe av_mallocz(track.configuration.count + Int(AV_INPUT_BUFFER_PADDING_SIZE))
        else { throw AVError(code: -12, in: "avformat_new_stream") }
        unsafe track.configuration.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe space.copyMemory(from: start, byteCount: bytes.count)
        }
        unsafe parameters.pointee.extradata = space.assumingMemoryBound(to: UInt8.self)
        unsafe parameters.pointee.extradata_size = Int32(clamping: track.configuration.count)
        switch track.codec {
        case .h264:
            unsafe parameters.pointee.codec_type = AVMEDIA_TYPE_VIDEO
            unsafe parameters.pointee.codec_id = AV_CODEC_ID_H264
            unsafe parameters.pointee.width = track.width
            unsafe parameters.pointee.height = track.height
        case .aac:
            unsafe parameters.pointee.codec_type = AVMEDIA_TYPE_AUDIO
            unsafe parameters.pointee.codec_id = AV_CODEC_ID_AAC
            unsafe parameters.pointee.sample_rate = track.sampleRate
            unsafe av_channel_layout_default(&parameters.pointee.ch_layout, track.channels)
        }
        unsafe stream.pointee.time_base = AVRational(num: 1, den: track.timescale)
        if track.isDefault { unsafe stream.pointee.disposition |= AV_DISPOSITION_DEFAULT }
        if !track.name.isEmpty { unsafe av_dict_set(&stream.pointee.metadata, "title", track.name, 0) }
    }

    private static func free(_ context: UnsafeMutablePointer<AVFormatContext>) {
        unsafe avio_closep(&context.pointee.pb)
        unsafe avformat_free_context(context)
    }
}
