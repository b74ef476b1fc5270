import CFFmpeg
import CShimFFmpeg

/// Reads a media file packet by packet: an `AVFormatContext` and one `AVPacket`, owned.
@safe
public struct MediaReader: ~Copyable, @unchecked Sendable {  // unchecked: one owner at a time holds the pointers
    private let context: UnsafeMutablePointer<AVFormatContext>
    private let packet: UnsafeMutablePointer<AVPacket>
    public let streams: [MediaStream]

    /// Opens `path` and reads its headers.
    /// - Throws: ``AVError``. A file that does not open is no media file that libav knows.
    public init(path: String) throws(AVError) {
        var opened: UnsafeMutablePointer<AVFormatContext>?
        let code = unsafe avformat_open_input(&opened, path, nil, nil)
        guard code >= 0, let context = unsafe opened else { throw AVError(code: code, in: "avformat_open_input") }
        let found = unsafe avformat_find_stream_info(context, nil)
        guard found >= 0, let packet = unsafe av_packet_alloc() else {
            unsafe avformat_close_input(&opened)
            throw AVError(code: min(found, -1), in: "avformat_find_stream_info")
        }
        streams = unsafe (0..<Int(context.pointee.nb_streams)).compactMap { index in
            unsafe context.pointee.streams[index].map { unsafe Self.describe($0.pointee) }
        }
        unsafe self.context = context
        unsafe self.packet = packet
    }

    deinit {
        var context: UnsafeMutablePointer<AVFormatContext>? = unsafe context
        var packet: UnsafeMutablePointer<AVPacket>? = unsafe packet
        unsafe av_packet_free(&packet)
        unsafe avformat_close_input(&context)
    }

    /// Duration of the whole file in microseconds; `nil` when it is not known.
    public var duration: Int64? { unsafe Self.known(context.pointee.duration) }

    /// The next packet in the file's order, or `nil` at its end.
    /// - Throws: ``AVError`` for a file that breaks off in a way that libav does not forgive.
    public mutating func next() throws(AVError) -> MediaPacket? {
        let code = unsafe av_read_frame(context, packet)
        if code == shim_av_eof { return nil }
        guard code >= 0 else { throw AVError(code: code, in: "av_read_frame") }
        defer { unsafe av_packet_unref(packet) }
        return unsafe Self.copy(packet.pointee)
    }

    /// Decodes the rest of `stream`, whose packets alone are looked at.
    /// - Returns: the frames that came out.
    public mutating func decodeRest(of stream: Int) throws(AVError) -> Int {
        guard stream < streams.count, let source = unsafe context.pointee.streams[stream] else { return 0 }
        var decoder = try unsafe Decoder(source.pointee)
        while true {
            let code = unsafe av_read_frame(context, packet)
            if code == shim_av_eof { break }
            guard code >= 0 else { throw AVError(code: code, in: "av_read_frame") }
            defer { unsafe av_packet_unref(packet) }
            if unsafe Int(packet.pointee.stream_index) == stream { try unsafe decoder.send(packet) }
        }
        try unsafe decoder.send(nil)
        return decoder.frameCount
    }

    private static func known(_ value: Int64) -> Int64? { value == shim_av_nopts ? nil : value }

    private static func describe(_ stream: AVStream) -> MediaStream {
        let parameters = unsafe stream.codecpar.pointee
        let kind: MediaStream.Kind =
            switch unsafe parameters.codec_type {
            case AVMEDIA_TYPE_VIDEO: .video
            case AVMEDIA_TYPE_AUDIO: .audio
            default: .other
            }
        let handler = unsafe av_dict_get(stream.metadata, "handler_name", nil, 0)
        return unsafe MediaStream(
            kind: kind, codec: String(cString: avcodec_get_name(parameters.codec_id)),
            timescale: Int64(stream.time_base.den) / Int64(max(1, stream.time_base.num)),
            duration: known(stream.duration), startTime: known(stream.start_time), width: Int(parameters.width),
            height: Int(parameters.height), sampleRate: Int(parameters.sample_rate),
            channels: Int(parameters.ch_layout.nb_channels),
            isDefault: stream.disposition & AV_DISPOSITION_DEFAULT != 0,
            handlerName: handler.map { unsafe String(cString: $0.pointee.value) },
            configuration: copy(parameters.extradata, Int(parameters.extradata_size)))
    }

    private static func copy(_ packet: AVPacket) -> MediaPacket {
        var size = 0
        let side = unsafe withUnsafePointer(to: packet) {
            unsafe av_packet_get_side_data($0, AV_PKT_DATA_NEW_EXTRADATA, &size)
        }
        return unsafe MediaPacket(
            stream: Int(packet.stream_index), pts: known(packet.pts), dts: known(packet.dts),
            duration: packet.duration, isKey: packet.flags & AV_PKT_FLAG_KEY != 0,
            isDiscarded: packet.flags & AV_PKT_FLAG_DISCARD != 0, bytes: copy(packet.data, Int(packet.size)),
            newConfiguration: side.map { unsafe copy($0, size) })
    }

    private static func copy(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int) -> [UInt8] {
        unsafe Array(UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : max(0, count)))
    }
}

/// Owns one `AVCodecContext` that decodes and counts.
@safe
private struct Decoder: ~Copyable {
    private let context: UnsafeMutablePointer<AVCodecContext>
    private let frame: UnsafeMutablePointer<AVFrame>
    private(set) var frameCount = 0

    init(_ stream: AVStream) throws(AVError) {
        guard let codec = unsafe avcodec_find_decoder(stream.codecpar.pointee.codec_id),
            let context = unsafe avcodec_alloc_context3(codec)
        else { throw AVError(code: -1, in: "avcodec_find_decoder") }
        var owned: UnsafeMutablePointer<AVCodecContext>? = unsafe context
        var code = unsafe avcodec_parameters_to_context(context, stream.codecpar)
        if code >= 0 { code = unsafe avcodec_open2(context, codec, nil) }
        guard code >= 0, let frame = unsafe av_frame_alloc() else {
            unsafe avcodec_free_context(&owned)
            throw AVError(code: min(code, -1), in: "avcodec_open2")
        }
        unsafe self.context = context
        unsafe self.frame = frame
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = unsafe context
        var frame: UnsafeMutablePointer<AVFrame>? = unsafe frame
        unsafe av_frame_free(&frame)
        unsafe avcodec_free_context(&context)
    }

    /// Gives the decoder a packet, or `nil` for the end, and counts what comes out.
    mutating func send(_ packet: UnsafeMutablePointer<AVPacket>?) throws(AVError) {
        let code = unsafe avcodec_send_packet(context, packet)
        guard code >= 0 else { throw AVError(code: code, in: "avcodec_send_packet") }
        while unsafe avcodec_receive_frame(context, frame) >= 0 {
            frameCount += 1
            unsafe av_frame_unref(frame)
        }
    }
}
