import Bytes

/// A named place in a movie, as the box `chpl` lists them (of Nero; no standard, but what players read).
public struct Chapter: Equatable, Sendable {
    /// Nanoseconds from the movie's zero.
    public var time: Int64
    public var name: String

    public init(time: Int64, name: String) {
        self.time = time
        self.name = name
    }

    /// Appends the box: times in 100 ns, names of at most 255 bytes.
    static func write(_ chapters: [Chapter], into bytes: inout [UInt8]) {
        let listed = chapters.sorted { $0.time < $1.time }.prefix(0xFF)
        bytes.fullBox("chpl", version: 1) { box in
            box.append(zeros: 4)
            box.append(UInt8(clamping: listed.count))
            for chapter in listed {
                let name = chapter.bounded
                box.append(uint64: UInt64(clamping: chapter.time / 100))
                box.append(UInt8(clamping: name.utf8.count))
                box.append(contentsOf: name.utf8)
            }
        }
    }

    /// The name, cut between two characters where it is too long.
    private var bounded: String {
        var name = name
        while name.utf8.count > 0xFF { name.removeLast() }
        return name
    }
}
