import Bytes
public import STUN
public import Timing

/// The ICE side of a server on a public address (RFC 8445 section 2.5): it answers checks, and begins none.
///
/// A check that does not authenticate is answered by nothing and leaves no state. The agent is always controlled, since a
/// lite agent is (section 6.1.1). After every input drain ``pollOutput()`` until it says `.wait`.
public struct ICELiteAgent: Sendable {
    public enum Output: Equatable, Sendable {
        /// Send this datagram (over TCP: this frame); it is no longer than the request it answers.
        case send([UInt8], on: ICEPath)
        /// The peer nominated this path: media and DTLS go there from now on. Said again after a restart, also for the path
        /// that was selected before.
        case selected(ICEPath)
        /// The end: close the session. Nothing is answered any more.
        case closed(Reason)
        /// Nothing to do until then, or until the next input.
        case wait(deadline: Instant?)
    }

    public enum Reason: Equatable, Sendable {
        /// No path was nominated within ``Limits/setup``.
        case neverConnected
        /// Nothing that authenticates came on the selected path within ``Limits/consent`` (RFC 7675 section 5.1).
        case consentExpired
    }

    public struct Limits: Sendable {
        /// Paths that are known at a time; the one heard least recently goes.
        public var paths = 16
        /// Checks a path may have answered, a second and at once.
        public var checksPerSecond = 50
        public var checksAtOnce = 100
        /// Checks from addresses without a path, of all of them together, so that a guesser of fragments buys few HMACs.
        public var newChecksPerSecond = 50
        public var newChecksAtOnce = 100
        public var setup: Duration = .seconds(30)
        /// RFC 7675 section 5.1 gives the value.
        public var consent: Duration = .seconds(30)
        /// RFC 8445 section 11: Tr.
        public var keepalive: Duration = .seconds(15)
        /// A selected path that was silent for so long gives way to any other that is nominated.
        public var silence: Duration = .seconds(7)

        public init() {}
    }

    /// What came, by what became of it.
    public struct Counters: Equatable, Sendable {
        /// Success and error responses sent.
        public var answered = 0
        public var malformed = 0
        /// Another agent's fragment, or none.
        public var strangers = 0
        public var unauthenticated = 0
        public var rateLimited = 0
        public var roleConflicts = 0
        /// Responses and indications, which a lite agent does not wait for.
        public var ignored = 0
    }

    private enum State {
        case checking(until: Instant, then: Reason)
        case connected(to: ICEPath, until: Instant)
        case closed
    }

    public private(set) var counters = Counters()

    private let limits: Limits
    private let priorities: [UInt32]
    private let hmac: HMACSHA1
    private var state: State
    /// The credentials that carry the session; behind them those of a restart that has not selected a path yet
    /// (RFC 8445 section 9). Empty once closed.
    private var generations: [ICEGeneration]
    private var newChecks: CheckBudget
    private var lastSent: Instant
    private var keepalives: UInt64 = 0
    private var outputs: [Output] = []

    /// - Parameters:
    ///   - candidates: the local ones, as the description lists them; ``ICEPath/candidate`` is an index into these.
    ///   - hmac: HMAC-SHA1.
    public init(
        credentials: ICECredentials, candidates: [ICECandidate], limits: Limits = Limits(), hmac: @escaping HMACSHA1,
        at now: Instant
    ) {
        self.limits = limits
        self.hmac = hmac
        priorities = candidates.map(\.priority)
        generations = [ICEGeneration(credentials, hmac: hmac)]
        state = .checking(until: now + limits.setup, then: .neverConnected)
        newChecks = CheckBudget(
            perSecond: limits.newChecksPerSecond, burst: limits.newChecksAtOnce, at: now.nanoseconds)
        lastSent = now
    }

    /// Where to send; `nil` before a nomination, and while the connection of the selected path is gone.
    public var selectedPath: ICEPath? {
        if case .connected(let path, _) = state { path } else { nil }
    }

    /// The fragment of a restart that has not selected a path yet.
    public var pendingFragment: String? { generations.dropFirst().first?.credentials.usernameFragment }

