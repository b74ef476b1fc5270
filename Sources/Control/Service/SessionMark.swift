import Crypto

/// The name of a session in the log. A session's id (`SE_…`) is a secret, since it opens the session's URL; its name is made
/// from it and leads to no way back.
enum SessionMark {
    /// - Returns: as `s-1f0c9a2b7d3e`: 48 bits of the id's digest.
    static func of(_ session: String) -> String {
        let digest = (try? SHA256.digest(of: Array(session.utf8))) ?? []
        return "s-" + digest.prefix(6).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
