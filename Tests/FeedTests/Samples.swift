import Feed

/// One of each: every event, every record body, every message.
enum Samples {
    static let configuration = Configuration(
        id: 3, codec: .h264, timescale: 1000, record: [1, 0x64, 0, 0x1F, 0xFF, 0xE1], width: 1280, height: 720)

    static let track = TrackInfo(
        number: TrackNumber(rawValue: 7), id: "TR_a", participant: ParticipantNumber(rawValue: 2), kind: .video,
        source: .camera, form: .units, name: "café")

    static let events: [RoomEvent] = [
        .clock(epoch: 1_790_000_000_000_000_000),
        .joined(ParticipantInfo(number: ParticipantNumber(rawValue: 2), id: "PA_a", identity: "obs", name: "")),
        .left(ParticipantNumber(rawValue: 2)),
        .published(track),
        .unpublished(TrackNumber(rawValue: .max)),
        .configuration(TrackNumber(rawValue: 7), rendition: 1, configuration),
        .anchored(ParticipantNumber(rawValue: 2), offset: -12_345_678_901),
        .muted(TrackNumber(rawValue: 7), true),
        .muted(TrackNumber(rawValue: 7), false),
        .speaking([]),
        .speaking([ParticipantNumber(rawValue: 0), ParticipantNumber(rawValue: 2)]),
        .layout("{\"type\":\"grid\"}"),
        .missed(from: 0, to: .max),
    ]

    static let unit = Unit(
        track: TrackNumber(rawValue: 7), rendition: 2, configuration: 3, pts: 166, dts: -33, isKey: true,
        bytes: [0, 0, 0, 2, 0x65, 0x88])

    static let packet = Packet(
        track: TrackNumber(rawValue: 8), rendition: 1, kind: .senderReport, isKey: false, bytes: [0x80, 200, 0, 6])

    static let records: [Record] =
        events.enumerated().map { Record(position: UInt64($0), time: -1, body: .event($1)) } + [
            Record(position: .max, time: .min, body: .unit(unit)),
            Record(position: 5, time: 1_000_000_007, body: .packet(packet)),
        ]

    static let subscribes: [Subscribe] = [
        Subscribe(
            subscription: 1, job: "EG_a", fence: 9, room: "RM_a", selection: .all, isDurable: true, start: .gop),
        Subscribe(
            subscription: .max, job: "EG_a", fence: .max, room: "RM_a",
            selection: .participant(identity: "obs", screenShare: true), isDurable: false, start: .live),
        Subscribe(
            subscription: 2, job: "EG_a", fence: 0, room: "RM_a", selection: .tracks(["TR_a", "TR_b"]),
            isDurable: true, start: .position(77), epoch: 1_790_000_000_000_000_000),
        Subscribe(
            subscription: 3, job: "EG_a", fence: 0, room: "RM_a", selection: .tracks([]), isDurable: true,
            start: .preroll(nanoseconds: 5_000_000_000)),
    ]

    static let messages: [LinkMessage] =
        [
            .hello(Hello(name: "WK_a", processID: -1)),
            .assign(job: "EG_a", fence: 4, body: Array("{}".utf8)),
            .command(job: "EG_a", fence: 4, body: []),
            .subscribed(subscription: 1, position: 44),
            .ended(subscription: 1, .fenced),
            .ping(1), .pong(.max), .shutdown,
            .unsubscribe(subscription: 1),
            .acknowledge(subscription: 1, position: 99, fence: 4),
            .keyFrameRequest(subscription: 1, track: TrackNumber(rawValue: 7)),
            .report(job: "EG_a", fence: 4, body: Array("{\"outputs\":[]}".utf8)),
        ] + subscribes.map { .subscribe($0) } + records.map { .record(subscription: 1, $0) }
}
