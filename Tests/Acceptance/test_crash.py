"""What a crash leaves: workers, the gateway, everything."""

import os
import random
import signal
import time

import media
import pytest
from gateway import CLIP, Gateway, wait_until


def recording(gateway, room):
    """A room with a looped publisher and an active egress."""
    ingress = gateway.ingress(room)
    egress = gateway.egress(room, createRoom=True, start={"waitSeconds": 20})
    publisher = gateway.publish(ingress, CLIP, loop=-1)
    return egress, publisher, gateway.egress_in(egress, "active")


def assert_whole(path, *arguments):
    """Every frame of the looped clip once, from the first to the last in the file."""
    report = media.sync(path, "--loop", "360", *arguments)
    assert (report["video"]["lost"], report["video"]["repeated"], report["video"]["out_of_order"]) == (0, 0, 0), report
    assert report["audio"]["gap_count"] == 0, report["audio"]
    return report


def worker_of(gateway, egress):
    """The process that runs the egress."""
    jobs = [job for job in gateway.get("/v1/jobs?active=true")["items"] if job["subject"] == egress["id"]]
    workers = {worker["id"]: worker for worker in gateway.get("/v1/workers")["items"]}
    return workers[jobs[0]["workerId"]]["processId"]


def test_a_killed_worker_loses_no_frame(gateway, tmp_path):
    egress, publisher, _ = recording(gateway, "worker-killed")
    time.sleep(2)
    os.kill(worker_of(gateway, egress), signal.SIGKILL)
    time.sleep(4)
    publisher.kill()
    ended = gateway.stop_egress(egress)
    assert ended["state"] == "complete" and ended["attempt"] == 2, ended
    assert ended["outputs"][0]["parts"] in ([], None) or len(ended["outputs"][0]["parts"]) == 1
    film = gateway.download(egress, "film", tmp_path / "film.mp4")
    report = assert_whole(film)
    assert report["video"]["frames"] > 5 * 30


def test_a_frozen_worker_is_replaced(gateway, tmp_path):
    egress, publisher, _ = recording(gateway, "worker-frozen")
    time.sleep(1)
    frozen = worker_of(gateway, egress)
    os.kill(frozen, signal.SIGSTOP)
    wait_until(lambda: gateway.get(f"/v1/egress/{egress['id']}")["attempt"] == 2, 12, "another worker took over")
    gateway.egress_in(egress, "active")
    time.sleep(2)
    publisher.kill()
    ended = gateway.stop_egress(egress)
    assert ended["state"] == "complete", ended
    assert_whole(gateway.download(egress, "film", tmp_path / "film.mp4"))
    assert not os.path.exists(f"/proc/{frozen}"), "the frozen worker was killed"


@pytest.mark.parametrize("seconds", [1.5] + [pytest.param(s / 10, marks=pytest.mark.long) for s in range(11, 60, 3)])
def test_a_killed_gateway_leaves_a_file_that_plays(seconds):
    with Gateway() as gateway:
        _, publisher, active = recording(gateway, "all-killed")
        time.sleep(seconds + random.random() / 3)
        record = gateway.get(f"/v1/egress/{active['id']}")
        location = record["outputs"][0]["location"]
        began = time.time()
        gateway.kill()
        publisher.kill()
        assert media.decodes(location)
        report = assert_whole(location)
        shown = record["outputs"][0]["durationSeconds"]
        assert report["video"]["duration"] >= shown - 1.0, (shown, time.time() - began, report["video"])


def test_a_restarted_gateway_goes_on_or_ends_truthfully(tmp_path):
    with Gateway() as gateway:
        egress, publisher, _ = recording(gateway, "restart")
        time.sleep(2)
        gateway.kill()
        publisher.kill()
        gateway.start()
        record = gateway.get(f"/v1/egress/{egress['id']}")
        assert record["state"] in ("waiting", "queued", "starting"), record
        ingress = gateway.get("/v1/ingress?room=restart")["items"][0]
        again = gateway.publish(gateway.get(f"/v1/ingress/{ingress['id']}"), CLIP, loop=-1)
        gateway.egress_in(egress, "active")
        time.sleep(2)
        again.kill()
        ended = gateway.stop_egress(egress)
        assert ended["state"] == "complete", ended
        for part in ended["outputs"][0]["parts"] or [ended["outputs"][0]]:
            assert media.decodes(part["location"])
