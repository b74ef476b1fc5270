import Foundation
import Testing

/// The rules of the tree, read from its sources: README, "The house".
@Suite("Layout")
struct LayoutTests {
    static let sources = Result { try SourceTree.files(in: "Sources", ending: ".swift") }

    /// What a folder's targets may import besides themselves.
    struct Floor {
        let number: Int
        /// Folders beneath it.
        let below: Set<String>
        /// Modules of the system.
        let system: Set<String>
    }

    static let language: Set<String> = ["Synchronization", "Swift"]
    static let floors: [String: Floor] = [
        "Base": Floor(number: 1, below: ["Base"], system: language),
        "Protocols": Floor(number: 2, below: ["Base"], system: language),
        "Native": Floor(number: 2, below: ["Base", "C"], system: language),
        "Media": Floor(number: 3, below: ["Base", "Protocols", "Native", "Media"], system: language),
        "Shell": Floor(
            number: 4, below: ["C", "Base", "Protocols", "Native", "Media", "Shell"], system: language.union(["Glibc"])),
        "Control": Floor(
            number: 5, below: ["Base", "Protocols", "Native", "Media", "Shell", "Control"],
            system: language.union(["Glibc", "FoundationEssentials", "Dispatch"])),
        "sluice": program, "sluice-worker": program, "sluice-bench": program,
    ]
    static let program = Floor(
        number: 6, below: ["Base", "Protocols", "Media", "Shell", "Control"],
        system: language.union(["Glibc", "FoundationEssentials", "Dispatch"]))

    /// A protocol stands on a sibling only if its standard is built on it.
    static let siblings: [String: Set<String>] = [
        "RTMP": ["Codecs"], "ISOBMFF": ["Codecs"], "JWT": ["JSON"], "ICE": ["STUN"],
        "SDP": ["STUN", "ICE"],
    ]

    @Test("imports only go down")
    func floorsHold() throws {
        let sources = try Self.sources.get()
        var folderOf: [String: String] = [:]
        for file in sources { folderOf[file.target] = file.floorName }
        for name in SourceTree.names(after: "cLibrary(", in: try SourceTree.text("Package.swift")) {
            folderOf[name] = "C"
        }
        for name in SourceTree.names(after: ".target(name: ", in: try SourceTree.text("Package.swift"))
        where name.hasPrefix("CShim") {
            folderOf[name] = "C"
        }
        for file in sources {
            let floor = try #require(Self.floors[file.floorName], "\(file.path) stands on no floor")
            for (line, module) in file.imports {
                let isSibling = Self.siblings[file.target]?.contains(module) ?? false
                let isBelow = folderOf[module].map { floor.below.contains($0) } ?? false
                #expect(
                    isSibling || isBelow || floor.system.contains(module),
                    "\(file.path):\(line): \(file.floorName) may not import \(module)")
            }
        }
    }

    static let words: [(word: String, from: Int, why: String)] = [
        ("Glibc", 4, "only the Shell and above call the system"),
        ("ContinuousClock", 4, "below the Shell nothing reads a clock"),
        ("SuspendingClock", 4, "below the Shell nothing reads a clock"),
        ("clock_gettime", 4, "below the Shell nothing reads a clock"),
        ("SystemRandomNumberGenerator", 4, "below the Shell nothing draws random numbers"),
        ("Foundation", 5, "Foundation begins with Control"),
        ("FoundationEssentials", 5, "Foundation begins with Control"),
        ("Foundation", 7, "the whole of Foundation costs 20 MB: import FoundationEssentials"),
        ("FoundationNetworking", 7, "HTTPTransfer speaks HTTP"),
    ]

    @Test("what is kept to the upper floors stays there", arguments: words)
    func upperFloors(word: String, from floor: Int, why: String) throws {
        for file in try Self.sources.get() where (Self.floors[file.floorName]?.number ?? 0) < floor {
            for (number, line) in file.code where Self.contains(line, word) {
                Issue.record("\(file.path):\(number): \(word): \(why)")
            }
        }
        #expect(try !Self.sources.get().isEmpty)
    }

    @Test("`unsafe` stands in Base/Bytes, Native and Shell only")
    func memorySafety() throws {
        for file in try Self.sources.get() {
            if file.path.hasPrefix("Sources/Base/Bytes/") || ["Native", "Shell"].contains(file.floorName) { continue }
            for (number, line) in file.code {
                #expect(!Self.contains(line, "unsafe"), "\(file.path):\(number): \(line)")
            }
        }
    }

    static let traps = ["try!", "fatalError(", "as!", "Task.detached", "nonisolated(unsafe)"]

    @Test("nothing traps on purpose, and no task runs without a parent", arguments: traps)
    func noTraps(word: String) throws {
        for file in try Self.sources.get() {
            for (number, line) in file.code where line.contains(word) {
                let hasReason = word == "nonisolated(unsafe)" && file.lines[number - 1].contains("//")
                #expect(hasReason, "\(file.path):\(number): \(line)")
            }
        }
        #expect(try !Self.sources.get().isEmpty)
    }

    @Test("@unchecked Sendable gives its reason on its line")
    func uncheckedReasons() throws {
        for file in try Self.sources.get() {
            for (index, line) in file.lines.enumerated() where line.contains("@unchecked Sendable") {
                #expect(line.contains("//"), "\(file.path):\(index + 1): \(line)")
            }
        }
    }

    @Test("a file has at most 600 lines", arguments: ["Sources", "Tests", "scripts", "pipelines"])
    func fileLength(folder: String) throws {
        for suffix in [".swift", ".py", ".c", ".h", ".yaml", ""] where suffix != "" || folder == "scripts" {
            for file in try SourceTree.files(in: folder, ending: suffix) {
                #expect(file.lines.count <= 600, "\(file.path) has \(file.lines.count) lines")
            }
        }
    }

    /// Whether `word` stands in `line` with no letter, digit or underscore beside it.
    static func contains(_ line: Substring, _ word: String) -> Bool {
        var rest = line
        while let range = rest.range(of: word) {
            let before = range.lowerBound == line.startIndex ? nil : line[line.index(before: range.lowerBound)]
            let after = range.upperBound == line.endIndex ? nil : line[range.upperBound]
            let isPart = { (character: Character?) in character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
            }
            if !isPart(before), !isPart(after) { return true }
            rest = line[range.upperBound...]
        }
        return false
    }
}
