import Assignments
import Log
import MediaLoop

extension EgressControl {
    /// Leaves out what comes from here on. `didChange` is false when it is paused already.
    /// - Returns: `nil` if it has ended, is to end, or was never there.
    /// - Throws: `conflict` while there is nothing to pause yet.
    func pause(_ id: String) throws(ServiceError) -> Outcome<EgressRecord>? {
        try act(on: id, .pause, event: "egress_paused") { $0.pause(at: Clocks.wall()) }
    }

    /// Goes on with the next key frame. `didChange` is false when it is not paused.
    func resume(_ id: String) throws(ServiceError) -> Outcome<EgressRecord>? {
        let flows = entries[id].map { flowing.contains($0.run.record.roomId) } ?? false
        return try act(on: id, .resume, event: "egress_updated") { $0.resume(flows: flows, at: Clocks.wall()) }
    }

    /// Finishes the present files and segments; what follows begins at the next key frame. `didChange` is false while that
    /// is on its way to a file.
    func split(_ id: String) throws(ServiceError) -> Outcome<EgressRecord>? {
        let run = entries[id]?.run
        if let run, run.isOpen, !run.record.outputs.contains(where: { $0.canBeSplit }) {
            throw ServiceError(
                .conflict, "No output of the egress \(id) can be split.", remedy: "Add an mp4 or hls output.")
        }
        return try act(on: id, .split, event: nil) { $0.split() }
    }

    /// Names a place. `didChange` is false when that marker is there already.
    func mark(_ id: String, _ request: CreateMarker) throws(ServiceError) -> Outcome<EgressRecord>? {
        guard entries[id]?.run.verbs?.markers.count ?? 0 < EgressRun.markerLimit else {
            throw ServiceError(
                .conflict, "The egress \(id) has \(EgressRun.markerLimit) markers, which is all it takes.")
        }
        guard var run = entries[id]?.run, run.isOpen else { return nil }
        try requireBegun(run)
        guard let marker = run.mark(request.name, atSeconds: request.atSeconds, at: Clocks.wall()) else {
            return record(id)?.outcome(didChange: false)
        }
        entries[id]?.run = run
        changed(id, event: "egress_marked")
        command(.mark(marker), to: id)
        return record(id)?.outcome(didChange: true)
    }

    private func act(
        on id: String, _ verb: JobCommand, event: String?, _ change: (inout EgressRun) -> Bool
    ) throws(ServiceError) -> Outcome<EgressRecord>? {
        guard var run = entries[id]?.run, run.isOpen else { return nil }
        try requireBegun(run)
        guard change(&run) else { return record(id)?.outcome(didChange: false) }
        entries[id]?.run = run
        log.info("egress told", ["egress": id, "verb": "\(verb)"])
        changed(id, event: event)
        command(verb, to: id)
        return record(id)?.outcome(didChange: true)
    }

    private func requireBegun(_ run: EgressRun) throws(ServiceError) {
        guard !run.hasBegun else { return }
        throw ServiceError(
            .conflict, "The egress \(run.record.id) has recorded nothing yet.", remedy: "Wait until it is active.")
    }
}
