import Service
import Store
import Testing
import Timing

@Suite("Records")
struct RecordsTests {
    static let times: [(nanoseconds: Int64, text: String)] = [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
        (1_795_261_172_345_678_901, "2026-11-21T11:39:32.345Z"),
        (4_107_542_399_999_000_000, "2100-02-28T23:59:59.999Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
    ]

    @Test("show times as RFC 3339 with milliseconds, and read them back", arguments: times)
    func timeText(nanoseconds: Int64, text: String) throws {
        #expect(Timestamp(WallTime(nanoseconds: nanoseconds)).description == text)
        #expect(Timestamp(text)?.wallTime.nanoseconds == nanoseconds / 1_000_000 * 1_000_000)
    }

    @Test(
        "refuse what is no time",
        arguments: [
            "", "2026", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00Zx",
            "9999-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
        ])
    func noTime(text: String) { #expect(Timestamp(text) == nil) }

    @Test("have every field of the API, null when not set, in its order")
    func egress() throws {
        let record = EgressRecord(
            id: "EG_1", roomId: "RM_1", room: "demo", state: .queued, createdAt: Timestamp(WallTime(nanoseconds: 0)),
            updatedAt: Timestamp(WallTime(nanoseconds: 0)), spec: ["room": "demo"],
            outputs: [OutputRecord(id: "film", type: .mp4)])
        let json = try JSONValue(encoding: record)
        guard case .object(let members) = json else { return #expect(Bool(false)) }
        #expect(
            members.map(\.name) == [
                "id", "roomId", "room", "state", "stateReason", "createdAt", "startedAt", "updatedAt", "endedAt",
                "deletedAt", "attempt", "partial", "error", "warnings", "queue", "spec", "labels", "manifest",
                "outputs", "keyId",
            ])
        #expect(json["queue"] == .null)
        #expect(json["manifest"] == "/v1/egress/EG_1/manifest")
    }

    @Test("have one row for each state of an egress", arguments: EgressState.allCases)
    func states(state: EgressState) {
        #expect(EgressState.table.filter { $0.state == state }.count == 1)
        #expect(state.row.state == state)
        #expect(!state.row.means.isEmpty)
        #expect(!state.row.job.isEmpty)
        #expect(state.allows(state))
        // A state has ended exactly when its job has.
        #expect(state.row.job.allSatisfy { $0.isEnded == state.isFinal })
        for next in state.row.next { #expect(!state.isFinal && next != .queued || state == .starting) }
    }

    static let liveKit: [(EgressState, String)] = [
        (.queued, "STARTING"), (.starting, "STARTING"), (.active, "ACTIVE"), (.waiting, "ACTIVE"), (.paused, "ACTIVE"),
        (.ending, "ENDING"), (.complete, "COMPLETE"), (.limitReached, "LIMIT_REACHED"), (.aborted, "ABORTED"),
        (.failed, "FAILED"),
    ]

    @Test("name the states as LiveKit does", arguments: liveKit)
    func liveKitName(state: EgressState, name: String) { #expect(state.row.liveKit == name) }

    @Test("hide an ingress's key in lists")
    func masked() throws {
        let record = IngressRecord(
            id: "IN_1", request: CreateIngress(room: "demo"), streamKey: "planted-key", url: "rtmp://h/live",
            publish: PublishAddresses(rtmp: .init(server: "rtmp://h/live", streamKey: "planted-key")), state: .inactive,
            createdAt: Timestamp(WallTime(nanoseconds: 0)), updatedAt: Timestamp(WallTime(nanoseconds: 0)))
        #expect(!(try JSONValue(encoding: record.masked).text.contains("planted-key")))
    }
}

@Suite("Error codes")
struct ErrorCodeTests {
    @Test("have a status, a title, a remedy and a Twirp code", arguments: ErrorCode.allCases)
    func walk(code: ErrorCode) {
        #expect(400...599 ~= code.status)
        #expect(!code.title.isEmpty && !code.remedy.isEmpty)
        #expect(Self.twirp.contains(code.twirpCode))
        #expect(code.rawValue.utf8.allSatisfy { 0x61...0x7A ~= $0 || $0 == 0x5F })
        #expect(code.problemType == "urn:sluice:problem:" + code.rawValue)
    }

    /// The table of Twirp's specification, version 7.
    private static let twirp: Set<String> = [
        "canceled", "unknown", "invalid_argument", "malformed", "deadline_exceeded", "not_found", "bad_route",
        "already_exists", "permission_denied", "unauthenticated", "resource_exhausted", "failed_precondition",
        "aborted", "out_of_range", "unimplemented", "internal", "unavailable", "dataloss",
    ]
}

@Suite("Callers")
struct CallerTests {
    static let patterns: [(pattern: String, room: String, matches: Bool)] = [
        ("acme-*", "acme-1", true), ("acme-*", "acme-", true), ("acme-*", "acm", false), ("*", "", true),
        ("", "", true),
        ("", "a", false), ("a*b*c", "axxbyyc", true), ("a*b*c", "axxbyy", false), ("**", "x", true), ("a", "ab", false),
    ]

    @Test("see rooms by the pattern of their key", arguments: patterns)
    func sight(pattern: String, room: String, matches: Bool) {
        #expect(RoomPattern(pattern).matches(room) == matches)
    }
}
