"""An RTMP publisher that sends the tags of an FLV file at the times and with the stamps that a test wants."""

import os
import socket
import struct
import subprocess
import threading
import time


def flv(clip, arguments=("-c", "copy")):
    """The tags of a clip as FLV: (type, milliseconds, payload), sequence headers first."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(clip), *arguments, "-f", "flv", "-flvflags",
               "no_duration_filesize", "-"]
    data = subprocess.run(command, check=True, capture_output=True, timeout=120).stdout
    at, tags = 13, []
    while at + 15 <= len(data):
        size, stamp = int.from_bytes(data[at + 1:at + 4], "big"), int.from_bytes(data[at + 4:at + 7], "big")
        stamp |= data[at + 7] << 24
        tags.append((data[at], stamp, data[at + 11:at + 11 + size]))
        at += 15 + size
    return tags


def is_header(tag):
    """Whether a tag configures a decoder, or describes the stream."""
    kind, _, payload = tag
    return kind == 18 or len(payload) > 1 and (kind == 9 and payload[1] == 0 or kind == 8 and payload[1] == 0)


class Publisher:
    """One connection. `send(tags, wall)` sends each tag when it is due."""

    def __init__(self, port, key, application="live"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.answers = bytearray()
        self.socket.sendall(b"\x03" + bytes(8) + os.urandom(1528))
        answer = self.read(3073)
        self.socket.sendall(answer[1:1537])
        threading.Thread(target=self.listen, daemon=True).start()
        self.message(2, 1, 0, struct.pack(">I", 1 << 20))
        url = f"rtmp://127.0.0.1:{port}/{application}"
        self.message(3, 20, 0, text("connect") + number(1) + fields(app=application, tcUrl=url, type="nonprivate"))
        self.message(3, 20, 0, text("createStream") + number(2) + b"\x05")
        self.wait(b"_result", 2)
        self.message(3, 20, 1, text("publish") + number(3) + b"\x05" + text(key) + text("live"))
        self.wait(b"NetStream.Publish.Start", 1)

    def read(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            assert more, "the gateway closed the connection"
            data += more
        return data

    def listen(self):
        try:
            while data := self.socket.recv(65536):
                self.answers += data
        except OSError:
            pass

    def wait(self, word, count):
        end = time.monotonic() + 15
        while self.answers.count(word) < count:
            assert time.monotonic() < end, f"no {word} in {bytes(self.answers)}"
            time.sleep(0.01)

    def message(self, chunk_stream, kind, stream, payload, stamp=0):
        stamp &= 0xFFFFFFFF
        short = min(stamp, 0xFFFFFF)
        header = bytes([chunk_stream]) + short.to_bytes(3, "big") + len(payload).to_bytes(3, "big") + bytes([kind])
        header += stream.to_bytes(4, "little") + (stamp.to_bytes(4, "big") if short == 0xFFFFFF else b"")
        self.socket.sendall(header + payload)

    def send(self, tags, stamps=lambda stamp: stamp, due=lambda stamp: stamp):
        """Sends `tags`; `stamps` gives a tag's stamp, and `due` when it is sent, both in milliseconds of the clip."""
        start = time.monotonic()
        for kind, stamp, payload in tags:
            wait = start + due(stamp) / 1000 - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self.message({8: 4, 9: 6, 18: 5}[kind], kind, 1, payload, stamps(stamp))

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def text(value):
    return b"\x02" + len(value).to_bytes(2, "big") + value.encode()


def number(value):
    return b"\x00" + struct.pack(">d", value)


def fields(**members):
    body = b"".join(len(name).to_bytes(2, "big") + name.encode() + text(value) for name, value in members.items())
    return b"\x03" + body + b"\x00\x00\x09"
