import Bytes

/// What each message does to a server session.
extension RTMPServerSession {
    /// The chunk size that we send with, and the window after which the peer is to acknowledge.
    private static let chunkSize = 4096
    private static let window: UInt32 = 2_500_000

    mutating func handle(_ message: RTMPMessage) {
        switch message.type {
        case .video: media(.video(timestamp: message.timestamp, payload: message.payload), message.payload.count)
        case .audio: media(.audio(timestamp: message.timestamp, payload: message.payload), message.payload.count)
        case .command, .commandAMF3: command(message)
        case .data, .dataAMF3: data(message)
        case .userControl: if let pong = ControlMessage.pong(to: message) { send(pong) }
        case .windowAcknowledgementSize: ControlMessage.value(of: message).map { setReceiveWindow($0) }
        default: break  // acknowledgements, bandwidth, shared objects, and what is unknown
        }
    }

    // MARK: Media

    /// Deviation: the message stream is not compared with the publication's; a connection has one publication.
    private mutating func media(_ output: Output, _ count: Int) {
        guard count > 0 else { return }
        if case .publishing = state {
            hasNewMedia = true
            emit(output)
        } else if case .held = state {
            hold(output, count)
        }
    }

    private mutating func hold(_ output: Output, _ count: Int) {
        guard case .held(let connect, var held) = state else { return }
        guard held.bytes + count <= limits.heldBytes else { return fail(.heldMedia(bytes: held.bytes + count)) }
        state = .connecting  // so that `held` is the only owner while it grows
        held.outputs.append(output)
        held.bytes += count
        state = .held(connect, held)
    }

    private mutating func data(_ message: RTMPMessage) {
        // Data that is too long or malformed tells us nothing, and harms nothing.
        guard message.payload.count <= limits.commandBytes, let values = try? message.amf0Values(),
            let metadata = FLVMetadata(values: values)
        else { return }
        switch state {
        case .publishing: emit(.metadata(metadata))
        case .held: hold(.metadata(metadata), message.payload.count)
        case .handshake, .connecting, .connected, .closed: break
        }
    }

    // MARK: Commands

    private mutating func command(_ message: RTMPMessage) {
        guard message.payload.count <= limits.commandBytes else { return fail(.commandTooLong(message.payload.count)) }
        do throws(AMF0Error) {
            guard let command = try Command(message) else { return }
            handle(command, on: message.messageStreamID)
        } catch {
            fail(.command(error))
        }
    }

    private mutating func handle(_ command: Command, on messageStreamID: UInt32) {
        switch command.name {
        case "connect": connect(command)
        case "releaseStream": answer(command, [.null, .undefined])
        case "FCPublish":
            usesFCPublish = true
            answer(command, [.null, .undefined])
        case "createStream":
            lastMessageStreamID = lastMessageStreamID == .max ? 1 : lastMessageStreamID + 1
            answer(command, [.null, .number(Double(lastMessageStreamID))])
        case "publish": publish(command, on: messageStreamID)
        case "play", "play2": refusePlay(on: messageStreamID)
        case "FCUnpublish", "deleteStream", "closeStream": unpublish(command)
        default: break  // getStreamLength, _checkbw and whatever else is not waited for
        }
    }

    private mutating func connect(_ command: Command) {
        guard case .connecting = state else { return fail(.unexpectedCommand("connect")) }
        let info = ConnectInfo(command.argument(0))
        guard info.app.utf8.count + info.query.utf8.count <= limits.nameBytes else {
            return fail(.nameTooLong("application name", bytes: info.app.utf8.count + info.query.utf8.count))
        }
        state = .connected(info)
        send(ControlMessage.windowAcknowledgementSize(Self.window))
        send(ControlMessage.setPeerBandwidth(Self.window))
        useChunkSize(Self.chunkSize)
        let server: AMF0Value = ["fmsVer": "FMS/3,0,1,123", "capabilities": 31]
        let result: AMF0Value = [
            "level": "status", "code": "NetConnection.Connect.Success", "description": "Connection succeeded.",
            "objectEncoding": 0,
        ]
        answer(command, [server, result])
    }

    private mutating func publish(_ command: Command, on messageStreamID: UInt32) {
        guard case .connected(let connect) = state else { return fail(.unexpectedCommand("publish")) }
        let name = command.argument(1).string ?? ""
        guard name.utf8.count <= limits.nameBytes else {
            let text = "The stream key is over \(limits.nameBytes) bytes."
            sendStatus(level: "error", "NetStream.Publish.BadName", text, on: messageStreamID)
            return fail(.nameTooLong("stream key", bytes: name.utf8.count))
        }
        let info = connect.publishing(name)
        state = .held(connect, HeldPublication(publication: Publication(info: info, messageStreamID: messageStreamID)))
        wait(limits.firstMedia, .publishTimeout(limits.firstMedia))
        guard !info.streamKey.isEmpty else {
            return reject(code: "NetStream.Publish.BadName", description: "There is no stream key.")
        }
        emit(.publishRequested(info))
    }

    /// Tells the publisher that it publishes.
    mutating func announce(_ publication: Publication) {
        send(ControlMessage.streamBegin(publication.messageStreamID))
        if usesFCPublish { sendFCStatus("onFCPublish", "NetStream.Publish.Start", publication) }
        sendStatus(level: "status", "NetStream.Publish.Start", "Publishing.", on: publication.messageStreamID)
    }

    private mutating func unpublish(_ command: Command) {
        let ended: (connect: ConnectInfo, publication: Publication, wasAccepted: Bool)
        switch state {
        case .publishing(let connect, let publication): ended = (connect, publication, true)
        case .held(let connect, let held): ended = (connect, held.publication, false)
        case .handshake, .connecting, .connected, .closed: return
        }
        state = .connected(ended.connect)
        hasNewMedia = false
        wait(limits.firstMedia, .publishTimeout(limits.firstMedia))
        if command.name == "FCUnpublish" {
            sendFCStatus("onFCUnpublish", "NetStream.Unpublish.Success", ended.publication)
        }
        sendStatus(
            level: "status", "NetStream.Unpublish.Success", "Unpublished.", on: ended.publication.messageStreamID)
        if ended.wasAccepted {
            emit(.unpublished)
        } else {
            fail(.closed("the encoder stopped before it was let publish"))
        }
    }

    private mutating func refusePlay(on messageStreamID: UInt32) {
        sendStatus(
            level: "error", "NetStream.Play.Failed", "This server takes streams, and plays none.", on: messageStreamID)
        fail(.playNotSupported)
    }

    // MARK: Answers

    private mutating func answer(_ command: Command, _ values: [AMF0Value]) {
        guard command.transaction != 0 else { return }
        send(Command("_result", transaction: command.transaction, values), chunkStreamID: 3, on: 0)
    }

    mutating func sendStatus(level: String, _ code: String, _ description: String, on messageStreamID: UInt32) {
        let status: AMF0Value = ["level": .string(level), "code": .string(code), "description": .string(description)]
        send(Command("onStatus", [.null, status]), chunkStreamID: 5, on: messageStreamID)
    }

    private mutating func sendFCStatus(_ name: String, _ code: String, _ publication: Publication) {
        let status: AMF0Value = ["code": .string(code), "description": .string(publication.info.streamKey)]
        send(Command(name, [.null, status]), chunkStreamID: 3, on: 0)
    }

    private mutating func send(_ command: Command, chunkStreamID: UInt32, on messageStreamID: UInt32) {
        send(
            RTMPMessage(
                chunkStreamID: chunkStreamID, timestamp: 0, type: .command, messageStreamID: messageStreamID,
                payload: command.serialized()))
    }
}
