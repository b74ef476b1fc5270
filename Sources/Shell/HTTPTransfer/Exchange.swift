import Glibc

/// What libcurl's callbacks fill while one transfer runs. libcurl holds its address for that long.
final class Exchange {
    enum Body {
        case memory(limit: Int)
        /// A status of 200 is written to this descriptor; any other body is kept in memory.
        case file(descriptor: Int32, path: String, limit: Int)
    }

    private let body: Body
    private let onProgress: (TransferProgress) -> Bool
    /// 0 before the first status line.
    private(set) var status = 0
    private(set) var headers: [HTTPField] = []
    private(set) var bytes: [UInt8] = []
    private(set) var isTooLarge = false
    private(set) var isCancelled = false
    /// errno of a failed write.
    private(set) var writeError: Int32 = 0

    init(body: Body, onProgress: @escaping (TransferProgress) -> Bool) {
        self.body = body
        self.onProgress = onProgress
    }

    var limit: Int {
        switch body {
        case .memory(let limit), .file(_, _, let limit): limit
        }
    }

    /// Of the file; empty when the body stays in memory.
    var path: String {
        if case .file(_, let path, _) = body { path } else { "" }
    }

    /// Takes a piece of the body; false ends the transfer.
    func receive(_ piece: UnsafeRawBufferPointer) -> Bool {
        if case .file(let descriptor, _, _) = body, status == 200 { return unsafe write(piece, to: descriptor) }
        guard bytes.count + piece.count <= limit else {
            isTooLarge = true
            return false
        }
        unsafe bytes.append(contentsOf: piece)
        return true
    }

    /// Takes one line of the header. A status line begins a new header: one may have been 100 Continue.
    func receive(headerLine line: String) {
        if line.hasPrefix("HTTP/") {
            headers = []
            status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            return
        }
        guard let colon = line.firstIndex(of: ":") else { return }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        let end = value.lastIndex { !$0.isWhitespace }.map { value.index(after: $0) } ?? value.startIndex
        headers.append(HTTPField(String(line[..<colon]), String(value[..<end])))
    }

    /// False ends the transfer.
    func progress(received: Int64, total: Int64) -> Bool {
        let goesOn = onProgress(TransferProgress(received: received, total: total > 0 ? total : nil))
        if !goesOn { isCancelled = true }
        return goesOn
    }

    static func borrowed(_ context: UnsafeMutableRawPointer?) -> Exchange? {
        unsafe context.map { unsafe Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
    }

    private func write(_ piece: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var done = 0
        while done < piece.count {
            let count = unsafe Glibc.write(descriptor, piece.baseAddress?.advanced(by: done), piece.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                writeError = errno
                return false
            }
            done += count
        }
        return true
    }
}
