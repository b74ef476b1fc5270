import FoundationEssentials
import Storage
public import Timing

/// The files of a data folder held against the records of its store. Nothing is changed: what to do with an orphan is for
/// a person to say.
public struct DataAudit: Equatable, Sendable {
    public struct File: Equatable, Sendable {
        /// Beneath the data folder: `recordings/demo.mp4`.
        public let path: String
        public let byteCount: Int64
        public let modifiedAt: WallTime

        /// A file that was to get its name once it was whole.
        var isDraft: Bool {
            let name = path.split(separator: "/").last ?? ""
            return name.hasPrefix(".") && name.hasSuffix(".part")
        }
    }

    public struct Missing: Equatable, Sendable {
        public let egress: String
        public let output: String
        /// Absolute, as the record names it.
        public let path: String
    }

    /// Files of recordings/ and tapes/ that no record names, by path.
    public private(set) var orphans: [File] = []
    /// What an earlier process left under tmp/.
    public private(set) var leftovers: [File] = []
    /// Files that a record names and that are not there, of outputs that are complete and were not deleted.
    public private(set) var missing: [Missing] = []

    /// Younger files may belong to a record that is on its way to the store.
    static let graceTime = Duration.seconds(60)

    /// - Parameters:
    ///   - data: the data folder, absolute.
    ///   - named: what the store names.
    init(data: String, named: NamedFiles, at now: WallTime) {
        for folder in ["recordings", "tapes"] {
            let files = Self.files(of: folder, in: data).filter { $0.modifiedAt <= now - Self.graceTime }
            leftovers += files.filter(\.isDraft)
            orphans += files.filter { !$0.isDraft && !named.covers(data + "/" + $0.path) }
        }
        // A worker's flight mark is the gateway's own affair.
        leftovers += Self.files(of: "tmp", in: data).filter {
            $0.modifiedAt <= now - Self.graceTime && !$0.path.hasSuffix(".mark")
        }
        missing = named.expected.filter { FileFacts(path: $0.path) == nil }
    }

    /// Regular files only; no link is followed.
    private static func files(of folder: String, in data: String) -> [File] {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: data + "/" + folder)) ?? []
        return names.sorted().compactMap { name in
            let path = folder + "/" + name
            return FileFacts(path: data + "/" + path).map {
                File(path: path, byteCount: $0.byteCount, modifiedAt: $0.modifiedAt)
            }
        }
    }

    /// For a log and for readiness: `nil` when all is as it should be.
    public var summary: String? {
        let parts = [
            orphans.isEmpty ? nil : "\(orphans.count) files that no record names",
            leftovers.isEmpty ? nil : "\(leftovers.count) temporary files left",
            missing.isEmpty ? nil : "\(missing.count) files of recordings missing",
        ].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}

/// The files that records name.
struct NamedFiles: Sendable {
    private var paths: Set<String> = []
    /// Folders whose files all belong to an output.
    private var folders: Set<String> = []
    private(set) var expected: [DataAudit.Missing] = []

    mutating func add(_ record: EgressRecord) {
        guard record.deletedAt == nil else { return }
        for output in record.outputs {
            paths.formUnion(output.filePaths)
            if let folder = output.folderPath { folders.insert(folder) }
            guard output.state == .complete, output.startedAt != nil else { continue }
            expected += output.filePaths.filter { $0 != output.manifestPath }.map {
                DataAudit.Missing(egress: record.id, output: output.id, path: $0)
            }
        }
    }

    mutating func add(_ tape: TapeRecord) {
        if let location = tape.location { paths.insert(location) }
    }

    func covers(_ path: String) -> Bool {
        paths.contains(path) || path.lastIndex(of: "/").map { folders.contains(String(path[..<$0])) } == true
    }
}
