import YAML

extension Pipeline {
    /// Reads the text of one pipeline file.
    /// - Throws: ``ConfigurationError`` with the line of what is wrong.
    public init(name: String, file: String, text: String) throws(ConfigurationError) {
        do throws(ValueError) {
            try self.init(name: name, text: text)
        } catch {
            let place = ConfigurationProblem.Place.file(file, line: error.line, column: error.column)
            throw ConfigurationError(problems: [ConfigurationProblem(place: place, key: "", message: error.message)])
        }
    }

    private init(name: String, text: String) throws(ValueError) {
        let root = try Self.tree(text)
        let isName = name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        guard isName, (1...64).contains(name.utf8.count) else {
            throw ValueError("a pipeline's file name is 1 to 64 of a-z 0-9 -, then .yaml", at: root)
        }
        let members = try Members(root, known: ["title", "source", "encoding", "outputs", "start", "limits"])
        guard let title = try members.text("title") else {
            throw ValueError("needs a `title`: one line for people", at: root)
        }
        guard let outputs = members.node("outputs") else { throw ValueError("needs `outputs`", at: root) }
        self.name = name
        self.title = title
        source = try Self.source(members.node("source"))
        encoding = try Self.encoding(members.node("encoding"))
        self.outputs = try Self.outputs(outputs)
        start = try Self.start(members.node("start"))
        limits = try Self.limits(members.node("limits"))
    }

    private static func tree(_ text: String) throws(ValueError) -> YAMLNode {
        do throws(YAMLError) {
            return try YAMLNode(parsing: text)
        } catch {
            let place = YAMLNode(.sequence([]), line: error.line, column: error.column)
            throw ValueError(error.message, at: place)
        }
    }

    private static func source(_ node: YAMLNode?) throws(ValueError) -> Source? {
        guard let node else { return nil }
        let type = try choice("type", of: node, among: ["room", "participant"])
        if type == "room" {
            _ = try Members(node, known: ["type"])
            return .room
        }
        let members = try Members(node, known: ["type", "identity", "screen_share"])
        guard let identity = try members.text("identity") else { throw ValueError("needs an `identity`", at: node) }
        return .participant(identity: identity, screenShare: try flag("screen_share", of: members))
    }

    private static func encoding(_ node: YAMLNode?) throws(ValueError) -> Encoding? {
        guard let node else { return nil }
        _ = try Members(node, known: ["preset"])
        return Encoding(preset: try choice("preset", of: node, among: Encoding.presets))
    }

    private static func outputs(_ node: YAMLNode) throws(ValueError) -> [Output] {
        guard let items = node.items, !items.isEmpty else {
            throw ValueError("`outputs` must be a list of one or more", at: node)
        }
        var outputs: [Output] = []
        for item in items {
            let output = try output(item)
            guard !outputs.contains(where: { $0.id == output.id }) else {
                throw ValueError("two outputs have the id `\(output.id)`", at: item)
            }
            outputs.append(output)
        }
        return outputs
    }

    private static func output(_ node: YAMLNode) throws(ValueError) -> Output {
        let type = try choice("type", of: node, among: ["mp4", "rtmp"])
        let isFile = type == "mp4"
        let members = try Members(node, known: ["id", "type"] + (isFile ? ["path"] : ["url"]))
        guard let id = try members.text("id") else { throw ValueError("needs an `id`", at: node) }
        if isFile {
            return Output(id: id, target: .mp4(path: try members.text("path")))
        }
        let url = try members.text("url")
        if let url, !url.hasPrefix("rtmp://"), !url.hasPrefix("rtmps://") {
            throw ValueError("`url` must begin with rtmp:// or rtmps://", at: members.node("url") ?? node)
        }
        return Output(id: id, target: .rtmp(url: url))
    }

    private static func start(_ node: YAMLNode?) throws(ValueError) -> Start {
        var start = Start(waitSeconds: 30, preroll: .gop)
        guard let node else { return start }
        let members = try Members(node, known: ["wait_seconds", "preroll"])
        start.waitSeconds = try number("wait_seconds", of: members) ?? start.waitSeconds
        switch members.node("preroll")?.scalar {
        case nil, .text("gop"): start.preroll = .gop
        case .text("none"): start.preroll = .none
        case .integer(let seconds) where seconds >= 0: start.preroll = .seconds(Double(seconds))
        case .number(let seconds) where seconds >= 0: start.preroll = .seconds(seconds)
        case .some: throw ValueError("`preroll` must be gop, none or seconds", at: members.node("preroll") ?? node)
        }
        return start
    }

    private static func limits(_ node: YAMLNode?) throws(ValueError) -> Limits {
        guard let node else { return Limits() }
        let members = try Members(node, known: ["duration_seconds", "bytes", "empty_seconds"])
        let bytes = try number("bytes", of: members)
        guard bytes.map({ Int64(exactly: $0) != nil }) ?? true else {
            throw ValueError("`bytes` must be a whole number", at: members.node("bytes") ?? node)
        }
        return Limits(
            durationSeconds: try number("duration_seconds", of: members), bytes: bytes.flatMap { Int64(exactly: $0) },
            emptySeconds: try number("empty_seconds", of: members))
    }

    private static func choice(_ key: String, of node: YAMLNode, among known: [String]) throws(ValueError) -> String {
        let words = "`\(key)` must be " + (known.count == 1 ? known[0] : "one of " + known.joined(separator: ", "))
        guard node.entries != nil else { throw ValueError("must be { \(key): … }", at: node) }
        guard let value = node[key] else { throw ValueError(words, at: node) }
        guard let text = value.text, known.contains(text) else {
            throw ValueError(words + (value.text.map { ", and is `\($0)`" } ?? ""), at: value)
        }
        return text
    }

    private static func flag(_ key: String, of members: Members) throws(ValueError) -> Bool {
        guard let node = members.node(key) else { return false }
        guard case .bool(let value) = node.scalar else { throw ValueError("`\(key)` must be true or false", at: node) }
        return value
    }

    /// A whole or broken number from 0 on; `nil` when it is absent or null.
    private static func number(_ key: String, of members: Members) throws(ValueError) -> Double? {
        guard let node = members.node(key) else { return nil }
        switch node.scalar {
        case .integer(let value) where value >= 0: return Double(value)
        case .number(let value) where value >= 0: return value
        case .some, .none: throw ValueError("`\(key)` must be a number from 0 on, or null", at: node)
        }
    }
}
