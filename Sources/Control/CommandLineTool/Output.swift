import Terminal

/// What the commands print: results on standard output, everything else on standard error.
enum Output {
    static func line(_ text: String) { Terminal.write(text + "\n") }

    static func text(_ text: String) { Terminal.write(text) }

    /// The gateway's answer as it is.
    static func json(_ bytes: [UInt8]) -> Tool.Outcome {
        line(String(decoding: bytes, as: UTF8.self))
        return .exit(0)
    }

    static func note(_ text: String) { Terminal.writeError(text + "\n") }

    static func warning(_ message: String, remedy: String?) {
        note("warning: " + message + (remedy.map { "\n  " + $0 } ?? ""))
    }

    static func error(_ error: CommandError) {
        note("error: " + error.message + (error.remedy.map { "\n  " + $0 } ?? ""))
    }

    /// Columns as wide as their widest cell, two spaces apart.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        var widths = header.map(\.count)
        for row in rows {
            for (column, cell) in row.enumerated() where column < widths.count {
                widths[column] = max(widths[column], cell.count)
            }
        }
        let lines = ([header] + rows).map { row in
            let cells = row.enumerated().map { column, cell in
                column + 1 < row.count ? pad(cell, to: widths[column]) : cell
            }
            return cells.joined(separator: "  ")
        }
        return lines.joined(separator: "\n")
    }

    static func pad(_ text: String, to width: Int) -> String {
        text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
    }
}
