import Config
import JWT
import MediaLoop
import Storage
import Timing

/// Links that need no token: a `<video>` cannot send one.
extension Service {
    /// Signed links to every output of an egress that has a file.
    /// - Parameter base: how the caller reaches the gateway, as `http://host:7880`; `public.http` says otherwise.
    public func createLinks(
        toEgress id: String, _ request: CreateLinks, base: String, caller: Caller
    ) async throws(ServiceError) -> LinksRecord {
        let record = try await egress(id, caller: caller)
        guard record.deletedAt == nil else {
            throw ServiceError(.deleted, "The files of the egress \(id) were deleted.")
        }
        let end = Clocks.wall() + .seconds(request.ttlSeconds)
        let link: String
        do {
            link = try links.link(to: id, until: end)
        } catch {
            throw ServiceError(.internalError, "A link could not be signed: \(error)")
        }
        let whole = WallTime(nanoseconds: end.nanoseconds / 1_000_000_000 * 1_000_000_000)
        var outputs: [LinkRecord] = []
        for output in record.outputs where output.type.hasOwnFiles {
            guard let location = output.location, let name = location.split(separator: "/").last else { continue }
            let path = "/hls/\(link)/\(id)/\(output.id)/\(URLPath.escaped(String(name)))"
            outputs.append(
                LinkRecord(id: output.id, type: output.type, url: (configuration.public.http ?? base) + path))
        }
        return LinksRecord(ttlSeconds: request.ttlSeconds, expiresAt: Timestamp(whole), outputs: outputs)
    }

    /// A file of an output, by a signed link or, with `public` in its place, of an output that is open to all.
    /// - Throws: `link_invalid`, `link_expired`; `not_found` for all that the link does not open.
    public func linkedFile(
        _ name: String, ofOutput output: String, egress id: String, link: String
    ) async throws(ServiceError) -> ServedFile {
        let isPublic = link == "public"
        if !isPublic { try links.check(link, to: id, at: Clocks.wall()) }
        let record = try await egress(id, caller: Caller(keyID: "", grants: VideoGrants()))
        guard let found = record.outputs.first(where: { $0.id == output }), record.deletedAt == nil,
            !isPublic || found.access == .public, let file = servedFile(name, of: found)
        else { throw ServiceError(.notFound, "There is nothing at this address.") }
        return file
    }

    /// The file `name` of an output, beneath its folder.
    private func servedFile(_ name: String, of output: OutputRecord) -> ServedFile? {
        guard !name.isEmpty, !name.hasPrefix("."), !name.contains("/") else { return nil }
        let locations = [output.location].compactMap { $0 } + output.parts.map(\.location)
        if output.type == .hls {
            return locations.lazy.compactMap { self.segment(name, in: String($0.prefix(upToLast: "/"))) }.first
        }
        let location = locations.first { $0.split(separator: "/").last.map { String($0) } == name }
        return location.flatMap { beneath($0) }
    }

    /// A file in the folder of an HLS output. All but the playlists never change.
    func segment(_ name: String, in folder: String) -> ServedFile? {
        var file = beneath("\(folder)/\(name)")
        file?.isImmutable = !name.hasSuffix(".m3u8")
        return file
    }

    /// The file at an absolute path, if it is a regular file beneath the recordings that no symbolic link leads to.
    func beneath(_ path: String) -> ServedFile? {
        guard storage.holdsFile(relative(path)) else { return nil }
        let name = path.split(separator: "/").last.map { String($0) } ?? path
        return ServedFile(path: path, name: name, contentType: ContentType.of(name))
    }
}

/// What a client is told that a file holds, by the end of its name.
enum ContentType {
    static func of(_ name: String) -> String {
        switch name.split(separator: ".").last.map({ $0.lowercased() }) {
        case "m3u8": "application/vnd.apple.mpegurl"
        case "m4s": "video/iso.segment"
        case "mp4": "video/mp4"
        case "json": "application/json"
        default: "application/octet-stream"
        }
    }
}

/// Names in the path of a URL (RFC 3986 section 3.3).
enum URLPath {
    static func escaped(_ name: String) -> String {
        name.utf8.map { byte in
            let isPlain =
                0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || "-._~".utf8.contains(byte)
            return isPlain
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}

extension String {
    /// What stands before the last `separator`.
    func prefix(upToLast separator: Character) -> Substring {
        lastIndex(of: separator).map { self[..<$0] } ?? self[...]
    }
}
