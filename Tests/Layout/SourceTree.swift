import Foundation

/// The files of this package, read as text.
struct SourceTree {
    struct File {
        /// Beneath the package, as `Sources/Base/Bytes/Reading.swift`.
        let path: String
        let lines: [Substring]

        var folders: [Substring] { path.split(separator: "/").dropLast() }
        /// `Base` of `Sources/Base/Bytes/Reading.swift`; a program's own name for a program.
        var floorName: String { folders.count > 1 ? String(folders[1]) : "" }
        /// `Bytes` of `Sources/Base/Bytes/Reading.swift`.
        var target: String { String(folders.count > 2 ? folders[2] : folders.last ?? "") }

        /// Lines without what follows `//`, with their numbers from 1.
        var code: [(number: Int, text: Substring)] {
            lines.enumerated().map { ($0.offset + 1, Self.uncommented(String($0.element))) }
        }

        /// Module names after `import`.
        var imports: [(number: Int, module: String)] {
            code.compactMap { number, text in
                let words = text.split(separator: " ")
                guard let index = words.firstIndex(of: "import"), index + 1 < words.count, index < 3 else { return nil }
                let before = words[..<index].allSatisfy { $0.hasPrefix("@") || $0 == "public" || $0 == "internal" }
                return before ? (number, String(words[index + 1])) : nil
            }
        }

        /// A `//` inside a string (a URL) is no comment.
        private static func uncommented(_ line: String) -> Substring {
            var isText = false
            var previous: Character = " "
            for index in line.indices {
                let character = line[index]
                if character == "\"", previous != "\\" { isText.toggle() }
                if !isText, character == "/", previous == "/" { return line[..<line.index(before: index)] }
                previous = character
            }
            return line[...]
        }
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All files beneath `folder` whose names end so.
    static func files(in folder: String, ending suffix: String) throws -> [File] {
        let start = root.appending(path: folder)
        let names = FileManager.default.enumerator(atPath: start.path)
        var files: [File] = []
        while let name = names?.nextObject() as? String {
            guard name.hasSuffix(suffix) else { continue }
            let text = try String(contentsOf: start.appending(path: name), encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            files.append(File(path: "\(folder)/\(name)", lines: lines.last == "" ? lines.dropLast() : lines))
        }
        return files.sorted { $0.path < $1.path }
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The words in double quotes after each `start` of Package.swift.
    static func names(after start: String, in text: String) -> [String] {
        text.components(separatedBy: start + "\"").dropFirst().compactMap { $0.components(separatedBy: "\"").first }
    }
}
