import Feed
import Forwarding
import Testing

@Suite("The memory of a room's feed")
struct FeedBoundsTests {
    @Test("counts every record, so that units of one byte stay within the limit too")
    func tinyUnits() {
        var feeding = Feeding(limits: .init(bytes: 1 << 20))
        feeding.unit(Feeding.video, key: true, bytes: 1)
        for _ in 0..<200_000 { feeding.unit(Feeding.video, bytes: 1) }
        #expect(feeding.ring.next - feeding.ring.oldest <= 10_000)
    }

    @Test("counts configurations: a stream of ever new ones stays within the limit")
    func configurations() {
        var feeding = Feeding(limits: .init(bytes: 1 << 20))
        feeding.unit(Feeding.video, key: true, bytes: 1)
        for id in 0..<200 {
            let record = [UInt8](repeating: UInt8(truncatingIfNeeded: id), count: 100_000)
            let configuration = Configuration(id: UInt32(id), codec: .h264, timescale: 1000, record: record)
            feeding.event(.configuration(Feeding.video, rendition: 0, configuration))
        }
        #expect(feeding.ring.next - feeding.ring.oldest <= 10)
    }
}
