import CMicrohttpd
import CShimMicrohttpd
import Glibc
import Listening

/// The C side of ``Engine``: turns libmicrohttpd's calls into its methods.
enum Callbacks {
    /// The callbacks of `engine`, which must outlive the daemon.
    static func make(for engine: Engine) -> shim_mhd_callbacks {
        var callbacks = unsafe shim_mhd_callbacks()
        unsafe callbacks.context = unsafe Unmanaged.passUnretained(engine).toOpaque()
        unsafe callbacks.accept = { context, address, _ in
            guard let context = unsafe context else { return .NO }
            let engine = unsafe Unmanaged<Engine>.fromOpaque(context).takeUnretainedValue()
            return engine.admits(unsafe ListenSocket.name(of: UnsafeRawPointer(address))) ? .YES : .NO
        }
        unsafe callbacks.target = { context, text, connection in
            guard let text = unsafe text, let connection = unsafe connection else { return nil }
            let target = unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
            if let context = unsafe context {
                let engine = unsafe Unmanaged<Engine>.fromOpaque(context).takeUnretainedValue()
                engine.lineCame(on: unsafe shim_mhd_socket(connection))
            }
            // Released when libmicrohttpd says that the request is completed.
            return unsafe Unmanaged.passRetained(Exchange(target: target, connection: connection)).toOpaque()
        }
        unsafe callbacks.access = { context, connection, url, method, version, bytes, count, state in
            guard let context = unsafe context, let connection = unsafe connection, let known = unsafe state?.pointee,
                let url = unsafe url, let method = unsafe method, let version = unsafe version, let count = unsafe count
            else { return .NO }
            let engine = unsafe Unmanaged<Engine>.fromOpaque(context).takeUnretainedValue()
            let exchange = unsafe Unmanaged<Exchange>.fromOpaque(known).takeUnretainedValue()
            if case .line = exchange.stage {
                let head = unsafe RequestHead(
                    connection: connection, method: method, url: url, version: version, target: exchange.target)
                guard let refusal = engine.headCame(head, exchange, on: unsafe shim_mhd_socket(connection)) else {
                    return .YES
                }
                return unsafe Callbacks.respond(connection, refusal)
            }
            if unsafe count.pointee > 0 {
                let body = unsafe UnsafeRawBufferPointer(start: bytes, count: count.pointee)
                unsafe count.pointee = 0
                return unsafe engine.bodyCame(body, exchange) ? .YES : .NO
            }
            let socket = unsafe shim_mhd_socket(connection)
            let response = engine.requestCame(exchange, from: ListenSocket.peer(of: socket), on: socket)
            guard let response else { return .YES }
            return unsafe Callbacks.respond(connection, response)
        }
        unsafe callbacks.completed = { context, connection, state, _ in
            guard let context = unsafe context, let known = unsafe state?.pointee else { return }
            let exchange = unsafe Unmanaged<Exchange>.fromOpaque(known).takeRetainedValue()
            unsafe state?.pointee = nil
            let engine = unsafe Unmanaged<Engine>.fromOpaque(context).takeUnretainedValue()
            if let connection = unsafe connection {
                engine.requestEnded(exchange, on: unsafe shim_mhd_socket(connection))
            }
        }
        unsafe callbacks.connection = { context, connection, _, event in
            guard let context = unsafe context, let connection = unsafe connection else { return }
            let engine = unsafe Unmanaged<Engine>.fromOpaque(context).takeUnretainedValue()
            let descriptor = unsafe shim_mhd_socket(connection)
            if event.rawValue == 0 {  // MHD_CONNECTION_NOTIFY_STARTED
                engine.connectionBegan(descriptor, from: ListenSocket.peer(of: descriptor))
            } else {
                engine.connectionEnded(descriptor)
            }
        }
        unsafe callbacks.log = { context, line in
            guard let context = unsafe context, let line = unsafe line else { return }
            unsafe Unmanaged<Engine>.fromOpaque(context).takeUnretainedValue().logLine(String(cString: line))
        }
        return unsafe callbacks
    }

    /// Queues `answer`. `.NO` closes the connection: memory is out, or a header cannot be sent.
    private static func respond(_ connection: OpaquePointer, _ answer: HTTPResponse) -> MHD_Result {
        guard let response = unsafe make(answer.body) else { return .NO }
        defer { unsafe MHD_destroy_response(response) }
        for field in answer.headers.fields {
            guard unsafe MHD_add_response_header(response, field.name, field.value) == .YES else { return .NO }
        }
        return unsafe MHD_queue_response(connection, UInt32(clamping: answer.status), response)
    }

    private static func make(_ body: HTTPResponse.Body) -> OpaquePointer? {
        switch body {
        case .none: return unsafe shim_mhd_response_bytes(nil, 0)
        case .bytes(let bytes): return unsafe shim_mhd_response_bytes(bytes, bytes.count)
        case .file(let file, let offset, let count):
            let copy = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { return nil }
            let response = unsafe shim_mhd_response_file(
                copy, UInt64(clamping: offset), UInt64(clamping: max(0, count)))
            if unsafe response == nil { close(copy) }
            return unsafe response
        }
    }
}
