import Bytes

/// The `uuid` box within each `moof`, with what a recorder needs to go on behind it. Players skip it.
enum ResumeBox {
    static let userType: [UInt8] = [
        0x5D, 0x0E, 0x6C, 0x1B, 0x2A, 0x77, 0x4F, 0x0B, 0x9C, 0x31, 0xD4, 0x88, 0x73, 0x6C, 0x75, 0x69,
    ]
    /// More is no state of ours.
    static let limit = 1 << 16

    static func write(_ state: [UInt8], into bytes: inout [UInt8]) {
        bytes.box("uuid") {
            $0.append(contentsOf: userType)
            $0.append(contentsOf: state)
        }
    }

    /// The state within the payload of a `uuid` box; `nil` if it is another's.
    static func parse(_ payload: Span<UInt8>) -> [UInt8]? {
        guard payload.count >= 16 else { return nil }
        for index in 0..<16 where payload[index] != userType[index] { return nil }
        return [UInt8](copying: payload.extracting(16..<payload.count))
    }
}
