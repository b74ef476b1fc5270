import Feed

/// Draws a ``TapeTimeline`` as SVG 1.1: one band a participant, in it one row a track with its bitrate over time.
struct TapePlot {
    private static let width = 1200.0
    private static let left = 220.0
    private static let right = 1170.0
    private static let rowHeight = 64.0
    private static let bandHeight = 26.0
    private static let top = 104.0

    private let line: TapeTimeline
    private var parts: [String] = []
    private var y = Self.top

    init(_ line: TapeTimeline) {
        self.line = line
    }

    var svg: String {
        var plot = self
        for person in line.people { plot.draw(person) }
        plot.y += 10
        let bottom = plot.y
        let content = plot.parts.joined(separator: "\n")
        let height = Self.number(bottom + 64)
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.number(Self.width))" height="\(height)" \
            viewBox="0 0 \(Self.number(Self.width)) \(height)" font-family="Inter, Helvetica, Arial, sans-serif" font-size="12" fill="#27303b">
            <defs><pattern id="gap" width="7" height="7" patternTransform="rotate(45)" patternUnits="userSpaceOnUse">\
            <rect width="7" height="7" fill="#fdecea"/><rect width="2.5" height="7" fill="#e4574c" fill-opacity=".55"/></pattern></defs>
            <rect width="100%" height="100%" fill="#ffffff"/>
            <text x="24" y="40" font-size="20" font-weight="600">\(Self.escaped(line.title))</text>
            <text x="24" y="62" fill="#6b7684">\(Self.escaped(line.subtitle))</text>
            \(grid(to: bottom))
            \(content)
            \(marks(to: bottom))
            \(legend(at: bottom + 48))
            </svg>

