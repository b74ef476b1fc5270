import Assignments
import FoundationEssentials
import Terminal

/// `sluice-worker export REQUEST`: makes files of a tape, for `sluice tape export`. The request is JSON; so is each line that it
/// says on standard output. It ends with 0 when all files are complete, else with 1.
enum ExportProgram {
    static func run(_ request: String) -> Int32 {
        guard let request = try? JSONDecoder().decode(ExportRequest.self, from: Data(request.utf8)) else {
            say(
                .failed(message: "the request is not what this version expects", remedy: "Use programs of one version.")
            )
            return 1
        }
        do throws(ExportError) {
            try TapeExport(request: request, say: say).run()
            return 0
        } catch {
            say(.failed(message: error.message, remedy: error.remedy))
            return 1
        }
    }

    private static func say(_ line: ExportLine) {
        guard let data = try? JSONEncoder().encode(line) else { return }
        Terminal.write(String(decoding: data, as: UTF8.self) + "\n")
    }
}
