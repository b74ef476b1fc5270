import CMicrohttpd
import CShimMicrohttpd
import Synchronization

/// One request in flight, from its request line to its completion. libmicrohttpd's thread owns it and all but ``answer``.
@safe
final class Exchange: @unchecked Sendable {  // unchecked: all but the mutex is touched by libmicrohttpd's thread alone
    enum Answer {
        case none
        /// Suspended: whoever answers must resume the connection, once.
        case awaited
        case ready(HTTPResponse)
    }

    /// What the handler has learnt so far.
    enum Stage {
        case line
        case body(HTTPGate.Admission)
        /// The body outgrew the limit: the rest of it is dropped.
        case overflowing(HTTPRefusal)
        case waiting
        case done
    }

    let target: [UInt8]
    private let connection: OpaquePointer
    private let answer = Mutex(Answer.none)
    var stage = Stage.line
    var body: [UInt8] = []
    /// Bytes that the body may have, as of the head.
    var bodyLimit = 0
    /// A handler has it.
    var isTaken = false
    /// Bytes of a body that is dropped.
    var dropped = 0

    init(target: [UInt8], connection: OpaquePointer) {
        self.target = target
        unsafe self.connection = unsafe connection
    }

    /// Parks the connection until ``resolve(_:)``. On libmicrohttpd's thread only.
    func suspend() {
        answer.withLock { $0 = .awaited }
        unsafe MHD_suspend_connection(connection)
    }

    /// Gives the answer, from any thread. The second answer to one request is dropped.
    func resolve(_ response: HTTPResponse) {
        answer.withLock { answer in
            guard case .awaited = answer else { return }
            answer = .ready(response)
            // Within the lock: who finds the answer given may rely on the connection being resumed.
            unsafe MHD_resume_connection(connection)
        }
    }

    /// The answer, once it is there.
    var response: HTTPResponse? {
        answer.withLock { if case .ready(let response) = $0 { response } else { nil } }
    }
}
