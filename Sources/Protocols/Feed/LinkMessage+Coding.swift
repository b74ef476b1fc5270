import Bytes

// One frame: length 4 (of what follows), kind 1, body. A record's body is its subscription, 4 bytes, and the record; a
// ping's and a pong's is its number, 8 bytes; all others are tagged fields.
extension LinkMessage {
    enum Kind: UInt8 {
        case hello = 1
        case assign = 2
        case command = 3
        case subscribed = 4
        case record = 5
        case ended = 6
        case ping = 7
        case shutdown = 8
        case subscribe = 16
        case unsubscribe = 17
        case acknowledge = 18
        case keyFrameRequest = 19
        case report = 20
        case pong = 21
    }

    /// Appends one frame. What passes ``LinkFrameReader/byteLimit`` is refused by the other side.
    public func encode(into bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(uint32: 0)
        bytes.append(kind.rawValue)
        encodeBody(into: &bytes)
        let length = UInt32(clamping: bytes.count - start - 4)
        for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index)) }
    }

    private var kind: Kind {
        switch self {
        case .hello: .hello
        case .assign: .assign
        case .command: .command
        case .subscribed: .subscribed
        case .record: .record
        case .ended: .ended
        case .ping: .ping
        case .shutdown: .shutdown
        case .subscribe: .subscribe
        case .unsubscribe: .unsubscribe
        case .acknowledge: .acknowledge
        case .keyFrameRequest: .keyFrameRequest
        case .report: .report
        case .pong: .pong
        }
    }

    private func encodeBody(into bytes: inout [UInt8]) {
        switch self {
        case .record(let subscription, let record):
            bytes.append(uint32: subscription)
            record.encode(into: &bytes)
        case .ping(let number), .pong(let number): bytes.append(uint64: number)
        case .hello(let hello):
            bytes.append(field: 1, hello.version)
            bytes.append(field: 2, hello.name)
            bytes.append(field: 3, hello.processID)
        case .assign(let job, let fence, let body), .command(let job, let fence, let body),
            .report(let job, let fence, let body):
            bytes.append(field: 1, job)
            bytes.append(field: 2, fence)
            bytes.append(field: 3, body)
        case .subscribed(let subscription, let position):
            bytes.append(field: 1, subscription)
            bytes.append(field: 2, position)
        case .ended(let subscription, let reason):
            bytes.append(field: 1, subscription)
            bytes.append(field: 2, reason.rawValue)
        case .subscribe(let subscribe): subscribe.encode(into: &bytes)
        case .unsubscribe(let subscription): bytes.append(field: 1, subscription)
        case .acknowledge(let subscription, let position, let fence):
            bytes.append(field: 1, subscription)
            bytes.append(field: 2, position)
            bytes.append(field: 3, fence)
        case .keyFrameRequest(let subscription, let track):
            bytes.append(field: 1, subscription)
            bytes.append(field: 2, track.rawValue)
        case .shutdown: break
        }
    }

    /// Reads the frame whose kind and body fill `frame`; payloads share its storage. `nil`: a record to skip.
    static func decode(frame: ArraySlice<UInt8>) throws(FeedError) -> LinkMessage? {
        guard let first = frame.first else { throw .truncated }
        guard let kind = Kind(rawValue: first) else { throw .unknownKind(first) }
        let body = frame.dropFirst()
        switch kind {
        case .record:
            guard body.count >= 4 else { throw .truncated }
            let subscription = body.span.uint32(at: 0)
            return try Record.decode(body.dropFirst(4)).map { .record(subscription: subscription, $0) }
        case .ping, .pong:
            guard body.count >= 8 else { throw .truncated }
            let number = body.span.uint64(at: 0)
            return kind == .ping ? .ping(number) : .pong(number)
        default:
            return try decode(kind, Fields(parsing: body))
        }
    }

    private static func decode(_ kind: Kind, _ fields: Fields) throws(FeedError) -> LinkMessage? {
        switch kind {
        case .hello:
            return .hello(
                Hello(
                    version: try fields.integer(1, as: UInt16.self), name: try fields.string(2),
                    processID: try fields.integer(3, as: Int32.self)))
        case .assign:
            return .assign(job: try fields.string(1), fence: try fields.uint64(2), body: Array(try fields.bytes(3)))
        case .command:
            return .command(job: try fields.string(1), fence: try fields.uint64(2), body: Array(try fields.bytes(3)))
        case .report:
            return .report(job: try fields.string(1), fence: try fields.uint64(2), body: Array(try fields.bytes(3)))
        case .subscribed:
            return .subscribed(subscription: try fields.subscription(), position: try fields.uint64(2))
        case .ended:
            guard let reason = EndReason(rawValue: try fields.integer(2, as: UInt8.self)) else {
                throw .malformed("unknown reason of an end")
            }
            return .ended(subscription: try fields.subscription(), reason)
        case .subscribe: return .subscribe(try Subscribe(fields))
        case .unsubscribe: return .unsubscribe(subscription: try fields.subscription())
        case .acknowledge:
            return .acknowledge(
                subscription: try fields.subscription(), position: try fields.uint64(2), fence: try fields.uint64(3))
        case .keyFrameRequest:
            return .keyFrameRequest(
                subscription: try fields.subscription(),
                track: TrackNumber(rawValue: try fields.integer(2, as: UInt32.self)))
        case .shutdown: return .shutdown
        case .record, .ping, .pong: return nil  // read above, without fields
        }
    }
}

