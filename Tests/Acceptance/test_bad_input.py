"""Done 8: what a person gets who gives a wrong token, grant, body, path or configuration, or too small a disk."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import time

import media
import pytest
from clips import Clip
from gateway import BUILD, Gateway, free_ports, token, wait_until

MP4 = {"type": "mp4"}
GOOD = {"room": "demo", "createRoom": True, "outputs": [MP4], "start": {"waitSeconds": 0}}
ALL = dict(roomCreate=True, roomList=True, roomAdmin=True, roomRecord=True, ingressAdmin=True)


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def without_signature():
    head, body, _ = token().split(".")
    return f"{head}.{body}."


# Headers; status, code, words in title, detail or remedy.
TOKENS = {
    "none": ({}, 401, "token_missing", "sluice token"),
    "no bearer": ({"Authorization": "Basic ZGV2a2V5OnNlY3JldA=="}, 401, "token_m", "Bearer"),
    "no JWT": (bearer("nonsense"), 401, "token_malformed", "JWT"),
    "no signature": (bearer(without_signature()), 401, "token_invalid", "key and secret"),
    "expired": (bearer(token(ttl=-120)), 401, "token_expired", "sluice token"),
    "unknown key": (bearer(token(key="nobody")), 401, "token_invalid", "key and secret"),
    "bad signature": (bearer(token(secret="guess")), 401, "token_invalid", "key and secret"),
}


def problem(answer, status, code, *words):
    """Checks a problem document, and that a person can read it."""
    assert answer.status == status, answer
    assert answer.headers["Content-Type"].startswith("application/problem+json"), answer.headers
    document = answer.json
    assert document["code"].startswith(code) and document["status"] == status, document
    assert document["type"] == f"urn:sluice:problem:{document['code']}" and document["requestId"], document
    assert document["title"] and document["detail"] and document["remedy"], document
    text = json.dumps(document, ensure_ascii=False).replace("\\\\", "\\").replace('\\"', '"')
    for word in words:
        assert word in text, (word, document)
    return document


@pytest.mark.parametrize("headers,status,code,says", TOKENS.values(), ids=TOKENS)
def test_tokens(gateway, headers, status, code, says):
    answer = gateway.request("POST", "/v1/egress", GOOD, bearer=None, headers=headers)
    problem(answer, status, code, says)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer"), answer.headers


def test_an_unknown_key_and_a_bad_signature_read_alike(gateway):
    texts = []
    for headers in (TOKENS["unknown key"][0], TOKENS["bad signature"][0]):
        document = gateway.request("GET", "/v1/egress", bearer=None, headers=headers).json
        texts.append([document[name] for name in ("code", "title", "detail", "remedy")])
    assert texts[0] == texts[1]


# Grants; method, path, body; the grant that is named.
GRANTS = {
    "egress": (dict(ALL, roomRecord=False), "POST", "/v1/egress", GOOD, "roomRecord"),
    "ingress": (dict(ALL, ingressAdmin=False), "POST", "/v1/ingress", {"type": "rtmp", "room": "demo"}, "ingressAdmin"),
    "room": (dict(ALL, roomCreate=False), "POST", "/v1/rooms", {"name": "new"}, "roomCreate"),
    "rooms": (dict(roomRecord=True), "GET", "/v1/rooms", None, "roomList"),
}


@pytest.mark.parametrize("grants,method,path,body,grant", GRANTS.values(), ids=GRANTS)
def test_grants(gateway, grants, method, path, body, grant):
    answer = gateway.request(method, path, body, bearer=gateway.token(**grants))
    problem(answer, 403, "permission_denied", grant)


def test_a_token_of_another_room_does_not_see_this_one(gateway):
    gateway.post("/v1/rooms", {"name": "hidden"})
    answer = gateway.request("POST", "/v1/egress", dict(GOOD, room="hidden"), bearer=gateway.token(room="own", **ALL))
    problem(answer, 404, "not_found", "hidden")


# Body; status, code, words. A dictionary is merged into a request that is good.
BODIES = {
    "no JSON": (b"room=demo", 400, "invalid_json", "JSON"),
    "cut JSON": (b'{"room":"demo"', 400, "invalid_json", "JSON"),
    "no UTF-8": (b'{"room":"\xff"}', 400, "invalid_json", "UTF-8"),
    "deep JSON": (b"[" * 100_000, 400, "invalid_json", "JSON"),
    "no object": (b"[]", 422, "invalid_request", "object"),
    "no room": ({"room": None}, 422, "invalid_request", "#/room", "missing"),
    "a number for a room": ({"room": 7}, 422, "invalid_request", "#/room", "a string"),
    "no outputs": ({"outputs": []}, 422, "invalid_request", "#/outputs"),
    "unknown field": ({"rom": "demo"}, 422, "invalid_request", "#/rom", "unknown_field"),
    "unknown output": ({"outputs": [{"type": "avi"}]}, 422, "invalid_request", "#/outputs/0/type", "mp4, hls, rtmp, tape"),
    "later output": ({"outputs": [{"type": "webm"}]}, 501, "not_supported", "#/outputs/0/type", "webm"),
    "two of one id": ({"outputs": [dict(MP4, id="a"), dict(MP4, id="a")]}, 422, "invalid_request", "#/outputs/1/id"),
    "web address": (
        {"outputs": [{"type": "rtmp", "url": "http://example.com/live/k"}]}, 422, "invalid_request", "#/outputs/0/url",
        "rtmp://"),
    "no application": (
        {"outputs": [{"type": "rtmp", "url": "rtmp://example.com"}]}, 422, "invalid_request", "#/outputs/0/url"),
    "climbing path": (
        {"outputs": [dict(MP4, path="../../etc/passwd")]}, 422, "invalid_request", "#/outputs/0/path", "dot"),
    "absolute path": ({"outputs": [dict(MP4, path="/etc/passwd")]}, 422, "invalid_request", "#/outputs/0/path", "absolute"),
    "unknown name in a path": ({"outputs": [dict(MP4, path="{date}.mp4")]}, 422, "invalid_request", "{time}"),
    "NUL in a path": ({"outputs": [dict(MP4, path="a\0b")]}, 422, "invalid_request", "#/outputs/0/path", "control"),
    "negative limit": ({"limits": {"durationSeconds": -1}}, 422, "invalid_request", "#/limits/durationSeconds"),
    "unknown room": ({"room": "nowhere", "createRoom": False}, 404, "not_found", "nowhere", "createRoom"),
    "unknown pipeline": ({"pipeline": "nothing"}, 404, "not_found", "nothing", "pipelines"),
    "unknown source": ({"source": {"type": "cam"}}, 422, "invalid_request", "#/source/type"),
    "unknown track": ({"source": {"type": "track", "track": "TR_aaaaaaaaaaaa"}}, 404, "not_found", "TR_aaaaaaaaaaaa"),
    "unknown identity": (
        {"source": {"type": "tracks", "video": {"identity": "eve"}}}, 404, "not_found", "eve"),
    "later source": ({"source": {"type": "web", "url": "https://example.com"}}, 501, "not_supported", "#/source/type"),
    "later encoding": ({"encoding": {"preset": "720p30"}}, 501, "not_supported", "#/encoding"),
}


@pytest.mark.parametrize("row", BODIES.values(), ids=BODIES)
def test_bodies(gateway, row):
    body, status, code, *words = row
    if isinstance(body, dict):
        body = dict(GOOD, **body)
    problem(gateway.request("POST", "/v1/egress", body), status, code, *words)


# Method, path, body, headers; status, code, words.
REQUESTS = {
    "a form": (
        "POST", "/v1/egress", b"room=demo", {"Content-Type": "application/x-www-form-urlencoded"}, 415,
        "unsupported_media_type", "application/json"),
    "no such path": ("GET", "/v1/egresses", None, {}, 404, "not_found"),
    "no such egress": ("GET", "/v1/egress/EG_aaaaaaaaaaaa", None, {}, 404, "not_found", "EG_aaaaaaaaaaaa"),
    "no such method": ("PUT", "/v1/egress", {}, {}, 405, "method_not_allowed", "Allow"),
    "large header": ("GET", "/v1/egress", None, {"X-Large": "x" * 20_000}, 431, "headers_too_large", "headers"),
    "bad cursor": ("GET", "/v1/egress?cursor=nonsense", None, {}, 422, "invalid_request", "cursor"),
    "bad limit": ("GET", "/v1/egress?limit=1000", None, {}, 422, "invalid_request", "limit"),
    "climbing": ("GET", "/v1/egress/../../etc/passwd", None, {}, 404, "not_found"),
    "encoded climbing": ("GET", "/v1/egress/%2e%2e%2f%2e%2e%2fetc", None, {}, 404, "not_found"),
    "short stream key": (
        "POST", "/v1/ingress", {"type": "rtmp", "room": "x", "streamKey": "short"}, {}, 422, "invalid_request",
        "#/streamKey", "8 to 128"),
    "later ingress": ("POST", "/v1/ingress", {"type": "whip", "room": "x"}, {}, 501, "not_supported", "rtmp"),
}


@pytest.mark.parametrize("row", REQUESTS.values(), ids=REQUESTS)
def test_requests(gateway, row):
    method, path, body, headers, status, code, *words = row
    problem(gateway.request(method, path, body, headers=headers), status, code, *words)


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(gateway):
    with socket.create_connection(("127.0.0.1", gateway.http_port), timeout=10) as client:
        head = ["POST /v1/egress HTTP/1.1", "Host: localhost", f"Authorization: Bearer {gateway.token()}"]
        head += ["Content-Type: application/json", f"Content-Length: {2 << 20}", "Connection: close", "", ""]
        client.sendall("\r\n".join(head).encode())
        answer = b"".join(iter(lambda: client.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 413 ") and '"code":"body_too_large"' in answer, answer
    assert "limits" in answer, answer


def test_the_gateway_still_runs(gateway):
    """After all of the above."""
    assert gateway.is_ready()
    assert "fatal" not in gateway.log().lower()


# Configuration file; what is said. `@` stands for the file's name.
KEYS = "keys: { main: 0123456789abcdef0123456789abcdef }\n"
LINES = {
    "unknown key": ("http:\n  prot: 80\n" + KEYS, "@:2:3: http: unknown key `prot`; did you mean `port`?"),
    "no number": (KEYS + "http:\n  port: many\n", "@:3:9: http.port: "),
    "port too high": (KEYS + "rtmp: { port: 70000 }\n", "@:2:15: rtmp.port: "),
    "no unit": (KEYS + "egress: { resume_within: 60 }\n", "@:2:26: egress.resume_within: "),
    "not YAML": (KEYS + "http: [\n", "@:"),
    "twice": (KEYS + "http: {}\nhttp: {}\n", "@:3"),
    "no keys": ("http: { port: 7880 }\n", "sluice token --new-key"),
    "short secret": ("keys: { main: short }\n", "keys.main: the secret has 5 bytes and needs 32"),
    "documented secret": ("keys: { devkey: secret }\n", "keys.devkey: this secret stands in the documentation"),
    "one port twice": (KEYS + "http: { port: 1935 }\n", "rtmp.port: port 1935 is already that of http.port"),
}


def serve(*arguments, environment=None):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    return subprocess.run(
        [BUILD / "sluice", "serve", *map(str, arguments)], capture_output=True, text=True, timeout=20,
        env=dict(kept, **(environment or {})))


def assert_refused(done, says):
    assert done.returncode == 1, done
    assert done.stderr.startswith("error: ") and says in done.stderr, done.stderr


@pytest.mark.parametrize("text,says", LINES.values(), ids=LINES)
def test_configuration_lines(tmp_path, text, says):
    path = tmp_path / "sluice.yaml"
    path.write_text(text)
    assert_refused(serve("--config", path, environment={"SLUICE_DATA": str(tmp_path / "data")}), says.replace("@", str(path)))


VARIABLES = {
    "no port": ({"SLUICE_HTTP_PORT": "many"}, "SLUICE_HTTP_PORT: http.port: "),
    "no size": ({"SLUICE_LIMITS_DISK_RESERVE": "lots"}, "SLUICE_LIMITS_DISK_RESERVE: limits.disk_reserve: "),
    "no file": ({"SLUICE_KEYS_FILE": "/no/such"}, "SLUICE_KEYS_FILE: keys: can't read the file /no/such"),
}


@pytest.mark.parametrize("environment,says", VARIABLES.values(), ids=VARIABLES)
def test_variables(tmp_path, environment, says):
    assert_refused(serve("--dev", environment=dict(environment, SLUICE_DATA=str(tmp_path))), says)


@pytest.mark.parametrize("name", ["HTTP", "RTMP"])
def test_a_port_in_use_is_named(tmp_path, name):
    other = "RTMP" if name == "HTTP" else "HTTP"
    (free,) = free_ports(1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = {f"SLUICE_{name}_PORT": str(port), f"SLUICE_{other}_PORT": str(free), "SLUICE_DATA": str(tmp_path)}
        done = serve("--dev", environment=environment)
        assert_refused(done, str(port))
        assert "in use" in done.stderr, done.stderr


def test_a_data_folder_that_cannot_be_used_is_named(gateway, tmp_path):
    http, rtmp = free_ports(2)
    environment = {"SLUICE_HTTP_PORT": str(http), "SLUICE_RTMP_PORT": str(rtmp)}
    locked = str(gateway.data / "store")
    done = serve("--dev", environment=dict(environment, SLUICE_DATA=locked))
    assert_refused(done, f"Another gateway runs on the data folder {locked}")
    a_file = tmp_path / "file"
    a_file.write_text("")
    assert_refused(serve("--dev", environment=dict(environment, SLUICE_DATA=str(a_file))), str(a_file))
    assert_refused(serve("--dev", environment=dict(environment, SLUICE_DATA="/proc/sluice")), "/proc/sluice")


@contextlib.contextmanager
def small_disk(folder, megabytes):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_ends_recordings_cleanly_and_nothing_else(tmp_path):
    clip = Clip(20, 30, 1.0, kbps=8000)
    environment = {"SLUICE_LIMITS_DISK_RESERVE": "8MB"}
    with small_disk(tmp_path / "disk", 48) as disk, Gateway(data=disk, environment=environment) as gateway:
        ingress, mirror = gateway.ingress("full"), gateway.ingress("mirror")
        outputs = [dict(MP4, id="film"), {"id": "push", "type": "rtmp", "url": f"{gateway.rtmp}/{mirror['streamKey']}"}]
        egress = gateway.egress("full", outputs, createRoom=True, start={"waitSeconds": 20})
        publisher = gateway.publish(ingress, clip.path)
        gateway.egress_in(egress, "active")
        filler = disk / "filler"
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        filler.write_bytes(bytes(free - 8_000_000 - 150_000))
        outputs = lambda: gateway.get(f"/v1/egress/{egress['id']}")["outputs"]
        wait_until(lambda: outputs()[0]["state"] == "failed", 20, "the file's end")
        film, push = outputs()
        assert film["error"]["code"] == "disk_full" and "limits.disk_reserve" in film["error"]["remedy"], film
        # What needs no disk goes on.
        wait_until(lambda: outputs()[1]["durationSeconds"] > push["durationSeconds"] + 1, 10, "the push")
        now = gateway.get(f"/v1/egress/{egress['id']}")
        assert (now["state"], now["partial"], now["outputs"][1]["state"]) == ("active", True, "active"), now
        ended = gateway.stop_egress(egress)
        assert (ended["state"], ended["partial"], ended["error"]["code"]) == ("complete", True, "disk_full"), ended
        assert [output["state"] for output in ended["outputs"]] == ["failed", "complete"], ended
        path = pathlib.Path(film["location"])
        report = media.assert_in_sync(path, source_ms=clip.offset_ms, first=0)
        print(f"{report['video']['frames']} frames, {os.statvfs(disk).f_bavail * 4096 >> 20} MiB left")
        assert media.decodes(path) and report["video"]["frames"] > 30
        not_ready = gateway.request("GET", "/readyz", bearer=None)
        assert not_ready.status == 503 and "disk" in str(not_ready.json), not_ready
        refused = gateway.request("POST", "/v1/egress", {"room": "full", "outputs": [MP4]})
        problem(refused, 507, "disk_full", "limits.disk_reserve")
        filler.unlink()
        wait_until(gateway.is_ready, 5, "ready again")
        again = gateway.egress("full")
        gateway.egress_in(again, "active")
        time.sleep(1)
        assert gateway.stop_egress(again)["state"] == "complete"
        publisher.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_is_full_at_the_start_is_named(tmp_path):
    http, rtmp = free_ports(2)
    with small_disk(tmp_path / "disk", 2) as disk:
        with contextlib.suppress(OSError):
            (disk / "filler").write_bytes(bytes(4 << 20))
        environment = {"SLUICE_HTTP_PORT": str(http), "SLUICE_RTMP_PORT": str(rtmp), "SLUICE_DATA": str(disk / "data")}
        done = serve("--dev", environment=environment)
        assert_refused(done, str(disk / "data"))
        assert "full" in done.stderr and "Free space" in done.stderr, done.stderr


STORES = {"no store": b"not a database " * 100, "cut": b"SQLite format 3\0" + bytes(20)}


@pytest.mark.parametrize("content", STORES.values(), ids=STORES)
def test_a_damaged_store_is_named(tmp_path, content):
    http, rtmp = free_ports(2)
    data = tmp_path / "data"
    (data / "store").mkdir(parents=True)
    (data / "store" / "sluice.db").write_bytes(content)
    environment = {"SLUICE_HTTP_PORT": str(http), "SLUICE_RTMP_PORT": str(rtmp), "SLUICE_DATA": str(data)}
    done = serve("--dev", environment=environment)
    assert_refused(done, f"The data folder {data}")
    assert "damaged" in done.stderr and "backup" in done.stderr, done.stderr
