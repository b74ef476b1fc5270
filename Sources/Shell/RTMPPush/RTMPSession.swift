import Bytes
import CRTMP
import Glibc
import Log
import MediaLoop
import RTMP
import Synchronization
import Timing

/// Owns one `RTMP` of librtmp, connected and publishing. Lives on the thread of its push.
///
/// The library is used beneath its convenience calls: the socket is made here (both address families, time limits), the
/// answers are read here (it overlooks a refused publish), and each message goes out under a chunk stream of its kind.
@safe
final class RTMPSession {
    private enum ChunkStream {
        static let control: Int32 = 2
        static let audio: Int32 = 4
        static let data: Int32 = 5
        static let video: Int32 = 6
    }

    private static let chunkBytes: Int32 = 60_000
    private static let initialising = Mutex(())

    private let rtmp: UnsafeMutablePointer<RTMP>
    private let address: PushAddress
    private let socket: PushSocket
    private var strings: [UnsafeMutablePointer<CChar>] = unsafe []
    private var streamID: Int32 = 0
    private var lastTimes: [Int32: UInt32] = [:]

    /// Connects, and publishes.
    init(_ address: PushAddress, over socket: PushSocket) throws(PushFailure) {
        self.address = address
        self.socket = socket
        PushLog.mask(address.key)
        guard let rtmp = unsafe RTMP_Alloc() else {
            throw .unreachable(host: address.host, reason: "no memory")
        }
        unsafe self.rtmp = rtmp
        Self.initialising.withLock { _ in unsafe RTMP_Init(rtmp) }  // the first makes the library's TLS context
        var descriptor = try socket.connect(host: address.host, port: address.port)
        if address.isSecure {
            descriptor = try TLSTunnel.open(over: descriptor, host: address.host)
            PushSocket.setTimeLimits(descriptor)
        }
        unsafe rtmp.pointee.m_sb.sb_socket = descriptor
        setLink()
        guard unsafe RTMP_Connect1(rtmp, nil) != 0 else {
            throw .unreachable(host: address.host, reason: "it does not answer as an RTMP server")
        }
        try publish()
    }

    deinit {
        unsafe RTMP_Close(rtmp)
        unsafe RTMP_Free(rtmp)
        unsafe strings.forEach { unsafe free($0) }
        PushLog.release(address.key)
    }

    /// Tells the destination that the stream has ended.
    func unpublish() {
        unsafe rtmp.pointee.m_stream_id = streamID  // so that closing sends FCUnpublish and deleteStream
    }

    func sendMetadata(_ message: PushMessage) throws(PushFailure) {
        try send(message, UInt8(RTMP_PACKET_TYPE_INFO), on: ChunkStream.data, time: 0)
    }

    /// - Parameter time: milliseconds since the first picture.
    func send(_ message: PushMessage, _ kind: PushFrame.Kind, time: UInt32) throws(PushFailure) {
        switch kind {
        case .audio: try send(message, UInt8(RTMP_PACKET_TYPE_AUDIO), on: ChunkStream.audio, time: time)
        case .video: try send(message, UInt8(RTMP_PACKET_TYPE_VIDEO), on: ChunkStream.video, time: time)
        }
    }

    /// Reads what the destination has sent, if anything: pings are answered, an error ends the session.
    func readAvailable() throws(PushFailure) {
        while unsafe rtmp.pointee.m_sb.sb_size > 0 || isReadable { _ = try readMessage() }
    }

    /// The descriptor to wait on for what the destination sends.
    var descriptor: Int32 { unsafe rtmp.pointee.m_sb.sb_socket }

    // MARK: Setting up

    private func setLink() {
        unsafe rtmp.pointee.Link.protocol = RTMP_FEATURE_WRITE
        unsafe rtmp.pointee.Link.timeout = Int32(PushSocket.stallLimit.components.seconds)
        unsafe rtmp.pointee.Link.hostname = value(address.host)
        unsafe rtmp.pointee.Link.port = address.port
        unsafe rtmp.pointee.Link.app = value(address.app)
        unsafe rtmp.pointee.Link.tcUrl = value(address.server)
        unsafe rtmp.pointee.Link.swfUrl = value(address.server)
        unsafe rtmp.pointee.Link.flashVer = value("FMLE/3.0 (compatible; Sluice)")
        unsafe rtmp.pointee.Link.playpath = value(address.key.reveal())
        unsafe rtmp.pointee.m_bSendCounter = 1
    }

    /// A copy that lives as long as the session: the library keeps the pointer.
    private func value(_ text: String) -> AVal {
        guard let copy = unsafe strdup(text) else { return unsafe AVal() }
        unsafe strings.append(copy)
        return unsafe AVal(av_val: copy, av_len: Int32(clamping: text.utf8.count))
    }