extension Hello {
    /// Refuses a peer of another version; end the link.
    public func checkVersion() throws(FeedError) {
        guard version == LinkVersion.current else { throw .unsupportedVersion(version) }
    }
}

extension Fields {
    fileprivate func subscription() throws(FeedError) -> UInt32 { try integer(1, as: UInt32.self) }
}

extension Subscribe {
    fileprivate func encode(into bytes: inout [UInt8]) {
        bytes.append(field: 1, subscription)
        bytes.append(field: 2, job)
        bytes.append(field: 3, fence)
        bytes.append(field: 4, room)
        bytes.append(field: 5, isDurable)
        switch selection {
        case .all: bytes.append(field: 6, 0)
        case .participant(let identity, let screenShare):
            bytes.append(field: 6, 1)
            bytes.append(field: 7, identity)
            bytes.append(field: 8, screenShare)
        case .tracks(let ids):
            bytes.append(field: 6, 2)
            for id in ids { bytes.append(field: 9, id) }
        }
        switch start {
        case .gop: bytes.append(field: 10, 0)
        case .live: bytes.append(field: 10, 1)
        case .position(let position):
            bytes.append(field: 10, 2)
            bytes.append(field: 11, position)
        case .preroll(let nanoseconds):
            bytes.append(field: 10, 3)
            bytes.append(field: 12, nanoseconds)
        }
        if let epoch { bytes.append(field: 13, epoch) }
    }

    fileprivate init(_ fields: Fields) throws(FeedError) {
        self.init(
            subscription: try fields.subscription(), job: try fields.string(2), fence: try fields.uint64(3),
            room: try fields.string(4), selection: try Self.selection(fields), isDurable: try fields.flag(5),
            start: try Self.start(fields), epoch: try fields.int64IfThere(13))
    }

    private static func selection(_ fields: Fields) throws(FeedError) -> Selection {
        switch try fields.uint64(6) {
        case 0: .all
        case 1: .participant(identity: try fields.string(7), screenShare: try fields.flag(8))
        case 2: .tracks(try fields.strings(9))
        case let other: throw .malformed("unknown selection \(other)")
        }
    }

    private static func start(_ fields: Fields) throws(FeedError) -> Start {
        switch try fields.uint64(10) {
        case 0: .gop
        case 1: .live
        case 2: .position(try fields.uint64(11))
        case 3: .preroll(nanoseconds: try fields.int64(12))
        case let other: throw .malformed("unknown start \(other)")
        }
    }
}
