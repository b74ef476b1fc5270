import FoundationEssentials

/// A folder of pipeline files, `NAME.yaml` each.
public struct PipelineFolder: Equatable, Sendable {
    public var path: String

    public init(path: String) { self.path = path }

    /// The folder that `configuration` names, else the first that exists of: `pipelines` beside the program,
    /// `../share/sluice/pipelines`, and `pipelines` of the source tree that the program was built in.
    public init?(of configuration: Configuration) {
        if let path = configuration.pipelines {
            self.init(path: path)
            return
        }
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        guard let program = link, let slash = program.lastIndex(of: "/") else { return nil }
        self.init(besideProgramIn: String(program[..<slash]))
    }

    init?(besideProgramIn folder: String) {
        // .build/TRIPLE/release of a source tree is three folders below its top.
        var places = [folder + "/pipelines", Self.above(folder, by: 1) + "/share/sluice/pipelines"]
        if folder.contains("/.build/") { places.append(Self.above(folder, by: 3) + "/pipelines") }
        guard let place = places.first(where: { Self.isFolder($0) }) else { return nil }
        self.init(path: place)
    }

    /// All pipelines, by name.
    /// - Throws: ``ConfigurationError`` with every problem of every file.
    public func load() throws(ConfigurationError) -> [Pipeline] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            let message = "can't read the folder \(path): does it exist?"
            throw ConfigurationError(problems: [ConfigurationProblem(place: .whole, key: "pipelines", message: message)]
            )
        }
        var pipelines: [Pipeline] = []
        var problems: [ConfigurationProblem] = []
        for name in names.sorted() where name.hasSuffix(".yaml") && !name.hasPrefix(".") {
            do throws(ConfigurationError) {
                pipelines.append(try Self.load(file: path + "/" + name))
            } catch {
                problems += error.problems
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return pipelines
    }

    /// One file, wherever it is.
    public static func load(file: String) throws(ConfigurationError) -> Pipeline {
        guard let text = TextFile.contents(of: file) else {
            let message = "can't read \(file): does it exist, is it UTF-8 text?"
            throw ConfigurationError(problems: [ConfigurationProblem(place: .whole, key: "", message: message)])
        }
        let base = file.split(separator: "/").last.map(String.init) ?? file
        return try Pipeline(name: base.hasSuffix(".yaml") ? String(base.dropLast(5)) : base, file: file, text: text)
    }

    private static func above(_ folder: String, by levels: Int) -> String {
        folder.split(separator: "/").dropLast(levels).map { "/" + $0 }.joined()
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }
}
