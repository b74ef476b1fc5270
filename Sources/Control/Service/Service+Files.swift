import Storage
import Store
import Timing

extension Service {
    public func files(ofEgress id: String, caller: Caller) async throws(ServiceError) -> [FileRecord] {
        let record = try await egress(id, caller: caller)
        return record.outputs.filter(\.type.isFileLike).flatMap { output in
            let paths = output.parts.isEmpty ? output.location.map { [$0] } ?? [] : output.parts.map(\.location)
            return paths.compactMap { file($0, of: output.id, egress: id) }
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
        guard found.type.isFileLike, let location = found.location, record.deletedAt == nil,
            file(location, of: output, egress: id) != nil
        else {
            throw ServiceError(.notFound, "The output `\(output)` has no file.", remedy: "Wait until it is active.")
        }
        return served(location)
    }

    /// A file by the `path` of its ``FileRecord``.
    public func file(_ path: String, ofEgress id: String, caller: Caller) async throws(ServiceError) -> ServedFile {
        let all = try await files(ofEgress: id, caller: caller)
        guard all.contains(where: { $0.path == path }) else {
            throw ServiceError(.notFound, "The egress has no file `\(path)`.")
        }
        return served(folder.recordings + "/" + path)
    }

    /// What was recorded, as far as the gateway knows it: outputs, times, counts.
    public func manifest(ofEgress id: String, caller: Caller) async throws(ServiceError) -> JSONValue {
        let record = try await egress(id, caller: caller)
        return .object([
            JSONMember("egress", .string(record.id)), JSONMember("room", .string(record.room)),
            JSONMember("state", .string(record.state.rawValue)),
            JSONMember("startedAt", record.startedAt.map { .string($0.description) } ?? .null),
            JSONMember("endedAt", record.endedAt.map { .string($0.description) } ?? .null),
            JSONMember("attempts", .integer(Int64(record.attempt))),
            JSONMember("outputs", .array(record.outputs.map(\.manifest))),
            JSONMember(
                "warnings",
                .array(record.warnings.map { ["code": .string($0.code), "message": .string($0.message)] })),
        ])
    }

    private func served(_ path: String) -> ServedFile {
        ServedFile(
            path: path, name: path.split(separator: "/").last.map { String($0) } ?? path, contentType: "video/mp4")
    }

    private func file(_ path: String, of output: String, egress id: String) -> FileRecord? {
        guard let facts = FileFacts(path: path) else { return nil }
        let relative = relative(path)
        return FileRecord(
            path: relative, output: output, sizeBytes: facts.byteCount, modifiedAt: Timestamp(facts.modifiedAt),
            contentType: "video/mp4", href: "/v1/egress/\(id)/files/\(relative)")
    }
}

extension OutputRecord {
    fileprivate var manifest: JSONValue {
        .object([
            JSONMember("id", .string(id)), JSONMember("type", .string(type.rawValue)),
            JSONMember("state", .string(state.rawValue)), JSONMember("durationSeconds", .number(durationSeconds)),
            JSONMember("sizeBytes", .integer(sizeBytes)), JSONMember("retries", .integer(Int64(retries))),
            JSONMember("parts", .array(parts.map { .string($0.location) })),
        ])
    }
}
