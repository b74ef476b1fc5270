import Bytes

/// What we need of a sequence parameter set (ITU-T H.264 section 7.3.2.1.1): size, profile, timing, reordering.
public struct SequenceParameterSet: Equatable, Sendable {
    /// `num_units_in_tick` over `time_scale` of the VUI: one field, so half a frame of constant rate.
    public struct Timing: Equatable, Sendable {
        public var unitsInTick: UInt32
        public var timeScale: UInt32
        public var isFixedRate: Bool
    }

    public var profile: UInt8
    /// `constraint_set0_flag` … as they stand in the byte after the profile.
    public var constraints: UInt8
    public var level: UInt8
    public var id: Int
    /// Pixels, after cropping.
    public var width: Int
    public var height: Int
    public var chromaFormat: UInt8
    public var bitDepthLuma: UInt8
    public var bitDepthChroma: UInt8
    public var isInterlaced: Bool
    public var timing: Timing?
    /// Frames that may precede another in decoding order and follow it in output: 0 means that there are no B-frames,
    /// `nil` that the SPS does not say.
    public var maxReorderedFrames: Int?

    /// Reads an SPS: the whole NAL unit, its header byte first, without start code or length.
    public init(parsing nalUnit: Span<UInt8>) throws(H264Error) {
        guard nalUnit.count >= 4 else { throw .truncated }
        guard NALUnitType(header: nalUnit[0]) == .sequenceParameterSet else { throw .notAParameterSet }
        let payload = rawPayload(of: nalUnit)
        var reader = BitReader(payload.span)
        let header = try Header(&reader)
        let picture = try Picture(&reader, header)
        // Deviation: a VUI that does not parse is taken as absent; size and profile, which matter, stand before it.
        let vui = reader.flag() ? VUI(&reader) : nil
        guard !reader.overran || vui == nil else { throw .truncated }

        profile = header.profile
        constraints = header.constraints
        level = header.level
        id = header.id
        chromaFormat = header.chromaFormat
        bitDepthLuma = header.bitDepthLuma
        bitDepthChroma = header.bitDepthChroma
        width = picture.width
        height = picture.height
        isInterlaced = picture.isInterlaced
        timing = vui?.timing
        maxReorderedFrames = vui?.maxReorderedFrames ?? (header.profile == 66 || picture.pocType == 2 ? 0 : nil)
    }
}

/// The NAL unit behind its header byte, without emulation prevention bytes (section 7.4.1).
private func rawPayload(of nalUnit: Span<UInt8>) -> [UInt8] {
    var payload: [UInt8] = []
    payload.reserveCapacity(nalUnit.count)
    var zeros = 0
    for index in 1..<nalUnit.count {
        let byte = nalUnit[index]
        if zeros >= 2, byte == 3 {
            zeros = 0
            continue
        }
        zeros = byte == 0 ? zeros + 1 : 0
        payload.append(byte)
    }
    return payload
}

/// From `profile_idc` to the scaling lists.
private struct Header {
    let profile: UInt8
    let constraints: UInt8
    let level: UInt8
    let id: Int
    private(set) var chromaFormat: UInt8 = 1
    private(set) var bitDepthLuma: UInt8 = 8
    private(set) var bitDepthChroma: UInt8 = 8
    private(set) var hasSeparatePlanes = false

    init(_ reader: inout BitReader) throws(H264Error) {
        profile = UInt8(reader.bits(8))
        constraints = UInt8(reader.bits(8))
        level = UInt8(reader.bits(8))
        id = Int(try reader.field("seq_parameter_set_id", upTo: 31))
        guard AVCDecoderConfigurationRecord.profilesWithTail.contains(profile) else { return }

        chromaFormat = UInt8(try reader.field("chroma_format_idc", upTo: 3))
        if chromaFormat == 3 { hasSeparatePlanes = reader.flag() }
        bitDepthLuma = UInt8(8 + (try reader.field("bit_depth_luma_minus8", upTo: 6)))
        bitDepthChroma = UInt8(8 + (try reader.field("bit_depth_chroma_minus8", upTo: 6)))
        reader.skip(1)  // qpprime_y_zero_transform_bypass_flag
        guard reader.flag() else { return }
        for list in 0..<(chromaFormat == 3 ? 12 : 8) where reader.flag() {
            Self.skipScalingList(of: list < 6 ? 16 : 64, &reader)
        }
    }

    private static func skipScalingList(of count: Int, _ reader: inout BitReader) {
        var last: Int32 = 8
        var next: Int32 = 8
        for _ in 0..<count {
            if next != 0 { next = (last &+ reader.signedExpGolomb()) & 0xFF }
            if next != 0 { last = next }
        }
    }
}

/// From `log2_max_frame_num_minus4` to the cropping.
private struct Picture {
    let pocType: UInt32
    let isInterlaced: Bool
    private(set) var width: Int
    private(set) var height: Int

