import Glibc
import Timing

/// What another process has used since it began.
public struct ProcessUsage: Equatable, Sendable {
    /// Time on a processor of all its threads, exact to the nanosecond.
    public var processor: Duration
    /// The part of it in the kernel. The kernel samples which part a thread is in 250 times a second or so: a window needs
    /// some seconds of processor time for a good share.
    public var system: Duration
    public var user: Duration { processor - system }

    public static let zero = ProcessUsage(processor: .zero, system: .zero)

    public init(processor: Duration, system: Duration) {
        self.processor = processor
        self.system = system
    }

    /// What these processes have used together; those that have ended are left out.
    public init(ofAll processIDs: [Int32]) {
        self = processIDs.compactMap { ProcessUsage(of: $0) }.reduce(.zero, +)
    }

    /// - Returns: `nil` if there is no such process.
    public init?(of processID: Int32) {
        var clock = clockid_t()
        var time = timespec()
        guard unsafe clock_getcpuclockid(processID, &clock) == 0, unsafe clock_gettime(clock, &time) == 0,
            let text = ProcessFile.text("/proc/\(processID)/stat"),
            let ticks = Self.ticks(stat: text)
        else { return nil }
        processor = .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
        system = ticks.system == 0 ? .zero : processor * (Double(ticks.system) / Double(ticks.user + ticks.system))
    }

    public static func - (later: Self, earlier: Self) -> Self {
        ProcessUsage(processor: later.processor - earlier.processor, system: later.system - earlier.system)
    }

    public static func + (left: Self, right: Self) -> Self {
        ProcessUsage(processor: left.processor + right.processor, system: left.system + right.system)
    }

    /// utime and stime, the fields 14 and 15. The second, a name in brackets, may hold anything.
    static func ticks(stat: String) -> (user: Int, system: Int)? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else { return nil }
        return (user, system)
    }
}

/// What the kernel tells of processes in files.
public enum ProcessFile {
    /// Proportional set size in bytes: memory of the process's own, and its share of what it shares.
    public static func proportionalBytes(of processID: Int32) -> Int? {
        guard let text = text("/proc/\(processID)/smaps_rollup"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") }),
            let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        return kilobytes << 10
    }

    /// Processes that this one started, the children of all its threads.
    public static func children(of processID: Int32) -> [Int32] {
        guard let folder = unsafe opendir("/proc/\(processID)/task") else { return [] }
        defer { unsafe closedir(folder) }
        var children: [Int32] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let text = text("/proc/\(processID)/task/\(name)/children") ?? ""
            children += text.split(separator: " ").compactMap { Int32($0) }
        }
        return children
    }

    /// The whole of a file of at most 1 MiB.
    static func text(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
            while count < buffer.count {
                let got = unsafe read(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
                guard got > 0 else { break }
                count += got
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
