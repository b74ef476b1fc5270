import Feed
import ISOBMFF
import Packaging
import Timing

/// The file that a recorder writes, and what it said meanwhile.
struct SimulatedDisk {
    /// One write, so that a kill can be put before, after and inside it.
    struct Write {
        var offset: Int
        var bytes: [UInt8]
    }

    var bytes: [UInt8] = []
    var writes: [Write] = []
    var acknowledged: UInt64 = 0
    var warnings: [RecorderWarning] = []
    var activeAfterWrites: Int?
    var startedAt: Int64?
    var fullReason: MP4Recorder.FullReason?
    var leftOut: [(length: Int64, at: Int64)] = []
    var statistics: RecorderStatistics?
    var wasBarred = false

    /// Does all that `recorder` asks for.
    mutating func drain(_ recorder: inout MP4Recorder) {
        while true {
            switch recorder.pollOutput() {
            case .append(let data): write(data, at: bytes.count)
            case .patch(let offset, let data): write(data, at: Int(offset))
            case .sync(let position): acknowledged = max(acknowledged, position)
            case .barrier: wasBarred = true
            case .active(let startedAt):
                activeAfterWrites = activeAfterWrites ?? writes.count
                self.startedAt = self.startedAt ?? startedAt.nanoseconds
            case .warning(let warning): warnings.append(warning)
            case .full(let reason): fullReason = reason
            case .leftOut(let length, let at): leftOut.append((length.nanoseconds, at.nanoseconds))
            case .finished(let statistics): self.statistics = statistics
            case .wait: return
            }
        }
    }

    private mutating func write(_ data: [UInt8], at offset: Int) {
        writes.append(Write(offset: offset, bytes: data))
        let overlap = min(data.count, bytes.count - offset)
        bytes.replaceSubrange(offset..<offset + overlap, with: data)
    }

    /// The file as a kill leaves it: `count` writes done, and `partial` bytes of the next.
    func left(afterWrites count: Int, partial: Int = 0) -> [UInt8] {
        var disk = SimulatedDisk()
        for write in writes.prefix(count) { disk.write(write.bytes, at: write.offset) }
        if count < writes.count {
            let next = writes[count]
            disk.write(Array(next.bytes.prefix(partial)), at: next.offset)
        }
        return disk.bytes
    }
}

/// Plays `records` into a recorder and ends it.
func record(
    _ records: [Record], into recorder: MP4Recorder = MP4Recorder(), file: [UInt8] = [], batch: Int = 1,
    finish: Bool = true
) -> SimulatedDisk {
    var recorder = recorder
    var disk = SimulatedDisk()
    disk.bytes = file
    for (index, record) in records.enumerated() {
        recorder.receive(record)
        if index % batch == batch - 1 { recorder.advance(to: record.time) }
        disk.drain(&recorder)
        if disk.fullReason != nil { break }
    }
    if finish {
        recorder.finish()
        disk.drain(&recorder)
    }
    return disk
}

/// Records all of `records`, in as many parts as that takes; a hundred at most.
func parts(of records: [Record]) -> [SimulatedDisk] {
    var recorder = MP4Recorder()
    var parts: [SimulatedDisk] = []
    var rest = records[...]
    while !rest.isEmpty, parts.count < 100 {
        var disk = SimulatedDisk()
        while disk.fullReason == nil, let record = rest.popFirst() {
            recorder.receive(record)
            recorder.advance(to: record.time)
            disk.drain(&recorder)
        }
        let next = recorder.nextPart()
        recorder.finish()
        disk.drain(&recorder)
        parts.append(disk)
        recorder = next
    }
    return parts
}

/// Scans a file as it was left.
func scan(_ file: [UInt8], reopens: Bool = false) -> HybridScan {
    var scanner = HybridScanner(fileSize: UInt64(file.count), reopens: reopens)
    for _ in 0..<100_000 {
        switch scanner.pollOutput() {
        case .finished(let scan): return scan
        case .read(let offset, let count):
            let start = min(Int(offset), file.count)
            scanner.receive(Array(file[start..<min(start + count, file.count)]))
        }
    }
    return .unusable
}

func parse(_ file: [UInt8]) throws(ISOBMFFError) -> MovieFile { try MovieFile(parsing: file.span) }
