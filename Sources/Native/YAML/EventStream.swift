import CYAML

/// One event of libyaml's parser, copied out.
struct YAMLEvent {
    enum Kind: Equatable {
        case streamStart, streamEnd, documentStart, documentEnd
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
        case alias
        case scalar(String, isPlain: Bool)
    }

    var kind: Kind
    var hasAnchor: Bool
    var line: Int
    var column: Int

    func error(_ cause: YAMLError.Cause) -> YAMLError { YAMLError(cause: cause, line: line, column: column) }
}

/// Owns one `yaml_parser_t` and the text that it reads.
@safe
struct EventStream: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>  // libyaml keeps a pointer into it

    init(_ bytes: [UInt8]) throws(YAMLError) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            unsafe parser.deallocate()
            throw YAMLError(cause: .syntax("out of memory"), line: 1, column: 1)
        }
        let text = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        _ = unsafe text.initialize(from: bytes)
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
        unsafe self.parser = parser
        unsafe self.text = text
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    /// The next event. After `.streamEnd` there is none, and libyaml repeats it.
    mutating func next() throws(YAMLError) -> YAMLEvent {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw syntaxError() }
        defer { unsafe yaml_event_delete(&event) }
        let line = unsafe Int(clamping: event.start_mark.line) + 1
        let column = unsafe Int(clamping: event.start_mark.column) + 1
        guard let (kind, hasAnchor) = unsafe Self.kind(of: event) else {
            throw YAMLError(cause: .syntax("unknown event"), line: line, column: column)
        }
        return YAMLEvent(kind: kind, hasAnchor: hasAnchor, line: line, column: column)
    }

    private static func kind(of event: yaml_event_t) -> (YAMLEvent.Kind, hasAnchor: Bool)? {
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: (.streamStart, false)
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT: (.streamEnd, false)
        case YAML_DOCUMENT_START_EVENT: (.documentStart, false)
        case YAML_DOCUMENT_END_EVENT: (.documentEnd, false)
        case YAML_SEQUENCE_START_EVENT: (.sequenceStart, unsafe event.data.sequence_start.anchor != nil)
        case YAML_SEQUENCE_END_EVENT: (.sequenceEnd, false)
        case YAML_MAPPING_START_EVENT: (.mappingStart, unsafe event.data.mapping_start.anchor != nil)
        case YAML_MAPPING_END_EVENT: (.mappingEnd, false)
        case YAML_ALIAS_EVENT: (.alias, false)
        case YAML_SCALAR_EVENT: unsafe scalar(event)
        default: nil
        }
    }

    private static func scalar(_ event: yaml_event_t) -> (YAMLEvent.Kind, hasAnchor: Bool) {
        let scalar = unsafe event.data.scalar
        let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        let text = unsafe String(decoding: bytes, as: UTF8.self)
        let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
        return (.scalar(text, isPlain: isPlain), unsafe scalar.anchor != nil)
    }

    private func syntaxError() -> YAMLError {
        let mark = unsafe parser.pointee.problem_mark
        var words = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "not YAML"
        if let context = unsafe parser.pointee.context {
            words += " (\(unsafe String(cString: context)))"
        }
        return YAMLError(
            cause: .syntax(words), line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
    }
}
