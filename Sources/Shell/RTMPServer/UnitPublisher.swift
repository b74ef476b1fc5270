import Feed
import Forwarding
import MediaLoop
import RTMP
import Timing

/// The way of one publication into its room: numbers its tracks, maps its clock, and appends what ``FLVIngest`` makes of
/// its messages to the room's feed.
struct UnitPublisher {
    private let room: Room
    private let participant: ParticipantNumber
    private let grant: PublishGrant
    private var ingest = FLVIngest()
    private var clock = SourceClock()
    private var numbers: [TrackInfo.Kind: TrackNumber] = [:]
}
