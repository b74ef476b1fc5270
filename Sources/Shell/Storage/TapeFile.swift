public import Feed

/// Why a tape's file cannot be read at all, in words for the person who named it.
public enum TapeFileError: Error, Equatable, Sendable {
    case storage(StorageError)
    case tape(TapeError, path: String)

    public var message: String {
        switch self {
        case .storage(.notFound(let path)): "there is no file \(path)"
        case .storage(.denied(let path)): "no permission to read \(path)"
        case .storage(let error): error.message
        case .tape(.notATape, let path): "\(path) is no tape"
        case .tape(.newerVersion(let major), let path):
            "\(path) was written by a later version of Sluice (tape format \(major))"
        }
    }

    public var remedy: String? {
        switch self {
        case .tape(.newerVersion, _): "Use the `sluice` of that version."
        case .tape(.notATape, _): "Tapes lie in the data folder's `tapes`, as TP_….tape."
        case .storage: nil
        }
    }
}

/// A tape on disk, read item by item from its beginning. A tape that is still written is read to where it was at the start.
public struct TapeFile: ~Copyable {
    private static let pieceBytes = 1 << 20

    private let file: InputFile
    private var reader = TapeReader()
    private var readBytes: Int64 = 0

    public init(path: String) throws(TapeFileError) {
        do throws(StorageError) {
            file = try InputFile(path: path)
        } catch {
            throw .storage(error)
        }
    }

    public var path: String { file.path }
    public var byteCount: Int64 { file.byteCount }
    /// The offset behind the last item.
    public var offset: UInt64 { reader.offset }

    /// The next item; `nil` at the end.
    public mutating func next() throws(TapeFileError) -> TapeReader.Item? {
        while true {
            if let item = try nextRead() { return item }
            let piece = try read(Self.pieceBytes, at: readBytes)
            readBytes += Int64(piece.count)
            guard piece.isEmpty else {
                reader.append(piece.span)
                continue
            }
            reader.finish()
            return try nextRead()
        }
    }

    private mutating func nextRead() throws(TapeFileError) -> TapeReader.Item? {
        do throws(TapeError) {
            return try reader.next()
        } catch {
            throw .tape(error, path: path)
        }
    }

    private func read(_ count: Int, at offset: Int64) throws(TapeFileError) -> [UInt8] {
        do throws(StorageError) {
            return try file.read(at: offset, count: count)
        } catch {
            throw .storage(error)
        }
    }

    /// What its end says: who and what is on it, without reading all of it.
    /// - Returns: `nil` if no good frame was found.
    public func tail() throws(TapeFileError) -> TapeTail? {
        var scanner = TapeTailScanner(fileSize: UInt64(clamping: byteCount))
        while true {
            switch scanner.pollOutput() {
            case .finished(let tail): return tail
            case .read(let offset, let count):
                scanner.receive(try read(count, at: Int64(clamping: offset)))
            }
        }
    }
}
