import FoundationEssentials
import Log
import YAML

/// The members of a mapping with fixed keys, for values that are small records.
struct Members {
    private let values: [String: YAMLNode]

    /// - Throws: ``ValueError`` naming the line of a key that is not in `known`.
    init(_ node: YAMLNode, known: [String]) throws(ValueError) {
        guard case .mapping(let entries) = node.value else {
            throw ValueError("must be { \(known.map { $0 + ":" }.joined(separator: ", ")) }", at: node)
        }
        var values: [String: YAMLNode] = [:]
        for entry in entries {
            guard known.contains(entry.key) else {
                let place = YAMLNode(.sequence([]), line: entry.line, column: entry.column)
                throw ValueError(Suggestion.unknownKey(entry.key, among: known), at: place)
            }
            values[entry.key] = entry.value.isNull ? nil : entry.value
        }
        self.values = values
    }

    func text(_ key: String) throws(ValueError) -> String? {
        guard let node = values[key] else { return nil }
        guard let text = node.text, !text.isEmpty else { throw ValueError("`\(key)` must be text", at: node) }
        return text
    }

    func node(_ key: String) -> YAMLNode? { values[key] }
}

extension ValueKind where Value == Configuration.TLSFiles? {
    static var tls: Self {
        ValueKind(
            words: "{ cert: FILE, key: FILE }, or null", isStructured: true,
            read: { node throws(ValueError) in
                if node.isNull { return nil }
                let members = try Members(node, known: ["cert", "key"])
                guard let cert = try members.text("cert"), let key = try members.text("key") else {
                    throw ValueError("needs both `cert` and `key`", at: node)
                }
                return Configuration.TLSFiles(cert: cert, key: key)
            },
            write: { files in
                files.map { "{ cert: \(Quantity.quoted($0.cert)), key: \(Quantity.quoted($0.key)) }" } ?? "null"
            })
    }
}

extension ValueKind where Value == Configuration.ICEServer {
    static var iceServer: Self {
        ValueKind(
            words: "{ urls: [..], username:, credential: }", isStructured: true,
            read: { node throws(ValueError) in
                let members = try Members(node, known: ["urls", "username", "credential"])
                guard let urls = members.node("urls") else { throw ValueError("needs `urls`", at: node) }
                return Configuration.ICEServer(
                    urls: try ValueKind<String>.text.list().read(urls), username: try members.text("username"),
                    credential: try members.text("credential").map { Secret($0) })
            },
            write: { server in
                var parts = ["urls: " + ValueKind<String>.text.list().write(server.urls)]
                if let name = server.username { parts.append("username: \(Quantity.quoted(name))") }
                if server.credential != nil { parts.append("credential: \"***\"") }
                return "{ " + parts.joined(separator: ", ") + " }"
            })
    }
}

extension ValueKind where Value == [APIKey] {
    static var keys: Self {
        ValueKind(
            words: "KEY: SECRET", isStructured: true,
            read: { node throws(ValueError) in
                if node.isNull { return [] }
                guard case .mapping(let entries) = node.value else { throw ValueError("must be KEY: SECRET", at: node) }
                return try entries.map { entry throws(ValueError) in try key(entry) }
            },
            write: { keys in
                guard !keys.isEmpty else { return "{ }" }
                return keys.map { key in
                    let rooms = key.rooms.map { ", rooms: \(Quantity.quoted($0))" } ?? ""
                    return "\n  \(Quantity.quoted(key.id)): { secret: \"***\"\(rooms) }"
                }.joined()
            })
    }

    private static func key(_ entry: YAMLEntry) throws(ValueError) -> APIKey {
        let node = entry.value
        let place = YAMLNode(.sequence([]), line: entry.line, column: entry.column)
        let isName = entry.key.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "_-".utf8.contains(byte)
        }
        guard isName, (1...64).contains(entry.key.utf8.count) else {
            throw ValueError("a key's name is 1 to 64 of A-Z a-z 0-9 _ -, and `\(entry.key)` is not", at: place)
        }
        if !node.isNull, let secret = node.text { return APIKey(id: entry.key, secret: Secret(secret)) }
        guard case .mapping = node.value else { throw ValueError("`\(entry.key)` has no secret", at: place) }
        let members = try Members(node, known: ["secret", "secret_file", "rooms"])
        let rooms = try members.text("rooms")
        switch (try members.text("secret"), try members.text("secret_file")) {
        case (let secret?, nil):
            return APIKey(id: entry.key, secret: Secret(secret), rooms: rooms)
        case (nil, let file?):
            guard let secret = TextFile.contents(of: file) else {
                throw ValueError(
                    "`\(entry.key)`: can't read the secret file \(file)", at: members.node("secret_file") ?? node)
            }
            return APIKey(id: entry.key, secret: Secret(secret.trimmed), rooms: rooms)
        case (nil, nil), (.some, .some):
            throw ValueError("`\(entry.key)` needs one of `secret` and `secret_file`", at: place)
        }
    }
}

/// Small text files that the configuration names.
enum TextFile {
    /// The text of `path`, or `nil` when it can't be read, is larger than 1 MiB or not UTF-8.
    static func contents(of path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20 else { return nil }
        return String(data: data, encoding: .utf8)
    }
}
