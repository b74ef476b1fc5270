import Bytes
import FoundationEssentials
import Glibc
import Storage
import Spec
import Testing

@Suite("Files beneath a storage root")
struct StorageTests {
    @Test("are made with their folders, and written, patched, cut and read")
    func lifeOfAFile() throws {
        let folder = try TemporaryFolder()
        let root = try StorageRoot(folder.path + "/a/b")
        let file = try root.create("x/y/film.mp4", pool: pool)
        try append(Array("hello world".utf8), to: file)
        try patch(Array("HELLO".utf8), at: 0, of: file)
        try file.truncate(to: 8)
        try append(Array("!".utf8), to: file)
        #expect(file.byteCount == 9)
        #expect(file.path == folder.path + "/a/b/x/y/film.mp4")
        #expect(try file.read(at: 0, count: 100) == Array("HELLO wo!".utf8))
        #expect(try file.read(at: 6, count: 2) == Array("wo".utf8))
        #expect(try file.read(at: 60, count: 2) == [])
    }

    @Test("take the next free name")
    func takenNames() throws {
        let folder = try TemporaryFolder()
        let root = try StorageRoot(folder.path)
        let names = try (0..<3).map { _ in try root.create("a/film.mp4", pool: pool).relativePath }
        #expect(names == ["a/film.mp4", "a/film-2.mp4", "a/film-3.mp4"])
        #expect(try (0..<2).map { _ in try root.create(".name", pool: pool).relativePath } == [".name", ".name-2"])
    }

    @Test("are opened again where the last attempt left them")
    func adopt() throws {
        let folder = try TemporaryFolder()
        let root = try StorageRoot(folder.path)
        try append([1, 2, 3], to: try root.create("film.mp4", pool: pool))
        let file = try root.open("film.mp4", pool: pool)
        #expect(file.byteCount == 3)
        try append([4], to: file)
        #expect(try file.read(at: 0, count: 9) == [1, 2, 3, 4])
        try root.rename("film.mp4", to: "done/film.mp4")
        #expect(throws: StorageError.notFound(path: folder.path + "/film.mp4")) {
            try root.open("film.mp4", pool: pool)
        }
        try root.remove("done/film.mp4")
    }

    @Test("stand in their folders, though a mark joins with the slash", arguments: ["x/\u{0301}a/b", "a\u{0600}/b"])
    func clingingMarks(path: String) throws {
        let folder = try TemporaryFolder()
        let root = try StorageRoot(folder.path)
        let file = try root.create(path, pool: pool)
        #expect(file.relativePath.utf8.elementsEqual(path.utf8))
        #expect(try root.createFolder(path).utf8.elementsEqual("\(path)-2".utf8))
        #expect(root.holdsFile(path))
    }

    static let hostileNames = [
        "", "/etc/x", "../x", "a/../../x", "a/..", ".", "./a", "a//b", "a/", "a\0b",
        String(repeating: "n", count: 256), "link/x", "file/x", "a\u{0600}/../x", "a/\u{0301}/../x",
    ]

    @Test("never stand outside of it", arguments: hostileNames)
    func hostileName(name: String) throws {
        let folder = try TemporaryFolder()
        let root = try StorageRoot(folder.path + "/root")
        unsafe symlink(folder.path, folder.path + "/root/link")
        _ = try root.create("file", pool: pool)
        #expect { try root.create(name, pool: pool) } throws: { error in
            if case .badPath? = error as? StorageError { true } else { false }
        }
    }

    @Test("do not follow a link in the last name either")
    func linkAsFile() throws {
        let folder = try TemporaryFolder()
        let root = try StorageRoot(folder.path)
        unsafe symlink("/etc/hostname", folder.path + "/film.mp4")
        #expect(try root.create("film.mp4", pool: pool).relativePath == "film-2.mp4")
        #expect(throws: StorageError.self) { try root.open("film.mp4", pool: pool) }
    }

    @Test("that meet a full disk say so")
    func full() throws {
        let file = try StorageRoot("/dev").open("full", pool: pool)
        #expect(throws: StorageError.full(path: "/dev/full")) { try append([1], to: file) }
        #expect(file.byteCount == 0)
    }

    @Test("are durable when the pool says so, with one call for all who wait")
    func sync() async throws {
        let folder = try TemporaryFolder()
        let file = try StorageRoot(folder.path).create("film.mp4", pool: pool)
        try append([1, 2, 3], to: file)
        let errors = await withTaskGroup(of: StorageError?.self) { group in
            for _ in 0..<10 {
                let (stream, end) = AsyncStream.makeStream(of: StorageError?.self)
                file.sync { end.yield($0) }
                group.addTask { await stream.first { _ in true } ?? nil }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(errors == [StorageError?](repeating: nil, count: 10))
    }

    @Test("know the space that is left")
    func space() throws {
        let folder = try TemporaryFolder()
        let space = try StorageRoot(folder.path).space()
        #expect(0 < space.free && space.free <= space.total)
    }
}

private let pool = SyncPool(threads: 2)

private func append(_ bytes: [UInt8], to file: LocalFile) throws(StorageError) { try file.append(bytes.span) }

private func patch(_ bytes: [UInt8], at offset: Int64, of file: LocalFile) throws(StorageError) {
    try file.patch(bytes.span, at: offset)
}
