import HTTPServer
import Service

/// Metrics in the text format of Prometheus, version 0.0.4.
enum MetricsText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    static func response(_ families: [MetricFamily]) -> HTTPResponse {
        HTTPResponse(
            status: 200, headers: ["Content-Type": contentType], body: .bytes(Array(text(of: families).utf8)))
    }

    static func text(of families: [MetricFamily]) -> String {
        var lines: [String] = []
        for family in families {
            lines.append("# HELP \(family.name) \(escaped(family.help, quotes: false))")
            lines.append("# TYPE \(family.name) \(family.kind.rawValue)")
            for sample in family.samples { lines += Self.lines(of: sample, in: family.name) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(of sample: MetricFamily.Sample, in name: String) -> [String] {
        switch sample.value {
        case .number(let value): return [line(name, sample.labels, value)]
        case .histogram(let histogram):
            var lines: [String] = []
            var below = 0
            for (bound, count) in zip(histogram.bounds + [.infinity], histogram.counts) {
                below += count
                lines.append(
                    line(name + "_bucket", sample.labels + [MetricLabel("le", text(of: bound))], Double(below)))
            }
            lines.append(line(name + "_sum", sample.labels, histogram.sum))
            lines.append(line(name + "_count", sample.labels, Double(histogram.count)))
            return lines
        }
    }

    private static func line(_ name: String, _ labels: [MetricLabel], _ value: Double) -> String {
        let pairs = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",")
        return name + (pairs.isEmpty ? "" : "{\(pairs)}") + " " + text(of: value)
    }

    /// Whole numbers without a point, as far as a double holds each of them.
    private static func text(of value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if let whole = Int64(exactly: value), abs(value) < 0x1p53 { return String(whole) }
        return value.description
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