    /// Waits for the answers to connect, createStream and publish; the library sends each when its turn comes.
    private func publish() throws(PushFailure) {
        let until = Clocks.now() + PushSocket.stallLimit + .seconds(2)
        while unsafe rtmp.pointee.m_bPlaying == 0 {
            guard Clocks.now() < until else { throw .stalled(host: address.host, after: PushSocket.stallLimit) }
            guard try readMessage() else { throw publishFailure }
        }
        streamID = unsafe rtmp.pointee.m_stream_id
        unsafe rtmp.pointee.m_stream_id = 0  // a broken connection is closed without a word, which could block again
        try setChunkSize()
    }

    /// The connection ended while the answer to a command was awaited.
    private var publishFailure: PushFailure {
        if unsafe rtmp.pointee.m_sb.sb_timedout != 0 {
            return .stalled(host: address.host, after: PushSocket.stallLimit)
        }
        return .refused(host: address.host, code: "closed")
    }

    private func setChunkSize() throws(PushFailure) {
        var bytes = [UInt8](repeating: 0, count: PushMessage.headroom)
        bytes.append(uint32: UInt32(Self.chunkBytes))
        try send(&bytes, UInt8(RTMP_PACKET_TYPE_CHUNK_SIZE), on: ChunkStream.control, stream: 0, time: 0)
        unsafe rtmp.pointee.m_outChunkSize = Self.chunkBytes
    }

    // MARK: Messages out

    private func send(
        _ message: PushMessage, _ type: UInt8, on chunkStream: Int32, time: UInt32
    ) throws(PushFailure) {
        var message = message
        try send(&message.bytes, type, on: chunkStream, stream: streamID, time: time)
    }

    private func send(
        _ bytes: inout [UInt8], _ type: UInt8, on chunkStream: Int32, stream: Int32, time: UInt32
    ) throws(PushFailure) {
        let begin = Clocks.now()
        let count = bytes.count - PushMessage.headroom
        // A whole header where no time passed: the short form for that repeats the last difference at the receiver.
        let isWhole = lastTimes[chunkStream].map { time <= $0 } ?? true
        lastTimes[chunkStream] = time
        let isSent = unsafe bytes.withUnsafeMutableBytes { buffer in
            var packet = unsafe RTMPPacket()
            unsafe packet.m_headerType = UInt8(isWhole ? RTMP_PACKET_SIZE_LARGE : RTMP_PACKET_SIZE_MEDIUM)
            unsafe packet.m_packetType = type
            unsafe packet.m_nChannel = chunkStream
            unsafe packet.m_nTimeStamp = time
            unsafe packet.m_nInfoField2 = stream
            unsafe packet.m_nBodySize = UInt32(clamping: count)
            unsafe packet.m_body = buffer.baseAddress?.advanced(by: PushMessage.headroom)
                .assumingMemoryBound(to: CChar.self)
            return unsafe RTMP_SendPacket(rtmp, &packet, 0) != 0
        }
        guard !isSent else { return }
        let waited = Clocks.now() - begin
        throw waited >= .seconds(1)
            ? .stalled(host: address.host, after: PushSocket.stallLimit) : .dropped(host: address.host)
    }

    // MARK: Messages in

    private var isReadable: Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&waiting, 1, 0) > 0
    }

    /// Reads a chunk, and acts on the message that it completes.
    /// - Returns: false when the connection has ended.
    private func readMessage() throws(PushFailure) -> Bool {
        var packet = unsafe RTMPPacket()
        guard unsafe RTMP_ReadPacket(rtmp, &packet) != 0 else {
            guard unsafe rtmp.pointee.m_bPlaying != 0 || streamID != 0 else { return false }
            throw .dropped(host: address.host)
        }
        guard unsafe packet.m_nBytesRead == packet.m_nBodySize, unsafe packet.m_nBodySize > 0 else { return true }
        defer { unsafe RTMPPacket_Free(&packet) }
        if unsafe Int32(packet.m_packetType) == RTMP_PACKET_TYPE_INVOKE {
            let body = unsafe UnsafeRawBufferPointer(start: packet.m_body, count: Int(packet.m_nBodySize))
            try check(unsafe Array(body))
        }
        unsafe RTMP_ClientPacket(rtmp, &packet)
        return true
    }

    /// Looks for a refusal in an answer, which the library overlooks or takes for a reason to connect again.
    private func check(_ command: [UInt8]) throws(PushFailure) {
        var reader = AMF0Reader(command.span)
        guard let values = try? reader.rest(), let name = values.first?.string else { return }
        let status = values.dropFirst(2).first { $0["code"] != nil }
        let code = status?["code"]?.string.map { String($0.unicodeScalars.filter(Self.isPlain).prefix(64)) }
        switch name {
        case "_error": throw .refused(host: address.host, code: code ?? "_error")
        case "onStatus" where status?["level"]?.string == "error":
            throw .refused(host: address.host, code: code ?? "onStatus")
        case "close": throw .dropped(host: address.host)
        default: return
        }
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || ".-_".unicodeScalars.contains(scalar))
    }
}
