import JSON
import Service
import Synchronization
import YAML

/// The description of the API (OpenAPI 3.1), from `openapi.yaml`.
enum Document {
    private static let made = Mutex<[UInt8]?>(nil)

    /// As JSON; made at the first call.
    static func json() throws(ServiceError) -> [UInt8] {
        if let bytes = made.withLock({ $0 }) { return bytes }
        do throws(YAMLError) {
            let bytes = JSONValue(try YAMLNode(parsing: PackageResources.openapi_yaml)).bytes
            made.withLock { $0 = bytes }
            return bytes
        } catch {
            throw ServiceError(.internalError, "openapi.yaml cannot be read: \(error)")
        }
    }
}

extension JSONValue {
    /// The same document as JSON.
    init(_ node: YAMLNode) {
        if let entries = node.entries {
            self = .object(entries.map { JSONMember($0.key, JSONValue($0.value)) })
        } else if let items = node.items {
            self = .array(items.map { JSONValue($0) })
        } else {
            switch node.scalar {
            case .bool(let value): self = .bool(value)
            case .integer(let value): self = .integer(value)
            case .number(let value): self = .number(value)
            case .text(let text): self = .string(text)
            case .null, nil: self = .null
            }
        }
    }
}
