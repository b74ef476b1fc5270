import FoundationEssentials
import Storage
import Store
import Timing

extension Service {
    public func files(ofEgress id: String, caller: Caller) async throws(ServiceError) -> [FileRecord] {
        let record = try await egress(id, caller: caller)
        return record.outputs.filter(\.type.hasOwnFiles).flatMap { output in
            let manifest = [output.manifestPath].compactMap { $0.flatMap { file($0, of: nil, egress: id) } }
            if output.type == .hls { return segments(of: output, egress: id) + manifest }
            let paths = output.parts.isEmpty ? output.location.map { [$0] } ?? [] : output.parts.map(\.location)
            return paths.compactMap { file($0, of: output.id, egress: id) } + manifest
        }
    }

    /// The file that an output wrote, or writes.
    public func file(ofOutput output: String, egress id: String, caller: Caller) async throws(ServiceError)
        -> ServedFile
    {
        let record = try await egress(id, caller: caller)
        guard let found = record.outputs.first(where: { $0.id == output }) else {
            throw ServiceError(.notFound, "The egress has no output `\(output)`.")
        }
        guard found.type.hasOwnFiles, let location = found.location, record.deletedAt == nil,
            file(location, of: output, egress: id) != nil
        else {
            throw ServiceError(.notFound, "The output `\(output)` has no file.", remedy: "Wait until it is active.")
        }
        guard let file = beneath(location) else { throw ServiceError(.notFound, "The file is not there any more.") }
        return file
    }

    /// A file by the `path` of its ``FileRecord``.
    public func file(_ path: String, ofEgress id: String, caller: Caller) async throws(ServiceError) -> ServedFile {
        let record = try await egress(id, caller: caller)
        let whole = folder.recordings + "/" + path
        let name = path.split(separator: "/").last.map { String($0) } ?? "."
        let parent = String(whole.prefix(upToLast: "/"))
        let isInFolder = record.folderPaths.contains(parent) && !name.hasPrefix(".")
        guard record.deletedAt == nil, record.filePaths.contains(whole) || isInFolder,
            let file = isInFolder ? segment(name, in: parent) : beneath(whole)
        else { throw ServiceError(.notFound, "The egress has no file `\(path)`.") }
        return file
    }

    /// What was recorded, as far as the gateway knows it: outputs, times, counts.
    public func manifest(ofEgress id: String, caller: Caller) async throws(ServiceError) -> JSONValue {
        let record = try await egress(id, caller: caller)
        if let run = await egressControl.entries[id]?.run { return run.manifest }
        return try await translating {
            guard let document = try await self.store.document(.egress, id: record.id) else {
                throw ServiceError.noEgress(id)
            }
            return try JSONDecoder().decode(EgressRun.self, from: Data(document.body)).manifest
        }
    }

    /// What stands in the folder of an HLS output.
    private func segments(of output: OutputRecord, egress id: String) -> [FileRecord] {
        guard let location = output.location else { return [] }
        let folder = String(location.prefix(upToLast: "/"))
        let names = (try? storage.files(in: relative(folder))) ?? []
        return names.compactMap { file("\(folder)/\($0)", of: output.id, egress: id) }
    }

    private func file(_ path: String, of output: String?, egress id: String) -> FileRecord? {
        guard let facts = FileFacts(path: path) else { return nil }
        let relative = relative(path)
        return FileRecord(
            path: relative, output: output, sizeBytes: facts.byteCount, modifiedAt: Timestamp(facts.modifiedAt),
            contentType: ContentType.of(relative),
            href: "/v1/egress/\(id)/files/"
                + relative.split(separator: "/").map { URLPath.escaped(String($0)) }.joined(separator: "/"))
    }
}
