/// Why a store refused. The first group is the caller's race or mistake: read again and decide. The second is the store's
/// own trouble: nothing was changed, and a person reads the remedy.
public enum StoreError: Error, Equatable, Sendable {
    /// The document stands at `found` (`nil`: there is none), not at `expected`.
    case conflict(kind: DocumentKind, id: String, expected: Int64?, found: Int64?)
    /// Another document of the kind has this unique key.
    case keyTaken(kind: DocumentKind, id: String)
    /// A job or an event with this id is already there.
    case exists(id: String)
    case unknownJob(String)
    case fenced(job: String, presented: Int64, current: Int64)
    case jobState(job: String, from: JobState, to: JobState)
    /// The request behind this idempotency key was answered meanwhile.
    case alreadyAnswered

    case full(String)
    case locked(String)
    case corrupt(String)
    case readOnly(String)
    /// The file is not a store of ours.
    case foreign(String)
    case newerSchema(found: Int64, known: Int64)
    case unavailable(String)
    case closed

    /// What happened, for a log or a problem document.
    public var message: String {
        switch self {
        case .conflict(let kind, let id, let expected, let found):
            "\(kind.rawValue) \(id) is at version \(found ?? 0), not \(expected ?? 0)"
        case .keyTaken(let kind, _): "another \(kind.rawValue) has the same name or key"
        case .exists(let id): "\(id) is already stored"
        case .unknownJob(let id): "there is no job \(id)"
        case .fenced(let job, let presented, let current):
            "job \(job) has moved on to fence \(current); the command carries \(presented)"
        case .jobState(let job, let from, let to): "job \(job) is \(from.rawValue) and cannot become \(to.rawValue)"
        case .alreadyAnswered: "a request with this idempotency key was answered meanwhile"
        case .full(let detail): "the store's volume is full: \(detail)"
        case .locked(let detail): "the store is held by another process: \(detail)"
        case .corrupt(let detail): "the store's file is damaged: \(detail)"
        case .readOnly(let detail): "the store cannot be written: \(detail)"
        case .foreign(let detail): "the file is not a Sluice store: \(detail)"
        case .newerSchema(let found, let known):
            "the store has schema version \(found), made by a newer Sluice; this one knows \(known)"
        case .unavailable(let detail): "the store cannot be used: \(detail)"
        case .closed: "the store is closed"
        }
    }

    /// What the reader can do about it.
    public var remedy: String {
        switch self {
        case .conflict, .jobState, .fenced, .alreadyAnswered: "Read it again: it changed in the meantime."
        case .keyTaken: "Choose another name or key, or delete the one that has it."
        case .exists, .unknownJob: "Check the id."
        case .full: "Free space on the volume that holds the data folder, or move the folder to a larger one."
        case .locked: "Stop the other program that has the store open, such as a second gateway or a database tool."
        case .corrupt:
            "Stop the gateway, keep a copy of the data folder, and put back the last copy made by `sluice store backup`."
        case .readOnly: "Give the gateway's user the right to write the data folder and the files in its store folder."
        case .foreign: "Point `data` at another folder, or move the file away."
        case .newerSchema: "Run the Sluice that wrote it or a later one, or put back a backup made before the upgrade."
        case .unavailable: "Check that the data folder exists and that its volume works, then start again."
        case .closed: "The gateway is stopping: ask again once it is back."
        }
    }
}
