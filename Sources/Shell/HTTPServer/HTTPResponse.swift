@_exported public import HTTP  // requests, headers and refusals are its values

/// What a handler gives back.
public struct HTTPResponse: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Bytes of a file; sent by the kernel, never loaded. What is gone when it is sent ends the connection.
        case file(OpenFile, offset: Int64, count: Int64)
    }

    public var status: Int
    public var headers: HTTPHeaders
    public var body: Body

    public init(status: Int, headers: HTTPHeaders = HTTPHeaders(), body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
