import Feed

/// A small room on a tape: one participant, a picture and a sound, 25 frames a second.
enum SampleTape {
    static let identity = TapeIdentity(
        tape: "TP_a", roomID: "RM_a", room: "demo", egress: "EG_a", output: "raw", openedAt: 1_790_000_000_000_000_000)

    static let obs = ParticipantInfo(
        number: ParticipantNumber(rawValue: 1), id: "PA_a", identity: "obs", name: "Studio")
    static let video = TrackInfo(
        number: TrackNumber(rawValue: 1), id: "TR_v", participant: obs.number, kind: .video, source: .camera,
        form: .units)
    static let audio = TrackInfo(
        number: TrackNumber(rawValue: 2), id: "TR_a", participant: obs.number, kind: .audio, source: .microphone,
        form: .packets)

    /// The room's state, all at `position`, as a subscription begins with it.
    static func beginning(at position: UInt64) -> [Record] {
        let events: [RoomEvent] = [
            .clock(epoch: 1_790_000_000_000_000_000), .joined(obs), .anchored(obs.number, offset: 5), .published(video),
            .configuration(video.number, rendition: 0, Samples.configuration), .published(audio),
        ]
        return events.map { Record(position: position, time: 1_000_000_000, body: .event($0)) }
    }

    /// Pictures and sound in turn, 20 ms apart, from `position` on.
    static func media(_ count: Int, from position: UInt64, bytes: Int = 12) -> [Record] {
        (0..<count).map { index in
            let payload = (0..<bytes).map { UInt8(truncatingIfNeeded: index &* 7 &+ $0) }
            let time = 1_000_000_000 + Int64(position) * 20_000_000 + Int64(index) * 20_000_000
            let body: Record.Body =
                index % 2 == 0
                ? .unit(
                    Unit(
                        track: video.number, configuration: 3, pts: Int64(index) * 20, dts: Int64(index) * 20,
                        isKey: index % 50 == 0, bytes: payload[...]))
                : .packet(Packet(track: audio.number, rendition: 0, kind: .rtp, isKey: false, bytes: payload[...]))
            return Record(position: position + UInt64(index), time: time, body: body)
        }
    }

    static func records(_ count: Int, bytes: Int = 12) -> [Record] {
        beginning(at: 10) + media(count, from: 10, bytes: bytes)
    }

    static func tape(
        _ records: [Record], isFinished: Bool = true, _ identity: TapeIdentity = identity, mark: UInt32 = 0xA1B2_C3D4
    ) -> [UInt8] {
        var writer = TapeWriter(identity, mark: mark)
        for record in records { writer.append(record) }
        if isFinished { writer.finish() }
        return writer.takeBytes()
    }

    struct Reading: Equatable {
        var identities: [TapeIdentity] = []
        var records: [Record] = []
        var snapshots: [TapeSnapshot] = []
        var index: TapeIndex?
        var damage: [TapeDamage] = []
        var notes: [TapeNote] = []
        var unknown = 0
        var error: TapeError?
        /// The most that waited in the reader.
        var mostHeld = 0
    }

    static func read(_ bytes: [UInt8], pieces: Int = .max) -> Reading {
        var reading = Reading()
        var reader = TapeReader()
        var offset = 0
        do throws(TapeError) {
            while true {
                while let item = try reader.next() { reading.add(item) }
                guard offset < bytes.count else { break }
                let end = bytes.count - offset > pieces ? offset + pieces : bytes.count
                reader.append(bytes.span.extracting(offset..<end))
                reading.mostHeld = max(reading.mostHeld, reader.bufferedBytes)
                offset = end
            }
            reader.finish()
            while let item = try reader.next() { reading.add(item) }
        } catch {
            reading.error = error
        }
        return reading
    }

    static func tail(_ bytes: [UInt8]) -> TapeTail? {
        var scanner = TapeTailScanner(fileSize: UInt64(bytes.count))
        for _ in 0..<10_000 {
            switch scanner.pollOutput() {
            case .finished(let tail): return tail
            case .read(let offset, let count):
                scanner.receive(Array(bytes.dropFirst(Int(clamping: offset)).prefix(count)))
            }
        }
        return nil
    }
}

extension SampleTape.Reading {
    fileprivate mutating func add(_ item: TapeReader.Item) {
        switch item {
        case .identity(let identity): identities.append(identity)
        case .record(let record): records.append(record)
        case .snapshot(let snapshot): snapshots.append(snapshot)
        case .index(let index): self.index = index
        case .damage(let damage): self.damage.append(damage)
        case .note(let note): notes.append(note)
        case .unknown: unknown += 1
        }
    }
}
