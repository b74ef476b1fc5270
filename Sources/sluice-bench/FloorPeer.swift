import LoadGenerator
import MediaLoop
import Terminal
import Timing

/// This program once more as a ``FloorServer``, in a process of its own: what no server can do with less.
final class FloorPeer {
    let port: UInt16
    private let process: ChildProcess

    init(in workspace: Workspace) throws(BenchError) {
        do throws(LoadError) {
            port = try LoopbackSocket.freePorts(1)[0]
        } catch {
            throw .failed(error.description)
        }
        process = try workspace.start(
            try workspace.program("sluice-bench"), ["--floor", String(port)], log: "floor.log")
        let deadline = Clocks.now() + .seconds(10)
        while !LoopbackSocket.isListening(port: port) {
            guard process.isRunning, Clocks.now() < deadline else {
                throw .failed("the floor does not start:\n\(workspace.text(of: "floor.log"))")
            }
            Terminal.pause(.milliseconds(50))
        }
    }

    /// What the process of its own does, until it is killed.
    static func serve(_ port: UInt16) -> Never {
        FloorServer.start(port: port)
        while true { Terminal.pause(.seconds(3600)) }
    }

    var processIDs: [Int32] { [process.processID] }

    func stop() { process.terminate() }
}
