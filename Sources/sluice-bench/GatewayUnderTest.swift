import FoundationEssentials
import HTTPTransfer
import JSON
import LoadGenerator
import MediaLoop
import Terminal
import Timing

/// A gateway of its own for a bench: `sluice serve --dev` on free ports with a fresh data folder.
final class GatewayUnderTest {
    let rtmpPort: UInt16
    let processID: Int32
    private let process: ChildProcess
    private let url: String
    private let token: String
    private let workspace: Workspace
    private let log: String
    private let data: String
    private var client: HTTPConnection

    init(in workspace: Workspace, name: String = "gateway") throws(BenchError) {
        self.workspace = workspace
        let program = try workspace.program("sluice")
        let ports = try Self.ports(2)
        rtmpPort = ports[1]
        url = "http://127.0.0.1:\(ports[0])"
        log = "\(name).log"
        data = workspace.file("\(name)-data")
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SLUICE_") }
        environment["SLUICE_HTTP_PORT"] = String(ports[0])
        environment["SLUICE_RTMP_PORT"] = String(ports[1])
        environment["SLUICE_DATA"] = data
        environment["SLUICE_LOG_LEVEL"] = "warning"
        environment["SLUICE_LIMITS_CONNECTIONS_PER_ADDRESS"] = "2000"
        environment["SLUICE_LIMITS_EGRESS_CAPACITY"] = "100000"
        token = try workspace.run(program, ["token"]).words.joined().trimmed
        client = try HTTPConnection()
        process = try workspace.start(
            program, ["serve", "--dev"], environment: environment.map { "\($0.key)=\($0.value)" }, log: log)
        processID = process.processID
        try waitUntilReady()
    }

    /// Stops it and waits for its end.
    func stop() { process.terminate(.seconds(40)) }

    var logText: String { workspace.text(of: log) }

    /// The gateway's process and those of its workers.
    var processIDs: [Int32] { [processID] + ProcessFile.children(of: processID) }

    /// What gateway and workers have used together. A worker that ended in between is missing.
    func usage() -> ProcessUsage { ProcessUsage(ofAll: processIDs) }

    /// Proportional set size of gateway and workers together, in bytes.
    func proportionalBytes() -> Int {
        processIDs.compactMap { ProcessFile.proportionalBytes(of: $0) }.reduce(0, +)
    }

    // MARK: REST

    /// - Returns: the answer's JSON.
    @discardableResult
    func request(
        _ method: String, _ path: String, _ body: JSONValue? = nil
    ) throws(BenchError) -> JSONValue {
        let response = try client.send(method, url + path, token: token, body: body?.bytes)
        guard (200..<300).contains(response.status) else {
            let text = String(decoding: response.body, as: UTF8.self)
            throw .failed("\(method) \(path) gave \(response.status): \(text)\n\(logText.suffix(2000))")
        }
        guard !response.body.isEmpty else { return .null }
        guard let value = try? JSONValue(parsing: response.body) else { throw .failed("\(path) gave no JSON") }
        return value
    }

    /// Makes an ingress into `room`.
    /// - Returns: its stream key.
    func makeIngress(room: String, identity: String = "encoder") throws(BenchError) -> String {
        let answer = try request(
            "POST", "/v1/ingress", ["type": "rtmp", "room": .string(room), "identity": .string(identity)])
        guard let key = answer["streamKey"]?.string else { throw .failed("an ingress came without its streamKey") }
        return key
    }

    /// Records `room` to MP4.
    func record(room: String, path: String) throws(BenchError) -> JSONValue {
        let output: JSONValue = ["id": "film", "type": "mp4", "path": .string(path)]
        return try request("POST", "/v1/egress", ["room": .string(room), "outputs": .array([output])])
    }

    func egress(_ id: String) throws(BenchError) -> JSONValue { try request("GET", "/v1/egress/\(id)") }

    /// Waits until the egress `id` holds media.
    /// - Returns: the path of its file.
    func waitUntilActive(_ id: String, limit: Duration = .seconds(30)) throws(BenchError) -> String {
        let deadline = Clocks.now() + limit
        while true {
            let record = try egress(id)
            if record["state"] == "active", let path = record["outputs"]?.array?.first?["location"]?.string {
                return path
            }
            guard Clocks.now() < deadline else { throw .failed("not active after \(limit): \(record.text)") }
            Terminal.pause(.milliseconds(20))
        }
    }

    /// Where the recording with the template `path`, which has no names in it, is written.
    func recordingPath(_ path: String) -> String { "\(data)/recordings/\(path)" }

    /// Waits until the egress `id` has ended.
    func waitForEnd(of id: String, limit: Duration = .seconds(30)) throws(BenchError) -> JSONValue {
        let deadline = Clocks.now() + limit
        while true {
            let record = try egress(id)
            let state = record["state"]?.string ?? ""
            if ["complete", "limit_reached", "aborted", "failed"].contains(state) { return record }
            guard Clocks.now() < deadline else { throw .failed("\(id) is still \(state) after \(limit)") }
            Terminal.pause(.milliseconds(50))
        }
    }

    private func waitUntilReady() throws(BenchError) {
        let deadline = Clocks.now() + .seconds(20)
        while (try? client.send("GET", url + "/readyz", token: nil, body: nil).status) != 200 {
            guard process.isRunning, Clocks.now() < deadline else {
                throw .failed("the gateway does not get ready:\n\(logText.suffix(2000))")
            }
            Terminal.pause(.milliseconds(20))
        }
    }

    private static func ports(_ count: Int) throws(BenchError) -> [UInt16] {
        do throws(LoadError) {
            return try LoopbackSocket.freePorts(count)
        } catch {
            throw .failed(error.description)
        }
    }
}

/// An HTTP client that a class may hold.
final class HTTPConnection {
    private var client: HTTPClient

    init() throws(BenchError) {
        do throws(TransferError) {
            client = try HTTPClient()
        } catch {
            throw .failed(error.description)
        }
    }

    func send(_ method: String, _ url: String, token: String?, body: [UInt8]?) throws(BenchError) -> HTTPResponse {
        var headers = token.map { [HTTPField("Authorization", "Bearer \($0)")] } ?? []
        if body != nil { headers.append(HTTPField("Content-Type", "application/json")) }
        do throws(TransferError) {
            return try client.send(HTTPRequest(method, url, headers: headers, body: body))
        } catch {
            throw .failed(error.description)
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(filter { !$0.isWhitespace }) }
}
