import LoadGenerator
import Timing

/// Which part of their processor time processes spend outside the kernel, sampled by `perf` 10 000 times a second of it.
///
/// The kernel's own account samples 250 times a second at most, too few for a server that is nearly idle.
final class UserShare {
    private let workspace: Workspace
    private let process: ChildProcess

    /// Samples from now on for `window`.
    /// - Returns: `nil` if `perf` cannot be had.
    init?(of processIDs: [Int32], for window: Duration, in workspace: Workspace) {
        self.workspace = workspace
        let list = processIDs.map(String.init).joined(separator: ",")
        let options = "record -q -F 9973 -e cpu-clock -o \(workspace.file("perf.data")) -p \(list)".words
        let command = ["--", "sleep", Report.text(window.inSeconds)]
        guard let process = try? workspace.start("perf", options + command, log: "perf.log") else { return nil }
        self.process = process
    }

    /// Waits for the end of the window.
    /// - Returns: 0 to 1; `nil` if too little was sampled.
    func finish() -> Double? {
        guard (try? process.wait(.seconds(600))) != nil,
            let text = try? workspace.run("perf", "script -F misc -i \(workspace.file("perf.data"))".words)
        else { return nil }
        var (user, all) = (0, 0)
        for line in text.split(separator: "\n") {
            if line.contains("U") { user += 1 }
            if line.contains("U") || line.contains("K") { all += 1 }
        }
        return all >= 50 ? Double(user) / Double(all) : nil
    }
}
