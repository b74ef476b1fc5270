import Bytes
public import Feed
import Glibc
public import MediaLoop
public import Timing

/// What a link tells its owner, on the loop's thread.
public protocol LinkConnectionDelegate: AnyObject {
    func received(_ message: LinkMessage, at now: Instant)
    /// All that had arrived was handed over: the time to act on a batch. What is sent until this returns goes out in one
    /// write.
    func drained(at now: Instant)
    /// The last call. `error` is `nil` when the peer closed.
    func closed(_ error: LinkError?, at now: Instant)
}

public enum LinkError: Error, Equatable, Sendable {
    case feed(FeedError)
    /// A call on the socket failed with this error number.
    case socket(Int32)
}

/// One end of a link: a connected Unix stream socket on a loop, cut into messages. Used by gateway and worker alike.
public final class LinkConnection: DescriptorHandler {
    /// One read; the payloads of a read share one allocation of this size at most.
    private static let readBytes = 256 * 1024
    /// Reads of one turn, so that a link with much to say does not keep the loop for itself.
    private static let readsPerTurn = 8

    /// Bytes that wait for the peer to take them: the sender's measure of when to hold back.
    public var waitingBytes: Int { outgoing.count - sent }

    private let loop: EventLoop
    private weak var delegate: (any LinkConnectionDelegate)?
    private var descriptor: Int32
    private var token: EventLoop.Token?
    private var reader = LinkFrameReader()
    private var scratch = [UInt8](repeating: 0, count: LinkConnection.readBytes)
    private var outgoing: [UInt8] = []
    private var sent = 0
    private var isBlocked = false

    /// Takes over `descriptor`, a connected stream socket.
    public init(descriptor: Int32, on loop: EventLoop, delegate: any LinkConnectionDelegate) {
        self.descriptor = descriptor
        self.loop = loop
        self.delegate = delegate
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        token = loop.add(descriptor, for: .readable, self)
    }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    /// Queues `message`; it goes out with ``flush()``, or when enough has gathered.
    public func send(_ message: LinkMessage) {
        guard descriptor >= 0 else { return }
        message.encode(into: &outgoing)
        if waitingBytes >= Self.readBytes { flush() }
    }

    /// Writes what is queued, as far as the peer takes it; the rest goes by itself as soon as it does.
    public func flush() {
        guard descriptor >= 0, !isBlocked, sent < outgoing.count else { return }
        if let code = writeOut() { return end(.socket(code), at: Clocks.now()) }
        updateInterest()
    }

    /// Ends the link without telling the delegate.
    public func close() {
        guard descriptor >= 0 else { return }
        if let token { loop.remove(token) }
        token = nil
        Glibc.close(descriptor)
        descriptor = -1
    }

    public func ready(_ events: Readiness, at now: Instant) {
        if events.contains(.writable) {
            isBlocked = false
            flush()
        }
        if !events.isDisjoint(with: [.readable, .closed]) { readIn(at: now) }
    }

    private func readIn(at now: Instant) {
        var end: LinkError??
        do throws(LinkError) {
            for _ in 0..<Self.readsPerTurn {
                let isMore = try readOnce()
                try handOver(at: now)
                guard isMore else { break }
            }
        } catch .socket(0) {
            end = .some(nil)
        } catch {
            end = error
        }
        delegate?.drained(at: now)
        flush()
        if let end { self.end(end, at: now) }
    }

    /// One read; `true` if it filled the buffer, so that more may wait.
    /// - Throws: `.socket(0)` at the end of the stream.
    private func readOnce() throws(LinkError) -> Bool {
        guard descriptor >= 0 else { return false }
        let number = descriptor
        let count = unsafe scratch.withUnsafeMutableBytes { unsafe recv(number, $0.baseAddress, $0.count, 0) }
        if count > 0 {
            reader.append(scratch.span.extracting(first: count))
            return count == scratch.count
        }
        if count == 0 { throw .socket(0) }
        guard errno == EAGAIN || errno == EINTR else { throw .socket(errno) }
        return false
    }

    private func handOver(at now: Instant) throws(LinkError) {
        do throws(FeedError) {
            while descriptor >= 0, let message = try reader.next() { delegate?.received(message, at: now) }
        } catch {
            throw .feed(error)
        }
    }

    /// The error number of a failed write, if one failed.
    private func writeOut() -> Int32? {
        while sent < outgoing.count {
            let (number, start) = (descriptor, sent)
            let count = unsafe outgoing.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[start...])
                return unsafe Glibc.send(number, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                isBlocked = true
                break
            } else if errno != EINTR {
                return errno
            }
        }
        reclaim()
        return nil
    }

    /// Gives back the room of what was sent, without moving the rest too often.
    private func reclaim() {
        if sent == outgoing.count {
            if outgoing.capacity > 4 * Self.readBytes {
                outgoing = []
            } else {
                outgoing.removeAll(keepingCapacity: true)
            }
            sent = 0
        } else if sent > outgoing.count / 2 {
            outgoing.removeFirst(sent)
            sent = 0
        }
    }

    private func updateInterest() {
        guard let token else { return }
        loop.change(token, to: isBlocked ? [.readable, .writable] : .readable)
    }

    private func end(_ error: LinkError?, at now: Instant) {
        guard descriptor >= 0 else { return }
        close()
        delegate?.closed(error, at: now)
    }
}
