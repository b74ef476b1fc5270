import FoundationEssentials

/// Recordings of real publishers; `fixtures/vectors/rtmp.md` says how they were made.
enum Vectors {
    static let ffmpeg = load("rtmp-ffmpeg.bin")
    static let obs = load("rtmp-obs.bin")
    static let nginxHandshake = load("rtmp-nginx-handshake.bin")

    private static func load(_ name: String) -> [UInt8] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appending(path: "fixtures/vectors/\(name)")
        return (try? Data(contentsOf: file)).map { [UInt8]($0) } ?? []
    }
}
