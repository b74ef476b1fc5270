extension Configuration {
    /// This configuration as a commented YAML file: every key with what it is for and, where it differs, its default.
    /// Secrets are `***`.
    public func commentedYAML() -> String {
        let defaults = Configuration()
        var lines = ["# The configuration of a Sluice gateway: every key. What a file leaves out has its default."]
        var open: [String] = []
        for field in Field.all {
            let parts = field.key.split(separator: ".").map(String.init)
            let groups = Array(parts.dropLast())
            let shared = zip(open, groups).prefix { $0 == $1 }.count
            for depth in shared..<groups.count {
                if depth == 0 { lines.append("") }
                lines.append(Self.indent(depth) + groups[depth] + ":")
            }
            if groups.isEmpty { lines.append("") }
            open = groups
            let value = field.write(self)
            let standard = field.write(defaults)
            let note = value == standard ? "" : " (default \(standard))"
            let margin = Self.indent(groups.count)
            let state = field.readiness == .built ? "" : " Not built yet."
            lines.append("\(margin)# \(field.comment)\(note)\(state)")
            lines.append("\(margin)\(parts[parts.count - 1]):\(value.hasPrefix("\n") ? "" : " ")\(value)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
}
