/// Whose tape it is. Stands first on a tape, and again wherever a later attempt went on.
public struct TapeIdentity: Equatable, Sendable {
    /// `TP_…`
    public var tape: String
    /// `RM_…`, and the name for people.
    public var roomID: String
    public var room: String
    /// `EG_…`, and the id of its output.
    public var egress: String
    public var output: String
    /// 1 for the first worker that wrote to it.
    public var attempt: UInt32
    /// 1, and one more each time the room's feed began anew (a restart of the gateway): positions begin again, and room time
    /// has another zero.
    public var run: UInt32
    /// The whole room was selected: positions rise by one, and one that is not there was lost from the tape.
    public var isWholeRoom: Bool
    /// Wall time of this attempt, in nanoseconds since 1970.
    public var openedAt: Int64

    public init(
        tape: String, roomID: String, room: String, egress: String = "", output: String = "", attempt: UInt32 = 1,
        run: UInt32 = 1, isWholeRoom: Bool = true, openedAt: Int64 = 0
    ) {
        self.tape = tape
        self.roomID = roomID
        self.room = room
        self.egress = egress
        self.output = output
        self.attempt = attempt
        self.run = run
        self.isWholeRoom = isWholeRoom
        self.openedAt = openedAt
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(field: 1, tape)
        bytes.append(field: 2, roomID)
        bytes.append(field: 3, room)
        bytes.append(field: 4, egress)
        bytes.append(field: 5, output)
        bytes.append(field: 6, attempt)
        bytes.append(field: 7, run)
        bytes.append(field: 8, isWholeRoom)
        bytes.append(field: 9, openedAt)
    }

    init(_ fields: Fields) throws(FeedError) {
        self.init(
            tape: try fields.string(1), roomID: try fields.string(2), room: try fields.string(3),
            egress: try fields.string(4), output: try fields.string(5),
            attempt: try fields.integer(6, as: UInt32.self), run: try fields.integer(7, as: UInt32.self),
            isWholeRoom: try fields.flag(8), openedAt: try fields.int64(9))
    }
}
