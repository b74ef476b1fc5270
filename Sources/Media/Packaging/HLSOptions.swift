public import Feed
public import Timing

extension HLSSegmenter {
    /// How a presentation is cut. The defaults are those of the API.
    public struct Options: Equatable, Sendable {
        /// The tracks to take; events of others are ignored. The same as the subscription's.
        public var selection: Subscribe.Selection
        /// How long a segment is to be; pictures are cut at key frames, so it may be shorter or longer.
        public var segmentDuration: Duration
        /// Segments that a live playlist holds, at least; `nil`: an event, whose playlist holds all.
        public var window: Int?

        public init(
            selection: Subscribe.Selection = .all, segmentDuration: Duration = .seconds(6), window: Int? = nil
        ) {
            self.selection = selection
            self.segmentDuration = segmentDuration
            self.window = window
        }
    }

    /// What the caller is to do next, in this order, one after another.
    public enum Output: Equatable, Sendable {
        case publish(Publication)
        case warning(RecorderWarning)
        /// A pause left out this much of the room's time, at this place of the media.
        case leftOut(Duration, at: Duration)
        /// Nothing more will come; if nothing was ever published, there is no playlist.
        case finished(RecorderStatistics)
        /// Nothing to do until then (room time, nanoseconds), or until the next record.
        case wait(until: Int64?)
    }

    /// Files of the output's folder that are to appear, each whole or not at all, in this order.
    ///
    /// A kill between two of them leaves the presentation legal: segments come before the state that knows them, and the
    /// state before the playlists, which a later attempt writes again from it.
    public struct Publication: Equatable, Sendable {
        public struct File: Equatable, Sendable {
            public var name: String
            public var bytes: [UInt8]

            public init(name: String, bytes: [UInt8]) {
                self.name = name
                self.bytes = bytes
            }
        }

        public var files: [File] = []
        /// Names of segments that have left the playlists long enough ago.
        public var removed: [String] = []
        /// Acknowledge the feed up to, not including, this position once all files are durable.
        public var position: UInt64?
        /// Wall time of the first sample: set in the first publication. The output is active once it is durable.
        public var startedAt: WallTime?

        public init() {}

        /// This publication and the next as one: what both have, the next has newer.
        public func merged(with next: Publication) -> Publication {
            var merged = next
            let names = Set(next.files.map(\.name))
            merged.files = files.filter { !names.contains($0.name) } + next.files
            merged.removed = removed + next.removed
            merged.position = next.position ?? position
            merged.startedAt = startedAt ?? next.startedAt
            return merged
        }
    }

    /// The playlist that viewers open.
    public static let playlistName = "index.m3u8"
    /// What a later attempt goes on from. Not for viewers.
    public static let stateName = ".state"
}
