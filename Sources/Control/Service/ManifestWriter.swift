import FoundationEssentials
import Log
import Storage
import Synchronization

/// Puts manifests beside recordings, whole or not at all: written beside, synced, renamed. Never waited for.
final class ManifestWriter: Sendable {
    private let root: StorageRoot
    private let pool = SyncPool(threads: 1)
    private let log = Logger("manifest")
    /// The newest write of each path: an older one that comes late is not put in its place.
    private let newest = Mutex<(count: UInt64, byPath: [String: UInt64])>((0, [:]))

    init(root: StorageRoot) { self.root = root }

    /// Writes `manifest` to each of `paths`, absolute and beneath the root.
    func write(_ manifest: JSONValue, to paths: [String]) {
        let bytes = manifest.bytes
        for path in paths where path.hasPrefix(root.path + "/") {
            write(bytes, to: String(path.dropFirst(root.path.count + 1)))
        }
    }

    private func write(_ bytes: [UInt8], to path: String) {
        let number = newest.withLock { newest in
            newest.count += 1
            newest.byPath[path] = newest.count
            return newest.count
        }
        do throws(StorageError) {
            let file = try root.create(path + ".part", pool: pool)
            let draft = file.relativePath
            try file.append(bytes.span)
            file.sync { [self] error in finish(draft, path, number, error) }
        } catch {
            log.warning("a manifest was not written", ["cause": error.message])
        }
    }

    private func finish(_ draft: String, _ path: String, _ number: UInt64, _ error: StorageError?) {
        do throws(StorageError) {
            if let error { throw error }
            let isNewest = newest.withLock { newest in
                guard newest.byPath[path] == number else { return false }
                newest.byPath[path] = nil
                return true
            }
            if isNewest { try root.rename(draft, to: path) } else { try root.remove(draft) }
        } catch {
            try? root.remove(draft)
            log.warning("a manifest was not written", ["cause": error.message])
        }
    }
}

extension OutputRecord {
    /// Where its manifest stands: beside its first file, or its folder. `nil` before there is one.
    var manifestPath: String? {
        guard type.hasOwnFiles, let first = folderPath ?? parts.first?.location ?? location else { return nil }
        return first + ".json"
    }
}
