import Glibc

/// Which job a worker is at work for, in a small mapped file: it survives the worker, so that the gateway knows whom to
/// suspect after a crash. 64 bytes: the job's id in UTF-8, filled up with zeros; all zeros between jobs.
///
/// Lives on the worker's loop. Setting and clearing are a copy of a few bytes, no call of the system.
@safe
public final class FlightMark {
    public static let byteCount = 64

    private let bytes: UnsafeMutableRawBufferPointer

    /// Maps the file at `path`, made if it is not there; `nil` if that cannot be done. The worker runs without one then.
    public init?(path: String) {
        let number = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard number >= 0 else { return nil }
        defer { close(number) }
        guard ftruncate(number, Self.byteCount) == 0 else { return nil }
        let address = unsafe mmap(nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else { return nil }
        unsafe bytes = UnsafeMutableRawBufferPointer(start: address, count: Self.byteCount)
    }

    deinit { unsafe munmap(bytes.baseAddress, Self.byteCount) }

    /// From now on the worker touches data of `job`.
    public func set(_ job: String) {
        var job = job
        job.withUTF8 { text in
            for index in 0..<Self.byteCount { unsafe bytes[index] = index < text.count ? text[index] : 0 }
        }
    }

    public func clear() { unsafe bytes[0] = 0 }

    /// The job that the file at `path` names, for the gateway after a crash.
    public static func read(path: String) -> String? {
        let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        defer { close(number) }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        let count = unsafe Glibc.read(number, &bytes, bytes.count)
        guard count > 0, bytes[0] != 0 else { return nil }
        return String(decoding: bytes.prefix(count).prefix { $0 != 0 }, as: UTF8.self)
    }
}
