import HTTPServer

/// The proxies whose `X-Forwarded-For` is believed, as the configuration lists them: addresses, or IPv4 networks as
/// `10.0.0.0/8`.
public struct TrustedProxies: Sendable {
    private let addresses: Set<String>
    private let networks: [(address: UInt32, mask: UInt32)]

    public init(_ entries: [String]) {
        var addresses: Set<String> = []
        var networks: [(address: UInt32, mask: UInt32)] = []
        for entry in entries {
            let parts = entry.split(separator: "/", omittingEmptySubsequences: false)
            if parts.count == 2, let address = Self.v4(parts[0]), let bits = Int(parts[1]), 0...32 ~= bits {
                let mask = bits == 0 ? 0 : UInt32.max << UInt32(32 - bits)
                networks.append((address & mask, mask))
            } else {
                addresses.insert(entry)
            }
        }
        self.addresses = addresses
        self.networks = networks
    }

    /// Who sent the request: the last address, seen from here, that is no trusted proxy.
    func client(of request: HTTPRequest) -> String {
        var client = request.remote
        let hops = request.headers.values(of: "X-Forwarded-For").flatMap { $0.split(separator: ",") }
        for hop in hops.reversed() where trusts(client) {
            let address = hop.filter { $0 != " " && $0 != "\t" }
            guard 1...45 ~= address.utf8.count else { break }
            client = String(address)
        }
        return client
    }

    /// Whether `address` is one of them.
    public func trusts(_ address: String) -> Bool {
        if addresses.contains(address) { return true }
        guard let number = Self.v4(address) else { return false }
        return networks.contains { number & $0.mask == $0.address }
    }

    private static func v4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard part.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let byte = UInt8(part) else { return nil }
            number = number << 8 | UInt32(byte)
        }
        return number
    }
}