            """
    }

    // MARK: Bands and rows

    private mutating func draw(_ person: TapeTimeline.Person) {
        let name =
            person.name.isEmpty || person.name == person.identity
            ? person.identity : "\(person.name) (\(person.identity))"
        parts.append(
            #"<text x="24" y="\#(Self.number(y + 17))" font-size="14" font-weight="600">\#(Self.escaped(Self.short(name, 26)))</text>"#
        )
        for span in person.spans {
            parts.append(rect(span, y: y + 7, height: 10, ##"fill="#3a6ea5" rx="3""##, title: "\(name) is there"))
        }
        y += Self.bandHeight
        for row in person.rows { draw(row) }
        y += 12
    }

    private mutating func draw(_ row: TapeTimeline.Row) {
        let isVideo = row.info.kind == .video
        let color = isVideo ? "#4c8dd6" : "#3aa982"
        let base = y + Self.rowHeight - 10
        let rates = row.bytes.map { $0 * 8 / line.bin }
        let peak = max(rates.max() ?? 0, 1)
        let mean = rates.isEmpty ? 0 : row.bytes.reduce(0, +) * 8 / max(Double(rates.count) * line.bin, 0.001)
        parts.append(label(row, at: y, mean: mean, peak: peak))
        for span in row.spans {
            parts.append(rect(span, y: y + 4, height: Self.rowHeight - 14, ##"fill="#f3f6fa""##, title: ""))
        }
        parts.append(area(rates, peak: peak, base: base, height: Self.rowHeight - 16, color: color))
        for span in row.mutes {
            parts.append(rect(span, y: base - 6, height: 6, ##"fill="#9aa5b1""##, title: "muted"))
        }
        for span in row.gaps {
            let words = "nothing for \(Measure.seconds(span.to - span.from))"
            parts.append(rect(span, y: y + 4, height: Self.rowHeight - 14, #"fill="url(#gap)""#, title: words))
        }
        parts.append(
            ##"<line x1="\##(Self.number(Self.left))" x2="\##(Self.number(Self.right))" y1="\##(Self.number(base))" y2="\##(Self.number(base))" stroke="#c9d1da"/>"##
        )
        y += Self.rowHeight
    }

    private func label(_ row: TapeTimeline.Row, at y: Double, mean: Double, peak: Double) -> String {
        let source =
            switch row.info.source {
            case .camera: "camera"
            case .microphone: "microphone"
            case .screenShare: "screen"
            case .screenShareAudio: "screen sound"
            case .unknown: row.info.kind == .video ? "video" : "audio"
            }
        let what = row.what.isEmpty ? (row.info.form == .packets ? "packets" : "") : row.what
        let rates = "\(Measure.bitrate(Int64(mean))), peak \(Measure.bitrate(Int64(peak)))"
        return """
            <text x="36" y="\(Self.number(y + 20))" font-weight="500">\(Self.escaped(source))</text>
            <text x="36" y="\(Self.number(y + 35))" fill="#6b7684" font-size="11">\(Self.escaped(Self.short(what, 30)))</text>
            <text x="36" y="\(Self.number(y + 49))" fill="#6b7684" font-size="11">\(Self.escaped(rates))</text>
            """
    }

    /// The bitrate in steps: what a bin holds is known, what is in it is not.
    private func area(_ rates: [Double], peak: Double, base: Double, height: Double, color: String) -> String {
        guard !rates.isEmpty else { return "" }
        var path = "M\(Self.number(Self.left)) \(Self.number(base))"
        for (index, rate) in rates.enumerated() {
            let top = base - rate / peak * height
            path += "L\(Self.number(x(Double(index) * line.bin))) \(Self.number(top))"
            path += "L\(Self.number(x(Double(index + 1) * line.bin))) \(Self.number(top))"
        }
        path += "L\(Self.number(x(Double(rates.count) * line.bin))) \(Self.number(base))Z"
        return
            #"<path d="\#(path)" fill="\#(color)" fill-opacity=".35" stroke="\#(color)" stroke-width="1.2" stroke-linejoin="round"/>"#
    }

    // MARK: The whole room

    private func grid(to bottom: Double) -> String {
        let step = Self.tick(line.duration)
        var lines: [String] = []
        var time = 0.0
        while time <= line.duration + 0.001 {
            let place = Self.number(x(time))
            lines.append(
                ##"<line x1="\##(place)" x2="\##(place)" y1="\##(Self.number(Self.top - 12))" y2="\##(Self.number(bottom))" stroke="#e3e8ee"/>"##
            )
            lines.append(
                ##"<text x="\##(place)" y="\##(Self.number(bottom + 18))" fill="#6b7684" text-anchor="middle">\##(Self.clock(time, step: step))</text>"##
            )
            time += step
        }
        return lines.joined(separator: "\n")
    }

    private func marks(to bottom: Double) -> String {
        let height = bottom - Self.top + 8
        let losses = line.losses.map { loss in
            rect(
                loss.span, y: Self.top - 8, height: height, ##"fill="#e4574c" fill-opacity=".28" stroke="#e4574c""##,
                title: loss.words)
        }
        let markers = line.markers.enumerated().map { number, marker in
            let place = Self.number(x(min(marker.at, line.duration)))
            let y = Self.number(Self.top - 18 - Double(number % 2) * 13)
            return ##"""
                <line x1="\##(place)" x2="\##(place)" y1="\##(Self.number(Self.top - 14))" y2="\##(Self.number(bottom))" stroke="#b7791f" stroke-dasharray="4 3"/>
                <text x="\##(place)" y="\##(y)" fill="#8a5a12" text-anchor="middle" font-size="11">\##(Self.escaped(Self.short(marker.name, 24)))</text>
                """##
        }
        return (losses + markers).joined(separator: "\n")
    }

    private func legend(at y: Double) -> String {
        let entries = [
            (##"fill="#3a6ea5""##, "there"), (##"fill="#4c8dd6" fill-opacity=".5""##, "picture"),
            (##"fill="#3aa982" fill-opacity=".5""##, "sound"), (#"fill="url(#gap)""#, "sends nothing"),
            (##"fill="#9aa5b1""##, "muted"), (##"fill="#e4574c" fill-opacity=".35""##, "lost, paused or damaged"),
        ]
        var place = Self.left
        return entries.map { style, words in
            defer { place += 34 + Double(words.count) * 7 }
            return """
                <rect x="\(Self.number(place))" y="\(Self.number(y - 10))" width="14" height="11" \(style)/>
                <text x="\(Self.number(place + 20))" y="\(Self.number(y))" fill="#6b7684" font-size="11">\(words)</text>
                """
        }.joined(separator: "\n")
    }

    // MARK: Pieces

    private func x(_ time: Double) -> Double {
        Self.left + min(max(0, time), line.duration) / line.duration * (Self.right - Self.left)
    }

    /// At least two pixels wide, so that nothing is too short to be seen.
    private func rect(_ span: TapeTimeline.Span, y: Double, height: Double, _ style: String, title: String) -> String {
        let from = min(x(span.from), Self.right - 2)
        let width = max(2, x(span.to) - from)
        let words = title.isEmpty ? "" : "<title>\(Self.escaped(title))</title>"
        return
            #"<rect x="\#(Self.number(from))" y="\#(Self.number(y))" width="\#(Self.number(width))" height="\#(Self.number(height))" \#(style)>\#(words)</rect>"#
    }

    /// Seconds between two ticks: some eight to fifteen over the width.
    static func tick(_ duration: Double) -> Double {
        let steps: [Double] = [
            0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200,
        ]
        return steps.first { duration / $0 <= 13 } ?? 86_400
    }

    private static func clock(_ time: Double, step: Double) -> String {
        let text = TapeTime.text(time)
        return step < 1 ? text : String(text.dropLast(2))
    }

    /// Two decimals at most.
    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let hundredths = Int((min(max(value, -1e9), 1e9) * 100).rounded())
        if hundredths % 100 == 0 { return "\(hundredths / 100)" }
        let rest = abs(hundredths % 100)
        return "\(hundredths < 0 ? "-" : "")\(abs(hundredths) / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    private static func short(_ text: String, _ length: Int) -> String {
        text.count <= length ? text : text.prefix(length - 1) + "\u{2026}"
    }

    /// Text of a stranger inside XML: control characters are not allowed there at all.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
