import TLS
import YAML

/// Fills a ``Configuration`` from a YAML tree and from variables, and collects what is wrong with them.
struct ConfigurationReader {
    private(set) var configuration = Configuration()
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [String] = []
    /// The certificate of `http.tls`, once it was checked.
    var identity: TLSIdentity?

    /// Takes the file `name`, which is `text`.
    mutating func read(file name: String, text: String) {
        do throws(YAMLError) {
            let root = try YAMLNode(parsing: text)
            if !root.isNull { read(group: root, key: "", file: name) }
        } catch {
            report(.file(name, line: error.line, column: error.column), "", error.message)
        }
    }

    private mutating func read(group node: YAMLNode, key: String, file: String) {
        guard case .mapping(let entries) = node.value else {
            let words = key.isEmpty ? "must be keys and values, as `http:`" : "must be a group of keys"
            return report(.file(file, line: node.line, column: node.column), key, words)
        }
        for entry in entries {
            let full = key.isEmpty ? entry.key : key + "." + entry.key
            if let field = Field.all.first(where: { $0.key == full }) {
                read(field, from: entry.value) { .file(file, line: $0.line, column: $0.column) }
            } else if Field.all.contains(where: { $0.key.hasPrefix(full + ".") }) {
                if !entry.value.isNull { read(group: entry.value, key: full, file: file) }
            } else {
                let place = ConfigurationProblem.Place.file(file, line: entry.line, column: entry.column)
                report(place, key, Self.unknown(entry.key, in: key))
            }
        }
    }

    /// Takes the variables that begin with `SLUICE_`; an empty one counts as not set.
    mutating func read(environment: [String: String]) {
        for field in Field.all {
            let name = field.variable
            let fileName = name + "_FILE"
            let direct = environment[name].flatMap { $0.isEmpty ? nil : $0 }
            let file = field.isSecret ? environment[fileName].flatMap { $0.isEmpty ? nil : $0 } : nil
            switch (direct, file) {
            case (nil, nil):
                continue
            case (.some, .some):
                report(.variable(name), field.key, "set either \(name) or \(fileName), not both")
            case (let text?, nil):
                read(field, from: text, variable: name)
            case (nil, let path?):
                guard let text = TextFile.contents(of: path) else {
                    report(.variable(fileName), field.key, "can't read the file \(path)")
                    continue
                }
                read(field, from: text, variable: fileName)
            }
        }
        warnings += Self.misspelt(environment.keys.sorted())
    }

    private mutating func read(_ field: Field, from text: String, variable: String) {
        let place = ConfigurationProblem.Place.variable(variable)
        do throws(YAMLError) {
            let scalar = YAMLNode(.scalar(text.trimmed, isPlain: true), line: 1, column: 1)
            let node = field.isStructured ? try YAMLNode(parsing: text) : scalar
            read(field, from: node) { _ in place }
        } catch {
            report(place, field.key, error.message)
        }
    }

    private mutating func read(
        _ field: Field, from node: YAMLNode, place: (ValueError) -> ConfigurationProblem.Place
    ) {
        do throws(ValueError) {
            try field.read(node, &configuration)
        } catch {
            report(place(error), field.key, error.message)
        }
    }

    mutating func report(_ place: ConfigurationProblem.Place, _ key: String, _ message: String) {
        problems.append(ConfigurationProblem(place: place, key: key, message: message))
    }

    mutating func warn(_ message: String) { warnings.append(message) }

    mutating func change(_ body: (inout Configuration) -> Void) { body(&configuration) }

    /// An unknown key of the group `group`: the nearest there, else the same name elsewhere.
    private static func unknown(_ name: String, in group: String) -> String {
        let start = group.isEmpty ? "" : group + "."
        var siblings: [String] = []
        for field in Field.all where field.key.hasPrefix(start) {
            let sibling = String(field.key.dropFirst(start.count).prefix { $0 != "." })
            if siblings.last != sibling { siblings.append(sibling) }
        }
        if Suggestion.name(to: name, among: siblings) == nil,
            let elsewhere = Field.all.first(where: { $0.key.hasSuffix("." + name) })
        {
            return "unknown key `\(name)`; did you mean `\(elsewhere.key)`?"
        }
        return Suggestion.unknownKey(name, among: siblings)
    }

    /// Variables close to a known one. Others are left alone: schedulers set `SLUICE_SERVICE_HOST` and the like.
    private static func misspelt(_ names: [String]) -> [String] {
        let known =
            Field.all.flatMap { $0.isSecret ? [$0.variable, $0.variable + "_FILE"] : [$0.variable] }
            + ["SLUICE_CONFIG", "SLUICE_URL", "SLUICE_TOKEN", "SLUICE_API_KEY", "SLUICE_API_SECRET"]
        return names.compactMap { name in
            guard name.hasPrefix("SLUICE_"), !known.contains(name) else { return nil }
            let ranked = known.map { (name: $0, edits: Suggestion.edits(from: Array(name.utf8), to: Array($0.utf8))) }
            guard let best = ranked.min(by: { $0.edits < $1.edits }), best.edits <= 2 else { return nil }
            return "\(name) is no variable of Sluice; did you mean \(best.name)?"
        }
    }
}
