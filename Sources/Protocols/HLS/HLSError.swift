/// Why a text is no playlist, with the number of its line, from 1. *Refuse the playlist.*
public enum HLSError: Error, Equatable, Sendable {
    /// The first line is not `#EXTM3U` (section 4.4.1.1), or the text is not UTF-8 or holds control characters.
    case notAPlaylist
    /// A tag's value is missing, or not of its type.
    case malformed(tag: String, line: Int)
    /// A tag that must be there is not.
    case missing(tag: String)
    /// More segments, renditions or bytes than a playlist of ours has.
    case tooLarge(line: Int)
}
