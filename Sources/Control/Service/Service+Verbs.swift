/// `POST /v1/egress/{id}/markers`.
public struct CreateMarker: Equatable, Sendable {
    public var name: String
    /// Seconds of recorded media; `nil`: now.
    public var atSeconds: Double?

    /// - Throws: `invalid_request` with every field that is wrong.
    public init(_ json: JSONValue) throws(ServiceError) {
        var fields = FieldReader(json)
        fields.require("name")
        name = fields.text("name", bytes: 1...256) ?? ""
        atSeconds = fields.number("atSeconds", 0...31_536_000)
        try fields.finish()
    }
}

extension Service {
    public func pauseEgress(_ id: String, caller: Caller) async throws(ServiceError) -> Outcome<EgressRecord> {
        _ = try await egress(id, caller: caller)
        return try await open(id, try await egressControl.pause(id))
    }

    public func resumeEgress(_ id: String, caller: Caller) async throws(ServiceError) -> Outcome<EgressRecord> {
        _ = try await egress(id, caller: caller)
        return try await open(id, try await egressControl.resume(id))
    }

    public func splitEgress(_ id: String, caller: Caller) async throws(ServiceError) -> Outcome<EgressRecord> {
        _ = try await egress(id, caller: caller)
        return try await open(id, try await egressControl.split(id))
    }

    public func markEgress(_ id: String, _ marker: CreateMarker, caller: Caller) async throws(ServiceError)
        -> Outcome<EgressRecord>
    {
        _ = try await egress(id, caller: caller)
        return try await open(id, try await egressControl.mark(id, marker))
    }

    private func open(
        _ id: String, _ outcome: Outcome<EgressRecord>?
    ) async throws(ServiceError) -> Outcome<EgressRecord> {
        guard let outcome else { throw ServiceError(.alreadyEnded, "The egress \(id) has ended.") }
        return outcome
    }
}
