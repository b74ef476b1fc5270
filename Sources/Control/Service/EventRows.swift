import FoundationEssentials
import Jobs
import MediaLoop
public import Store

/// The answer that a commit stores for its idempotency key, made from the record that the commit makes.
public typealias Answer<Record> = @Sendable (Record) -> IdempotentAnswer?

extension EventRow {
    /// A row of the durable event log whose body is `record` as the API shows it, at this moment.
    init(_ kind: String, subject: String, room: String?, roomID: String?, _ record: some Encodable) {
        self.init(
            id: Identifier.event.make(), at: Clocks.wall(), kind: kind, subject: subject, room: room, roomID: roomID,
            body: (try? JSONEncoder().encode(record)).map { Array($0) } ?? [])
    }
}
