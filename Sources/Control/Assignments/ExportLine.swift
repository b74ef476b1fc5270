/// One line of what an export says on its standard output, as JSON: the worker writes, the command line reads.
public enum ExportLine: Codable, Equatable, Sendable {
    /// Bytes of the tape that were read, of all; `pass` counts from 1.
    case progress(pass: Int, of: Int, done: Int64, total: Int64)
    /// What cannot be read of the tape.
    case damage(String)
    case warning(message: String, remedy: String)
    /// A file is complete. `startSeconds` counts from the first media of the tape.
    case file(path: String, tracks: Int, startSeconds: Double, durationSeconds: Double, sizeBytes: Int64)
    /// Nothing more is done.
    case failed(message: String, remedy: String?)
}

/// What an export is to do: its only argument, as JSON.
public struct ExportRequest: Codable, Equatable, Sendable {
    public enum Format: String, Codable, CaseIterable, Sendable {
        case mp4
        case mkv
    }

    /// The tape's path.
    public var tape: String
    /// The folder that files are made in, and the first part of their names.
    public var folder: String
    public var name: String
    public var format: Format
    /// Each track in a file of its own; else all in one.
    public var perTrack: Bool
    /// Only these, by their `TR_…` ids; empty for all.
    public var tracks: [String]

    public init(
        tape: String, folder: String, name: String, format: Format, perTrack: Bool = false, tracks: [String] = []
    ) {
        self.tape = tape
        self.folder = folder
        self.name = name
        self.format = format
        self.perTrack = perTrack
        self.tracks = tracks
    }
}
