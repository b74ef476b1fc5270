import Encoder
import Glibc
import Listening
import Spec
import Testing

@Suite("A listening socket")
struct ListenSocketTests {
    static let peers: [(listens: String, name: String)] = [
        ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("localhost", "127.0.0.1"),
    ]

    @Test("gets a port, and names an IPv4 peer alike on every family", arguments: peers)
    func peer(listens host: String, name: String) throws {
        let socket = try ListenSocket.open(host: host, port: 0)
        defer { close(socket.descriptor) }
        #expect(socket.port > 0)
        #expect(fcntl(socket.descriptor, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(socket.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        let client = try StreamPeer(port: socket.port)
        var waiting = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
        #expect(unsafe poll(&waiting, 1, 10_000) == 1)
        let accepted = accept(socket.descriptor, nil, nil)
        #expect(ListenSocket.peer(of: accepted) == name)
        close(accepted)
        #expect(ListenSocket.peer(of: socket.descriptor) == "")
        withExtendedLifetime(client) {}
    }

    static let networks: [(address: String, network: String)] = [
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("", ""), ("no address", "no address"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:DB8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8::1", "2001:db8:0:0::/64"), ("::1", "0:0:0:0::/64"), ("fe80::1", "fe80::1"),
        ("fe80::1%eth0", "fe80::1%eth0"), ("64:ff9b::c000:207", "64:ff9b::c000:207"),
    ]

    @Test("counts who has one IPv6 address of a network as who has them all", .rfc(4291, "2.5.1"), arguments: networks)
    func network(address: String, network: String) { #expect(PeerNetwork.of(address) == network) }

    @Test("says which port is taken, and which address is not this machine's")
    func refusals() throws {
        let taken = try ListenSocket.open(host: "127.0.0.1", port: 0)
        defer { close(taken.descriptor) }
        let error = #expect(throws: ListenError.self) { try ListenSocket.open(host: "127.0.0.1", port: taken.port) }
        #expect(error == .portInUse(host: "127.0.0.1", port: taken.port))
        #expect(error?.message.contains("Port \(taken.port) on 127.0.0.1 is in use") == true)
        for host in ["192.0.2.1", "no such host"] {
            let error = #expect(throws: ListenError.self) { try ListenSocket.open(host: host, port: 0) }
            guard case .badAddress(host, _)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }
}
