import FoundationEssentials
import ISOBMFF
import LoadGenerator

/// Reads a recording of a ``MediaClip`` that was sent over and over, and finds what is lost, twice there or out of order:
/// the sizes of its samples must be those of the clip, one after another.
struct RecordingCheck {
    private let video: [Int]
    private let audio: [Int]

    init(_ clip: MediaClip) {
        video = clip.video.map { $0.count - 5 }  // without the header of the FLV tag
        audio = clip.audio.map { $0.count - 2 }
    }

    /// What is wrong with the file at `path`; `nil` when nothing is.
    /// - Parameter frames: as many at least were sent while it was recorded.
    func problem(with path: String, frames: Int) -> String? {
        guard let bytes = FileManager.default.contents(atPath: path).map({ [UInt8]($0) }) else { return "no such file" }
        let file: MovieFile
        do throws(ISOBMFFError) {
            file = try MovieFile(parsing: bytes.span)
        } catch {
            return "not readable: \(error)"
        }
        guard file.isSealed, file.tornByteCount == 0 else { return "not finished" }
        guard let picture = file.tracks.first(where: { $0.track.kind == .video }),
            let sound = file.tracks.first(where: { $0.track.kind == .audio }), file.tracks.count == 2
        else { return "\(file.tracks.count) tracks instead of a picture and a sound" }
        guard picture.samples.count >= frames else { return "\(picture.samples.count) frames of at least \(frames)" }
        return problem(picture, sizes: video, step: 2_970...3_060, "frames")
            ?? problem(sound, sizes: audio, step: 1024...1024, "AAC frames")
    }

    private func problem(
        _ track: MovieFile.Track, sizes: [Int], step: ClosedRange<Int64>, _ name: String
    ) -> String? {
        let found = track.samples.map(\.range.count)
        let starts = sizes.indices.filter { start in
            found.indices.allSatisfy { found[$0] == sizes[(start + $0) % sizes.count] }
        }
        guard !starts.isEmpty else { return "lost, doubled or changed \(name) among \(found.count)" }
        for (sample, next) in zip(track.samples, track.samples.dropFirst())
        where !step.contains(next.dts - sample.dts) {
            return "\(name) are \(next.dts - sample.dts) ticks apart at \(sample.dts)"
        }
        return nil
    }

    /// Whether a file, as far as it is written, holds a first frame that a player can decode.
    static func isDecodable(_ bytes: [UInt8]) -> Bool {
        guard let file = try? MovieFile(parsing: bytes.span) else { return false }
        return file.tracks.contains { $0.track.kind == .video && $0.samples.first?.isSync == true }
    }
}
