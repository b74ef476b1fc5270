"""Connections that come and go, most of them badly: nothing is left of them."""

import concurrent.futures
import os
import pathlib
import random
import socket
import ssl
import struct
import time

import pytest
from certificates import Authority, SecureGateway
from gateway import Gateway, wait_until

# Beyond the warm-up the gateway may keep this much more: what a heap of its size wavers by.
RSS_BOUND = 8 << 20
ACROSS = 40


def amf(*values):
    """AMF0: text, numbers, None, and objects of text (Action Message Format 0, section 2)."""
    out = b""
    for value in values:
        if value is None:
            out += b"\x05"
        elif isinstance(value, dict):
            out += b"\x03" + b"".join(struct.pack(">H", len(key)) + key.encode() + amf(text) for key, text in value.items())
            out += b"\0\0\x09"
        elif isinstance(value, str):
            out += b"\x02" + struct.pack(">H", len(value)) + value.encode()
        else:
            out += b"\0" + struct.pack(">d", value)
    return out


def command(stream, *values):
    """One command in one chunk after another (RTMP 1.0, sections 5.3 and 7.1)."""
    payload = amf(*values)
    out = struct.pack(">B3s3sB", 3, b"\0\0\0", len(payload).to_bytes(3, "big"), 20) + struct.pack("<I", stream)
    for start in range(0, len(payload), 128):
        out += (b"\xc3" if start else b"") + payload[start:start + 128]
    return out


def shake(client):
    client.sendall(b"\x03" + bytes(1536))
    took = 0
    while took < 3073:
        data = client.recv(4096)
        if not data:
            return
        took += len(data)
    client.sendall(bytes(1536))


def connect(client):
    shake(client)
    client.sendall(command(0, "connect", 1.0, {"app": "live", "type": "nonprivate"}))


def publish_unknown(client, key):
    connect(client)
    client.sendall(command(0, "createStream", 2.0, None) + command(1, "publish", 3.0, None, key, "live"))
    said = b""
    while data := client.recv(4096):
        said += data
    assert b"NetStream.Publish.BadName" in said and b"NetStream.Publish.Start" not in said, said


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def rtmp(client, kind, rng):
    match kind:
        case 0: pass
        case 1: client.sendall(b"\x03" + bytes(rng.randrange(1, 1536)))
        case 2: shake(client)
        case 3: client.sendall(rng.randbytes(rng.randrange(1, 5000)))
        case 4:
            shake(client)
            client.sendall(rng.randbytes(rng.randrange(1, 5000)))
        case 5: publish_unknown(client, f"unknown-{rng.randrange(1 << 40):x}")
        case 6:
            connect(client)
            client.sendall(command(0, "createStream", 2.0, None)[:rng.randrange(1, 30)])
            reset(client)
        case 7:
            client.sendall(b"\x03" + bytes(1536))
            reset(client)


def http(client, kind, rng):
    match kind:
        case 0: pass
        case 1:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            while client.recv(4096):
                pass
        case 2: client.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nX-Half"[:rng.randrange(1, 40)])
        case 3: client.sendall(rng.randbytes(rng.randrange(1, 5000)))
        case 4:
            client.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: h\r\n\r\n")
            client.recv(100)
            reset(client)
        case 5:
            client.sendall(b"POST /v1/rooms HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + bytes(10))
        case 6:
            client.sendall(b"GET /v1/rooms HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer a.b.c\r\n\r\n")
            client.recv(4096)
        case 7:
            client.sendall(b"POST /v1/egress HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n")
            reset(client)


def tls(port, kind, rng, context, after):
    """A handshake that is cut, or that is whole with something inside."""
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    with client:
        if kind % 2 == 0:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            half = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
            try:
                half.do_handshake()
            except ssl.SSLWantReadError:
                hello = outgoing.read()
                client.sendall(hello[:rng.randrange(1, len(hello) + 1)])
            if kind % 4 == 0:
                reset(client)
        else:
            with context.wrap_socket(client, server_hostname="localhost") as secure:
                after(secure, kind // 2 % 4, rng)


def one(kind, gateway, number):
    """The connection of that number, the same in each run."""
    rng = random.Random(number * 2 + (kind == "http"))
    talk, port = (http, gateway.http_port) if kind == "http" else (rtmp, gateway.rtmp_port)
    try:
        if kind == "rtmps":
            return tls(gateway.rtmps_port, number % 8, rng, gateway.tls_context, rtmp)
        if kind == "https":
            return tls(gateway.http_port, number % 8, rng, gateway.tls_context, http)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            talk(client, number % 8, rng)
    except (ConnectionError, ssl.SSLError):
        pass


def churn(gateway, kinds, numbers):
    with concurrent.futures.ThreadPoolExecutor(ACROSS) as pool:
        for kind in kinds:
            list(pool.map(lambda number, kind=kind: one(kind, gateway, number), numbers))


def held(gateway):
    """What the gateway and its workers hold: descriptors, threads, bytes; and rooms, jobs, ingress, participants."""
    pids = [gateway.process.pid, *gateway.workers()]
    status = {pid: pathlib.Path(f"/proc/{pid}/status").read_text() for pid in pids}
    rss = sum(int(text.split("VmRSS:")[1].split()[0]) for text in status.values()) << 10
    threads = sum(int(text.split("Threads:")[1].split()[0]) for text in status.values())
    descriptors = sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
    records = [len(gateway.get(f"/v1/{name}")["items"]) for name in ("rooms", "jobs", "ingress", "egress")]
    return {"descriptors": descriptors, "threads": threads, "rss": rss, "records": records, "processes": len(pids)}


def answers(gateway):
    try:
        return gateway.request("GET", "/healthz").status == 200
    except ConnectionError:
        return False


def settled(gateway, descriptors):
    """Half-open connections end when their client does; the last are gone a moment later, and until then they count."""
    wait_until(lambda: answers(gateway), 20, "an address that had too many connections open is let in again")
    wait_until(lambda: held(gateway)["descriptors"] <= descriptors, 20, "no descriptor is left over")
    time.sleep(1.5)
    return held(gateway)


def assert_nothing_left(gateway, kinds, warm_up, count):
    fresh = held(gateway)["descriptors"]
    churn(gateway, kinds, range(warm_up))
    before = settled(gateway, fresh + 8)
    begin = time.monotonic()
    churn(gateway, kinds, range(warm_up, warm_up + count))
    seconds = time.monotonic() - begin
    after = settled(gateway, before["descriptors"])
    print(f"{count} of each of {kinds} in {seconds:.0f} s: {before} -> {after}")
    assert after["records"] == before["records"] and after["processes"] == before["processes"], (before, after)
    assert after["descriptors"] <= before["descriptors"] and after["threads"] <= before["threads"] + 1, (before, after)
    assert after["rss"] - before["rss"] <= RSS_BOUND, (before, after)
    gateway.assert_nothing_told()


def with_one_of_each(gateway):
    """Something to be left alone: a room with an ingress."""
    gateway.ingress("kept")
    return gateway


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_nothing_is_left_of_connections(count):
    with Gateway() as gateway:
        assert_nothing_left(with_one_of_each(gateway), ["rtmp", "http"], max(400, count // 10), count)


@pytest.mark.parametrize("count", [200, pytest.param(5_000, marks=pytest.mark.long)])
def test_nothing_is_left_of_connections_with_tls(count, tmp_path):
    with SecureGateway(Authority(tmp_path)) as gateway:
        assert_nothing_left(with_one_of_each(gateway), ["rtmps", "https"], max(200, count // 10), count)
