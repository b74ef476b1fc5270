"""SIGHUP and POST /v1/reload; limits that are seen to hold."""

import http.client
import os
import signal
import socket
import time

import pytest
from gateway import CLIP, Gateway, token, wait_until

OLD, NEW, ACME = (f"{name}-secret-0123456789abcdef0123456789" for name in ("old", "new", "acme"))


def configuration(keys, more=""):
    return "http: { host: 127.0.0.1 }\nrtmp: { host: 127.0.0.1 }\nkeys:\n" + "".join(
        f"  {line}\n" for line in keys) + more


@pytest.fixture
def gateway():
    keys = [f"old: {OLD}", f"acme: {{ secret: {ACME}, rooms: 'acme-*' }}"]
    with Gateway(configuration(keys)) as running:
        running.key, running.secret = "old", OLD
        yield running


def write(gateway, text):
    (gateway.data / "sluice.yaml").write_text(text)


def hang_up(gateway, says):
    before = gateway.log().count(says)
    os.kill(gateway.process.pid, signal.SIGHUP)
    wait_until(lambda: gateway.log().count(says) > before, 10, f"the log says {says!r}")


def status(gateway, key, secret, path="/v1/rooms"):
    return gateway.request("GET", path, bearer=token(key, secret)).status


def test_keys_log_and_limits_change_under_a_live_stream(gateway):
    ingress = gateway.ingress("live")
    publisher = gateway.publish(ingress, CLIP, loop=-1)
    session = gateway.published(ingress)["session"]["id"]
    write(gateway, configuration(
        [f"old: {OLD}", f"new: {NEW}"], "log: { level: debug }\nlimits: { request_bytes: 2KiB }\nhttp_port: 1\n"))
    hang_up(gateway, "nothing changed")
    line = [line for line in gateway.log().splitlines() if "nothing changed" in line][-1]
    assert f"{gateway.data}/sluice.yaml:8:1: unknown key `http_port`" in line, line
    assert status(gateway, "new", NEW) == 401 and '"level":"debug"' not in gateway.log()
    refused = gateway.request("POST", "/v1/reload", {})
    assert refused.status == 422 and "sluice.yaml:8:1: unknown key" in refused.json["detail"], refused
    write(gateway, configuration(
        [f"new: {NEW}"], "log: { level: debug }\nlimits: { request_bytes: 2KiB, rtmp: { idle: 2s } }\n"
        "retention: { records: 2d }\ndata: /elsewhere\nshutdown: { wait: 1s }\n"))
    answer = gateway.post("/v1/reload", {})
    changed = ["keys", "log.level", "retention.records", "limits.request_bytes", "limits.rtmp.idle"]
    assert sorted(answer["applied"]) == sorted(changed), answer
    assert answer["needsRestart"] == ["shutdown.wait"], "SLUICE_DATA overrides the file, so `data` did not change"
    assert status(gateway, "old", OLD) == 401 and status(gateway, "new", NEW) == 200
    gateway.key, gateway.secret = "new", NEW
    assert '"level":"debug"' in gateway.log()
    large = gateway.request("POST", "/v1/ingress", {"type": "rtmp", "room": "x", "name": "x" * 3000})
    assert large.status == 413 and "2048 bytes" in large.json["detail"], large
    present = gateway.get(f"/v1/ingress/{ingress['id']}")
    assert present["session"]["id"] == session and publisher.poll() is None
    hang_up(gateway, "configuration read again")
    # New sessions have the new limit: one that stops to send is ended after 2 s.
    publisher.kill()
    publisher.wait()
    wait_until(lambda: gateway.get(f"/v1/ingress/{ingress['id']}")["session"] is None, 10, "the session has ended")
    publisher = gateway.publish(ingress, CLIP, loop=-1)
    gateway.published(ingress)
    os.kill(publisher.pid, signal.SIGSTOP)
    wait_until(lambda: "no media for 2.0 s" in gateway.log(), 8, "the silent session is ended")
    os.kill(publisher.pid, signal.SIGCONT)


