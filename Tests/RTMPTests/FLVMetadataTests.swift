import Spec
import Testing

@testable import RTMP

@Suite("onMetaData", .spec("FLV 10.1", "E.5"))
struct FLVMetadataTests {
    static let forms: [[AMF0Value]] = [
        ["@setDataFrame", "onMetaData", ["width": 640]],
        ["onMetaData", ["width": 640]],
        ["onMetaData", .ecmaArray([AMF0Property("width", 1), AMF0Property("width", 640)])],
    ]

    @Test("is read in each form that encoders send", arguments: forms)
    func read(values: [AMF0Value]) {
        #expect(FLVMetadata(values: values)?.width == 640)
    }

    static let otherData: [[AMF0Value]] = [[], ["onMetaData"], ["@setDataFrame"], ["onTextData", ["a": 1]], [5]]

    @Test("other data is none", arguments: otherData)
    func others(values: [AMF0Value]) {
        #expect(FLVMetadata(values: values) == nil)
    }

    @Test("numbers that nothing can have are absent", arguments: [Double.nan, .infinity, -1, 0, 1e300])
    func hostile(number: Double) {
        let names = [
            "width", "height", "framerate", "videodatarate", "audiodatarate", "audiosamplerate", "audiochannels",
        ]
        let metadata = FLVMetadata(properties: names.map { AMF0Property($0, .number(number)) })
        #expect(metadata.width == nil && metadata.height == nil && metadata.frameRate == nil)
        #expect(metadata.videoBitrate == nil && metadata.audioBitrate == nil)
        #expect(metadata.audioSampleRate == nil && metadata.audioChannels == nil && metadata.encoder == nil)
    }
}
