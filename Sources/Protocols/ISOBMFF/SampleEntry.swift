import Bytes

/// How the samples of a track are coded: one entry of `stsd` (ISO/IEC 14496-12 section 8.5.2).
///
/// ``Form/table`` is the list of codecs; one more codec is one more row.
public struct SampleEntry: Hashable, Sendable {
    /// What all entries of one four-character code have in common.
    struct Form: Sendable {
        var format: FourCC
        var isVideo: Bool
        /// The box that holds the decoder configuration.
        var configurationBox: FourCC
        /// Whether that box is an `esds` around the configuration (ISO/IEC 14496-14) or the configuration as it is.
        var isElementaryStream = false

        static let table: [Form] = [
            Form(format: "avc1", isVideo: true, configurationBox: "avcC"),
            Form(format: "mp4a", isVideo: false, configurationBox: "esds", isElementaryStream: true),
        ]

        static func of(_ format: FourCC) -> Form? { table.first { $0.format == format } }
    }

    /// `avc1`, `mp4a` …
    public var format: FourCC
    /// The decoder configuration as its source sent it: AVCDecoderConfigurationRecord, AudioSpecificConfig.
    public var configuration: [UInt8]
    /// Video: picture size in pixels after cropping; 0 for audio.
    public var width: UInt16 = 0
    public var height: UInt16 = 0
    /// Video: the width of a pixel to its height.
    public var pixelAspect = PixelAspect.square
    /// Audio: as heard; 0 for video.
    public var channels: UInt16 = 0
    public var sampleRate: UInt32 = 0

    public struct PixelAspect: Hashable, Sendable {
        public var horizontal: UInt32
        public var vertical: UInt32
        public static let square = PixelAspect(horizontal: 1, vertical: 1)

        public init(horizontal: UInt32, vertical: UInt32) {
            self.horizontal = horizontal
            self.vertical = vertical
        }
    }

    /// - Returns: `nil` when no row of the table has this `format` as video.
    public init?(
        video format: FourCC, configuration: [UInt8], width: UInt16, height: UInt16,
        pixelAspect: PixelAspect = .square
    ) {
        guard Form.of(format)?.isVideo == true else { return nil }
        self.format = format
        self.configuration = configuration
        self.width = width
        self.height = height
        self.pixelAspect = pixelAspect
    }

    /// - Returns: `nil` when no row of the table has this `format` as audio.
    public init?(audio format: FourCC, configuration: [UInt8], channels: UInt16, sampleRate: UInt32) {
        guard Form.of(format)?.isVideo == false else { return nil }
        self.format = format
        self.configuration = configuration
        self.channels = channels
        self.sampleRate = sampleRate
    }

    public var isVideo: Bool { Form.of(format)?.isVideo ?? false }

    /// The width at which the picture is shown, with square pixels.
    var displayWidth: UInt32 {
        guard pixelAspect.horizontal > 0, pixelAspect.vertical > 0 else { return UInt32(width) }
        let scaled = UInt64(width) * UInt64(pixelAspect.horizontal) / UInt64(pixelAspect.vertical)
        return UInt32(min(scaled, 0xFFFF))
    }

    // MARK: Writing

    func write(into bytes: inout [UInt8]) {
        guard let form = Form.of(format) else { return }
        bytes.box(format) {
            $0.append(zeros: 6)
            $0.append(uint16: 1)  // data_reference_index
            if form.isVideo { writeVideo(into: &$0) } else { writeAudio(into: &$0) }
            if form.isElementaryStream {
                $0.fullBox(form.configurationBox) { ElementaryStream.write(configuration, into: &$0) }
            } else {
                $0.box(form.configurationBox) { $0.append(contentsOf: configuration) }
            }
            if form.isVideo && pixelAspect != .square {
                $0.box("pasp") {
                    $0.append(uint32: pixelAspect.horizontal)
                    $0.append(uint32: pixelAspect.vertical)
                }
            }
        }
    }

    private func writeVideo(into bytes: inout [UInt8]) {
        bytes.append(zeros: 16)
        bytes.append(uint16: width)
        bytes.append(uint16: height)
        bytes.append(uint32: 0x48_0000)  // 72 dots an inch, both ways
        bytes.append(uint32: 0x48_0000)
        bytes.append(zeros: 4)
        bytes.append(uint16: 1)  // frames in a sample
        bytes.append(zeros: 32)  // compressorname
        bytes.append(uint16: 0x18)
        bytes.append(uint16: 0xFFFF)
    }

    private func writeAudio(into bytes: inout [UInt8]) {
        bytes.append(zeros: 8)
        bytes.append(uint16: channels)
        bytes.append(uint16: 16)
        bytes.append(zeros: 4)
        bytes.append(uint32: sampleRate <= 0xFFFF ? sampleRate << 16 : 0)
    }

    // MARK: Reading

    /// Reads the entry whose type is `format` from its payload.
    init(parsing payload: Span<UInt8>, format: FourCC) throws(ISOBMFFError) {
        guard let form = Form.of(format) else { throw .unsupported(format) }
        let fixed = form.isVideo ? 78 : 28
        guard payload.count >= fixed else { throw .truncated(format) }
        self.format = format
        if form.isVideo {
            (width, height) = (payload.uint16(at: 24), payload.uint16(at: 26))
        } else {
            (channels, sampleRate) = (payload.uint16(at: 16), payload.uint32(at: 24) >> 16)
        }
        let boxes = payload.extracting(fixed..<payload.count)
        let inner = try boxes.child(form.configurationBox)
        configuration = form.isElementaryStream ? try ElementaryStream.parse(inner) : [UInt8](copying: inner)
        if boxes.hasChild("pasp") {
            let aspect = try boxes.child("pasp")
            guard aspect.count >= 8 else { throw .truncated("pasp") }
            pixelAspect = PixelAspect(horizontal: aspect.uint32(at: 0), vertical: aspect.uint32(at: 4))
        }
    }
}
