import Crypto
import ICE
import STUN
import Timing

let hmac: HMACSHA1 = { key, message in (try? SHA1.authenticationCode(of: message, key: key)) ?? [] }

/// A full agent that sends what a test tells it, and an agent under test with three candidates.
struct Peer {
    static let home: [ICECandidate] = [
        ICECandidate(host: TransportAddress(.v4(0xC000_0201), port: 7882), transport: .udp, localPreference: 65535),
        ICECandidate(
            host: TransportAddress(.v6(high: 0x2001_0DB8 << 32, low: 1), port: 7882), transport: .udp,
            localPreference: 65534),
        ICECandidate(
            host: TransportAddress(.v4(0xC000_0201), port: 7881), transport: .tcp(.passive), localPreference: 1),
    ]

    static func credentials(_ seed: UInt8) throws(Impossible) -> ICECredentials {
        guard let made = ICECredentials(entropy: [UInt8](repeating: seed, count: 32)) else { throw Impossible() }
        return made
    }

    struct Impossible: Error {}

    var agent: ICELiteAgent
    var now = Instant(nanoseconds: 1_000_000_000_000)
    private var transactions: UInt64 = 0
    let credentials: ICECredentials

    init(_ change: (inout ICELiteAgent.Limits) -> Void = { _ in }) throws {
        credentials = try Self.credentials(1)
        var limits = ICELiteAgent.Limits()
        change(&limits)
        agent = ICELiteAgent(credentials: credentials, candidates: Self.home, limits: limits, hmac: hmac, at: now)
    }

    static func path(_ port: UInt16, candidate: Int = 0) -> ICEPath {
        ICEPath(candidate: candidate, remote: TransportAddress(.v4(0xCB00_7109), port: port))
    }

    struct Check {
        var nominates = false
        var priority: UInt32? = 100
        var role: STUNAttribute? = .iceControlling(9)
        var password: String?
        var extra: [STUNAttribute] = []
        /// Sends the last transaction again.
        var isRepeated = false
    }

    mutating func packet(_ check: Check, _ credentials: ICECredentials) -> [UInt8] {
        if !check.isRepeated { transactions += 1 }
        var attributes: [STUNAttribute] = [.username(Array("\(credentials.usernameFragment):them".utf8))]
        if let priority = check.priority { attributes.append(.priority(priority)) }
        if let role = check.role { attributes.append(role) }
        if check.nominates { attributes.append(.useCandidate) }
        let message = STUNMessage(
            STUNHeader(.request, transaction: TransactionID(high: 1, low: transactions)), attributes + check.extra)
        return message.serialized(with: MessageIntegrity(password: check.password ?? credentials.password, hmac: hmac))
    }

    /// Sends a check and gives what the agent has to say.
    mutating func check(
        _ path: ICEPath, _ check: Check = Check(), with other: ICECredentials? = nil
    ) -> [ICELiteAgent.Output] {
        send(packet(check, other ?? credentials), path)
    }

    mutating func send(_ packet: [UInt8], _ path: ICEPath) -> [ICELiteAgent.Output] {
        agent.receive(packet.span, on: path, at: now)
        return drain()
    }

    mutating func nominate(_ path: ICEPath, priority: UInt32 = 100) -> [ICELiteAgent.Output] {
        check(path, Check(nominates: true, priority: priority))
    }

    mutating func wait(_ duration: Duration) -> [ICELiteAgent.Output] {
        now += duration
        agent.advance(to: now)
        return drain()
    }

    mutating func drain() -> [ICELiteAgent.Output] {
        var outputs: [ICELiteAgent.Output] = []
        while true {
            let output = agent.pollOutput()
            if case .wait = output { return outputs }
            outputs.append(output)
        }
    }

    /// When the agent wants to be called.
    var deadline: Instant? {
        var copy = agent
        while true { if case .wait(let deadline) = copy.pollOutput() { return deadline } }
    }
}

extension [ICELiteAgent.Output] {
    /// The messages sent, read back.
    var messages: [STUNMessage] {
        compactMap { if case .send(let bytes, _) = $0 { try? STUNMessage(parsing: bytes.span) } else { nil } }
    }

    var datagrams: [[UInt8]] { compactMap { if case .send(let bytes, _) = $0 { bytes } else { nil } } }

    var selections: [ICEPath] { compactMap { if case .selected(let path) = $0 { path } else { nil } } }
}
