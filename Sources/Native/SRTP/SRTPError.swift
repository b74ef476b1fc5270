/// Why a packet is not protected or unprotected. *Drop the packet and count it; the session goes on.* Only ``unusableKey``
/// and ``libraryFailure(function:code:)`` at set-up end the session.
public enum SRTPError: Error, Equatable, Sendable {
    /// Shorter than its header and its trailer, in bytes.
    case tooShort(needed: Int, had: Int)
    /// Not version 2.
    case notRTP
    /// The tag is not that of the packet under our key: it was changed, or made by another.
    case authenticationFailed
    /// Its number came before, or is too old to know.
    case replayed
    /// Outbound: its number went out before, or is too old to know. A number is a nonce, so it is not used twice.
    case alreadySent
    /// The key protected as many packets as it may (RFC 3711 section 9.2).
    case keyExhausted
    /// The trailer does not fit behind the packet.
    case noRoom
    /// More sources than a session may have.
    case tooManyStreams(limit: Int)
    /// Key or salt have another length than the profile's.
    case unusableKey
    /// What never fails on a healthy machine; the code is the library's.
    case libraryFailure(function: String, code: Int)
}
