/// The header extensions that are known here, each by its URI (RFC 8285 section 5).
public enum HeaderExtension: UInt8, CaseIterable, Sendable {
    /// RFC 9143 section 16.2.
    case mid
    /// RFC 8852 section 4.1.
    case rid
    case repairedRID
    case absSendTime
    /// The transport-wide sequence number of draft-holmer-rmcat-transport-wide-cc-extensions-01.
    case transportWideCC
    /// RFC 6464.
    case audioLevel
    /// 3GPP TS 26.114 section 7.4.5.
    case videoOrientation
    case playoutDelay
    /// Carried on as they come, not read here.
    case transmissionTimeOffset, dependencyDescriptor, absoluteCaptureTime, videoContentType, videoTiming, colorSpace

    /// As in `a=extmap`.
    public var uri: String {
        switch self {
        case .mid: "urn:ietf:params:rtp-hdrext:sdes:mid"
        case .rid: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
        case .repairedRID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
        case .absSendTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
        case .transportWideCC:
            "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
        case .audioLevel: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
        case .videoOrientation: "urn:3gpp:video-orientation"
        case .playoutDelay: "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
        case .transmissionTimeOffset: "urn:ietf:params:rtp-hdrext:toffset"
        case .dependencyDescriptor:
            "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
        case .absoluteCaptureTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
        case .videoContentType: "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type"
        case .videoTiming: "http://www.webrtc.org/experiments/rtp-hdrext/video-timing"
        case .colorSpace: "http://www.webrtc.org/experiments/rtp-hdrext/color-space"
        }
    }

    public init?(uri: String) {
        guard let known = Self.allCases.first(where: { $0.uri == uri }) else { return nil }
        self = known
    }
}

/// Which id stands for which header extension in one session, as its SDP says (RFC 8285 section 6).
public struct HeaderExtensionMap: Equatable, Sendable {
    /// By the raw value of ``HeaderExtension``; 0 is none.
    private var ids = SIMD16<UInt8>(repeating: 0)

    public init() {}

    /// 1 to 14 in the one-byte form, 1 to 255 in the two-byte form; `nil` if it is not negotiated.
    public subscript(_ known: HeaderExtension) -> UInt8? {
        get {
            let id = ids[Int(known.rawValue)]
            return id == 0 ? nil : id
        }
        set { ids[Int(known.rawValue)] = newValue ?? 0 }
    }

    /// What `id` stands for.
    public func known(_ id: UInt8) -> HeaderExtension? {
        guard id != 0 else { return nil }
        for index in 0..<16 where ids[index] == id { return HeaderExtension(rawValue: UInt8(index)) }
        return nil
    }
}
