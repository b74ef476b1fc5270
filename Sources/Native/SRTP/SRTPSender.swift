import Bytes
import Timing

/// Protects what is sent to one peer (RFC 3711, RFC 7714): RTP by OpenSSL, in place and without allocating, RTCP by libsrtp2.
public struct SRTPSender: ~Copyable, @unchecked Sendable {  // unchecked: one owner at a time holds the pointers
    /// Sources of one session.
    public static let maxStreams = 1024
    /// How far behind the furthest packet of its source a first transmission may be.
    public static let window = 128

    /// What went out of one source.
    fileprivate struct Stream {
        var counter = ExtendedCounter<UInt16>()
        /// A bit for each of the last indices, the furthest the lowest.
        var sent: UInt128 = 0
    }

    public let profile: SRTPProfile
    private let cipher: PacketCipher
    private let context: LibsrtpContext
    private var ssrcs: [UInt32] = []
    private var streams: [Stream] = []

    /// - Parameter key: our own.
    /// - Throws: ``SRTPError``
    public init(_ profile: SRTPProfile, _ key: SRTPMasterKey) throws(SRTPError) {
        try self.init(profile, key, SessionKeys(profile, key))
    }

    init(_ profile: SRTPProfile, _ key: SRTPMasterKey, _ keys: SessionKeys) throws(SRTPError) {
        let cipher = try PacketCipher(profile, keys)
        let context = try LibsrtpContext(.outbound, profile, key, window: 128)
        self.profile = profile
        self.cipher = cipher
        self.context = context
    }

    /// Encrypts the RTP packet in the first `count` bytes of `buffer`, in place, and puts its tag behind it. The first packet
    /// of a source makes room for it; the others allocate nothing.
    /// - Parameter isRepeat: that these very bytes went out before under this number, so that they may again. What differs
    ///   in a byte must not: under AEAD it would betray the key (RFC 7714 section 8.3). Send it as RTX.
    /// - Returns: the length with the tag, ``SRTPProfile/overhead`` more.
    /// - Throws: ``SRTPError``, and then nothing is changed.
    public mutating func protect(
        _ buffer: inout MutableSpan<UInt8>, count: Int, isRepeat: Bool = false
    ) throws(SRTPError) -> Int {
        guard count >= 0, count <= buffer.count - profile.overhead else { throw .noRoom }
        let header = try PacketHeader(buffer.span.extracting(0..<count), trailer: 0)
        let stream = try stream(header.ssrc)
        let index = try streams[stream].take(header.sequenceNumber, isRepeat: isRepeat)
        guard cipher.seal(&buffer, header: header, count: count, index: index) else {
            throw .libraryFailure(function: "EVP_EncryptUpdate", code: 0)
        }
        return count + profile.overhead
    }

    /// Encrypts the RTCP datagram in the first `count` bytes of `buffer`, in place, and puts index and tag behind it.
    /// - Returns: the length with both, ``SRTPProfile/rtcpOverhead`` more.
    /// - Throws: ``SRTPError``
    public mutating func protectRTCP(_ buffer: inout MutableSpan<UInt8>, count: Int) throws(SRTPError) -> Int {
        guard count >= 8 else { throw .tooShort(needed: 8, had: count) }
        guard count <= buffer.count - profile.rtcpOverhead else { throw .noRoom }
        guard buffer[0] >> 6 == 2 else { throw .notRTP }
        return try context.perform(.protectRTCP, on: &buffer, count: count)
    }

    /// The place of a source; a new one at the end.
    private mutating func stream(_ ssrc: UInt32) throws(SRTPError) -> Int {
        if let place = ssrcs.firstIndex(of: ssrc) { return place }
        guard ssrcs.count < Self.maxStreams else { throw .tooManyStreams(limit: Self.maxStreams) }
        ssrcs.append(ssrc)
        streams.append(Stream())
        return ssrcs.count - 1
    }
}

extension SRTPSender.Stream {
    /// The index of a packet that goes out now.
    fileprivate mutating func take(_ sequenceNumber: UInt16, isRepeat: Bool) throws(SRTPError) -> UInt64 {
        let index = counter.place(sequenceNumber)
        let furthest = counter.furthest ?? index - 1
        guard index >= 0 else { throw .alreadySent }
        guard index < 1 << 48 else { throw .keyExhausted }
        if index > furthest {
            let step = index - furthest
            sent = step < Int64(SRTPSender.window) ? sent << UInt128(step) | 1 : 1
            _ = counter.extend(sequenceNumber)
        } else {
            let bit = furthest - index < Int64(SRTPSender.window) ? UInt128(1) << UInt128(furthest - index) : 0
            guard isRepeat || (bit != 0 && sent & bit == 0) else { throw .alreadySent }
            sent |= bit
        }
        return UInt64(index)
    }
}
