import Glibc
import MediaLoop
import Timing

/// Reads what a worker writes to its standard error, a line at a time. Lives on a loop.
final class WorkerOutput: DescriptorHandler {
    /// A longer line is cut: a worker in trouble may write anything.
    private static let lineLimit = 8 << 10

    private let descriptor: Int32
    private let loop: EventLoop
    private let onLine: (String) -> Void
    private var token: EventLoop.Token?
    private var line: [UInt8] = []

    /// Takes over `descriptor`, the reading end of a pipe that does not block.
    init(descriptor: Int32, loop: EventLoop, onLine: @escaping (String) -> Void) {
        self.descriptor = descriptor
        self.loop = loop
        self.onLine = onLine
        token = loop.add(descriptor, for: .readable, self)
    }

    deinit { Glibc.close(descriptor) }

    func ready(_ events: Readiness, at now: Instant) { _ = receive() }

    /// Takes what is left of a process that has ended: often why.
    func drain() {
        while receive() {}
        end()
    }

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(descriptor, &buffer, buffer.count)
        guard count > 0 else {
            if count == 0 || errno != EAGAIN { end() }
            return false
        }
        for byte in buffer[..<count] {
            if byte == UInt8(ascii: "\n") { flush() } else if line.count < Self.lineLimit { line.append(byte) }
        }
        return true
    }

    private func end() {
        flush()
        guard let token else { return }
        loop.remove(token)
        self.token = nil
    }

    private func flush() {
        if !line.isEmpty { onLine(String(decoding: line, as: UTF8.self)) }
        line.removeAll(keepingCapacity: true)
    }
}
