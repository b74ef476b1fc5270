import FoundationEssentials
import TLS

/// The certificate of `http.tls`, for HTTPS and RTMPS.
extension ConfigurationReader {
    /// A certificate that ends sooner than this deserves a warning.
    private static let earlyWarning: Int64 = 14 * 86_400

    mutating func checkTLS() {
        guard let files = configuration.http.tls else {
            if configuration.rtmp.tlsPort != nil {
                report(.whole, "rtmp.tls_port", "needs a certificate: set http.tls to { cert: FILE, key: FILE }")
            }
            return
        }
        guard let certificate = text(of: files.cert, member: "cert"), let key = text(of: files.key, member: "key")
        else { return }
        let now = Int64(Date().timeIntervalSince1970)
        do throws(TLSIdentityError) {
            let identity = try TLSIdentity(certificate: Array(certificate.utf8), key: Array(key.utf8), at: now)
            self.identity = identity
            if identity.expiresAt - now < Self.earlyWarning {
                warn("http.tls: the certificate \(files.cert) expires on \(Self.day(identity.expiresAt)): renew it")
            }
        } catch {
            report(.whole, "http.tls", "\(Self.words(for: error, files)). \(error.remedy)")
        }
    }

    private mutating func text(of path: String, member: String) -> String? {
        if let text = TextFile.contents(of: path) { return text }
        guard !path.contains("-----BEGIN") else {
            report(.whole, "http.tls.\(member)", "must be the path of a file in PEM, and is its text")
            return nil
        }
        report(
            .whole, "http.tls.\(member)",
            "can't read \(path): does it exist, may this user read it, is it PEM text? A path is relative to where the gateway was started"
        )
        return nil
    }

    private static func words(for error: TLSIdentityError, _ files: Configuration.TLSFiles) -> String {
        switch error {
        case .noCertificate: "\(files.cert) holds no certificate"
        case .noKey: "\(files.key) holds no private key"
        case .encryptedKey: "\(files.key) is protected by a password"
        case .mismatch: "\(files.key) is not the key of the certificate \(files.cert)"
        case .expired(let end, let now): "the certificate \(files.cert) expired on \(day(end)), and it is \(day(now))"
        case .notYetValid(let begin, let now):
            "the certificate \(files.cert) is valid from \(day(begin)) on, and it is \(day(now))"
        case .unusable(let reason): "the certificate \(files.cert) and its key cannot be used: \(reason)"
        }
    }

    private static func day(_ seconds: Int64) -> String {
        String(Date(timeIntervalSince1970: Double(seconds)).ISO8601Format().prefix(10))
    }
}
