import Bytes
import Feed
import ISOBMFF
import MediaLoop
import Packaging
import Storage
import Timing

/// One MP4 file being written: carries out what its recorder asks for, in order, and syncs as it must.
///
/// The first decodable frame is synced at once; after it, syncs are joined to one a second. A barrier holds everything
/// behind it until the disk has what stands before it.
final class RecordingFile {
    /// What the owner is to know. Positions are those of the feed.
    enum Event {
        case created(path: String)
        /// The first decodable frame is durable.
        case active(startedAt: WallTime)
        /// Everything before `position` is durable.
        case durable(position: UInt64)
        case warning(RecorderWarning)
        /// So much of the room's time, at this time of the file, was left out.
        case leftOut(Duration, at: Duration)
        /// Feed what comes into a file with this recorder.
        case full(next: MP4Recorder)
        /// Sealed and durable, or removed when it holds nothing.
        case finished(RecorderStatistics)
        /// Nothing more is written; what was written before plays.
        case failed(StorageError)
    }

    private static let syncInterval = Duration.seconds(1)

    private(set) var recorder: MP4Recorder
    /// `nil` until the first bytes of a further part, and once the file is done with.
    private(set) var file: LocalFile?
    /// Bytes of a file that was let go of.
    private(set) var writtenBytes: UInt64 = 0
    /// False for a further part of which nothing was written yet.
    private(set) var wasCreated: Bool
    /// Made here, not adopted.
    private var isOwn: Bool
    /// Absolute, once the file is there.
    private(set) var location: String?
    private let root: StorageRoot
    private let path: String
    private let context: WorkerContext
    private let onEvent: (RecordingFile, Event) -> Void
    private var isAtBarrier = false
    private var isSyncing = false
    private var isDone = false
    private var lastSync: Instant?
    /// What the next sync makes true: the first frame, and the feed up to a position.
    private var startedAt: WallTime?
    private var position: UInt64?
    private var wake: Int64?
    /// The newest room time that was seen, and when.
    private var clock: (time: Int64, at: Instant)?

    init(
        recorder: MP4Recorder, file: LocalFile?, isOwn: Bool, root: StorageRoot, path: String, context: WorkerContext,
        _ onEvent: @escaping (RecordingFile, Event) -> Void
    ) {
        self.recorder = recorder
        self.file = file
        wasCreated = file != nil
        self.isOwn = isOwn
        location = file?.path
        self.root = root
        self.path = path
        self.context = context
        self.onEvent = onEvent
    }

    func receive(_ record: Record, at now: Instant) {
        clock = (record.time, now)
        recorder.receive(record)
    }

    /// Writes what the records of a batch made ready.
    func drained(at now: Instant) {
        if let clock { recorder.advance(to: clock.time) }
        pump(at: now)
    }

    func tick(at now: Instant) {
        if let wake, let clock, clock.time &+ (now - clock.at).nanoseconds >= wake {
            recorder.advance(to: clock.time &+ (now - clock.at).nanoseconds)
            pump(at: now)
        } else {
            syncIfDue(at: now)
        }
    }

    /// Writes what is there, and leaves out what comes.
    func pause(at now: Instant) {
        recorder.pause()
        pump(at: now)
    }

    func resume() { recorder.resume() }

    /// Is full at the next key frame.
    func split() { recorder.split() }

    func setChapters(_ chapters: [Chapter]) { recorder.chapters = chapters }

    func finish(at now: Instant) {
        recorder.finish()
        pump(at: now)
    }

    /// Lets go of the file as it stands.
    func abandon() {
        isDone = true
        if let file {
            writtenBytes = UInt64(clamping: file.byteCount)
            if file.byteCount == 0, isOwn { try? root.remove(file.relativePath) }
        }
        file = nil
    }

    private func pump(at now: Instant) {
        do throws(StorageError) {
            while !isAtBarrier, !isDone, try perform(recorder.pollOutput(), at: now) {}
        } catch {
            abandon()
            onEvent(self, .failed(error))
        }
        syncIfDue(at: now)
    }

    /// - Returns: false when there is nothing more to do now.
    private func perform(_ output: MP4Recorder.Output, at now: Instant) throws(StorageError) -> Bool {
        switch output {
        case .append(let bytes): try open().append(bytes.span)
        case .patch(let offset, let bytes): try open().patch(bytes.span, at: Int64(clamping: offset))
        case .sync(let position): self.position = position
        case .active(let startedAt): self.startedAt = startedAt
        case .warning(let warning): onEvent(self, .warning(warning))
        case .leftOut(let length, let at): onEvent(self, .leftOut(length, at: at))
        case .barrier:
            isAtBarrier = true
            if !isSyncing { sync(at: now) }
        case .full:
            onEvent(self, .full(next: recorder.nextPart()))
            recorder.finish()
        case .finished(let statistics): try seal(statistics)
        case .wait(let until):
            wake = until
            return false
        }
        return true
    }

    private func open() throws(StorageError) -> LocalFile {
        if let file { return file }
        let created = try root.create(path, pool: context.pool)
        file = created
        wasCreated = true
        isOwn = true
        location = created.path
        onEvent(self, .created(path: created.path))
        return created
    }

    private func seal(_ statistics: RecorderStatistics) throws(StorageError) {
        isDone = true
        guard let file else { return onEvent(self, .finished(statistics)) }
        if file.byteCount == 0 {
            self.file = nil
            try root.remove(file.relativePath)
            return onEvent(self, .finished(statistics))
        }
        let promise = takePromise()
        context.sync(file) { [self] error in
            self.file = nil
            if let error { return onEvent(self, .failed(error)) }
            keep(promise)
            onEvent(self, .finished(statistics))
        }
    }

    private func syncIfDue(at now: Instant) {
        guard position != nil, !isSyncing, !isDone else { return }
        if let lastSync, startedAt == nil, now - lastSync < Self.syncInterval { return }
        sync(at: now)
    }

    private func sync(at now: Instant) {
        guard let file else { return isAtBarrier = false }
        isSyncing = true
        lastSync = now
        let promise = takePromise()
        let coversBarrier = isAtBarrier
        context.sync(file) { [self] error in
            isSyncing = false
            guard !isDone else { return }
            if let error {
                abandon()
                return onEvent(self, .failed(error))
            }
            keep(promise)
            if isAtBarrier && !coversBarrier { return sync(at: Clocks.now()) }
            isAtBarrier = false
            pump(at: Clocks.now())
        }
    }

    /// What becomes true with a sync that begins now.
    private func takePromise() -> (startedAt: WallTime?, position: UInt64?) {
        defer { (startedAt, position) = (nil, nil) }
        return (startedAt, position)
    }

    private func keep(_ promise: (startedAt: WallTime?, position: UInt64?)) {
        if let startedAt = promise.startedAt { onEvent(self, .active(startedAt: startedAt)) }
        if let position = promise.position { onEvent(self, .durable(position: position)) }
    }
}
