import CCurl
import CShimCurl
import Glibc

/// Owns one libcurl handle: one request at a time, connections kept between them. Calls block.
@safe
public struct HTTPClient: ~Copyable {
    private let handle: UnsafeMutableRawPointer
    /// Of a body that is kept in memory.
    private static let memoryLimit = 64 << 20
    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// - Throws: ``TransferError/failed(url:words:)`` when memory is out.
    public init() throws(TransferError) {
        guard Self.isReady, let handle = unsafe curl_easy_init() else {
            throw .failed(url: "libcurl", words: "could not start")
        }
        unsafe self.handle = handle
    }

    deinit { unsafe curl_easy_cleanup(handle) }

    /// Sends `request` and waits for its response. `onProgress` is called several times a second; false cancels.
    public mutating func send(
        _ request: HTTPRequest, onProgress: @escaping (TransferProgress) -> Bool = { _ in true }
    ) throws(TransferError) -> HTTPResponse {
        let exchange = Exchange(body: .memory(limit: Self.memoryLimit), onProgress: onProgress)
        return try perform(request, exchange)
    }

    /// Writes the body of a 200 to `path`, which appears only once it is whole. Any other response is returned with its
    /// body, and writes nothing.
    public mutating func download(
        _ request: HTTPRequest, to path: String, onProgress: @escaping (TransferProgress) -> Bool
    ) throws(TransferError) -> HTTPResponse {
        let partial = path + ".partial"
        let descriptor = unsafe open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .file(path: path, words: Self.words(errno)) }
        var isWhole = false
        defer {
            close(descriptor)
            if !isWhole { unsafe unlink(partial) }
        }
        let exchange = Exchange(
            body: .file(descriptor: descriptor, path: path, limit: Self.memoryLimit), onProgress: onProgress)
        let response = try perform(request, exchange)
        guard response.status == 200 else { return response }
        guard fsync(descriptor) == 0 || errno == EINVAL, unsafe rename(partial, path) == 0 else {
            throw .file(path: path, words: Self.words(errno))
        }
        isWhole = true
        return response
    }

    private mutating func perform(_ request: HTTPRequest, _ exchange: Exchange) throws(TransferError) -> HTTPResponse {
        for field in request.headers where field.value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw .failed(url: request.url, words: "the value of \(field.name) holds a control character")
        }
        unsafe curl_easy_reset(handle)  // keeps connections
        let fields = unsafe configure(request)
        defer { unsafe curl_slist_free_all(fields) }
        if let body = request.body {
            _ = unsafe body.withUnsafeBytes { unsafe shim_curl_body(handle, $0.baseAddress, $0.count) }
            unsafe shim_curl_string(handle, CURLOPT_CUSTOMREQUEST, request.method)
        }
        let code = withExtendedLifetime(exchange) {  // libcurl borrows it until curl_easy_perform returns
            install(exchange)
            return unsafe curl_easy_perform(handle)
        }
        guard code == CURLE_OK else { throw error(code, request, exchange) }
        return HTTPResponse(status: exchange.status, headers: exchange.headers, body: exchange.bytes)
    }

    /// Sets all but body and callbacks; the caller frees the list after the transfer.
    private func configure(_ request: HTTPRequest) -> UnsafeMutablePointer<curl_slist>? {
        unsafe shim_curl_string(handle, CURLOPT_URL, request.url)
        unsafe shim_curl_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        unsafe shim_curl_long(handle, CURLOPT_NOSIGNAL, 1)
        unsafe shim_curl_long(handle, CURLOPT_CONNECTTIMEOUT_MS, 10_000)
        if let timeout = request.timeout {
            let (seconds, attoseconds) = timeout.components
            let milliseconds = seconds.multipliedReportingOverflow(by: 1000).partialValue
            unsafe shim_curl_long(handle, CURLOPT_TIMEOUT_MS, Int(milliseconds + attoseconds / 1_000_000_000_000_000))
        } else {
            unsafe shim_curl_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1)
            unsafe shim_curl_long(handle, CURLOPT_LOW_SPEED_TIME, 30)
        }
        if Self.isLoopback(request.url) { unsafe shim_curl_string(handle, CURLOPT_PROXY, "") }
        if request.method == "HEAD" {
            unsafe shim_curl_long(handle, CURLOPT_NOBODY, 1)
        } else {
            unsafe shim_curl_string(handle, CURLOPT_CUSTOMREQUEST, request.method)
        }
        var fields: UnsafeMutablePointer<curl_slist>?
        for field in request.headers + [HTTPField("User-Agent", "sluice"), HTTPField("Expect", "")] {
            let line = field.value.isEmpty ? "\(field.name):" : "\(field.name): \(field.value)"
            guard !line.utf8.contains(where: { $0 == 0x0D || $0 == 0x0A || $0 == 0 }) else { continue }
            unsafe fields = curl_slist_append(fields, line)
        }
        unsafe shim_curl_list(handle, CURLOPT_HTTPHEADER, fields)
        return unsafe fields
    }

    private func install(_ exchange: Exchange) {
        unsafe shim_curl_callbacks(
            handle,
            { bytes, size, count, context in
                guard let exchange = unsafe Exchange.borrowed(context) else { return 0 }
                let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                return unsafe exchange.receive(piece) ? size * count : 0
            },
            { bytes, size, count, context in
                guard let exchange = unsafe Exchange.borrowed(context) else { return 0 }
                let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                unsafe exchange.receive(headerLine: String(decoding: line, as: UTF8.self))
                return size * count
            },
            { context, total, received, _, _ in
                guard let exchange = unsafe Exchange.borrowed(context) else { return 1 }
                return exchange.progress(received: Int64(received), total: Int64(total)) ? 0 : 1
            },
            Unmanaged.passUnretained(exchange).toOpaque())
    }

    private func error(_ code: CURLcode, _ request: HTTPRequest, _ exchange: Exchange) -> TransferError {
        let words = unsafe String(cString: curl_easy_strerror(code))
        if exchange.isCancelled { return .cancelled }
        if exchange.isTooLarge { return .tooLarge(url: request.url, limit: exchange.limit) }
        if exchange.writeError != 0 { return .file(path: exchange.path, words: Self.words(exchange.writeError)) }
        switch code {
        case CURLE_COULDNT_CONNECT:
            let number = unsafe Int32(clamping: shim_curl_errno(handle))
            let isRefused = number == ECONNREFUSED || number == 0
            return isRefused ? .refused(url: request.url) : .failed(url: request.url, words: Self.words(number))
        case CURLE_COULDNT_RESOLVE_HOST: return .unknownHost(url: request.url)
        case CURLE_OPERATION_TIMEDOUT: return .timedOut(url: request.url)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: return .invalidURL(request.url)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR:
            return .untrustedCertificate(url: request.url, words: words)
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE:
            return .brokenOff(url: request.url, words: words)
        default: return .failed(url: request.url, words: words)
        }
    }

    private static func words(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }

    private static func isLoopback(_ url: String) -> Bool {
        let hosts = ["127.0.0.1", "localhost", "[::1]"]
        return hosts.contains { url.hasPrefix("http://\($0)") || url.hasPrefix("https://\($0)") }
    }
}
