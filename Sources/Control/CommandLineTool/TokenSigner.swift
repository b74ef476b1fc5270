import Config
import Crypto
import JWT
import Log
import Timing

/// Signs tokens with an API key.
enum TokenSigner {
    static func sign(_ token: AccessToken, with key: APIKey) throws(CommandError) -> String {
        let text = CompactToken.sign(token, secret: Array(key.secret.reveal().utf8)) { secret, message in
            try? SHA256.authenticationCode(of: message, key: secret)
        }
        guard let text else { throw .failed("OpenSSL could not sign the token", remedy: nil) }
        return text
    }

    /// What the commands of this tool need, for ten minutes.
    static func operatorToken(with key: APIKey, now: WallTime) throws(CommandError) -> String {
        let token = AccessToken(keyID: key.id, grants: .operations, expiresAt: now + .seconds(600))
        return try sign(token, with: key)
    }

    /// A key pair that nobody can guess: 12 and 32 random bytes.
    static func newKey() throws(CommandError) -> APIKey {
        do throws(CryptoError) {
            let id = "SL" + Base64URL.encode(try RandomBytes.make(9)).filter { $0.isLetter || $0.isNumber }
            return APIKey(id: id, secret: Secret(Base64URL.encode(try RandomBytes.make(32))))
        } catch {
            throw .failed(error.description, remedy: nil)
        }
    }
}
