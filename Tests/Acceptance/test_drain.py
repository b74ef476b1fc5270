"""Done 3: SIGTERM and `sluice drain`. New work is refused, what is recorded is sealed and goes on in the next process."""

import json
import os
import pathlib
import signal
import time

import media
from clips import Clip
from gateway import Gateway, wait_until
from rooms import Recording

CLIP = Clip(20, 30, 1.0, 2)


def refuses(gateway, room):
    """Not ready, and no new work."""
    wait_until(lambda: gateway.request("GET", "/readyz", bearer=None).status == 503, 3, "not ready")
    answer = gateway.request("POST", "/v1/egress", {"room": room, "outputs": [{"type": "mp4"}]})
    assert answer.status == 503 and answer.json["code"] == "draining" and answer.headers["Retry-After"], answer


def test_a_drained_gateway_waits_for_its_sources_and_the_next_goes_on(tmp_path):
    gateway = Gateway(data=tmp_path, environment={"SLUICE_SHUTDOWN_WAIT": "60s"})
    try:
        gateway.start()
        recording = Recording(gateway, CLIP, 0).begin()
        time.sleep(1)
        os.kill(gateway.process.pid, signal.SIGTERM)
        refuses(gateway, recording.room)
        time.sleep(2)
        assert gateway.process.poll() is None, "what is recorded goes on"
        assert gateway.get(f"/v1/egress/{recording.egress['id']}")["state"] == "active"
        location = pathlib.Path(recording.location)
        recording.publisher.kill()
        recording.publisher.wait()
        at = time.monotonic()
        assert gateway.process.wait(20) == 0
        print(f"ended {time.monotonic() - at:.1f} s after its last source")
        before = media.hashes(location)
        assert before == media.hashes(CLIP.path)[:len(before)] and len(before) > 60
        assert media.decodes(location)
        gateway.start()
        gateway.egress_in(recording.egress, "waiting")
        publisher = gateway.publish(recording.ingress, CLIP.path)
        gateway.egress_in(recording.egress, "active")
        gateway.published_to_its_end(publisher, recording.ingress)
        ended = gateway.stop_egress(recording.egress)
        assert (ended["state"], ended["outputs"][0]["parts"]) == ("complete", []), ended
        assert media.hashes(location) == before + media.hashes(CLIP.path), "nothing lost, nothing twice"
        written = wait_until(lambda: pathlib.Path(f"{location}.json").exists(), 5, "the manifest") and json.loads(
            pathlib.Path(f"{location}.json").read_text())
        assert written["state"] == "complete" and written["egress"] == recording.egress["id"], written
        assert written == gateway.get(f"/v1/egress/{recording.egress['id']}/manifest")
        files = gateway.get(f"/v1/egress/{recording.egress['id']}/files")["items"]
        assert [file["output"] for file in files] == ["film", None], files
        assert gateway.request("DELETE", f"/v1/egress/{recording.egress['id']}").status == 204
        assert not location.exists() and not pathlib.Path(f"{location}.json").exists()
    finally:
        gateway.__exit__()


def test_a_second_signal_waits_for_nothing_but_the_seals(tmp_path):
    with Gateway(data=tmp_path, environment={"SLUICE_SHUTDOWN_WAIT": "60s"}) as gateway:
        recording = Recording(gateway, CLIP, 0).begin()
        os.kill(gateway.process.pid, signal.SIGTERM)
        time.sleep(1)
        assert gateway.process.poll() is None
        os.kill(gateway.process.pid, signal.SIGTERM)
        assert gateway.process.wait(10) == 0
        assert media.decodes(next((tmp_path / "store" / "recordings").rglob("*.mp4")))
        assert recording.publisher.wait(10) != 0


def test_only_a_second_signal_is_urgent(tmp_path):
    """Asked twice by the API and once by SIGTERM, it goes on with what is recorded; the next SIGTERM seals it."""
    with Gateway(data=tmp_path, environment={"SLUICE_SHUTDOWN_WAIT": "60s"}) as gateway:
        recording = Recording(gateway, CLIP, 0).begin()
        look = lambda: gateway.get(f"/v1/egress/{recording.egress['id']}")
        for _ in range(2):
            assert gateway.request("POST", "/v1/drain", {}).status == 202
        os.kill(gateway.process.pid, signal.SIGTERM)
        refuses(gateway, recording.room)
        before = look()["outputs"][0]["durationSeconds"]
        wait_until(lambda: look()["outputs"][0]["durationSeconds"] > before + 1.5, 10, "it is recorded on")
        assert look()["state"] == "active" and recording.publisher.poll() is None
        os.kill(gateway.process.pid, signal.SIGTERM)
        assert gateway.process.wait(10) == 0
        assert media.decodes(next((tmp_path / "store" / "recordings").rglob("*.mp4")))


def test_the_command_line_drains_too(tmp_path):
    with Gateway(data=tmp_path, environment={"SLUICE_SHUTDOWN_WAIT": "1s"}) as gateway:
        Recording(gateway, CLIP, 0).begin()
        done = gateway.sluice("drain")
        assert done.returncode == 0, done.stderr
        assert "the gateway has ended" in done.stderr, done.stderr
        assert gateway.process.wait(5) == 0
        again = gateway.sluice("drain")
        assert again.returncode == 1 and "no gateway" in again.stderr, again.stderr
