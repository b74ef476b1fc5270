/// Reads the members of one JSON object by name, and gathers everything that is wrong instead of stopping at the first.
///
/// A reader of a missing or wrong field gives a placeholder; ``finish()`` at the end throws, so that no placeholder is
/// ever used. Members that nobody asked for are errors too.
struct FieldReader {
    /// Labels of one resource, at most.
    static let labelLimit = 32

    private let members: [JSONMember]
    private let pointer: String
    private var known: [String] = []
    private(set) var errors: [FieldError] = []

    /// - Parameter pointer: where the object stands: `#` for the whole body.
    init(_ value: JSONValue, at pointer: String = "#") {
        self.pointer = pointer
        if case .object(let members) = value {
            self.members = members
        } else {
            members = []
            note(nil, "wrong_type", "Expected an object, found \(value.kind).", "Send a JSON object.")
        }
    }

    // MARK: Errors

    mutating func note(_ name: String?, _ code: String, _ detail: String, _ remedy: String) {
        errors.append(FieldError(pointer: place(name), code: code, detail: detail, remedy: remedy))
    }

    /// For an error about a place deeper than this object.
    mutating func noteAt(_ place: String, _ code: String, _ detail: String, _ remedy: String) {
        errors.append(FieldError(pointer: place, code: code, detail: detail, remedy: remedy))
    }

    mutating func noteNotSupported(_ name: String?, _ detail: String, _ remedy: String) {
        note(name, "not_supported", detail, remedy)
    }

    /// The errors so far, with one for each member that nobody asked for.
    func allErrors() -> [FieldError] {
        errors
            + members.filter { !known.contains($0.name) }.map {
                FieldError(
                    pointer: place($0.name), code: "unknown_field", detail: "There is no field `\($0.name)` here.",
                    remedy: "Known here: \(known.joined(separator: ", ")).")
            }
    }

    /// - Throws: `invalid_request` with every error, or `not_supported` if all that is wrong is that.
    func finish() throws(ServiceError) {
        let errors = allErrors()
        guard let first = errors.first else { return }
        let isLater = errors.allSatisfy { $0.code == "not_supported" }
        let detail = errors.count == 1 ? first.detail : "\(errors.count) fields are wrong. First: \(first.detail)"
        throw ServiceError(
            isLater ? .notSupported : .invalidRequest, detail, remedy: errors.count == 1 ? first.remedy : nil,
            errors: errors)
    }

    /// The pointer of a member, or of a member of a member; of the object itself without a name.
    func place(_ names: String?...) -> String {
        pointer + names.compactMap(\.self).map { "/" + Self.escaped($0) }.joined()
    }

    private static func escaped(_ name: String) -> String {
        let escaped = name.unicodeScalars.map { scalar in
            switch scalar {
            case "~": "~0"
            case "/": "~1"
            default: scalar.value < 0x20 ? "?" : String(Character(scalar))
            }
        }
        return escaped.joined()
    }

    // MARK: Members

    /// The member's value; `nil` if it is absent or `null`.
    mutating func value(_ name: String) -> JSONValue? {
        guard let value = raw(name), value != .null else { return nil }
        return value
    }

    /// The member's value, `null` too: for a merge-patch, where `null` takes a value away.
    mutating func raw(_ name: String) -> JSONValue? {
        known.append(name)
        return members.first { $0.name == name }?.value
    }

    mutating func require(_ name: String) {
        guard members.first(where: { $0.name == name && $0.value != .null }) == nil else { return }
        note(name, "missing", "`\(name)` is required.", "Give `\(name)`.")
    }

