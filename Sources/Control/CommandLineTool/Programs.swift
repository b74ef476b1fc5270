import FoundationEssentials

/// The programs of one installation: they stand side by side.
public enum Programs {
    /// The path of `sluice-worker`.
    public static var worker: String {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "sluice"
        let folder = program.lastIndex(of: "/").map { program[...$0] } ?? ""
        return folder + "sluice-worker"
    }
}
