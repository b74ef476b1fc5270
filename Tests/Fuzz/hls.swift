// modules: Bytes Timing JSON JWT HLS
// covers: Sources/Protocols/HLS/*.swift Sources/Protocols/JWT/SignedLink.swift
// max-length: 4096

import HLS
import JWT
import Timing

/// An input is a playlist, or the path of a linked file: `/hls/LINK/EG_…/OUTPUT/FILE`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    if input.first == UInt8(ascii: "/") {
        checkPath(String(decoding: input, as: UTF8.self))
    } else {
        checkMedia(input)
        checkMain(input)
    }
    return 0
}

private func checkMedia(_ input: [UInt8]) {
    guard let playlist = try? MediaPlaylist(parsing: input.span) else { return }
    precondition(playlist.targetDuration >= 0, "a playlist without a target duration was read")
    precondition(playlist.segments.count <= input.count, "more segments than bytes")
    let text = playlist.text
    guard let again = try? MediaPlaylist(parsing: Array(text.utf8).span) else {
        preconditionFailure("what was written does not read")
    }
    precondition(again.text == text, "a playlist does not read as it was written")
    precondition(again.duration == playlist.duration, "durations changed")
    #if FUZZ_CANARY
        // The planted bug: an average over the segments that hold media, when all are gaps.
        let played = playlist.segments.count { !$0.isGap }
        if !playlist.segments.isEmpty { _ = playlist.duration.nanoseconds / Int64(played) }
    #endif
}

private func checkMain(_ input: [UInt8]) {
    guard let playlist = try? MultivariantPlaylist(parsing: input.span) else { return }
    let text = playlist.text
    guard let again = try? MultivariantPlaylist(parsing: Array(text.utf8).span) else {
        preconditionFailure("what was written does not read")
    }
    precondition(again.variants.count == playlist.variants.count, "variants lost or won")
    precondition(again.text == text, "a playlist does not read as it was written")
}

private func checkPath(_ path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
    guard parts.count == 6, let link = SignedLink(parts[2]) else { return }
    precondition(link.text == parts[2], "a link has two spellings")
    precondition(0 <= link.endsAt && link.endsAt < 1 << 40, "an end out of range")
    let signature = [UInt8](repeating: 0x5A, count: 32)
    let now = WallTime(nanoseconds: 1_000_000_000_000_000_000)
    let opens: Bool
    do {
        try link.check(opens: parts[3], at: now, sign: { _ in signature }, isEqual: { $0 == $1 })
        opens = true
    } catch {
        opens = false
    }
    let isSigned = link.text.hasSuffix("WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa")
    precondition(
        opens == (isSigned && link.endsAt > 1_000_000_000), "a link that is not signed opens, or a signed one does not")
}
