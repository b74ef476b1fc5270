import JWT
import Synchronization

extension Service {
    /// Asks the gateway to end as after SIGTERM: from here on it takes no new work; what is recorded goes on for
    /// `shutdown.wait` at most, is sealed, and goes on in the next process.
    /// - Throws: `permission_denied` for a caller that does not see all rooms.
    public func requestDrain(caller: Caller) async throws(ServiceError) -> Readiness {
        guard caller.rooms == nil, caller.grants.room.isEmpty else {
            throw ServiceError(.permissionDenied, "A key or token that is limited to rooms cannot drain the gateway.")
        }
        await egressControl.drain()
        drainAction.withLock { $0 }?()
        return await readiness()
    }

    /// What ends the program that runs the service: called when a client asks for a drain.
    public func onDrain(_ action: @escaping @Sendable () -> Void) { drainAction.withLock { $0 = action } }
}
