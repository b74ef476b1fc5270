extension JSONValue {
    /// Any encodable value as JSON, members in the order in which the type encodes them.
    public init(encoding value: some Encodable) throws {
        let encoder = ValueEncoder(codingPath: [])
        self = try encoder.encoded(value)
    }
}

/// Where a container puts what it has gathered; read once the whole value is encoded.
private final class Slot {
    enum Content {
        case value(JSONValue)
        case array([Slot])
        case object([(name: String, slot: Slot)])
    }

    var content = Content.value(.null)

    var value: JSONValue {
        switch content {
        case .value(let value): value
        case .array(let slots): .array(slots.map(\.value))
        case .object(let members): .object(members.map { JSONMember($0.name, $0.slot.value) })
        }
    }

    func appendMember(_ name: String) -> Slot {
        let slot = Slot()
        var members = if case .object(let members) = content { members } else { [(name: String, slot: Slot)]() }
        content = .value(.null)  // so that the append below finds its array unshared
        members.append((name, slot))
        content = .object(members)
        return slot
    }

    func appendElement() -> Slot {
        let slot = Slot()
        var slots = if case .array(let slots) = content { slots } else { [Slot]() }
        content = .value(.null)
        slots.append(slot)
        content = .array(slots)
        return slot
    }
}

private struct ValueEncoder: Encoder {
    var codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    let slot = Slot()

    init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

    func encoded(_ value: some Encodable) throws -> JSONValue {
        if let json = value as? JSONValue { return json }
        try value.encode(to: self)
        return slot.value
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object = slot.content {} else { slot.content = .object([]) }
        return KeyedEncodingContainer(Keyed(codingPath: codingPath, slot: slot))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        slot.content = .array([])
        return Unkeyed(codingPath: codingPath, slot: slot)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(codingPath: codingPath, slot: slot) }
}

/// What all three kinds of container share: a scalar becomes JSON directly, all else through an encoder of its own.
private func scalar(_ value: some Encodable, codingPath: [any CodingKey]) throws -> JSONValue {
    switch value {
    case let value as JSONValue: value
    case let value as Bool: .bool(value)
    case let value as String: .string(value)
    case let value as Double: value.isFinite ? .number(value) : .null
    case let value as Float: value.isFinite ? .number(Double(value)) : .null
    case let value as any BinaryInteger: Int64(exactly: value).map { .integer($0) } ?? .number(Double(value))
    default: try ValueEncoder(codingPath: codingPath).encoded(value)
    }
}

private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    var codingPath: [any CodingKey]
    let slot: Slot

    mutating func encodeNil(forKey key: Key) throws { slot.appendMember(key.stringValue).content = .value(.null) }

    mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        slot.appendMember(key.stringValue).content = .value(try scalar(value, codingPath: codingPath + [key]))
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        let inner = slot.appendMember(key.stringValue)
        inner.content = .object([])
        return KeyedEncodingContainer(Keyed<Nested>(codingPath: codingPath + [key], slot: inner))
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        let inner = slot.appendMember(key.stringValue)
        inner.content = .array([])
        return Unkeyed(codingPath: codingPath + [key], slot: inner)
    }

    mutating func superEncoder() -> any Encoder { ValueEncoder(codingPath: codingPath) }
    mutating func superEncoder(forKey key: Key) -> any Encoder { ValueEncoder(codingPath: codingPath) }
}

private struct Unkeyed: UnkeyedEncodingContainer {
    var codingPath: [any CodingKey]
    let slot: Slot
    var count = 0

    init(codingPath: [any CodingKey], slot: Slot) {
        self.codingPath = codingPath
        self.slot = slot
    }

    mutating func encodeNil() throws {
        slot.appendElement().content = .value(.null)
        count += 1
    }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
        slot.appendElement().content = .value(try scalar(value, codingPath: codingPath))
        count += 1
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        let inner = slot.appendElement()
        inner.content = .object([])
        count += 1
        return KeyedEncodingContainer(Keyed<Nested>(codingPath: codingPath, slot: inner))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        let inner = slot.appendElement()
        inner.content = .array([])
        count += 1
        return Unkeyed(codingPath: codingPath, slot: inner)
    }

    mutating func superEncoder() -> any Encoder { ValueEncoder(codingPath: codingPath) }
}

private struct Single: SingleValueEncodingContainer {
    var codingPath: [any CodingKey]
    let slot: Slot

    mutating func encodeNil() throws { slot.content = .value(.null) }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
        slot.content = .value(try scalar(value, codingPath: codingPath))
    }
}
