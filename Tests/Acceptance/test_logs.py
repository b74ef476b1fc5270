"""The log: JSON lines for machines, text for a person, and one id by which a publish or an egress can be followed."""

import json
import os
import pty
import re
import signal
import subprocess

from gateway import Gateway, wait_until


def lines(gateway):
    """Every line of the log, which must be JSON objects and nothing else."""
    found = [json.loads(line) for line in gateway.log().splitlines()]
    for line in found:
        assert set(line) == {"time", "level", "label", "message", "fields"}, line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]), line
        assert line["level"] in {"debug", "info", "warning", "error"}, line
    return found


def follow(found, value):
    """What grepping for one id gives."""
    return [line for line in found if value in line["fields"].values()]


def test_one_id_follows_a_publish_and_an_egress():
    with Gateway() as gateway:
        ingress = gateway.ingress("demo")
        publisher = gateway.publish(ingress)
        gateway.published(ingress)
        answer = gateway.request("POST", "/v1/egress", {
            "room": "demo", "outputs": [{"id": "film", "type": "mp4"},
                                        {"id": "push", "type": "rtmp", "url": "rtmp://127.0.0.1:9/live/planted-key"}]})
        egress = answer.json
        gateway.egress_in(egress, "active")
        os.kill(gateway.workers()[0], signal.SIGKILL)
        gateway.published_to_its_end(publisher, ingress)
        gateway.stop_egress(egress)
        bad = gateway.request("POST", "/v1/egress", {"room": "nowhere", "outputs": [{"type": "mp4"}]})
        secret = gateway.request("GET", "/whip/k/planted-path-key")
        assert secret.status == 404

        found = lines(gateway)
        begun = next(line for line in found if line["message"] == "publishing")
        session = begun["fields"]["session"]
        assert re.fullmatch(r"s-[0-9a-f]{12}", session)
        publish = follow(found, session)
        assert {line["label"] for line in publish} >= {"ingress", "rtmp"}
        messages = [line["message"] for line in publish]
        assert messages[0] == "publishing" and "media flows" in messages and "connection closed" in messages
        assert "publishing ended" in messages

        made = next(line for line in found if line["message"] == "egress created")
        job = made["fields"]["job"]
        story = follow(found, job)
        assert {line["label"] for line in story} >= {"egress", "link", "worker"}, story
        told = [line["message"] for line in story]
        for expected in ["egress created", "job taken", "feed subscribed", "egress active", "output active", "push broke",
                         "a job lost its worker", "output complete", "feed ended", "job done", "egress ended"]:
            assert expected in told, (expected, told)
        # One attempt a worker, each line of it with the worker that the gateway started.
        workers = {line["fields"]["worker"] for line in story if line["message"] == "job taken"}
        assert len(workers) == 2 and all(name.startswith("WK_") for name in workers)

        request = answer.headers["X-Request-Id"]
        of_request = follow(found, request)
        assert {line["message"] for line in of_request} == {"egress created", "request"}
        access = next(line for line in of_request if line["label"] == "http")
        assert access["fields"].items() >= {"method": "POST", "path": "/v1/egress", "status": "201"}.items()
        assert bad.json["requestId"] == bad.headers["X-Request-Id"]
        refused = follow(found, bad.json["requestId"])
        assert [(line["label"], line["fields"]["status"]) for line in refused] == [("http", "404")]
        text = gateway.log()
        for planted in ["planted", ingress["streamKey"], gateway.token()]:
            assert planted not in text


def test_levels():
    def run(level):
        with Gateway(environment={"SLUICE_LOG_LEVEL": level}) as gateway:
            gateway.get("/v1/rooms")
            gateway.post("/v1/rooms", {"name": "x"})
            assert gateway.stop() == 0
            return lines(gateway)
    debug, warning = run("debug"), run("warning")
    assert {line["level"] for line in debug} >= {"debug", "info"}
    assert any(line["message"] == "request" and line["fields"]["path"] == "/v1/rooms" and line["level"] == "debug"
               for line in debug)
    assert all(line["level"] in {"warning", "error"} for line in warning), warning


def test_text_on_a_terminal():
    gateway = Gateway()
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [gateway.program, "serve", "--dev"], stdin=subprocess.DEVNULL, stdout=child, stderr=child,
        env=gateway.full_environment(), start_new_session=True)
    os.close(child)
    gateway.process = process
    try:
        wait_until(gateway.is_ready, 20, "the gateway is ready")
        gateway.post("/v1/rooms", {"name": "line\\u000abreak"})
    finally:
        gateway.stop()
    text = b""
    while True:
        try:
            text += os.read(parent, 65536)
        except OSError:  # the terminal is gone with its last writer
            break
    os.close(parent)
    gateway.own_data.cleanup()
    shown = text.decode().replace("\r\n", "\n").splitlines()
    assert any(re.match(r"\d\d:\d\d:\d\d\.\d{3} sluice: ready http=127\.0\.0\.1:\d+ rtmp=\d+", line) for line in shown), shown
    assert all(re.match(r"\d\d:\d\d:\d\d\.\d{3} |warning: |The key", line) for line in shown), shown
