import Glibc
import Spec
import Terminal
import Testing
import Timing

@Suite("The service manager's socket")
struct ServiceManagerTests {
    @Test("gets each state in a datagram of its own, at a path or an abstract name", arguments: [false, true])
    func states(isAbstract: Bool) throws {
        let folder = try TemporaryFolder()
        let name = folder.path("notify")
        let socket = try NotifySocket(isAbstract ? "@" + name : name)
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": isAbstract ? "@" + name : name])
        manager.ready("up\nREADY=0")
        manager.reloading()
        manager.isAlive()
        manager.stopping("sealing")
        #expect(socket.next() == "READY=1\nSTATUS=up READY=0")
        let reload = socket.next()?.split(separator: "\n") ?? []
        #expect(reload.first == "RELOADING=1")
        #expect(reload.last?.hasPrefix("MONOTONIC_USEC=") == true)
        #expect(socket.next() == "WATCHDOG=1")
        #expect(socket.next() == "STOPPING=1\nSTATUS=sealing")
        #expect(socket.next() == nil)
    }

    static let watchdogs: [(environment: [String: String], interval: Duration?)] = [
        ([:], nil), (["WATCHDOG_USEC": "20000000"], .seconds(10)), (["WATCHDOG_USEC": "0"], nil),
        (["WATCHDOG_USEC": "x"], nil), (["WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "7"], .seconds(10)),
        (["WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "8"], nil),
    ]

    @Test("asks for signs of life at half its limit, of the process that it names", arguments: watchdogs)
    func watchdog(environment: [String: String], interval: Duration?) {
        #expect(ServiceManager(environment: environment, processID: 7).watchdogInterval == interval)
    }

    @Test("that is not there, or has no name that fits, costs nothing")
    func absent() throws {
        for path in [try TemporaryFolder().path("none"), "relative", "", "/" + String(repeating: "x", count: 200)] {
            ServiceManager(environment: ["NOTIFY_SOCKET": path]).ready("up")
        }
        ServiceManager(environment: [:]).stopping("down")
    }
}

/// What the manager has: a bound datagram socket.
@safe
private final class NotifySocket {
    private let descriptor: Int32
    private let path: String

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = path.hasPrefix("@") ? [0] + Array(path.utf8.dropFirst()) : Array(path.utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
        let length = socklen_t(2 + name.count)
        let code = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length)
            }
        }
        try #require(code == 0)
    }

    deinit {
        close(descriptor)
        unsafe unlink(path)
    }

    func next() -> String? {
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}
