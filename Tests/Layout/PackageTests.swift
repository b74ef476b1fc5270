import Foundation
import Testing

/// What Package.swift declares, and what was built from it.
@Suite("Package")
struct PackageTests {
    @Test("each C library has a target that imports it")
    func libraries() throws {
        let package = try SourceTree.text("Package.swift")
        let declared = SourceTree.names(after: "cLibrary(", in: package)
        let shims = SourceTree.names(after: ".target(name: ", in: package).filter { $0.hasPrefix("CShim") }
        let imported = Set(try SourceTree.files(in: "Sources", ending: ".swift").flatMap { $0.imports.map(\.module) })
        #expect(!declared.isEmpty)
        for name in declared + shims { #expect(imported.contains(name), "nothing imports \(name)") }
    }

    @Test("each target folder is a target, and each has tests or a reason")
    func folders() throws {
        let package = try SourceTree.text("Package.swift")
        for file in try SourceTree.files(in: "Sources", ending: ".swift") {
            #expect(package.contains("\"\(file.target)\""), "\(file.path) belongs to no target")
        }
        for file in try SourceTree.files(in: "Tests", ending: ".swift") where file.folders.count > 1 {
            let folder = String(file.folders[1])
            #expect(package.contains("\"\(folder)\"") || folder == "Fuzz", "\(file.path) belongs to no target")
        }
    }

    /// The top of the tree; what git ignores is left out.
    static let entries: Set<String> = [
        ".ci", ".git", ".gitignore", ".swift-format", "LICENSE", "Package.swift", "README.md", "Sources", "Tests",
        "fixtures", "packaging", "pipelines", "scripts",
    ]

    @Test("nothing else lies at the top of the tree")
    func topLevel() throws {
        let ignored = try SourceTree.text(".gitignore").split(separator: "\n").map { $0.split(separator: "/")[0] }
        let prefixes = ignored.map { $0.hasSuffix("*") ? String($0.dropLast()) : String($0) }
        for entry in try FileManager.default.contentsOfDirectory(atPath: SourceTree.root.path) {
            let isIgnored = prefixes.contains { entry == $0 || ($0 == ".build" && entry.hasPrefix($0)) }
            #expect(isIgnored || Self.entries.contains(entry), "\(entry) does not belong here")
        }
    }

    static let foreign: [(program: String, libraries: [String])] = [
        // The gateway touches no codec.
        (
            "sluice",
            ["libavcodec", "libavformat", "libavutil", "libavfilter", "libswscale", "libswresample", "libopus"]
        ),
        // A worker knows neither the store, nor the configuration, nor the API.
        ("sluice-worker", ["libsqlite3", "libmicrohttpd", "libyaml"]),
    ]

    @Test("a program links nothing of the other's", arguments: foreign)
    func linkage(program name: String, libraries: [String]) throws {
        let text = try Self.linked(by: name)
        #expect(text.contains("libc.so"))
        for library in libraries { #expect(!text.contains(library), "\(text)") }
    }

    /// What `ldd` says of a program of this build.
    private static func linked(by name: String) throws -> String {
        let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let built = [folder, SourceTree.root.appending(path: ".build/debug")].map { $0.appending(path: name) }
        let program = try #require(
            built.first { FileManager.default.isExecutableFile(atPath: $0.path) }, "\(name) is not built")
        let output = Pipe()
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/ldd")
        process.arguments = [program.path]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return text
    }
}
