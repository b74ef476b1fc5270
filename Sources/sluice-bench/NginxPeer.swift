import FoundationEssentials
import LoadGenerator
import MediaLoop
import Terminal
import Timing

/// Debian's nginx with its RTMP module, one worker process, nothing recorded: the peer of the ingest bench.
final class NginxPeer {
    private static let modulePath = "/usr/lib/nginx/modules/ngx_rtmp_module.so"

    let port: UInt16
    private let process: ChildProcess

    init(in workspace: Workspace) throws(BenchError) {
        guard FileManager.default.fileExists(atPath: Self.modulePath) else {
            throw .failed("nginx-rtmp is missing: apt install nginx-light libnginx-mod-rtmp")
        }
        do throws(LoadError) {
            port = try LoopbackSocket.freePorts(1)[0]
        } catch {
            throw .failed(error.description)
        }
        let folder = workspace.path
        let configuration = """
            load_module \(Self.modulePath);
            daemon off; pid \(folder)/nginx.pid; error_log \(folder)/nginx-error.log warn; worker_processes 1;
            events { worker_connections 2048; }
            rtmp { access_log off;
              server { listen 127.0.0.1:\(port); chunk_size 4096;
                application live { live on; wait_key on; drop_idle_publisher 20s; record off; } } }
            """
        let path = workspace.file("nginx.conf")
        guard FileManager.default.createFile(atPath: path, contents: Data(configuration.utf8)) else {
            throw .failed("cannot write \(path)")
        }
        process = try workspace.start(
            "nginx", ["-p", folder, "-e", "\(folder)/nginx-error.log", "-c", path], log: "nginx.log")
        let deadline = Clocks.now() + .seconds(10)
        while !LoopbackSocket.isListening(port: port) {
            guard process.isRunning, Clocks.now() < deadline else {
                throw .failed("nginx does not start:\n\(workspace.text(of: "nginx.log"))")
            }
            Terminal.pause(.milliseconds(50))
        }
    }

    /// Proportional set size of both, in bytes.
    func proportionalBytes() -> Int { processIDs.compactMap { ProcessFile.proportionalBytes(of: $0) }.reduce(0, +) }

    /// Master and worker.
    var processIDs: [Int32] { [process.processID] + ProcessFile.children(of: process.processID) }

    func stop() { process.terminate() }
}
