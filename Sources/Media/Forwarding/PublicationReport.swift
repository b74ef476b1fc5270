/// What is known of one publication: for the API's `session`, for the log and for metrics.
public struct PublicationReport: Equatable, Sendable {
    public struct Video: Equatable, Sendable {
        public var codec: String
        public var width = 0
        public var height = 0
        /// Over the last seconds, from the stamps.
        public var framesPerSecond = 0.0
        public var bitrateBps = 0
        /// The longest distance of key frames seen lately; `nil` until two were seen.
        public var keyFrameSeconds: Double?
        public var frames = 0
    }

    public struct Audio: Equatable, Sendable {
        public var codec: String
        public var channels = 0
        public var sampleRateHz = 0
        public var bitrateBps = 0
        public var frames = 0
    }

    /// Advice for the person at the encoder.
    public struct Warning: Equatable, Hashable, Sendable {
        public var code: String
        public var message: String
        public var remedy: String
    }

    public var video: Video?
    public var audio: Audio?
    public var warnings: [Warning] = []
    /// How far the last sound's stamp is ahead of the last picture's, in milliseconds; `nil` until both have come.
    public var soundAheadMilliseconds: Int64?
    /// Messages dropped because they did not parse, or their codec is unknown.
    public var droppedMessages = 0
}
