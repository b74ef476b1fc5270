import CFFmpeg

/// Why a call of libav failed.
public struct AVError: Error, Equatable, Sendable, CustomStringConvertible {
    /// libav's own negative number.
    public let code: Int32
    /// The function that gave it.
    public let function: String

    init(code: Int32, in function: String) {
        self.code = code
        self.function = function
    }

    public var description: String {
        var text = [CChar](repeating: 0, count: 128)
        let known = unsafe av_strerror(code, &text, text.count) >= 0
        let message = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return "\(function): \(known ? message : "error \(code)")"
    }
}
