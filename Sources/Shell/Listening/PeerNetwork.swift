import Glibc

/// Whose connections and requests are counted together where a limit stands for each address.
public enum PeerNetwork {
    /// The IPv4 address itself; of an IPv6 address its network of 64 bits, as `2001:db8:0:1::/64`: who has one address of
    /// it has them all (RFC 4291 section 2.5.1). Addresses of one link and those that stand for IPv4 (RFC 6052) are
    /// counted apart, and so is a text that is no address.
    public static func of(_ address: String) -> String {
        var parsed = in6_addr()
        guard unsafe inet_pton(AF_INET6, address, &parsed) == 1 else { return address }
        let bytes = unsafe withUnsafeBytes(of: &parsed) { unsafe Array($0) }
        if bytes[..<12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] {
            return bytes[12...].map { String($0) }.joined(separator: ".")
        }
        let isOfOneLink = bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
        let isTranslated = bytes[..<12] == [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]
        if isOfOneLink || isTranslated { return address }
        let groups = stride(from: 0, to: 8, by: 2).map { index in
            String(UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]), radix: 16)
        }
        return groups.joined(separator: ":") + "::/64"
    }
}
