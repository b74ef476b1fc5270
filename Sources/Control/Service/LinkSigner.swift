import Crypto
import FoundationEssentials
import JWT
import Timing

/// Signs the links of egresses, and tells whether a link is one of ours.
///
/// A link opens the files of one egress, and nothing else. The key stands in the data folder: API keys come and go, and
/// links live until their end.
struct LinkSigner: Sendable {
    private let key: [UInt8]

    init(key: [UInt8]) { self.key = key }

    /// Takes the key from the file at `path`, or makes one there.
    init(keyFile path: String) throws {
        if let data = FileManager.default.contents(atPath: path), data.count == SHA256.byteCount {
            key = Array(data)
            return
        }
        key = try RandomBytes.make(SHA256.byteCount)
        try Data(key).write(to: URL(filePath: path), options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    /// The link to `egress` that ends at `end`, which is cut to whole seconds.
    func link(to egress: String, until end: WallTime) throws(CryptoError) -> String {
        try SignedLink(to: egress, until: end) { message throws(CryptoError) in
            try SHA256.authenticationCode(of: message, key: key)
        }.text
    }

    /// - Throws: `link_invalid` for a text that is no link, or one to another egress; `link_expired`.
    func check(_ text: String, to egress: String, at now: WallTime) throws(ServiceError) {
        guard let link = SignedLink(text) else {
            throw ServiceError(.linkInvalid, "The link is cut, or was altered.")
        }
        do throws(SignedLink.Refusal) {
            try link.check(
                opens: egress, at: now, sign: { try? SHA256.authenticationCode(of: $0, key: key) },
                isEqual: { ConstantTime.areEqual($0, $1) })
        } catch {
            switch error {
            case .expired: throw ServiceError(.linkExpired, "The link has expired.")
            case .invalid: throw ServiceError(.linkInvalid, "The link was altered, or is one to another egress.")
            }
        }
    }
}
