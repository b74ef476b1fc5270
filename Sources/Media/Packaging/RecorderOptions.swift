public import Feed

extension MP4Recorder {
    /// How a recording is made. The defaults are those of DESIGN section 4.
    public struct Options: Equatable, Sendable {
        /// The tracks to record; events of others are ignored. The same as the subscription's.
        public var selection: Subscribe.Selection
        /// Media in one fragment, at most.
        public var fragmentDuration: Duration
        /// How long the header waits for published tracks without a configuration, and for a picture beside sound.
        public var headerWait: Duration
        /// Tracks in one file, at most.
        public var maximumTracks: Int

        public init(
            selection: Subscribe.Selection = .all, fragmentDuration: Duration = .milliseconds(500),
            headerWait: Duration = .seconds(2), maximumTracks: Int = 16
        ) {
            self.selection = selection
            self.fragmentDuration = fragmentDuration
            self.headerWait = headerWait
            self.maximumTracks = maximumTracks
        }

        var timeline: RoomTimeline.Options {
            RoomTimeline.Options(selection: selection, startWait: headerWait, maximumTracks: maximumTracks)
        }
    }
}