    /// The fragments by which checks find this agent: one, two during a restart, none once closed.
    public var usernameFragments: [String] { generations.map(\.credentials.usernameFragment) }

    /// Whether a check of this session succeeded on `path`: before that, nothing else that comes on it is read.
    public func isChecked(_ path: ICEPath) -> Bool {
        generations.contains { $0.pairs.contains { $0.path == path } }
    }

    // MARK: Inputs

    /// Takes one datagram that begins as STUN (``STUNHeader/isSTUN(firstByte:)``).
    public mutating func receive(_ packet: Span<UInt8>, on path: ICEPath, at now: Instant) {
        advance(to: now)
        if case .closed = state { return }
        guard let header = try? STUNHeader(parsing: packet) else { return counters.malformed += 1 }
        guard header.messageClass == .request, header.method == STUNHeader.binding else {
            return counters.ignored += 1
        }
        guard let fragment = STUNHeader.localFragment(in: packet) else { return counters.strangers += 1 }
        guard let generation = generations.firstIndex(where: { $0.isNamed(packet, fragment) }) else {
            return counters.strangers += 1
        }
        guard let request = verified(packet, generation, path, now) else { return }
        answer(Request(message: request, byteCount: packet.count, generation: generation, path: path), now)
    }

    /// Begins a restart with new credentials (RFC 8445 section 9): checks with either are answered, and the selected path
    /// carries on until the peer nominates one with the new. A restart that never gets there changes nothing.
    public mutating func restart(with credentials: ICECredentials) {
        if case .closed = state { return }
        generations = [generations[0], ICEGeneration(credentials, hmac: hmac)]
    }

    /// Something that only the peer can have sent came on `path`: SRTP, SRTCP or DTLS that verified.
    ///
    /// Deviation: RFC 7675 counts checks alone; some peers of a lite agent send none once media flows.
    public mutating func heard(on path: ICEPath, at now: Instant) {
        guard case .connected(path, _) = state else { return }
        state = .connected(to: path, until: now + limits.consent)
        generations[0].heard(on: path, at: now)
    }

    /// Media or DTLS went out on the selected path: no keepalive is due for a while.
    public mutating func sent(at now: Instant) { lastSent = max(lastSent, now) }

    /// The TCP connection of `path` ended. If it was selected, the peer has what is left of its consent to nominate another.
    public mutating func remove(_ path: ICEPath) {
        for index in generations.indices { generations[index].remove(path) }
        if case .connected(path, let until) = state { state = .checking(until: until, then: .consentExpired) }
    }

    /// Our own end revokes consent at once (RFC 7675 section 5.2): nothing is answered any more.
    public mutating func close() {
        state = .closed
        generations = []
        outputs = []
    }

    /// Moves time forward. Early or repeated calls are harmless.
    public mutating func advance(to now: Instant) {
        switch state {
        case .checking(let until, let reason) where now >= until: end(reason)
        case .connected(_, let until) where now >= until: end(.consentExpired)
        case .connected(let path, _) where now >= lastSent + limits.keepalive:
            // Section 11: a Binding indication without credentials, and nobody answers it.
            let id = generations[0].integrity.transaction(keepalives)
            keepalives &+= 1
            outputs.append(.send(STUNMessage(STUNHeader(.indication, transaction: id)).serialized(with: nil), on: path))
            lastSent = now
        case .checking, .connected, .closed: break
        }
    }

    /// The next thing to do, oldest first. Call until it returns `.wait`.
    public mutating func pollOutput() -> Output {
        guard outputs.isEmpty else { return outputs.removeFirst() }
        switch state {
        case .checking(let until, _): return .wait(deadline: until)
        case .connected(_, let until): return .wait(deadline: min(until, lastSent + limits.keepalive))
        case .closed: return .wait(deadline: nil)
        }
    }

    private mutating func end(_ reason: Reason) {
        close()
        outputs.append(.closed(reason))
    }

    // MARK: Checks

    /// A check that authenticated.
    private struct Request {
        let message: STUNMessage
        let byteCount: Int
        /// Whose credentials it has.
        let generation: Int
        let path: ICEPath
    }

