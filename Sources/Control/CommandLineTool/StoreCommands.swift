import Config
import FoundationEssentials
import MediaLoop
import Service
import Storage
import Store
import Timing

/// `sluice store backup|check`: the data folder of a gateway, whether it runs or not.
enum StoreCommands {
    private static let options = [
        OptionSpec("--config", "FILE", "the gateway's configuration, for its `data:` (SLUICE_CONFIG)"),
        OptionSpec("--data", "FOLDER", "the data folder itself (SLUICE_DATA)"),
    ]

    static let specs = [
        CommandSpec(
            name: "store backup", usage: "FILE", operands: 1...1,
            summary: "Copy the store into FILE, as it is at one instant; the gateway may run.",
            details: [
                "The copy is checked before it gets its name; FILE must not exist. It holds stream keys and push URLs: it is",
                "made readable for its owner only. Recordings are files of their own: copy recordings/ and tapes/ too.",
                "Run it as the gateway's user. To restore: stop the gateway, put the copy in the place of store/sluice.db,",
                "remove store/sluice.db-wal and -shm if they are there, start it.",
            ], options: options
        ) { invocation throws(CommandError) in
            let store = try data(invocation) + "/store/sluice.db"
            return try backup(store, to: invocation.arguments.rest[0])
        },
        CommandSpec(
            name: "store check",
            summary: "Check the store, its records and the files of recordings; the gateway may run.",
            details: [
                "Reads every page of the store, holds jobs against records and records against files, and lists files that no",
                "record names (orphans) and temporary files that were left. Nothing is changed. Exit code: 0 sound, also with",
                "orphans; 1 when the store is damaged, contradicts itself, or a recording's file is missing.",
            ], options: options
        ) { invocation throws(CommandError) in
            let data = try data(invocation)
            let found = try wrapping { () throws(StoreError) in try StoreInspection(data: data, at: Clocks.wall()) }
            Output.line(lines(of: found, data: data).joined(separator: "\n"))
            return .exit(found.isSound ? 0 : 1)
        },
    ]

    private static func data(_ invocation: Invocation) throws(CommandError) -> String {
        let source = ConfigurationSource(
            file: invocation.arguments.value("--config"), environment: invocation.environment)
        let configured = try CommandError.wrapping { () throws(ConfigurationError) in
            try source.preview().configuration.data
        }
        let path = invocation.arguments.value("--data") ?? configured
        guard let absolute = try? FileManager.default.subpathsOfDirectory(atPath: path + "/store"), !absolute.isEmpty
        else {
            throw .failed("there is no store in \(path)", remedy: "Name the data folder with --data, or --config FILE.")
        }
        let resolved = URL(filePath: path).resolvingSymlinksInPath().path
        return resolved.count > 1 && resolved.hasSuffix("/") ? String(resolved.dropLast()) : resolved
    }

    private static func backup(_ store: String, to target: String) throws(CommandError) -> Tool.Outcome {
        let files = FileManager.default
        guard !files.fileExists(atPath: target) else {
            throw .failed("\(target) exists already", remedy: "Choose another name: a backup overwrites nothing.")
        }
        let part = target + ".part"
        try? files.removeItem(atPath: part)
        guard files.createFile(atPath: part, contents: nil, attributes: [.posixPermissions: 0o600]) else {
            throw .failed("\(part) cannot be made", remedy: "Check the folder, its owner and the space on its disk.")
        }
        do throws(CommandError) {
            try wrapping { () throws(StoreError) in
                try StoreFile.backup(store, to: part)
                let faults = try StoreFile.check(part)
                guard faults.isEmpty else { throw .corrupt(faults.joined(separator: "; ")) }
            }
            try settle(part)  // SQLite leaves the bytes of a copy to the system
        } catch {
            try? files.removeItem(atPath: part)
            throw error
        }
        guard (try? files.moveItem(atPath: part, toPath: target)) != nil else {
            throw .failed("\(part) cannot be renamed to \(target)", remedy: "The backup is whole under that name.")
        }
        try settle(target)
        let size = (try? files.attributesOfItem(atPath: target)[.size] as? any BinaryInteger).map {
            Int64(clamping: $0)
        }
        Output.line("Backup    \(target) (\(Measure.bytes(size ?? 0)), checked)")
        return .exit(0)
    }

    /// Returns once a power cut takes nothing of the file.
    private static func settle(_ path: String) throws(CommandError) {
        do throws(StorageError) {
            try WrittenFile.settle(path)
        } catch {
            throw .failed(error.message, remedy: "Check the disk of the backup, and make it again.")
        }
    }

    private static func wrapping<Result>(_ body: () throws(StoreError) -> Result) throws(CommandError) -> Result {
        do throws(StoreError) {
            return try body()
        } catch {
            throw .failed(error.message, remedy: error.remedy)
        }
    }

    private static func lines(of found: StoreInspection, data: String) -> [String] {
        let schema = "schema \(found.schema.found)"
        let older = found.schema.found < found.schema.known ? ", \(found.schema.known) after the next start" : ""
        var lines = [
            "Store     \(data)/store/sluice.db: \(found.faults.isEmpty ? "whole" : "DAMAGED") (\(schema)\(older))"
        ]
        lines += found.faults.map { "  \($0)" }
        lines.append("Records   \(found.egressCount) egress, \(found.unfinishedJobCount) jobs not ended")
        lines += found.contradictions.map { "  \($0)" }
        lines.append(
            "Missing   \(found.audit.missing.isEmpty ? "none" : "\(found.audit.missing.count) files of recordings")")
        lines += found.audit.missing.map { "  \($0.egress) \($0.output)  \($0.path)" }
        lines.append(heading("Orphans", found.audit.orphans, "that no record names"))
        lines += found.audit.orphans.map(line)
        lines.append(heading("Left", found.audit.leftovers, "of an earlier process"))
        return lines + found.audit.leftovers.map(line)
    }

    private static func heading(_ title: String, _ files: [DataAudit.File], _ what: String) -> String {
        let size = Measure.bytes(files.reduce(0) { $0 &+ $1.byteCount })
        return Output.pad(title, to: 8) + "  " + (files.isEmpty ? "none" : "\(files.count) files \(what) (\(size))")
    }

    private static func line(_ file: DataAudit.File) -> String {
        "  \(file.path)  \(Measure.bytes(file.byteCount))  \(Timestamp(file.modifiedAt))"
    }
}
