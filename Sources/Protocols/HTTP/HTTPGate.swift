/// What stands before the first blank line of a request, as libmicrohttpd gives it.
public struct RequestHead: Sendable {
    public var method: [UInt8]
    /// Between method and version, undecoded.
    public var target: [UInt8]
    public var version: [UInt8]
    /// Values with the white space behind them, undecoded.
    public var fields: [(name: [UInt8], value: [UInt8])]
    /// Bytes of the whole head.
    public var byteCount: Int
    /// False when the bytes as they came hold more than the parts above: a NUL, a folded line, a line that ends without
    /// CR, spaces beside the target.
    public var isExact: Bool

    public init(
        method: [UInt8], target: [UInt8], version: [UInt8], fields: [(name: [UInt8], value: [UInt8])],
        byteCount: Int, isExact: Bool
    ) {
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
        self.byteCount = byteCount
        self.isExact = isExact
    }
}

/// The strict gate: refuses what a proxy in front could read in another way (request smuggling, RFC 9112 section 11.2),
/// before any route runs and before a byte of the body is read.
public struct HTTPGate: Sendable {
    public var headerBytes: Int
    public var bodyBytes: Int

    public init(headerBytes: Int, bodyBytes: Int) {
        self.headerBytes = headerBytes
        self.bodyBytes = bodyBytes
    }

    /// What of a request is known once its head has passed.
    public struct Admission: Sendable {
        public var method: String
        public var target: RequestTarget
        public var headers: HTTPHeaders
    }

    /// - Throws: ``HTTPRefusal``. Answer it and close the connection.
    public func admit(_ head: RequestHead) throws(HTTPRefusal) -> Admission {
        guard head.byteCount <= headerBytes else {
            throw HTTPRefusal(
                status: 431, detail: "The headers have \(head.byteCount) bytes; \(headerBytes) are allowed.")
        }
        guard head.isExact else {
            throw .malformed("The head holds a NUL, a folded line, a bare line feed or spare spaces.")
        }
        guard 1...32 ~= head.method.count, head.method.allSatisfy(Self.isToken) else {
            throw .malformed("The method is not a token.")
        }
        guard head.version == Array("HTTP/1.1".utf8) || head.version == Array("HTTP/1.0".utf8) else {
            throw HTTPRefusal(status: 505, detail: "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
        }
        let target = try RequestTarget(parsing: head.target)
        let headers = try Self.headers(head.fields)
        try checkFraming(headers, isOld: head.version.last == UInt8(ascii: "0"))
        return Admission(method: String(decoding: head.method, as: UTF8.self), target: target, headers: headers)
    }

    private static func headers(_ fields: [(name: [UInt8], value: [UInt8])]) throws(HTTPRefusal) -> HTTPHeaders {
        var headers = HTTPHeaders()
        for (name, value) in fields {
            guard !name.isEmpty, name.allSatisfy(isToken) else { throw .malformed("A header's name is not a token.") }
            guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw .malformed("A header's value holds a control character.")
            }
            let end = value.lastIndex { $0 != 0x20 && $0 != 0x09 } ?? -1
            let text = String(decoding: name, as: UTF8.self)
            // Space behind a length or a coding is dropped by some readers and not by others.
            if end + 1 < value.count, ["content-length", "transfer-encoding"].contains(text.lowercased()) {
                throw .malformed("\(text) ends with a space.")
            }
            headers.add(text, String(decoding: value[..<(end + 1)], as: UTF8.self))
        }
        return headers
    }

    /// How long the body is must be said once, and in one way (RFC 9112 section 6.3).
    private func checkFraming(_ headers: HTTPHeaders, isOld: Bool) throws(HTTPRefusal) {
        let hosts = headers.values(of: "Host").count
        guard hosts == 1 || hosts == 0 && isOld else { throw .malformed("There must be one Host header.") }
        let lengths = headers.values(of: "Content-Length")
        let codings = headers.values(of: "Transfer-Encoding")
        guard lengths.count <= 1 else { throw .malformed("There is more than one Content-Length.") }
        if let length = lengths.first {
            guard codings.isEmpty else { throw .malformed("Content-Length and Transfer-Encoding exclude each other.") }
            guard 1...19 ~= length.utf8.count, length.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
                throw .malformed("Content-Length is not a number.")
            }
            guard let count = Int(length), count <= bodyBytes else { throw tooLarge }
        }
        guard let coding = codings.first else { return }
        guard codings.count == 1, coding.lowercased() == "chunked", !isOld else {
            throw .malformed("Transfer-Encoding must be `chunked`, once, and in HTTP/1.1.")
        }
    }

    /// The refusal of a body that outgrows the limit.
    public var tooLarge: HTTPRefusal { HTTPRefusal(status: 413, detail: "The body may have \(bodyBytes) bytes.") }

    /// A tchar (RFC 9110 section 5.6.2).
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
