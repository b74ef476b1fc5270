// modules: Bytes Timing STUN ICE SDP
// covers: Sources/Protocols/SDP/*.swift
// max-length: 8192

import ICE
import SDP
import STUN

/// The first byte of an input tells what it is: a fragment, or an offer and how it is answered.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let rest = Array(input.dropFirst())
    if first & 3 == 0 { checkFragment(rest) } else { checkOffer(rest, how: first) }
    return 0
}

private func checkFragment(_ text: [UInt8]) {
    do {
        let fragment = try TrickleFragment(parsing: text)
        guard let again = try? TrickleFragment(parsing: Array(fragment.text.utf8)) else {
            preconditionFailure("what was written does not read")
        }
        precondition(again == fragment, "it reads otherwise")
    } catch {
        precondition(!error.description.isEmpty)
    }
}

private func checkOffer(_ text: [UInt8], how: UInt8) {
    do {
        let offer = try SessionDescription(parsing: text)
        precondition(read(offer.text) == offer, "it reads otherwise")
        #if FUZZ_CANARY
            // The planted bug: parameters of a retransmission that do not say of what.
            for format in offer.sections.flatMap(\.payloads) where format.isNamed("rtx") && format.parameters != nil {
                _ = format.associatedPayloadType!
            }
        #endif
        checkAnswer(offer, how)
    } catch {
        precondition(!error.description.isEmpty)
    }
}

private func checkAnswer(_ offer: SessionDescription, _ how: UInt8) {
    guard let credentials = ICECredentials(entropy: Array(0..<32)) else { return }
    let address = TransportAddress(.v6(high: 1, low: 2), port: 9)
    let track = OutgoingTrack(
        .video, stream: MediaStreamID(stream: "s"), cname: "c", ssrc: 1, retransmissionSSRC: 2)
    var answerer = Answerer(
        how & 3 == 3 ? .send([track]) : .receive, credentials: credentials,
        candidates: [ICECandidate(host: address, transport: .udp, localPreference: 1)],
        fingerprints: [CertificateFingerprint(hash: "sha-256", bytes: Array(0..<32))], sessionID: 1)
    answerer.refusesUnusable = how & 4 == 0
    answerer.mayBeActive = how & 8 != 0
    answerer.sectionsPerKind = how & 16 != 0 ? nil : 1
    answerer.requiresOneStream = how & 32 == 0
    let answer: SessionDescription
    do {
        answer = try answerer.answer(offer)
    } catch {
        precondition(!error.description.isEmpty)
        return
    }
    precondition(read(answer.text) == answer, "an answer reads otherwise")
    precondition(answer.sections.count == offer.sections.count, "sections are lost")
    for (ours, theirs) in zip(answer.sections, offer.sections) {
        precondition(ours.mid == theirs.mid && ours.kind == theirs.kind, "another section")
        let types = Set(theirs.payloads.map(\.payloadType))
        precondition(ours.payloads.allSatisfy { types.contains($0.payloadType) }, "a payload type that nobody offered")
        let ids = Set(theirs.extensions.map(\.id))
        precondition(ours.extensions.allSatisfy { ids.contains($0.id) && $0.id < 256 }, "an id that nobody offered")
        precondition(ours.rids.count <= theirs.rids.count && !ours.direction.sends || how & 3 == 3, "too much is taken")
    }
}

private func read(_ text: String) -> SessionDescription? { try? SessionDescription(parsing: Array(text.utf8)) }
