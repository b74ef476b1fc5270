/// One frame of silence in the coding of the sound around it, to fill a gap (DESIGN section 3).
///
/// `fixtures/README.md` has the commands that decode each and find zeros.
public enum SilentFrame {
    /// One access unit of AAC (ISO/IEC 14496-3 section 4.4.2.1): a channel element without spectral data for each element
    /// of the channel configuration. Under SBR and PS it is the core's frame alone: the decoder doubles its rate.
    /// - Returns: `nil` for object types other than LC, and for channels that a program config element names.
    public static func aac(_ configuration: AudioSpecificConfig) -> [UInt8]? {
        guard configuration.objectType == 2, let elements = elements[configuration.channelConfiguration] else {
            return nil
        }
        var writer = Bits()
        var tags: [UInt8: UInt8] = [:]
        for element in elements {
            let tag = tags[element.rawValue, default: 0]
            tags[element.rawValue] = tag + 1
            writer.append(element.rawValue, 3)
            writer.append(tag, 4)
            if element == .pair {
                writer.append(1, 1)  // common_window
                writer.appendWindow()
                writer.append(0, 2)  // ms_mask_present
                writer.appendStream()
                writer.appendStream()
            } else {
                writer.appendStream(withWindow: true)
            }
        }
        writer.append(7, 3)  // ID_END
        return writer.bytes
    }

    /// 20 ms of Opus (RFC 6716 section 3.1): a full-band CELT frame that decodes to zeros.
    public static func opus(channels: Int) -> [UInt8] { [channels == 2 ? 0xFC : 0xF8, 0xFF, 0xFE] }

    /// `count` samples of G.711 (ITU-T G.711): the least positive value of µ-law, and of A-law.
    public static func pcmu(count: Int) -> [UInt8] { [UInt8](repeating: 0xFF, count: count) }
    public static func pcma(count: Int) -> [UInt8] { [UInt8](repeating: 0xD5, count: count) }

    /// Syntactic elements by their ids.
    private enum Element: UInt8 {
        case single = 0
        case pair = 1
        case lowFrequency = 3
    }

    /// ISO/IEC 14496-3 table 1.19.
    private static let elements: [Int: [Element]] = [
        1: [.single], 2: [.pair], 3: [.single, .pair], 4: [.single, .pair, .single], 5: [.single, .pair, .pair],
        6: [.single, .pair, .pair, .lowFrequency], 7: [.single, .pair, .pair, .pair, .lowFrequency],
    ]

    private struct Bits {
        var bytes: [UInt8] = []
        private var free = 0

        mutating func append(_ value: UInt8, _ count: Int) {
            for shift in (0..<count).reversed() {
                if free == 0 {
                    bytes.append(0)
                    free = 8
                }
                free -= 1
                bytes[bytes.count - 1] |= (value >> UInt8(shift) & 1) << UInt8(free)
            }
        }

        /// ics_info: a long window without scale factor bands.
        mutating func appendWindow() { append(0, 11) }

        /// individual_channel_stream: nothing but its gain; no pulses, no noise shaping, no gain control.
        mutating func appendStream(withWindow: Bool = false) {
            append(100, 8)  // global_gain
            if withWindow { appendWindow() }
            append(0, 3)
        }
    }
}
