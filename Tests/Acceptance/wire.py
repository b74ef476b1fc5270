"""What a publisher really sent: a relay that keeps the bytes, and a reader of RTMP that shares no code with Sluice."""

import dataclasses
import hashlib
import socket
import threading


class Tap:
    """Relays one port to another, and keeps what clients send. Use as a context manager."""

    def __init__(self, port):
        self.target = port
        self.sent = []
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            kept = bytearray()
            self.sent.append(kept)
            threading.Thread(target=relay, args=(client, server, kept), daemon=True).start()
            threading.Thread(target=relay, args=(server, client, None), daemon=True).start()


def relay(source, sink, kept):
    try:
        while data := source.recv(65536):
            if kept is not None:
                kept += data
            sink.sendall(data)
    except OSError:
        pass
    for each in (source, sink):
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def messages(data):
    """RTMP messages of a client's bytes: (type, time stamp in ms, payload). After RTMP 1.0, section 5.3."""
    at, size, streams = 1 + 1536 + 1536, 128, {}
    while at < len(data):
        kind, stream = data[at] >> 6, data[at] & 63
        at += 1
        if stream < 2:
            count = stream + 1
            stream = 64 + int.from_bytes(data[at:at + count], "little")
            at += count
        header = data[at:at + [11, 7, 3, 0][kind]]
        at += len(header)
        state = streams.setdefault(
            stream, {"rest": b"", "extended": False, "length": 0, "type": 0, "field": 0, "stamp": 0})
        if kind < 3:
            state["field"] = int.from_bytes(header[:3], "big")
            state["extended"] = state["field"] == 0xFFFFFF
        if kind < 2:
            state["length"], state["type"] = int.from_bytes(header[3:6], "big"), header[6]
        if state["extended"]:
            state["field"] = int.from_bytes(data[at:at + 4], "big")
            at += 4
        if not state["rest"]:
            state["stamp"] = state["field"] + (0 if kind == 0 else state["stamp"])
        wanted = min(size, state["length"] - len(state["rest"]))
        if at + wanted > len(data):
            return
        state["rest"] += data[at:at + wanted]
        at += wanted
        if len(state["rest"]) < state["length"]:
            continue
        payload, state["rest"] = bytes(state["rest"]), b""
        if state["type"] == 1:
            size = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
        yield state["type"], state["stamp"], payload


def nal_units(data):
    """NAL units with four-byte lengths before them."""
    at = 0
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at:at + 4], "big")
        yield data[at + 4:end]
        at = end


def parameter_sets(record):
    """The sets of an avcC (ISO 14496-15, 5.3.3.1.2): SPS and PPS."""
    sets, at = [], 5
    for mask in (31, 255):
        count, at = record[at] & mask, at + 1
        for _ in range(count):
            end = at + 2 + int.from_bytes(record[at:at + 2], "big")
            sets.append(record[at + 2:end])
            at = end
    return sets


def as_recorded(unit, sets):
    """An access unit without filler (12), delimiters (9), and parameter sets that its configuration has."""
    kept = [nal for nal in nal_units(unit) if nal[0] & 31 not in (9, 12) and nal not in sets]
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in kept)


@dataclasses.dataclass(frozen=True)
class Sent:
    """An access unit or AAC frame as it was sent: SHA-256 of what a recording keeps of it, and its stamps in ms."""

    hash: str
    dts: int
    pts: int


def units(data):
    """H.264 access units and AAC frames, in the order in which they were sent (FLV 10.1, annex E.4)."""
    video, audio, sets = [], [], []
    for kind, stamp, payload in messages(data):
        if kind == 9 and payload[0] & 15 == 7 and payload[1] == 0:
            sets = parameter_sets(payload[5:])
        elif kind == 9 and payload[0] & 15 == 7 and payload[1] == 1:
            unit = as_recorded(payload[5:], sets)
            if unit:
                composition = int.from_bytes(payload[2:5], "big", signed=True)
                video.append(Sent(hashlib.sha256(unit).hexdigest(), stamp, stamp + composition))
        elif kind == 8 and payload[0] >> 4 == 10 and payload[1] == 1:
            audio.append(Sent(hashlib.sha256(payload[2:]).hexdigest(), stamp, stamp))
    return video, audio
