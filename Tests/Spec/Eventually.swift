/// Waits until `condition` holds, ten seconds at most, for what another thread does and does not tell. It looks often: a
/// test is as fast as what it waits for, and nothing depends on how long a look takes.
public func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let clock = ContinuousClock()
    let limit = clock.now + .seconds(10)
    repeat {
        if try await condition() { return true }
        try? await clock.sleep(for: .milliseconds(5))
    } while clock.now < limit
    return false
}
