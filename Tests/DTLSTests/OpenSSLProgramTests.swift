import DTLS
import Foundation
import Glibc
import Spec
import Testing
import Timing

/// The `openssl` program as the other end, over UDP on loopback, in either role.
@Suite("DTLS with another implementation", .rfc(5764, "4"), .serialized)
struct OpenSSLProgramTests {
    static let export = [
        "-use_srtp", "SRTP_AES128_CM_SHA1_80", "-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "60",
    ]

    @Test("its server and our client export the same keys", arguments: ["ec", "rsa"])
    func asClient(kind: String) async throws {
        let folder = try TemporaryFolder()
        let certificate = try folder.makeCertificate(kind)
        let port = try UDPPort()
        let theirs = try UDPPort.freePort()
        let program = try Program(
            [
                "s_server", "-dtls1_2", "-port", "\(theirs)", "-cert", certificate.path, "-key", folder.key, "-Verify",
                "1",
            ]
                + Self.export, in: folder)
        defer { program.end() }
        try await program.wait(for: "ACCEPT")
        let session = try DTLSSession(
            Association.ecdsa.get(), .client, expecting: [#require(DTLSFingerprint(certificate.fingerprint))])
        session.addressProven()
        let keys = try port.run(session, peer: theirs)
        try await program.check(keys, ours: keys.local, theirs: keys.remote)
    }

    @Test("its client and our server export the same keys", arguments: ["ec", "rsa"])
    func asServer(kind: String) async throws {
        let folder = try TemporaryFolder()
        let certificate = try folder.makeCertificate(kind)
        let port = try UDPPort()
        let program = try Program(
            [
                "s_client", "-dtls1_2", "-connect", "127.0.0.1:\(port.number)", "-cert", certificate.path, "-key",
                folder.key,
            ]
                + Self.export, in: folder)
        defer { program.end() }
        let session = try DTLSSession(
            (kind == "ec" ? Association.rsa : Association.ecdsa).get(), .server,
            expecting: [#require(DTLSFingerprint(certificate.fingerprint))])
        session.addressProven()
        let keys = try port.run(session, peer: nil)
        try await program.check(keys, ours: keys.remote, theirs: keys.local)
    }
}

extension TemporaryFolder {
    fileprivate var key: String { path("key.pem") }

    fileprivate func makeCertificate(_ kind: String) throws -> (path: String, fingerprint: String) {
        let certificate = path("certificate.pem")
        let type = kind == "ec" ? ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] : ["rsa:2048"]
        _ = try run(
            [
                "req", "-x509", "-nodes", "-subj", "/CN=peer", "-days", "2", "-keyout", key, "-out", certificate,
                "-newkey",
            ]
                + type)
        let line = try run(["x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"])
        let digits = try #require(line.split(separator: "=").last).trimmingCharacters(in: .whitespacesAndNewlines)
        return (certificate, "sha-256 " + digits)
    }

    private func run(_ arguments: [String]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }
}

/// `openssl`, with its output in a file, so that nothing waits for a pipe.
private final class Program {
    private let process = Process()
    private let input = Pipe()
    /// Kept for as long as the program writes into it.
    private let folder: TemporaryFolder
    private let log: URL

    init(_ arguments: [String], in folder: TemporaryFolder) throws {
        self.folder = folder
        log = URL(filePath: folder.path("log"))
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let output = try FileHandle(forWritingTo: log)
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
    }

    func end() {
        kill(process.processIdentifier, SIGKILL)  // it may hold SIGTERM back; Foundation reaps it
    }

    private var text: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    func wait(for word: String) async throws {
        let isThere = await eventually { text.contains(word) }
        try #require(isThere, "\(text)")
    }

    /// The client's keys are first in what it exported.
    func check(_ keys: DTLSKeys, ours: DTLSKeys.Master, theirs: DTLSKeys.Master) async throws {
        #expect(keys.profile == 1)
        let expected = (ours.key + theirs.key + ours.salt + theirs.salt).map { String(format: "%02X", $0) }.joined()
        try await wait(for: "Keying material: ")
        try await wait(for: expected)
    }
}

/// A UDP socket on loopback.
private final class UDPPort {
    private let descriptor: Int32
    let number: UInt16

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = Self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, length) + getsockname(descriptor, pointer, &length)
            }
        }
        try #require(code == 0)
        number = address.sin_port.bigEndian
    }

    deinit { close(descriptor) }

    static func freePort() throws -> UInt16 { try UDPPort().number }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Runs the session against the program until it has its keys and no more to send.
    /// - Parameter peer: a port; `nil` for that of the first datagram.
    func run(_ session: DTLSSession, peer: UInt16?) throws -> DTLSKeys {
        var peer = peer
        var keys: DTLSKeys?
        var buffer = [UInt8](repeating: 0, count: 2048)
        session.start(at: clock())
        while true {
            var wait: Instant?
            drain: while true {
                switch session.pollOutput() {
                case .send(let datagram): send(datagram, to: try #require(peer))
                case .established(let made): keys = made
                case .failed(let failure): throw failure
                case .closed: Issue.record("closed")
                case .wait(let deadline):
                    wait = deadline
                    break drain
                }
            }
            if let keys { return keys }
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = wait.map { max(0, ($0 - clock()).nanoseconds / 1_000_000 + 1) } ?? 1000
            if unsafe Glibc.poll(&poll, 1, Int32(clamping: left)) > 0 {
                var from = Self.address(0)
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                let descriptor = descriptor
                let count = unsafe withUnsafeMutablePointer(to: &from) { pointer in
                    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                        unsafe recvfrom(descriptor, &buffer, buffer.count, 0, pointer, &length)
                    }
                }
                peer = peer ?? from.sin_port.bigEndian
                if count > 0 { session.receive(Array(buffer[..<count]).span, at: clock()) }
            }
            session.advance(to: clock())
        }
    }

    private func send(_ datagram: [UInt8], to port: UInt16) {
        var address = Self.address(port)
        let descriptor = descriptor
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe sendto(
                    descriptor, datagram, datagram.count, 0, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func clock() -> Instant {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
