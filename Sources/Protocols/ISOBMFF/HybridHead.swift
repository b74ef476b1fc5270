import Bytes

/// The fixed beginning of a hybrid file: `ftyp`, a `free` of 16 bytes, the first `moov`, and a reserve.
///
/// At the end the 16 bytes become the header of one `mdat` that reaches up to the last `moov` and so hides the first
/// one and all fragment headers: the file is then an ordinary MP4. Until then the `moov` can be rewritten in its place.
public enum HybridHead {
    /// Fragments begin here. Room for the headers of 16 tracks, or of some dozens of sample entries.
    public static let byteCount = 16_384
    /// Where the 16 bytes stand.
    static let sealOffset = 32
    static let movieOffset = sealOffset + 16

    /// The whole head.
    /// - Returns: `nil` when `movie` does not fit.
    public static func bytes(_ movie: Movie) -> [UInt8]? {
        guard let moov = movieBytes(movie) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        bytes.box("ftyp") {
            $0.append(uint32: FourCC("isom").rawValue)
            $0.append(uint32: 0x200)
            for brand: FourCC in ["isom", "iso6", "avc1", "mp41"] { $0.append(uint32: brand.rawValue) }
        }
        bytes.box("free") { $0.append(zeros: 8) }
        bytes += moov
        bytes.append(zeros: byteCount - bytes.count)
        return bytes
    }

    /// The write that puts `movie` in place of the present `moov`.
    /// - Returns: `nil` when it does not fit: the file can take no more tracks or entries.
    public static func rewrite(_ movie: Movie) -> (offset: UInt64, bytes: [UInt8])? {
        guard let bytes = movieBytes(movie) else { return nil }
        return (UInt64(movieOffset), bytes)
    }

    /// The one write that turns the file into an ordinary MP4 once a final `moov` stands at `movieOffset` of it.
    public static func seal(finalMovieAt offset: UInt64) -> (offset: UInt64, bytes: [UInt8]) {
        var bytes: [UInt8] = []
        bytes.append(uint32: 1)
        bytes.append(uint32: FourCC("mdat").rawValue)
        bytes.append(uint64: offset &- UInt64(sealOffset))
        return (UInt64(sealOffset), bytes)
    }

    /// The one write that makes a sealed file a hybrid one again: cut it to ``HybridFile/byteCount`` then, and go on.
    public static var unseal: (offset: UInt64, bytes: [UInt8]) {
        var bytes: [UInt8] = []
        bytes.box("free") { $0.append(zeros: 8) }
        return (UInt64(sealOffset), bytes)
    }

    /// `moov` and the header of the `free` that fills the reserve.
    private static func movieBytes(_ movie: Movie) -> [UInt8]? {
        var bytes: [UInt8] = []
        movie.writeInitial(into: &bytes)
        let rest = byteCount - movieOffset - bytes.count
        guard rest >= 8 else { return nil }
        bytes.append(uint32: UInt32(rest))
        bytes.append(uint32: FourCC("free").rawValue)
        return bytes
    }
}