    mutating func text(_ name: String, bytes: ClosedRange<Int> = 0...1024) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else { return wrongType(name, value, "a string") }
        guard bytes ~= text.utf8.count else {
            note(
                name, "out_of_range", "`\(name)` has \(text.utf8.count) bytes.",
                "Give \(bytes.lowerBound) to \(bytes.upperBound) bytes.")
            return nil
        }
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            note(name, "not_allowed", "`\(name)` holds a control character.", "Leave control characters out.")
            return nil
        }
        return text
    }

    mutating func flag(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let flag) = value else { return wrongType(name, value, "true or false") }
        return flag
    }

    mutating func integer(_ name: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard let value = value(name) else { return nil }
        guard case .integer(let number) = value else { return wrongType(name, value, "a whole number") }
        guard range ~= number else { return outOfRange(name, "\(range.lowerBound)", "\(range.upperBound)") }
        return number
    }

    mutating func number(_ name: String, _ range: ClosedRange<Double>) -> Double? {
        guard let value = value(name) else { return nil }
        let number: Double
        switch value {
        case .integer(let whole): number = Double(whole)
        case .number(let fraction): number = fraction
        default: return wrongType(name, value, "a number")
        }
        guard range ~= number else { return outOfRange(name, "\(range.lowerBound)", "\(range.upperBound)") }
        return number
    }

    mutating func choice<Choice>(_ name: String) -> Choice?
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        guard let value = value(name) else { return nil }
        guard let text = value.string else { return wrongType(name, value, "a string") }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            note(name, "not_allowed", "`\(name)` cannot be `\(text)`.", "Use one of: \(known).")
            return nil
        }
        return choice
    }

    /// Lends the object `name` to `read`, and takes over what is wrong in it.
    mutating func object<Result>(_ name: String, _ read: (inout FieldReader) -> Result) -> Result? {
        guard let value = value(name) else { return nil }
        return nested(value, at: place(name), read)
    }

    /// Lends each object of the array `name` to `read`.
    mutating func objects<Result>(
        _ name: String, count: ClosedRange<Int>, _ read: (inout FieldReader) -> Result
    ) -> [Result]? {
        guard let value = value(name) else { return nil }
        guard let elements = value.array else { return wrongType(name, value, "an array") }
        guard count ~= elements.count else {
            note(
                name, "out_of_range", "`\(name)` has \(elements.count) entries.",
                "Give \(count.lowerBound) to \(count.upperBound) entries.")
            return nil
        }
        return elements.enumerated().map { nested($0.element, at: "\(place(name))/\($0.offset)", read) }
    }

    /// A flat object of texts, as `labels`.
    mutating func labels(_ name: String) -> [String: String]? {
        guard let value = value(name) else { return nil }
        guard case .object(let members) = value else { return wrongType(name, value, "an object of strings") }
        guard members.count <= Self.labelLimit else { return outOfRange(name, "0", "\(Self.labelLimit) labels") }
        var labels: [String: String] = [:]
        for member in members {
            let key = place(name, member.name)
            guard let text = member.value.string else {
                noteAt(key, "wrong_type", "Expected a string, found \(member.value.kind).", "Labels are strings.")
                continue
            }
            guard 1...63 ~= member.name.utf8.count, text.utf8.count <= 256 else {
                noteAt(
                    key, "out_of_range", "A label is too long, or its name is empty.",
                    "Names 1 to 63 bytes, values to 256.")
                continue
            }
            labels[member.name] = text
        }
        return labels
    }

    private mutating func nested<Result>(
        _ value: JSONValue, at pointer: String, _ read: (inout FieldReader) -> Result
    ) -> Result {
        var reader = FieldReader(value, at: pointer)
        let result = read(&reader)
        if case .object = value { errors += reader.allErrors() } else { errors += reader.errors.prefix(1) }
        return result
    }

    private mutating func wrongType<Value>(_ name: String, _ value: JSONValue, _ expected: String) -> Value? {
        note(name, "wrong_type", "Expected \(expected), found \(value.kind).", "Give `\(name)` as \(expected).")
        return nil
    }

    private mutating func outOfRange<Value>(_ name: String, _ low: String, _ high: String) -> Value? {
        note(name, "out_of_range", "`\(name)` is out of range.", "Give \(low) to \(high).")
        return nil
    }
}

/// A field of a merge-patch (RFC 7396): left alone, set, or taken back to its default by `null`.
public enum Patch<Value> {
    case keep
    case clear
    case set(Value)

    /// The value after the patch.
    public func applied(to present: Value, default initial: Value) -> Value {
        switch self {
        case .keep: present
        case .clear: initial
        case .set(let value): value
        }
    }
}

extension Patch: Equatable where Value: Equatable {}
extension Patch: Sendable where Value: Sendable {}

extension FieldReader {
    /// Reads a field of a merge-patch by the reader of the plain field.
    mutating func patch<Value>(_ name: String, _ read: (inout FieldReader) -> Value?) -> Patch<Value> {
        switch raw(name) {
        case nil: .keep
        case .null?: .clear
        case .some: read(&self).map { .set($0) } ?? .keep
        }
    }
}
