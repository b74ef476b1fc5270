import Assignments
import Jobs
import LinkTransport
import MediaLoop
import Store
import Testing
import Timing

@testable import Service

@Suite("The egress of a gateway", .timeLimit(.minutes(1)))
struct EgressControlTests {
    @Test("that has ended stays so, whatever comes before its end is stored")
    func endsOnce() async throws {
        let site = try await EgressSite()
        let (id, job, _) = try await site.start()
        try await site.report(.complete, { $0.isFinal = true }, on: id)
        #expect(await site.control.stop(id)?.didChange == false)
        await site.control.roomClosed("RM_1")
        await site.control.media(room: "RM_1", flows: false)
        #expect(try await site.control.add(EgressRunTests.push, as: EgressRunTests.pushRecord, to: id) == nil)
        #expect(await site.control.record(id)?.state == .complete)
        await site.persist()
        #expect(try await site.store.job(job)?.state == .succeeded)
        #expect(try await site.store.document(.egress, id: id)?.state == "complete")
        #expect(await site.control.entries.isEmpty)
    }

    @Test("goes on when its worker is told to end from outside: what is sealed is not complete")
    func sealed() async throws {
        let site = try await EgressSite()
        let (id, job, worker) = try await site.start()
        await site.control.handle(LinkEvent.connected(worker: worker, processID: 1))
        try await site.report(.active, on: id)
        let seal = { (report: inout JobReport) in
            report.isFinal = true
            report.isSealed = true
        }
        try await site.report(.complete, seal, on: id)
        #expect(await site.control.record(id)?.state == .active)
        await site.control.workerEnded(worker, .exit(code: 0))
        await site.persist()
        let entry = try #require(await site.control.entries[id])
        #expect(entry.worker != nil && entry.worker != worker && entry.run.attempts == 2)
        #expect(entry.run.assignment.outputs.count == 1)
        #expect(try await site.store.job(job)?.fence == entry.fence)
    }

    @Test("that ends because it was asked is complete when its worker seals it")
    func sealedAfterStop() async throws {
        let site = try await EgressSite()
        let (id, _, _) = try await site.start()
        try await site.report(.active, on: id)
        _ = await site.control.stop(id)
        try await site.report(
            .complete,
            {
                $0.isFinal = true
                $0.isSealed = true
            }, on: id)
        #expect(await site.control.record(id)?.state == .complete)
    }

    @Test("keeps the fence that the store has, over leases, starts and requeues")
    func fences() async throws {
        let site = try await EgressSite()
        let (id, job, first) = try await site.start()
        for attempt in 1...2 {
            let worker = try #require(await site.control.entries[id]?.worker)
            await site.control.handle(LinkEvent.connected(worker: worker, processID: 1))
            try await site.report(.active, on: id)
            await site.control.workerEnded(worker, .signal(9))
            await site.persist()
            let stored = try #require(try await site.store.job(job))
            #expect(await site.control.entries[id]?.fence == stored.fence)
            #expect(stored.fence == Int64(1 + 2 * attempt) && stored.attempt == attempt + 1)
        }
        #expect(await site.control.entries[id]?.worker != first)
    }

    @Test("takes nothing from a worker that has it no more")
    func staleReport() async throws {
        let site = try await EgressSite()
        let (id, job, worker) = try await site.start()
        await site.control.handle(LinkEvent.connected(worker: worker, processID: 1))
        await site.control.workerEnded(worker, .signal(9))
        await site.control.handle(LinkEvent.report(worker: worker, job: job, fence: 1, body: Array("{}".utf8)))
        #expect(await site.control.record(id)?.state == .starting)
    }

    @Test("waits in line while no worker can be started, and does not fail for it")
    func noWorker() async throws {
        let site = try await EgressSite(worker: "no program")
        let (id, job, worker) = try await site.start()
        await site.control.workerEnded(worker, .exit(code: 127))
        await site.persist()
        #expect(await site.control.record(id)?.state == .queued)
        #expect(await site.control.record(id)?.queue?.waitingFor == "worker")
        #expect(try await site.store.job(job)?.state == .queued)
        await site.control.advance(to: Clocks.now() + .seconds(2))
        await site.persist()
        #expect(await site.control.record(id)?.state == .starting)
    }

    @Test("remembers that an output is to go over a worker's death")
    func removal() async throws {
        let site = try await EgressSite()
        let (id, _, _) = try await site.start()
        try await site.report(.active, on: id)
        _ = await site.control.remove("film", from: id)
        #expect(await site.control.entries[id]?.run.removals == ["film"])
    }

