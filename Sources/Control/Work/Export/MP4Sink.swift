import Assignments
import Bytes
import Feed
import Packaging
import Storage
import Timing

/// MP4 made of a tape by the engine of live recording: what a recording of the same feed would be.
struct MP4Sink: ExportSink {
    private let place: ExportPlace
    private let say: (ExportLine) -> Void
    private var recorder: MP4Recorder
    private var file: LocalFile?
    private(set) var due: Int64?
    private var startedAt: WallTime?

    init(_ place: ExportPlace, selection: Subscribe.Selection, _ say: @escaping (ExportLine) -> Void) {
        self.place = place
        self.say = say
        recorder = MP4Recorder(options: MP4Recorder.Options(selection: selection))
    }

    mutating func receive(_ record: Record) throws(ExportError) {
        recorder.receive(record)
        try pump()
    }

    mutating func advance(to roomTime: Int64) throws(ExportError) {
        recorder.advance(to: roomTime)
        try pump()
    }

    mutating func finish() throws(ExportError) {
        recorder.finish()
        try pump()
    }

    private mutating func pump() throws(ExportError) {
        while true {
            switch recorder.pollOutput() {
            case .append(let bytes):
                let file = try open()
                try ExportError.wrapping { () throws(StorageError) in try file.append(bytes.span) }
            case .patch(let offset, let bytes):
                let file = try open()
                try ExportError.wrapping { () throws(StorageError) in
                    try file.patch(bytes.span, at: Int64(clamping: offset))
                }
            case .active(let startedAt): self.startedAt = startedAt
            case .warning(let warning): say(.warning(message: warning.message, remedy: warning.remedy))
            case .full: try beginPart()
            case .finished(let statistics): finished(statistics)
            case .sync, .barrier, .leftOut: break
            case .wait(let until):
                due = until
                return
            }
        }
    }

    /// What comes goes into a further file.
    private mutating func beginPart() throws(ExportError) {
        let next = recorder.nextPart()
        recorder.finish()
        try pump()
        (recorder, file, startedAt) = (next, nil, nil)
    }

    private mutating func open() throws(ExportError) -> LocalFile {
        if let file { return file }
        let made = try place.create()
        file = made
        return made
    }

    private func finished(_ statistics: RecorderStatistics) {
        guard let file else { return }
        say(
            .file(
                path: file.path, tracks: statistics.tracks.count,
                startSeconds: place.seconds(to: (startedAt ?? WallTime(nanoseconds: place.zero)).nanoseconds),
                durationSeconds: statistics.duration.inSeconds, sizeBytes: file.byteCount))
    }
}
