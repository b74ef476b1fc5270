/// What the gateway does for its clients: one function an operation, whatever face (REST, command line) asks.
///
/// A function checks what its caller may see (a resource of another room does not exist for it); which grant an
/// operation needs is checked by the face.
public final class Service: Sendable {
    public init() {}

    // MARK: Rooms

    /// A room of that name that exists already is given as it is, unchanged.
    public func createRoom(_ request: CreateRoom, caller: Caller) async throws(ServiceError) -> Outcome<RoomRecord> {
        throw later
    }

    public func rooms(_ query: ListQuery, caller: Caller) async throws(ServiceError) -> Page<RoomRecord> { throw later }

    public func room(_ name: String, caller: Caller) async throws(ServiceError) -> RoomRecord { throw later }

    /// Everybody leaves; running egress of the room ends.
    public func deleteRoom(_ name: String, caller: Caller) async throws(ServiceError) { throw later }

    public func participants(of room: String, _ query: ListQuery, caller: Caller) async throws(ServiceError)
        -> Page<ParticipantRecord>
    { throw later }

    /// Ends the connection; an encoder may come back with its key.
    public func removeParticipant(_ identity: String, from room: String, caller: Caller) async throws(ServiceError) {
        throw later
    }

    // MARK: Ingress

    public func createIngress(_ request: CreateIngress, caller: Caller) async throws(ServiceError) -> IngressRecord {
        throw later
    }

    /// Records with ``IngressRecord/masked`` keys.
    public func ingresses(_ query: ListQuery, caller: Caller) async throws(ServiceError) -> Page<IngressRecord> {
        throw later
    }

    public func ingress(_ id: String, caller: Caller) async throws(ServiceError) -> IngressRecord { throw later }

    public func updateIngress(_ id: String, _ patch: PatchIngress, caller: Caller) async throws(ServiceError)
        -> IngressRecord
    { throw later }

    public func deleteIngress(_ id: String, caller: Caller) async throws(ServiceError) { throw later }

    /// The old key stops at once; who streams with it is cut off.
    public func rotateKey(ofIngress id: String, _ request: RotateKey, caller: Caller) async throws(ServiceError)
        -> IngressRecord
    { throw later }

    // MARK: Egress

    public func createEgress(_ request: CreateEgress, caller: Caller) async throws(ServiceError) -> EgressRecord {
        throw later
    }

    public func egresses(_ query: ListQuery, caller: Caller) async throws(ServiceError) -> Page<EgressRecord> {
        throw later
    }

    public func egress(_ id: String, caller: Caller) async throws(ServiceError) -> EgressRecord { throw later }

    public func updateEgress(_ id: String, _ patch: PatchEgress, caller: Caller) async throws(ServiceError)
        -> EgressRecord
    { throw later }

    /// Repeated, or after the end, it changes nothing.
    public func stopEgress(_ id: String, caller: Caller) async throws(ServiceError) -> Outcome<EgressRecord> {
        throw later
    }

    public func addOutput(_ output: OutputRequest, toEgress id: String, caller: Caller) async throws(ServiceError)
        -> EgressRecord
    { throw later }

    public func removeOutput(_ output: String, fromEgress id: String, caller: Caller) async throws(ServiceError)
        -> EgressRecord
    { throw later }

    /// Removes the files of an egress that has ended, and keeps its record with `deletedAt`.
    public func deleteEgress(_ id: String, caller: Caller) async throws(ServiceError) { throw later }

    public func files(ofEgress id: String, caller: Caller) async throws(ServiceError) -> [FileRecord] { throw later }

    /// The file that an output wrote, or writes.
    public func file(ofOutput output: String, egress id: String, caller: Caller) async throws(ServiceError)
        -> ServedFile
    { throw later }

    /// A file by the `path` of its ``FileRecord``.
    public func file(_ path: String, ofEgress id: String, caller: Caller) async throws(ServiceError) -> ServedFile {
        throw later
    }

    public func manifest(ofEgress id: String, caller: Caller) async throws(ServiceError) -> JSONValue { throw later }

    // MARK: Jobs, workers, pipelines, health

    public func jobs(_ query: ListQuery, caller: Caller) async throws(ServiceError) -> Page<JobRecord> { throw later }

    public func job(_ id: String, caller: Caller) async throws(ServiceError) -> JobRecord { throw later }

    public func workers(caller: Caller) async throws(ServiceError) -> [WorkerRecord] { throw later }

    public func pipelines(caller: Caller) async throws(ServiceError) -> [PipelineRecord] { throw later }

    public func pipeline(_ name: String, caller: Caller) async throws(ServiceError) -> PipelineRecord { throw later }

    /// One check a loop: it is ok while the loop answered within 2 s. Not ok: restart me.
    public func liveness() async -> [HealthCheck] { [] }

    public func readiness() async -> Readiness {
        Readiness(checks: [HealthCheck(name: "service", ok: false, detail: "not built yet")])
    }

    private var later: ServiceError { ServiceError(.notSupported, "This operation is not built yet.") }
}