    /// The check in `packet`, if it authenticates and is not one too many.
    private mutating func verified(
        _ packet: Span<UInt8>, _ generation: Int, _ path: ICEPath, _ now: Instant
    ) -> STUNMessage? {
        let pair = generations[generation].pairs.firstIndex { $0.path == path }
        let isAllowed = pair.map { generations[generation].pairs[$0].budget.take(at: now.nanoseconds) }
        guard isAllowed ?? newChecks.take(at: now.nanoseconds) else {
            counters.rateLimited += 1
            return nil
        }
        // FINGERPRINT is not optional in a check (RFC 8445 section 7.1).
        guard let message = try? STUNMessage(parsing: packet), message.hadFingerprint else {
            counters.malformed += 1
            return nil
        }
        guard generations[generation].integrity.verifies(message, in: packet) else {
            counters.unauthenticated += 1
            return nil
        }
        return message
    }

    /// RFC 8445 section 7.3, for a lite agent.
    private mutating func answer(_ request: Request, _ now: Instant) {
        let unknown = request.message.unknownRequired
        guard unknown.isEmpty else {
            return refuse(request, .errorCode(420, reason: "Unknown Attribute"), .unknownAttributes(unknown), now)
        }
        if request.message.attributes.contains(where: { if case .iceControlled = $0 { true } else { false } }) {
            // Section 7.3.1.1, as with the larger tie-breaker: a lite agent cannot become controlling.
            counters.roleConflicts += 1
            return refuse(request, .errorCode(487, reason: "Role Conflict"), nil, now)
        }
        guard let priority = request.message.priority else {
            return refuse(request, .errorCode(400, reason: "No PRIORITY"), nil, now)
        }
        respond(.successResponse, [.xorMappedAddress(request.path.remote)], to: request, now)
        let check = ICEGeneration.Check(
            path: request.path, priority: pairPriority(request.path, remote: priority),
            transaction: request.message.header.transaction, nominates: request.message.usesCandidate)
        note(check, request.generation, now)
    }

    private mutating func refuse(
        _ request: Request, _ error: STUNAttribute, _ detail: STUNAttribute?, _ now: Instant
    ) {
        respond(.errorResponse, [error] + (detail.map { [$0] } ?? []), to: request, now)
    }

    private mutating func respond(
        _ messageClass: STUNHeader.Class, _ attributes: [STUNAttribute], to request: Request, _ now: Instant
    ) {
        let header = STUNHeader(messageClass, transaction: request.message.header.transaction)
        let bytes = STUNMessage(header, attributes).serialized(with: generations[request.generation].integrity)
        // Never more bytes than came: nobody is made to flood another.
        guard bytes.count <= request.byteCount else { return }
        counters.answered += 1
        if case .connected(request.path, _) = state { sent(at: now) }
        outputs.append(.send(bytes, on: request.path))
    }

    /// RFC 8445 section 6.1.2.3; the peer is controlling.
    private func pairPriority(_ path: ICEPath, remote: UInt32) -> UInt64 {
        let local = UInt64(priorities.indices.contains(path.candidate) ? priorities[path.candidate] : 0)
        let remote = UInt64(remote)
        return min(local, remote) << 32 &+ 2 &* max(local, remote) &+ (remote > local ? 1 : 0)
    }

    private mutating func note(_ check: ICEGeneration.Check, _ generation: Int, _ now: Instant) {
        generations[generation].note(check, limits: limits, keeping: selectedPath, at: now)
        if generation > 0 {
            // The first nomination of the new generation ends the old one.
            guard check.nominates else { return }
            generations.removeFirst()
            return select(check.path, now)
        }
        switch state {
        case .connected(check.path, _): state = .connected(to: check.path, until: now + limits.consent)
        case .connected(let selected, _):
            let isBetter = generations[0].shouldSelect(check.path, over: selected, silence: limits.silence, at: now)
            guard check.nominates, isBetter else { return }
            select(check.path, now)
        case .checking: if check.nominates { select(check.path, now) }
        case .closed: break
        }
    }

    private mutating func select(_ path: ICEPath, _ now: Instant) {
        state = .connected(to: path, until: now + limits.consent)
        lastSent = now
        generations[0].forgetNominations()
        outputs.append(.selected(path))
    }
}
