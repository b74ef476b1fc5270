import Feed
import ISOBMFF
import Assignments
import Packaging
import Storage

/// Where a recording begins: with what file, in what state, from where in the feed.
struct Beginning {
    var recorder: MP4Recorder
    /// The file to go on in; `nil`: a new one is to be made.
    var file: LocalFile?
    var start: Subscribe.Start
    /// The feed whose position `start` names.
    var epoch: Int64?

    /// Looks at what an earlier attempt left at `path`, if it made it.
    init(
        _ path: String, in root: StorageRoot, of output: OutputAssignment, job: JobContext
    ) throws(StorageError) {
        let options = MP4Recorder.Options(selection: output.selection.forFeed)
        recorder = MP4Recorder(options: options)
        start = Self.start(without: output, job)
        guard output.adopts, let left = try Self.open(path, in: root, job) else { return }
        var scan = try Self.scan(left)
        if scan == .sealed {  // by a worker that ended, not for the egress's end
            scan = try Self.scan(left, reopens: true)
            guard case .open = scan else { return }
            let unseal = HybridHead.unseal
            try left.patch(unseal.bytes.span, at: Int64(clamping: unseal.offset))
        }
        switch scan {
        case .sealed: return
        case .unusable:
            // Only a file that began as ours is overwritten; any other keeps its name to itself.
            let kind = try left.read(at: 4, count: 4)
            guard left.byteCount == 0 || kind == Array("ftyp".utf8) else { return }
            try left.truncate(to: 0)
            file = left
        case .open(let hybrid):
            guard let adopted = MP4Recorder(adopting: hybrid, options: options) else { return }
            try left.truncate(to: min(left.byteCount, Int64(clamping: hybrid.byteCount)))
            recorder = adopted
            file = left
            if let next = adopted.nextPosition { (start, epoch) = (.position(next), adopted.epoch) }
        }
    }

    static func start(without output: OutputAssignment, _ job: JobContext) -> Subscribe.Start {
        guard job.assignment.attempt > 1 else { return job.start }
        if let position = output.resumeFrom { return .position(position) }
        return .gop
    }

    private static func open(
        _ path: String, in root: StorageRoot, _ job: JobContext
    ) throws(StorageError) -> LocalFile? {
        do {
            return try root.open(path, pool: job.worker.pool)
        } catch .notFound {
            return nil
        }
    }

    private static func scan(_ file: LocalFile, reopens: Bool = false) throws(StorageError) -> HybridScan {
        var scanner = HybridScanner(fileSize: UInt64(clamping: file.byteCount), reopens: reopens)
        while true {
            switch scanner.pollOutput() {
            case .read(let offset, let count):
                scanner.receive(try file.read(at: Int64(clamping: offset), count: count))
            case .finished(let scan): return scan
            }
        }
    }
}
