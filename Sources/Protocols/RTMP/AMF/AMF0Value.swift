/// A value of Action Message Format 0, as far as RTMP uses it (AMF0 specification section 2).
public enum AMF0Value: Equatable, Sendable {
    case number(Double)
    case boolean(Bool)
    case string(String)
    case object([AMF0Property])
    case null
    case undefined
    case ecmaArray([AMF0Property])
    case strictArray([AMF0Value])
    /// Milliseconds since 1970 UTC.
    case date(Double)

    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var number: Double? { if case .number(let value) = self { value } else { nil } }
    public var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }

    /// A number without its fraction; `nil` for what no integer can hold, as NaN.
    public var integer: Int? { number.flatMap { Int(exactly: $0.rounded(.towardZero)) } }

    /// The properties of an object or an ECMA array.
    public var properties: [AMF0Property] {
        switch self {
        case .object(let properties), .ecmaArray(let properties): properties
        case .number, .boolean, .string, .null, .undefined, .strictArray, .date: []
        }
    }

    /// The property of that name; the last, if there are several.
    public subscript(name: String) -> AMF0Value? { properties.last { $0.name == name }?.value }
}

/// A named value of an object or an ECMA array. Order is kept, names may repeat.
public struct AMF0Property: Equatable, Sendable {
    public var name: String
    public var value: AMF0Value

    public init(_ name: String, _ value: AMF0Value) {
        self.name = name
        self.value = value
    }
}

/// Why AMF0 was refused. Drop the message and count it, or end the session if it was a command.
public enum AMF0Error: Error, Equatable, Sendable {
    case truncated
    case tooDeep
    case tooManyValues
    /// A marker of no value that a peer of ours may send: references, typed objects, AMF3 and what is reserved.
    case unsupportedMarker(UInt8)
    /// An object whose empty name is not followed by its end marker.
    case missingObjectEnd
}

extension AMF0Value: ExpressibleByStringLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(dictionaryLiteral elements: (String, AMF0Value)...) {
        self = .object(elements.map { AMF0Property($0.0, $0.1) })
    }
}
