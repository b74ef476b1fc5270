import Bytes

/// Files of a segmented presentation (ISO/IEC 23000-19, CMAF): a header that decodes, and segments that it decodes.
public enum MediaSegment {
    /// The CMAF header of one track: `ftyp` and a `moov` without samples (section 7.3.1).
    ///
    /// Give the track no origin: a segmented track has no edit list, its times are those of the presentation.
    public static func header(_ movie: Movie) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.box("ftyp") {
            $0.append(uint32: FourCC("iso6").rawValue)
            $0.append(zeros: 4)
            for brand: FourCC in ["iso6", "cmfc", "mp41"] { $0.append(uint32: brand.rawValue) }
        }
        movie.writeInitial(into: &bytes)
        return bytes
    }

    /// What ``header(_:)`` was made of.
    public static func movie(of header: Span<UInt8>) throws(ISOBMFFError) -> Movie {
        try Movie(parsing: try header.child("moov"))
    }

    /// One segment: `styp`, then each fragment (section 7.3.2.3). Fragments without a state of ours.
    public static func bytes(_ fragments: [Fragment]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.box("styp") {
            $0.append(uint32: FourCC("msdh").rawValue)
            $0.append(zeros: 4)
            for brand: FourCC in ["msdh", "msix", "cmfs"] { $0.append(uint32: brand.rawValue) }
        }
        for fragment in fragments { _ = fragment.write(as: "moof", into: &bytes) }
        return bytes
    }
}
