import Bytes

/// A command message: its name, its transaction and what follows (RTMP 1.0 section 7.2).
struct Command: Equatable, Sendable {
    var name: String
    /// 0 if no answer is awaited.
    var transaction: Double
    /// The command object first, or null.
    var arguments: [AMF0Value]

    init(_ name: String, transaction: Double = 0, _ arguments: [AMF0Value]) {
        self.name = name
        self.transaction = transaction
        self.arguments = arguments
    }

    /// Reads a command of type 20, or of type 17, where a zero byte precedes AMF0.
    /// - Returns: `nil` for a message that does not begin with a name.
    init?(_ message: RTMPMessage) throws(AMF0Error) {
        var values = try message.amf0Values()
        guard let name = values.first?.string else { return nil }
        self.name = name
        transaction = values.dropFirst().first?.number ?? 0
        values.removeFirst(Swift.min(2, values.count))
        arguments = values
    }

    func serialized() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(amf0: .string(name))
        bytes.append(amf0: .number(transaction))
        for argument in arguments { bytes.append(amf0: argument) }
        return bytes
    }

    /// The argument at `index`, null if there are fewer.
    func argument(_ index: Int) -> AMF0Value { arguments.indices.contains(index) ? arguments[index] : .null }
}

extension RTMPMessage {
    /// The values of a command or data message.
    func amf0Values() throws(AMF0Error) -> [AMF0Value] {
        let bytes = payload.span
        let isWrapped = (type == .commandAMF3 || type == .dataAMF3) && bytes.count > 0 && bytes[0] == 0
        var reader = AMF0Reader(bytes.extracting((isWrapped ? 1 : 0)..<bytes.count))
        return try reader.rest()
    }
}