    init(_ reader: inout BitReader, _ header: Header) throws(H264Error) {
        _ = try reader.field("log2_max_frame_num_minus4", upTo: 12)
        pocType = try reader.field("pic_order_cnt_type", upTo: 2)
        try Self.skipPictureOrder(pocType, &reader)
        _ = try reader.field("max_num_ref_frames", upTo: 16)
        reader.skip(1)  // gaps_in_frame_num_value_allowed_flag
        // 16 384 pixels a side: level 6.2 ends far below.
        width = 16 * (1 + Int(try reader.field("pic_width_in_mbs_minus1", upTo: 1023)))
        let mapUnits = 1 + Int(try reader.field("pic_height_in_map_units_minus1", upTo: 1023))
        isInterlaced = !reader.flag()
        height = 16 * mapUnits * (isInterlaced ? 2 : 1)
        if isInterlaced { reader.skip(1) }  // mb_adaptive_frame_field_flag
        reader.skip(1)  // direct_8x8_inference_flag
        if reader.flag() { try crop(&reader, header) }
        guard !reader.overran else { throw .truncated }
    }

    private static func skipPictureOrder(_ type: UInt32, _ reader: inout BitReader) throws(H264Error) {
        if type == 0 { _ = try reader.field("log2_max_pic_order_cnt_lsb_minus4", upTo: 12) }
        guard type == 1 else { return }
        reader.skip(1)  // delta_pic_order_always_zero_flag
        _ = reader.signedExpGolomb()
        _ = reader.signedExpGolomb()
        for _ in 0..<(try reader.field("num_ref_frames_in_pic_order_cnt_cycle", upTo: 255)) {
            _ = reader.signedExpGolomb()
        }
    }

    private mutating func crop(_ reader: inout BitReader, _ header: Header) throws(H264Error) {
        let isPlanar = header.hasSeparatePlanes || header.chromaFormat == 0 || header.chromaFormat == 3
        let unitX = isPlanar ? 1 : 2
        let unitY = (header.chromaFormat == 1 && !isPlanar ? 2 : 1) * (isInterlaced ? 2 : 1)
        let left = Int(reader.unsignedExpGolomb())
        let right = Int(reader.unsignedExpGolomb())
        let top = Int(reader.unsignedExpGolomb())
        let bottom = Int(reader.unsignedExpGolomb())
        let croppedWidth = width - (left + right) * unitX
        let croppedHeight = height - (top + bottom) * unitY
        guard croppedWidth > 0, croppedHeight > 0 else { throw .invalidField("frame_crop_offset") }
        width = croppedWidth
        height = croppedHeight
    }
}

/// Annex E, as far as timing and reordering.
private struct VUI {
    private(set) var timing: SequenceParameterSet.Timing?
    private(set) var maxReorderedFrames: Int?

    init?(_ reader: inout BitReader) {
        if reader.flag(), reader.bits(8) == 255 { reader.skip(32) }  // aspect_ratio_idc, Extended_SAR
        if reader.flag() { reader.skip(1) }  // overscan
        if reader.flag() {  // video_signal_type
            reader.skip(4)
            if reader.flag() { reader.skip(24) }
        }
        if reader.flag() {  // chroma_loc_info
            _ = reader.unsignedExpGolomb()
            _ = reader.unsignedExpGolomb()
        }
        if reader.flag() {
            let found = SequenceParameterSet.Timing(
                unitsInTick: reader.bits(32), timeScale: reader.bits(32), isFixedRate: reader.flag())
            if found.unitsInTick > 0, found.timeScale > 0 { timing = found }
        }
        let hasNALParameters = reader.flag()
        if hasNALParameters { Self.skipHRD(&reader) }
        let hasVCLParameters = reader.flag()
        if hasVCLParameters { Self.skipHRD(&reader) }
        reader.skip(hasNALParameters || hasVCLParameters ? 2 : 1)  // low_delay_hrd_flag, pic_struct_present_flag
        if reader.flag() {  // bitstream_restriction
            reader.skip(1)
            for _ in 0..<4 { _ = reader.unsignedExpGolomb() }
            let reordered = reader.unsignedExpGolomb()
            if reordered <= 16 { maxReorderedFrames = Int(reordered) }
            _ = reader.unsignedExpGolomb()
        }
        if reader.overran { return nil }
    }

    private static func skipHRD(_ reader: inout BitReader) {
        let count = min(reader.unsignedExpGolomb(), 31) + 1
        reader.skip(8)
        for _ in 0..<count {
            _ = reader.unsignedExpGolomb()
            _ = reader.unsignedExpGolomb()
            reader.skip(1)
        }
        reader.skip(20)
    }
}

extension BitReader {
    /// A `ue(v)` that the standard limits.
    fileprivate mutating func field(_ name: String, upTo limit: UInt32) throws(H264Error) -> UInt32 {
        let value = unsignedExpGolomb()
        guard !overran else { throw .truncated }
        guard value <= limit else { throw .invalidField(name) }
        return value
    }
}
