import Terminal
import Timing

/// What takes over a second shows that it moves: one line that changes on a terminal, a line now and then in a log.
struct ProgressLine {
    /// Between two lines of a log.
    static let logInterval: Duration = .seconds(5)

    private let isInteractive: Bool
    private let width: Int
    private var lastLine: Instant?
    private var lastStage = ""
    private var isShown = false

    init(isInteractive: Bool = Terminal.isInteractive, width: Int = Terminal.width) {
        self.isInteractive = isInteractive
        self.width = width
    }

    /// What to write for `text` now; `nil` for nothing. A new `stage` is written at once.
    mutating func text(_ text: String, stage: String, fraction: Double? = nil, at now: Instant) -> String? {
        if isInteractive {
            isShown = true
            let bar = fraction.map { Self.bar($0, width: 24) + " " } ?? ""
            return "\r\u{1B}[K" + String((bar + text).prefix(max(1, width - 1)))
        }
        if stage == lastStage, let lastLine, now - lastLine < Self.logInterval { return nil }
        lastStage = stage
        lastLine = now
        return text + "\n"
    }

    mutating func show(_ text: String, stage: String, fraction: Double? = nil, at now: Instant) {
        if let line = self.text(text, stage: stage, fraction: fraction, at: now) { Terminal.writeError(line) }
    }

    /// Takes the line off the terminal, before something that stays is printed.
    mutating func clear() {
        if isShown { Terminal.writeError("\r\u{1B}[K") }
        isShown = false
    }

    /// As `[######......]`.
    static func bar(_ fraction: Double, width: Int) -> String {
        let part = fraction.isFinite ? min(1, max(0, fraction)) : 0
        let filled = Int((part * Double(width)).rounded())
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled) + "]"
    }
}
