"""Pause, resume, split, markers: what they do to an egress and to its files."""

import os
import signal
import time

import media
import pytest
from clips import Clip
from gateway import Gateway
from rooms import wall

CLIP = Clip(20, 30, 1.0, 2)


class Show:
    """A stream in a room, and a recording of it."""

    def __init__(self, gateway, room, seconds=None, **fields):
        self.gateway, self.room = gateway, room
        self.ingress = gateway.ingress(room)
        self.egress = gateway.egress(room, createRoom=True, start={"waitSeconds": 30}, **fields)
        self.publisher = gateway.publish(self.ingress, CLIP.path)
        gateway.egress_in(self.egress, "active")

    def verb(self, name, body=None):
        answer = self.gateway.request("POST", f"/v1/egress/{self.egress['id']}/{name}", body or {})
        return answer.status, answer.json

    def record(self):
        return self.gateway.get(f"/v1/egress/{self.egress['id']}")

    def end(self):
        self.gateway.published_to_its_end(self.publisher, self.ingress)
        return self.gateway.stop_egress(self.egress)




def test_a_pause_is_cut_out(gateway, tmp_path):
    show = Show(gateway, "pause")
    time.sleep(1.5)
    status, record = show.verb("pause")
    assert (status, record["state"], record["stateReason"]) == (202, "paused", "pause_requested"), record
    assert show.verb("pause")[0] == 200
    time.sleep(1.2)
    before = show.record()
    assert before["outputs"][0]["state"] == "paused", before
    held = gateway.download(show.egress, "film", tmp_path / "held.mp4")
    assert media.decodes(held), "the file of a paused output plays"
    time.sleep(1.3)
    after = show.record()["outputs"][0]
    assert after["sizeBytes"] == before["outputs"][0]["sizeBytes"], "a paused output writes nothing"
    status, record = show.verb("resume")
    assert (status, record["state"]) == (202, "active"), record
    assert show.verb("resume")[0] == 200
    ended = show.end()
    assert ended["state"] == "complete", ended
    film = gateway.download(show.egress, "film", tmp_path / "film.mp4")
    assert media.decodes(film)
    times = sorted(float(packet["pts_time"]) for packet in media.packets(film))
    steps = [b - a for a, b in zip(times, times[1:])]
    assert max(steps) < 0.1, f"the cut shows: {max(steps)}"
    report = media.sync(film)
    cut = [event for event in report["video"]["events"] if "step" in event or "after" in event]
    assert report["video"]["lost"] >= 60 and report["video"]["first"] == 0, report["video"]
    assert report["video"]["last"] == CLIP.frames - 1, report["video"]
    assert abs(report["av"]["all"]["median_ms"] - CLIP.offset_ms) <= 15, report["av"]
    (pause,) = gateway.get(f"/v1/egress/{show.egress['id']}/manifest")["outputs"][0]["pauses"]
    assert abs(pause["seconds"] - report["video"]["lost"] / CLIP.fps) < 0.1, (pause, cut)
    assert ended["outputs"][0]["durationSeconds"] == pytest.approx(CLIP.seconds - pause["seconds"], abs=0.1)
    before, behind = gateway.get(f"/v1/egress/{show.egress['id']}/manifest")["outputs"][0]["clock"]
    at = pause["atSeconds"]
    assert (before["atSeconds"], behind["atSeconds"]) == (0, at), (before, behind)
    assert wall(behind["utc"]) - wall(before["utc"]) == pytest.approx(at + pause["seconds"], abs=0.003)
    stamps = [each["sources"][0]["stampSeconds"] for each in (before, behind)]
    assert stamps[1] - stamps[0] == pytest.approx(at + pause["seconds"], abs=0.003), (before, behind)


