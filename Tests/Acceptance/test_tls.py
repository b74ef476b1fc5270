"""HTTPS and RTMPS with real clients; certificates exchanged under live sessions."""

import http.client
import os
import re
import socket
import ssl
import subprocess
import time

import media
import pytest
from certificates import Authority, SecureGateway, common_name
from clips import Clip
from gateway import CLIENTS, CLIP, free_ports, wait_until

NOTHING_CHANGED = "the configuration was not read again, and nothing changed: "


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secure(authority):
    with SecureGateway(authority) as running:
        yield running


def trusting(authority, folder, command, seconds=60, environment=None):
    """Runs a program that trusts /etc/ssl/certs: in a mount namespace, in which our authority stands there."""
    if os.geteuid() != 0:
        pytest.skip("another /etc/ssl/certs is mounted: that needs root")
    certs = folder / "certs"
    certs.mkdir(exist_ok=True)
    for name in ("ca.pem", "ca-certificates.crt"):
        (certs / name).write_bytes(authority.certificate.read_bytes())
    words = " ".join(f"'{word}'" for word in command)
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", f"mount --bind '{certs}' /etc/ssl/certs && exec {words}"], capture_output=True,
        text=True, timeout=seconds, env=environment)


def handshake(port, *options):
    """What `openssl s_client` says: the protocol and cipher that were agreed on, or None."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", *options],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    found = re.search(r"New, (TLSv[0-9.]+), Cipher is (\S+)", done.stdout)
    return found.groups() if found else None


@pytest.mark.parametrize("listener", ["http_port", "rtmps_port"])
def test_only_tls_1_2_and_1_3_with_forward_secrecy(secure, listener):
    port, weak = getattr(secure, listener), ["-cipher", "ALL:@SECLEVEL=0"]
    assert handshake(port, "-ssl3", *weak) is None
    assert handshake(port, "-tls1", *weak) is None
    assert handshake(port, "-tls1_1", *weak) is None
    for cipher in ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "aNULL", "RC4"]:
        assert handshake(port, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0") is None, cipher
    for cipher in ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"]:
        assert handshake(port, "-tls1_2", "-cipher", cipher) == ("TLSv1.2", cipher)
    assert handshake(port, "-tls1_3")[0] == "TLSv1.3"


def test_curl_and_the_command_line_speak_https(secure, authority, tmp_path):
    command = ["curl", "-sS", "--cacert", authority.certificate, "-H", f"Authorization: Bearer {secure.token()}"]
    body = '{"type":"rtmp","room":"curl","name":"' + "x" * 100_000 + '"}'
    done = subprocess.run(
        [*command, "-H", "Content-Type: application/json", "-d", "@-", f"{secure.url}/v1/ingress"], input=body,
        capture_output=True, text=True, timeout=20)
    assert '"code":"invalid_request"' in done.stdout, done
    made = secure.ingress("curl")
    assert made["publish"]["rtmps"] == {"server": secure.rtmps, "streamKey": made["streamKey"]} | {
        "server": secure.rtmps.replace("localhost", "127.0.0.1")}, made
    assert made["publish"]["rtmp"]["server"] == secure.rtmp
    plain = subprocess.run(["curl", "-sS", f"http://127.0.0.1:{secure.http_port}/"], capture_output=True, timeout=20)
    assert plain.returncode != 0
    stranger = subprocess.run(["curl", "-sS", secure.url], capture_output=True, text=True, timeout=20)
    assert stranger.returncode == 60, "an authority that nobody trusts is refused"
    tool = secure.sluice("jobs", "--token", secure.token())
    assert tool.returncode == 1 and "certificate" in tool.stderr, tool
    tool = trusting(authority, tmp_path, [secure.program, "jobs", "--url", secure.url, "--token", secure.token()])
    assert tool.returncode == 0, tool


def test_the_gate_stands_behind_tls_too(secure):
    """Requests in one record, in many, pipelined; and what the gate refuses."""
    requests = {
        b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\nGET /v1/nothing HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n":
            [b"HTTP/1.1 200", b"HTTP/1.1 404"],
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": [b"HTTP/1.1 400"],
        b"GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n": [b"HTTP/1.1 400"],
        b"GET / HTTP/1.1\r\nHost: h\r\nX : a\r\n\r\n": [b"HTTP/1.1 400"],
        b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 20_000 + b"\r\n\r\n": [b"HTTP/1.1 431"],
    }
    for request, expected in requests.items():
        for size in (len(request), 7) if len(request) < 1000 else (len(request),):
            with socket.create_connection(("localhost", secure.http_port), timeout=10) as plain:
                with secure.tls_context.wrap_socket(plain, server_hostname="localhost") as client:
                    for start in range(0, len(request), size):
                        client.sendall(request[start:start + size])
                    answer = b"".join(iter(lambda: client.recv(65536), b""))
            assert re.findall(rb"HTTP/1.1 \d{3}", answer) == expected, answer


def test_ffmpeg_publishes_over_rtmps_and_the_file_is_whole(secure, authority, tmp_path):
    clip = Clip(6, 30)
    ingress = secure.ingress("ffmpeg")
    egress = secure.egress("ffmpeg", createRoom=True, start={"waitSeconds": 20})
    command = ["ffmpeg", "-nostdin", "-v", "error", "-re", "-i", clip.path, "-c", "copy", "-f", "flv", "-tls_verify", "1",
               "-ca_file", authority.certificate, f"{secure.rtmps}/{ingress['streamKey']}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    ended = secure.stop_egress(egress)
    assert ended["state"] == "complete", ended
    film = secure.download(egress, "film", tmp_path / "film.mp4")
    report = media.assert_in_sync(film, source_ms=clip.offset_ms, first=0, frames=clip.frames)
    print(f"{report['video']['frames']} frames over RTMPS, A/V {report['av']['all']}")


def test_a_certificate_is_exchanged_under_live_sessions(secure, authority):
    """A publisher and a keep-alive connection go on; new connections get the new certificate."""
    secure.use(*authority.sign("first"))
    secure.hang_up("configuration read again")
    ingress = secure.ingress("live")
    rtmp = secure.rtmp
    try:
        type(secure).rtmp = property(lambda self: self.rtmps)
        publisher = secure.publish(ingress, CLIP, loop=-1)
    finally:
        type(secure).rtmp = property(lambda self: f"rtmp://127.0.0.1:{self.rtmp_port}/live")
    assert secure.rtmp == rtmp
    session = secure.published(ingress)["session"]
    keep_alive = http.client.HTTPSConnection("localhost", secure.http_port, context=secure.tls_context, timeout=10)
    keep_alive.request("GET", "/healthz")
    keep_alive.getresponse().read()
    used = keep_alive.sock
    for name, key in (("second", "ec"), ("third", "rsa"), ("fourth", "ec")):
        secure.use(*authority.sign(name, key=key))
        if name == "third":
            answer = secure.post("/v1/reload", {})
            assert answer == {"applied": ["http.tls"], "needsRestart": [], "warnings": []}
        else:
            secure.hang_up("configuration read again")
        assert common_name(secure.http_port, authority) == name
        assert common_name(secure.rtmps_port, authority) == name
        keep_alive.request("GET", "/healthz")
        assert keep_alive.getresponse().read() and keep_alive.sock is used, "the connection was not dropped"
    present = secure.get(f"/v1/ingress/{ingress['id']}")
    assert present["session"]["id"] == session["id"] and present["state"] == "publishing", present
    assert publisher.poll() is None
    publisher.kill()


BAD = {
    "mismatch": (lambda f, a: (a.sign("x")[0], a.sign("y")[1]), "is not the key of the certificate"),
    "expired": (lambda f, a: a.sign("old", days=-1), "expired on"),
    "no certificate": (lambda f, a: (written(f, "text"), a.sign("x")[1]), "holds no certificate"),
    "no key": (lambda f, a: (a.sign("x")[0], written(f, "")), "holds no private key"),
    "under a password": (lambda f, a: (a.sign("x")[0], locked(f, a)), "is protected by a password"),
}


def written(folder, text):
    path = folder / "file.pem"
    path.write_text(text)
    return path


def locked(folder, authority):
    subprocess.run(
        ["openssl", "pkey", "-in", authority.sign("x")[1], "-aes256", "-passout", "pass:x", "-out", folder / "locked.pem"],
        check=True)
    return folder / "locked.pem"


@pytest.mark.parametrize("row", BAD.values(), ids=BAD)
def test_a_bad_certificate_is_refused_at_the_start_and_changes_nothing_at_a_reload(secure, authority, tmp_path, row):
    make, says = row
    before = common_name(secure.http_port, authority)
    pair = make(tmp_path, authority)
    secure.use(*pair)
    try:
        secure.hang_up(NOTHING_CHANGED + "http.tls: ")
        line = [line for line in secure.log().splitlines() if NOTHING_CHANGED in line][-1]
        assert says in line, line
        answer = secure.request("POST", "/v1/reload", {})
        assert answer.status == 422 and answer.json["code"] == "configuration_invalid", answer
        assert says in answer.json["detail"], answer
        assert common_name(secure.http_port, authority) == before == common_name(secure.rtmps_port, authority)
        other = SecureGateway(authority)
        other.use(*pair)
        other.launch()
        assert other.process.wait(20) == 1 and says in other.log(), other.log()
        assert other.log().startswith("error: http.tls: "), other.log()
        other.__exit__()
    finally:
        secure.use(*authority.sign(before))


def test_a_file_that_cannot_be_read_is_named(authority):
    other = SecureGateway(authority)
    (other.data / "key.pem").unlink()
    other.launch()
    assert other.process.wait(20) == 1
    assert f"http.tls.key: can't read {other.data}/key.pem: does it exist, may this user read it" in other.log()
    other.__exit__()


def test_half_open_handshakes_end_and_hold_nobody_up(authority):
    """Those who say nothing, half a greeting, or a byte now and then, are ended; others are served meanwhile."""
    with SecureGateway(authority, more="limits: { rtmp: { handshake: 2s } }") as gateway:
        hello = bytes.fromhex("160301020001000200")
        held = []
        for port, limit in ((gateway.rtmps_port, 4), (gateway.http_port, 13)):
            for start in (b"", hello, b"GET / HTTP/1.1\r\n"):
                for _ in range(10):
                    client = socket.create_connection(("127.0.0.1", port), timeout=limit)
                    client.sendall(start)
                    held.append((client, time.monotonic() + limit))
        begin = time.monotonic()
        assert gateway.request("GET", "/healthz", bearer=None).status == 200
        assert common_name(gateway.rtmps_port, authority) == "first"
        assert time.monotonic() - begin < 2
        for client, end in held:
            client.settimeout(max(0.1, end - time.monotonic()))
            try:
                while client.recv(4096):
                    pass
            except ConnectionError:
                pass
            client.close()
        assert gateway.is_ready()


@pytest.mark.long
def test_obs_publishes_over_rtmps(secure, authority, tmp_path):
    ingress = secure.ingress("obs")
    egress = secure.egress("obs", createRoom=True, start={"waitSeconds": 90})
    environment = dict(os.environ, OBS_SIZE="640x360", OBS_PRESET="ultrafast", OBS_VKBPS="800")
    command = [CLIENTS / "obs-stream.sh", secure.rtmps, ingress["streamKey"], "5", Clip(20).path]
    done = trusting(authority, tmp_path, command, 150, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    ended = secure.stop_egress(egress)
    assert ended["state"] == "complete" and ended["outputs"][0]["durationSeconds"] > 3, ended
    assert media.decodes(ended["outputs"][0]["location"])


def test_rtmps_needs_a_certificate(tmp_path):
    from test_bad_input import KEYS, assert_refused, serve
    (port,) = free_ports(1)
    path = tmp_path / "sluice.yaml"
    path.write_text(KEYS + f"rtmp: {{ tls_port: {port} }}\n")
    assert_refused(
        serve("--config", path, environment={"SLUICE_DATA": str(tmp_path / "data")}),
        "rtmp.tls_port: needs a certificate: set http.tls to { cert: FILE, key: FILE }")