def test_a_key_of_some_rooms_cannot_reload(gateway):
    answer = gateway.request("POST", "/v1/reload", {}, bearer=token("acme", ACME))
    assert answer.status == 403 and "limited to rooms" in answer.json["detail"], answer
    narrow = gateway.request("POST", "/v1/reload", {}, bearer=token("old", OLD, room="x", roomCreate=True))
    assert narrow.status == 403, narrow
    assert gateway.request("POST", "/v1/reload", {}, bearer=token("old", OLD, roomRecord=True)).status == 403
    assert gateway.request("POST", "/v1/reload", {}).json == {"applied": [], "needsRestart": [], "warnings": []}


def test_floods_from_one_address_are_slowed_down(gateway):
    write(gateway, configuration(
        [f"old: {OLD}"], "limits: { connections_per_address: 20, posts_per_second_per_address: 5 }\n"))
    assert gateway.post("/v1/reload", {})["applied"] == [
        "keys", "limits.connections_per_address", "limits.posts_per_second_per_address"]
    answers = [gateway.request("POST", "/v1/rooms", {"name": f"r{number}"}) for number in range(20)]
    late = [answer for answer in answers if answer.status == 429]
    assert 5 <= len(late) <= 14 and all(answer.headers["Retry-After"] == "1" for answer in late), answers
    assert late[0].json["code"] == "too_many_requests"
    held = []
    for port, polite in ((gateway.http_port, True), (gateway.rtmp_port, False)):
        held = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(20)]
        wait_until(lambda: served(gateway, port) is polite or None if polite else closed(port), 5, "the flood is seen")
        if polite:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            assert answer.status == 429 and answer.headers["Retry-After"] == "1", answer.status
            assert answer.headers["Content-Type"] == "application/problem+json"
            more = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(60)]
            wait_until(lambda: "connections refused: too many from one address" in gateway.log(), 5, "it is told")
            for each in more:
                each.close()
        else:
            wait_until(lambda: "connections refused: too many from one address, or in all" in gateway.log(), 5, "told")
        for each in held:
            each.close()
    wait_until(lambda: gateway.request("GET", "/healthz", bearer=None).status == 200, 5, "all is well again")


def served(gateway, port):
    return gateway.request("GET", "/healthz", bearer=None).status == 429


def closed(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        try:
            return client.recv(1) == b""
        except ConnectionError:
            return True


def test_a_proxy_is_not_one_client():
    """Behind a trusted proxy the limit is that of the client that it names; its connections are not counted."""
    more = "limits: { connections_per_address: 5, posts_per_second_per_address: 5 }\n"
    text = configuration([f"old: {OLD}"], more).replace(
        "{ host: 127.0.0.1 }", "{ host: 127.0.0.1, trusted_proxies: [127.0.0.0/8] }", 1)
    with Gateway(text) as gateway:
        gateway.key, gateway.secret = "old", OLD
        held = [socket.create_connection(("127.0.0.1", gateway.http_port)) for _ in range(60)]
        assert gateway.request("GET", "/healthz", bearer=None).status == 200
        for client in ("192.0.2.1", "192.0.2.2"):
            answers = [gateway.request("POST", "/v1/rooms", {"name": f"r{number}"}, headers={"X-Forwarded-For": client})
                       for number in range(16)]
            assert answers[0].status in (200, 201) and answers[-1].status == 429, answers
        for each in held:
            each.close()


LIMITS = {
    "handshake": ("limits: { rtmp: { handshake: 1s } }", b"", "no handshake within 1.0 s"),
    "garbage": ("", b"GET / HTTP/1.1\r\n\r\n", "not RTMP: the first byte is 71"),
}


@pytest.mark.parametrize("row", LIMITS.values(), ids=LIMITS)
def test_rtmp_limits_close_with_a_logged_reason(row):
    more, sent, says = row
    with Gateway(configuration([f"old: {OLD}"], more + "\n")) as gateway:
        with socket.create_connection(("127.0.0.1", gateway.rtmp_port), timeout=10) as client:
            client.sendall(sent)
            begin = time.monotonic()
            try:
                assert client.recv(4096) == b""
            except ConnectionError:
                pass
            assert time.monotonic() - begin < 4
        wait_until(lambda: says in gateway.log(), 3, "the reason is logged")
