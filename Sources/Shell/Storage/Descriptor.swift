import Glibc

/// Owns one open descriptor; closed when its last user is done with it.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    /// Up to `count` bytes from `offset` of a file of `byteCount`; fewer only at the end.
    func read(at offset: Int64, count: Int, of byteCount: Int64, path: String) throws(StorageError) -> [UInt8] {
        guard offset >= 0 else { return [] }
        let available = Int(clamping: max(0, byteCount &- offset))
        var bytes = [UInt8](repeating: 0, count: max(0, min(count, available)))
        var done = 0
        while done < bytes.count {
            let (result, code) = unsafe bytes.withUnsafeMutableBytes { buffer in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                return retrying { unsafe pread(number, rest.baseAddress, rest.count, off_t(offset) + done) }
            }
            guard result >= 0 else { throw StorageError(code: code, path: path, in: "read") }
            guard result > 0 else { break }
            done += result
        }
        bytes.removeLast(bytes.count - done)
        return bytes
    }
}

/// Runs `call` again while a signal interrupts it; gives its result, or the error number.
func retrying(_ call: () -> Int) -> (result: Int, code: Int32) {
    while true {
        let result = call()
        if result >= 0 { return (result, 0) }
        if errno != EINTR { return (result, errno) }
    }
}