    @Test("loses its files alone to a full disk: a push goes on, also over a worker's death", arguments: [true, false])
    func fullDisk(hasPush: Bool) async throws {
        let site = try await EgressSite()
        let (id, _, worker) = try await site.start(push: hasPush)
        await site.control.handle(LinkEvent.connected(worker: worker, processID: 1))
        try await site.report(.active, on: id)
        await site.control.endFiles(because: .diskFull)
        await site.control.endFiles(because: .diskFull)
        let entry = try #require(await site.control.entries[id])
        #expect(entry.run.removals == (hasPush ? ["film"] : []))
        #expect(entry.run.endReason == (hasPush ? nil : "disk_full"))
        #expect(entry.run.record.state == (hasPush ? .active : .ending) && entry.run.record.partial)
        #expect(entry.run.record.warnings.map(\.code) == ["disk_full"])
        try await site.report(hasPush ? .removed : .complete, { $0.isFinal = !hasPush }, on: id)
        let record = try #require(await site.control.record(id))
        #expect(record.outputs[0].state == .failed && record.outputs[0].error?.code == "disk_full")
        #expect(record.state == (hasPush ? .active : .complete) && record.partial)
    }

    @Test("of a room that is empty ends after `emptySeconds`, and not before its wait is over")
    func emptyRoom() async throws {
        let site = try await EgressSite()
        let (id, _, _) = try await site.start()
        let now = Clocks.now()
        await site.control.advance(to: now + .seconds(20))
        #expect(await site.control.entries[id]?.run.endReason == nil)
        await site.control.advance(to: now + .seconds(31))
        #expect(await site.control.entries[id]?.run.endReason == "no_media")
    }

    @Test("of a room into which media flows waits for none")
    func flowing() async throws {
        let site = try await EgressSite()
        await site.control.media(room: "RM_1", flows: true)
        let (id, _, _) = try await site.start()
        #expect(await site.control.entries[id]?.deadline == nil)
        await site.control.advance(to: Clocks.now() + .seconds(4000))
        #expect(await site.control.entries[id]?.run.endReason == nil)
    }

    @Test("is taken up by the next gateway: what had begun waits for its room, and is active once it records again")
    func restart() async throws {
        let site = try await EgressSite()
        await site.control.media(room: "RM_1", flows: true)
        let (id, job, _) = try await site.start()
        try await site.report(.active, on: id)
        await site.persist()
        await site.store.close()

        let next = try await EgressSite(in: site.folder)
        try await next.control.load()
        #expect(await next.control.record(id)?.state == .waiting)
        await next.control.media(room: "RM_1", flows: true)
        await next.persist()
        #expect(await next.control.record(id)?.state == .waiting)
        #expect(await next.control.entries[id]?.worker != nil)
        try await next.report(.active, on: id)
        await next.persist()
        #expect(await next.control.record(id)?.state == .active)
        let stored = try #require(try await next.store.job(job))
        #expect(stored.state == .running && stored.attempt == 2)
        #expect(await next.control.entries[id]?.fence == stored.fence)
    }

    @Test("does not keep a tape that a kill came before: its output was never stored")
    func tapeOfNobody() async throws {
        let site = try await EgressSite()
        let (id, _, _) = try await site.start()
        await site.persist()
        let target = OutputAssignment.Target.tape(root: "/data/tapes", path: "TP_1.tape", id: "TP_1")
        let output = OutputAssignment(id: "raw", target: target, selection: .all)
        _ = try await site.control.add(output, as: OutputRecord(id: "raw", type: .tape), to: id)
        #expect(try await site.store.document(.tape, id: "TP_1") != nil)
        await site.store.close()  // and what was added is not persisted
        let next = try await EgressSite(in: site.folder)
        try await next.control.load()
        #expect(await next.control.record(id)?.outputs.map(\.id) == ["film"])
        #expect(try await next.store.document(.tape, id: "TP_1") == nil)
    }

    @Test("that cannot be read does not keep the gateway from starting")
    func unreadable() async throws {
        let site = try await EgressSite()
        let (id, _, _) = try await site.start()
        await site.persist()
        var document = try #require(try await site.store.document(.egress, id: id))
        document.body = Array("{}".utf8)
        try await site.store.commit(Change(documents: [.put(document, expected: document.version)]))
        await site.store.close()
        let next = try await EgressSite(in: site.folder)
        try await next.control.load()
        #expect(await next.control.entries.isEmpty)
    }

    @Test("changes that the store cannot take now are written later")
    func storeInTrouble() async throws {
        let site = try await EgressSite()
        let (id, _, _) = try await site.start()
        await site.persist()
        await site.store.close()
        try await site.report(.complete, { $0.isFinal = true }, on: id)
        #expect(await site.control.persistBatch() == false)
        let pending = try #require(await site.control.entries[id]?.pending)
        #expect(pending.isDirty && pending.hasEnded && pending.jobs.count == 2)
    }
}

extension EgressRunTests {
    static let push = OutputAssignment(id: "more", target: .rtmp(url: "rtmp://a/b/c"), selection: .all)
    static let pushRecord = OutputRecord(id: "more", type: .rtmp)
}
