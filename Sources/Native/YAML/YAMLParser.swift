import CYAML

/// What a text may cost before it is refused.
public struct YAMLLimits: Equatable, Sendable {
    public var bytes = 1 << 20
    public var depth = 32
    public var nodes = 100_000

    public init() {}
}

extension YAMLNode {
    /// Reads one document. An empty text is `null`.
    public init(parsing text: String, limits: YAMLLimits = YAMLLimits()) throws(YAMLError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }

    /// Reads one document from UTF-8 (or UTF-16 with a byte order mark).
    public init(parsing bytes: [UInt8], limits: YAMLLimits = YAMLLimits()) throws(YAMLError) {
        guard bytes.count <= limits.bytes else {
            throw YAMLError(cause: .tooLarge(bytes: bytes.count, limit: limits.bytes), line: 1, column: 1)
        }
        var events = try EventStream(bytes)
        var builder = TreeBuilder(limits: limits)
        self = try builder.document(from: &events)
    }
}

/// Turns events into a tree.
private struct TreeBuilder {
    let limits: YAMLLimits
    var nodes = 0

    mutating func document(from events: inout EventStream) throws(YAMLError) -> YAMLNode {
        var root = YAMLNode(.scalar("", isPlain: true), line: 1, column: 1)
        var documents = 0
        while true {
            let event = try events.next()
            switch event.kind {
            case .streamEnd:
                return root
            case .documentStart:
                documents += 1
                guard documents == 1 else { throw event.error(.secondDocument) }
            case .streamStart, .documentEnd:
                continue
            case .scalar, .sequenceStart, .sequenceEnd, .mappingStart, .mappingEnd, .alias:
                root = try node(event, from: &events, depth: 1)
            }
        }
    }

    private mutating func node(
        _ event: YAMLEvent, from events: inout EventStream, depth: Int
    ) throws(YAMLError) -> YAMLNode {
        nodes += 1
        guard nodes <= limits.nodes else { throw event.error(.tooManyNodes(limit: limits.nodes)) }
        guard depth <= limits.depth else { throw event.error(.tooDeep(limit: limits.depth)) }
        guard !event.hasAnchor else { throw event.error(.alias) }
        switch event.kind {
        case .scalar(let text, let isPlain):
            return YAMLNode(.scalar(text, isPlain: isPlain), line: event.line, column: event.column)
        case .sequenceStart:
            return try sequence(event, from: &events, depth: depth)
        case .mappingStart:
            return try mapping(event, from: &events, depth: depth)
        case .alias:
            throw event.error(.alias)
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
            throw event.error(.syntax("a value is missing"))
        }
    }

    private mutating func sequence(
        _ start: YAMLEvent, from events: inout EventStream, depth: Int
    ) throws(YAMLError) -> YAMLNode {
        var items: [YAMLNode] = []
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind {
                return YAMLNode(.sequence(items), line: start.line, column: start.column)
            }
            items.append(try node(event, from: &events, depth: depth + 1))
        }
    }

    private mutating func mapping(
        _ start: YAMLEvent, from events: inout EventStream, depth: Int
    ) throws(YAMLError) -> YAMLNode {
        var entries: [YAMLEntry] = []
        var lines: [String: Int] = [:]
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind {
                return YAMLNode(.mapping(entries), line: start.line, column: start.column)
            }
            guard case .scalar(let key, _) = event.kind else {
                throw event.error(event.kind == .alias ? .alias : .keyNotScalar)
            }
            if let first = lines.updateValue(event.line, forKey: key) {
                throw event.error(.duplicateKey(key, firstLine: first))
            }
            let value = try node(try events.next(), from: &events, depth: depth + 1)
            entries.append(YAMLEntry(key: key, line: event.line, column: event.column, value: value))
        }
    }
}