def test_a_split_loses_nothing(gateway, tmp_path):
    show = Show(gateway, "split", outputs=[{"id": "film", "type": "mp4", "path": "split/{room}-{part}.mp4"}])
    time.sleep(2)
    status, record = show.verb("split")
    assert status == 202 and show.verb("split")[0] == 200, record
    time.sleep(3)
    assert show.verb("split")[0] == 202
    assert show.verb("markers", {"name": "The end", "atSeconds": 18.5})[0] == 202
    assert show.verb("markers", {"name": "The end", "atSeconds": 18.5})[0] == 200
    assert show.verb("markers", {"name": "Now"})[0] == 202
    ended = show.end()
    output = ended["outputs"][0]
    assert ended["state"] == "complete" and len(output["parts"]) == 3, ended
    assert [part["location"].rsplit("/", 1)[1] for part in output["parts"]] == [
        "split-1.mp4", "split-2.mp4", "split-3.mp4"], output
    for stream in "va":
        whole = [each for part in output["parts"] for each in media.hashes(part["location"], stream)]
        assert whole == media.hashes(CLIP.path, stream)
    for part in output["parts"]:
        assert media.decodes(part["location"])
        assert part["durationSeconds"] == pytest.approx(float(media.probe(part["location"])["format"]["duration"]), abs=0.04)
    assert output["durationSeconds"] == pytest.approx(sum(part["durationSeconds"] for part in output["parts"]), abs=0.05)
    chapters = media.probe(output["parts"][2]["location"], "-show_chapters")["chapters"]
    assert [chapter["tags"]["title"] for chapter in chapters][-1] == "The end", chapters
    start = 18.5 - sum(part["durationSeconds"] for part in output["parts"][:2])
    assert float(chapters[-1]["start_time"]) == pytest.approx(start, abs=0.05)
    manifest = gateway.get(f"/v1/egress/{show.egress['id']}/manifest")
    assert [marker["name"] for marker in manifest["markers"]] == ["The end", "Now"], manifest
    assert 4.5 < manifest["markers"][1]["atSeconds"] < 20, manifest


def test_verbs_before_the_first_byte_and_after_the_end(gateway):
    egress = gateway.egress("verbs", createRoom=True, start={"waitSeconds": 20})
    for verb, body in {"pause": {}, "resume": {}, "split": {}, "markers": {"name": "x"}}.items():
        answer = gateway.request("POST", f"/v1/egress/{egress['id']}/{verb}", body)
        assert answer.status == 409 and answer.json["code"] == "conflict", answer
    assert gateway.request("POST", f"/v1/egress/{egress['id']}/markers", {}).status == 422
    gateway.stop_egress(egress)
    for verb, body in {"pause": {}, "resume": {}, "split": {}, "markers": {"name": "x"}}.items():
        answer = gateway.request("POST", f"/v1/egress/{egress['id']}/{verb}", body)
        assert answer.status == 409 and answer.json["code"] == "already_ended", answer


@pytest.mark.long
def test_a_paused_egress_survives_its_worker_and_its_gateway(tmp_path):
    with Gateway(data=tmp_path) as gateway:
        show = Show(gateway, "paused")
        time.sleep(1)
        assert show.verb("pause")[0] == 202
        time.sleep(1.5)
        size = show.record()["outputs"][0]["sizeBytes"]
        (worker,) = gateway.workers()
        os.kill(worker, signal.SIGKILL)
        time.sleep(1.5)
        record = show.record()
        assert (record["state"], record["outputs"][0]["state"]) == ("paused", "paused"), record
        assert record["outputs"][0]["sizeBytes"] <= size + 4096
        gateway.kill()
        show.publisher.wait(10)
        gateway.start()
        assert show.record()["state"] == "paused"
        show.publisher = gateway.publish(show.ingress, CLIP.path)
        gateway.published(show.ingress)
        assert show.record()["state"] == "paused"
        assert show.verb("resume")[0] == 202
        gateway.egress_in(show.egress, "active")
        ended = show.end()
        assert ended["state"] == "complete" and ended["outputs"][0]["parts"] == [], ended
        film = gateway.download(show.egress, "film", tmp_path / "film.mp4")
        assert media.decodes(film)
        times = sorted(float(packet["pts_time"]) for packet in media.packets(film))
        assert max(b - a for a, b in zip(times, times[1:])) < 0.1
