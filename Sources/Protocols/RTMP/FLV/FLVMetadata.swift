/// What an encoder says of its stream in `onMetaData`. All of it is hearsay: sizes and rates are read from the codecs'
/// own headers, only the frame rate stands nowhere else.
public struct FLVMetadata: Equatable, Sendable {
    /// Everything that was sent, in order.
    public var properties: [AMF0Property]

    public init(properties: [AMF0Property] = []) { self.properties = properties }

    /// Reads a data message's values: `@setDataFrame`, `onMetaData`, an object or array; the first may be missing.
    /// - Returns: `nil` for other data.
    init?(values: [AMF0Value]) {
        var values = values[...]
        if values.first?.string == "@setDataFrame" { values = values.dropFirst() }
        guard values.first?.string == "onMetaData", let value = values.dropFirst().first else { return nil }
        properties = value.properties
    }

    public var encoder: String? { self["encoder"]?.string }
    public var width: Int? { positive("width") }
    public var height: Int? { positive("height") }
    /// Frames a second; `nil` unless it is one that a stream can have.
    public var frameRate: Double? {
        let rate = self["framerate"]?.number ?? self["videoframerate"]?.number
        return rate.flatMap { $0 >= 1 && $0 <= 1000 ? $0 : nil }
    }
    /// Bits a second.
    public var videoBitrate: Int? { positive("videodatarate", times: 1000) }
    public var audioBitrate: Int? { positive("audiodatarate", times: 1000) }
    /// Samples a second.
    public var audioSampleRate: Int? { positive("audiosamplerate") }
    public var audioChannels: Int? { positive("audiochannels") }

    public subscript(name: String) -> AMF0Value? { properties.last { $0.name == name }?.value }

    /// The body of the data message that a publisher sends.
    public func serialized() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(amf0: "@setDataFrame")
        bytes.append(amf0: "onMetaData")
        bytes.append(amf0: .ecmaArray(properties))
        return bytes
    }

    private func positive(_ name: String, times factor: Double = 1) -> Int? {
        self[name]?.number.flatMap { Int(exactly: ($0 * factor).rounded()) }.flatMap { $0 > 0 ? $0 : nil }
    }
}
