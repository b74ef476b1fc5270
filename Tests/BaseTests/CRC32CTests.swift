import Bytes
import Spec
import Testing

@Suite("CRC-32C", .rfc(3720, "B.4"))
struct CRC32CTests {
    static let rows: [(bytes: [UInt8], sum: UInt32)] = [
        ([], 0),
        (Array("123456789".utf8), 0xE306_9283),
        ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
        ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
        (Array(0..<32), 0x46DD_794E),
        ((0..<32).reversed(), 0x113F_DB5C),
    ]

    @Test("gives the sums of the RFC", arguments: rows)
    func vectors(bytes: [UInt8], sum: UInt32) {
        #expect(checksum(bytes) == sum)
    }

    @Test("is the same in pieces", arguments: rows)
    func pieces(bytes: [UInt8], sum: UInt32) {
        for cut in 0...bytes.count {
            var whole = CRC32C()
            whole.add(bytes.span.extracting(0..<cut))
            whole.add(bytes.span.extracting(cut..<bytes.count))
            #expect(whole.value == sum)
        }
    }
}

private func checksum(_ bytes: [UInt8]) -> UInt32 { CRC32C.checksum(of: bytes.span) }
