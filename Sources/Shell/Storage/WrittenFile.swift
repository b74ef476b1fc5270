import Glibc

/// A file that something else wrote, as a library that leaves its bytes to the system.
public enum WrittenFile {
    /// Returns once its bytes, and its name in its folder, are on the disk.
    public static func settle(_ path: String) throws(StorageError) {
        try sync(path, O_RDONLY)
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        try sync(folder, O_RDONLY | O_DIRECTORY)
    }

    private static func sync(_ path: String, _ flags: Int32) throws(StorageError) {
        let number = unsafe open(path, flags | O_CLOEXEC)
        guard number >= 0 else { throw StorageError(code: errno, path: path, in: "open") }
        let descriptor = Descriptor(number)
        guard fsync(descriptor.number) == 0 else { throw StorageError(code: errno, path: path, in: "fsync") }
    }
}
