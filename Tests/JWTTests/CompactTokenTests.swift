import Crypto
import JSON
import JWT
import Spec
import Testing
import Timing

private let secret = Array("a-secret-of-at-least-32-bytes-here".utf8)
private let now = WallTime(nanoseconds: 1_800_000_000_000_000_000)

private func hmac(_ secret: [UInt8], _ message: [UInt8]) -> [UInt8]? {
    try? SHA256.authenticationCode(of: message, key: secret)
}

private func verify(_ text: String, at time: WallTime = now, key: String = "key") throws(TokenError) -> AccessToken {
    try CompactToken.verify(
        text, at: time, secret: { $0 == key ? secret : nil }, signature: hmac, isEqual: ConstantTime.areEqual)
}

/// A token of these two texts, well signed, whatever they say.
private func signed(header: String = #"{"alg":"HS256"}"#, payload: String) -> String {
    let message = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8))
    return message + "." + Base64URL.encode(hmac(secret, Array(message.utf8)) ?? [])
}

@Suite("Access tokens", .rfc(7519, "7.2"))
struct CompactTokenTests {
    static func sample() -> AccessToken {
        var grants = VideoGrants()
        grants.room = "demo"
        grants.roomJoin = true
        grants.roomRecord = true
        grants.canSubscribe = false
        grants.canPublishSources = ["camera"]
        return AccessToken(
            keyID: "key", identity: "alice", name: "Alice", grants: grants, expiresAt: now + .seconds(60),
            notBefore: now, otherClaims: [JSONMember("attributes", ["a": "b"])])
    }

    @Test("read back what was signed, unknown claims too")
    func roundTrip() throws {
        let text = try #require(CompactToken.sign(Self.sample(), secret: secret, signature: hmac))
        #expect(try verify(text) == Self.sample())
    }

    @Test("are refused at every cut and every flipped bit, without a trap")
    func damage() throws {
        let text = try #require(CompactToken.sign(Self.sample(), secret: secret, signature: hmac))
        let bytes = Array(text.utf8)
        for length in 0..<bytes.count {
            #expect(throws: TokenError.self) { try verify(String(decoding: bytes[..<length], as: UTF8.self)) }
        }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(throws: TokenError.self) { try verify(String(decoding: changed, as: UTF8.self)) }
        }
    }

    static let times: [(payload: String, error: TokenError?)] = [
        (#"{"iss":"key","exp":1800000000}"#, nil),  // within the leeway
        (#"{"iss":"key","exp":1799999996}"#, nil), (#"{"iss":"key","exp":1799999995}"#, .expired),
        (#"{"iss":"key","exp":1799999995.5}"#, nil), (#"{"iss":"key","exp":1e300}"#, nil),
        (#"{"iss":"key","exp":-1e300}"#, .expired), (#"{"iss":"key","exp":1800000060,"nbf":1800000005}"#, nil),
        (#"{"iss":"key","exp":1800000060,"nbf":1800000006}"#, .notYetValid),
        (#"{"iss":"other","exp":1800000060}"#, .notValid), (#"{"exp":1800000060}"#, .notValid),
        (#"{"iss":"other","exp":1}"#, .notValid),
    ]

    @Test("hold for their time, 5 s more or less", .rfc(7519, "4.1.4"), arguments: times)
    func validity(payload: String, error: TokenError?) throws {
        let text = signed(payload: payload)
        if let error {
            #expect(throws: error) { try verify(text) }
        } else {
            #expect(throws: Never.self) { try verify(text) }
        }
    }

    static let headers = [
        #"{"alg":"none"}"#, #"{"alg":"HS384"}"#, #"{"alg":"RS256"}"#, #"{"alg":"hs256"}"#, "{}", "[]", "null", "",
        #"{"alg":"HS256","crit":["b64"]}"#, #"{"alg":"HS256","typ":"JWE"}"#, #"{"alg":"HS256","alg":"none"}"#,
    ]

    @Test("are signed with HS256 and nothing else", .rfc(8725, "3.1"), arguments: headers)
    func algorithm(header: String) {
        let text = signed(header: header, payload: #"{"iss":"key","exp":1800000060}"#)
        let error = #expect(throws: TokenError.self) { try verify(text) }
        if case .malformed = error {} else { Issue.record("\(String(describing: error))") }
    }

    static let payloads = [
        "", "[]", "{", #"{"iss":"key"}"#, #"{"iss":1,"exp":1800000060}"#, #"{"iss":"key","exp":"soon"}"#,
        #"{"iss":"key","exp":1800000060,"video":1}"#, #"{"iss":"key","exp":1800000060,"video":{"roomJoin":"yes"}}"#,
        #"{"iss":"key","exp":1800000060,"video":{"canPublishSources":[1]}}"#,
    ]

    @Test("say what is malformed", arguments: payloads)
    func malformed(payload: String) {
        let error = #expect(throws: TokenError.self) { try verify(signed(payload: payload)) }
        if case .malformed = error {} else { Issue.record("\(String(describing: error))") }
    }

    @Test("are no longer than 8 KiB")
    func size() {
        let error = #expect(throws: TokenError.self) { try verify(String(repeating: "a", count: 8193)) }
        #expect(error == .malformed("it is longer than 8192 bytes"))
    }

    @Test("are those of LiveKit's server SDKs")
    func liveKit() throws {
        let payload =
            #"{"exp":1800000060,"iss":"key","metadata":"","name":"","nbf":1799999990,"sub":"","#
            + #""video":{"canPublish":true,"roomJoin":true,"room":"demo"},"sip":{"admin":true},"kind":"standard"}"#
        let token = try verify(signed(header: #"{"alg":"HS256","typ":"JWT"}"#, payload: payload))
        #expect(token.grants.roomJoin && token.grants.canPublish == true && token.grants.room == "demo")
        #expect(token.otherClaims.map(\.name) == ["sip", "kind"])
    }
}

@Suite("base64url", .rfc(4648, "5"))
struct Base64URLTests {
    static let rows: [(text: String, bytes: [UInt8]?)] = [
        ("", []), ("Zg", [0x66]), ("Zm8", [0x66, 0x6F]), ("Zm9v", [0x66, 0x6F, 0x6F]), ("-_8", [0xFB, 0xFF]),
        ("Zg==", nil), ("Z", nil), ("Zh", nil), ("Zm9", nil), ("+/8", nil), ("Z g", nil), ("Zm9v\n", nil),
    ]

    @Test("has one spelling for each value", arguments: rows)
    func decode(text: String, bytes: [UInt8]?) {
        #expect(Base64URL.decode(text.utf8) == bytes)
        if let bytes { #expect(Base64URL.encode(bytes) == text) }
    }
}
