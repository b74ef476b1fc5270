"""When an egress begins and ends by itself: limits, waits and pre-roll, a row each."""

import time

import media
import pytest
from clips import Clip
from gateway import ENDED
from rooms import wall

CLIP = Clip(20, 30, 2.0, 2)


@pytest.fixture(scope="module")
def room(gateway):
    """A room with a stream in it that goes on."""
    ingress = gateway.ingress("limits")
    publisher = gateway.publish(ingress, CLIP.path, loop=20)
    gateway.published(ingress)
    yield "limits"
    publisher.kill()
    publisher.wait()


LIMITS = {
    "durationSeconds": (3, "limit_reached"),
    "bytes": (60_000, "limit_reached"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_ends_an_egress(gateway, room, name):
    limit, reason = LIMITS[name]
    egress = gateway.egress(room, limits={name: limit})
    ended = gateway.egress_in(egress, "limit_reached", 40)
    output = ended["outputs"][0]
    assert (ended["stateReason"], output["state"]) == (reason, "complete"), ended
    assert media.decodes(output["location"])
    if name == "durationSeconds":
        assert output["durationSeconds"] == pytest.approx(limit, abs=0.2)
    else:
        assert limit <= output["sizeBytes"] < limit + 400_000, output


def test_a_limit_may_be_changed_while_it_runs(gateway, room):
    egress = gateway.egress(room, limits={"durationSeconds": 3000}, labels={"a": "1", "b": "2"})
    gateway.egress_in(egress, "active")
    answer = gateway.request("PATCH", f"/v1/egress/{egress['id']}", {
        "limits": {"durationSeconds": 4}, "labels": {"a": None, "c": "3"}})
    assert answer.status == 200 and answer.json["labels"] == {"b": "2", "c": "3"}, answer
    assert gateway.egress_in(egress, "limit_reached", 40)["outputs"][0]["durationSeconds"] >= 3.9
    assert gateway.request("PATCH", f"/v1/egress/{egress['id']}", {"labels": {}}).status == 409


def test_a_room_without_media_is_waited_for(gateway):
    egress = gateway.egress("nobody", createRoom=True, start={"waitSeconds": 2})
    assert egress["state"] == "starting" and egress["stateReason"] == "waiting_for_media", egress
    ended = gateway.egress_in(egress, "aborted", 15)
    assert (ended["stateReason"], ended["startedAt"]) == ("no_media", None), ended
    assert ended["outputs"][0]["state"] == "removed" and gateway.get(f"/v1/egress/{egress['id']}/files")["items"] == []


def test_a_room_that_stays_empty_ends_its_egress(gateway):
    ingress = gateway.ingress("empty")
    egress = gateway.egress("empty", createRoom=True, start={"waitSeconds": 30}, limits={"emptySeconds": 3})
    publisher = gateway.publish(ingress, CLIP.path)
    gateway.egress_in(egress, "active")
    time.sleep(1)
    publisher.kill()
    publisher.wait()
    gateway.egress_in(egress, "waiting")
    ended = gateway.egress_in(egress, ENDED, 15)
    assert (ended["state"], ended["stateReason"]) == ("limit_reached", "room_empty"), ended
    assert media.decodes(ended["outputs"][0]["location"])


@pytest.mark.parametrize("preroll,behind", [("gop", (0, 61)), ("none", (-90, 0)), (5, (0, 160))])
def test_an_egress_begins_where_its_preroll_says(gateway, room, preroll, behind, tmp_path):
    whole = gateway.egress(room)
    gateway.egress_in(whole, "active")
    time.sleep(6.5)
    present = gateway.get(f"/v1/egress/{whole['id']}")["outputs"][0]
    asked = time.time()
    egress = gateway.egress(room, start={"preroll": preroll})
    record = gateway.egress_in(egress, "active")
    started = wall(record["startedAt"])
    frames = (asked - started) * CLIP.fps
    print(f"preroll {preroll}: begins {frames:.0f} frames before the request", present["durationSeconds"])
    gateway.stop_egress(egress)
    gateway.stop_egress(whole)
    keys = [packet for packet in media.packets(gateway.download(egress, "film", tmp_path / "film.mp4"))]
    assert "K" in keys[0]["flags"]
    assert behind[0] - 15 <= frames <= behind[1] + 15, frames
