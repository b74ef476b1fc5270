"""Done 5: a destination in trouble is tried again on schedule, and troubles nothing else."""

import json
import time

import media
import pytest
from clips import Clip
from gateway import free_ports, wait_until
from rooms import wall
from standins import NginxRTMP


class Push:
    """A room whose one egress records and pushes."""

    def __init__(self, gateway, room, url, clip):
        self.gateway, self.room, self.clip = gateway, room, clip
        self.ingress = gateway.ingress(room)
        outputs = [{"id": "film", "type": "mp4"}, {"id": "push", "type": "rtmp", "url": url}]
        self.egress = gateway.egress(room, outputs, createRoom=True, start={"waitSeconds": 60})
        self.publisher = gateway.publish(self.ingress, clip.path)
        gateway.egress_in(self.egress, "active")

    @property
    def outputs(self):
        record = self.gateway.get(f"/v1/egress/{self.egress['id']}")
        return {output["id"]: output for output in record["outputs"]}

    def push_is(self, state, seconds=15):
        return wait_until(lambda: self.outputs["push"]["state"] == state and self.outputs["push"], seconds, f"push {state}")

    def retry_times(self, count, seconds):
        """When the push broke, for the first `count` times, as the log has it."""
        jobs = self.gateway.get(f"/v1/jobs?room={self.room}")["items"]
        (job,) = [job["id"] for job in jobs if job["subject"] == self.egress["id"]]
        def look():
            broke = [json.loads(line) for line in self.gateway.log().splitlines() if '"push broke"' in line]
            times = [wall(line["time"]) for line in broke if line["fields"]["job"] == job]
            return times[:count] if len(times) >= count else None
        return wait_until(look, seconds, f"{count} retries")

    def finish(self, folder, state="complete"):
        """The recording of the same egress holds every frame."""
        self.gateway.published_to_its_end(self.publisher, self.ingress, 150)
        ended = self.gateway.stop_egress(self.egress)
        assert ended["state"] == "complete", ended
        push = next(output for output in ended["outputs"] if output["id"] == "push")
        assert push["state"] == state, push
        film = self.gateway.download(self.egress, "film", folder / f"{self.egress['id']}.mp4")
        last = self.clip.frames - 1
        media.assert_in_sync(film, source_ms=self.clip.offset_ms, frames=self.clip.frames, first=0, last=last)
        assert media.hashes(film) == media.hashes(self.clip.path)
        return ended


def assert_received_piece(path, clip):
    """What a destination got of one connection: from a key frame on, every frame once."""
    assert media.packets(path)[0]["flags"].startswith("K")
    report = media.assert_in_sync(path, source_ms=clip.offset_ms)
    assert report["video"]["first"] % clip.gop_frames == 0, report["video"]
    return report["video"]["first"], report["video"]["last"]


def gaps(times):
    return [round(b - a, 1) for a, b in zip(times, times[1:])]


def run_restarts(gateway, folder, restarts, clip, away):
    with NginxRTMP() as nginx:
        push = Push(gateway, f"restarts-{restarts}", f"{nginx.url}/show", clip)
        push.push_is("active")
        for number in range(restarts):
            time.sleep(4)
            nginx.kill()
            assert push.push_is("retrying")["error"]["code"] in ("destination_dropped", "destination_unreachable")
            time.sleep(away)
            nginx.start()
            resumed = push.push_is("active", 35)
            assert resumed["retries"] >= number + 1 and resumed["error"] is None, resumed
        push.finish(folder)
        pieces = [assert_received_piece(path, clip) for path in nginx.recordings("show")]
        print(f"pieces {pieces}, retries {resumed['retries']}")
        assert len(pieces) == restarts + 1
        assert pieces[-1][1] == clip.frames - 1
        assert all(first[1] < second[0] for first, second in zip(pieces, pieces[1:])), pieces


def test_a_destination_that_was_restarted_gets_the_stream_again(gateway, tmp_path):
    run_restarts(gateway, tmp_path, 1, Clip(20, 30, 1.0), away=1)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_destination_that_was_restarted_thrice_gets_the_stream_again(gateway, tmp_path):
    run_restarts(gateway, tmp_path, 3, Clip(120, 30, 1.0), away=5)


def run_unreachable(gateway, folder, clip, count):
    (port,) = free_ports(1)
    push = Push(gateway, f"nobody-{count}", f"rtmp://127.0.0.1:{port}/live/secretkey", clip)
    times = push.retry_times(count, 2 ** count + 10)
    output = push.outputs["push"]
    print(f"retries {gaps(times)} s apart: {output['error']['message']}")
    assert output["state"] == "retrying" and output["error"]["code"] == "destination_unreachable", output
    assert "127.0.0.1" in output["error"]["message"] and "secretkey" not in str(output)
    assert [round(gap) for gap in gaps(times)] == [min(30, 2 ** number) for number in range(count - 1)]
    ended = push.finish(folder, state="failed")
    assert ended["partial"], "the file is whole, the push never began"


def test_nobody_listens_at_the_destination(gateway, tmp_path):
    run_unreachable(gateway, tmp_path, Clip(10, 30, 1.0), 4)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_nobody_listens_at_the_destination_for_long(gateway, tmp_path):
    run_unreachable(gateway, tmp_path, Clip(120, 30, 1.0), 7)


def test_a_destination_refuses_the_application_and_the_key(gateway, tmp_path):
    clip = Clip(10, 30, 1.0)
    with NginxRTMP() as nginx:
        other = Push(gateway, "no-app", f"rtmp://127.0.0.1:{nginx.port}/nosuchapp/key", clip)
        bad = Push(gateway, "bad-key", f"{gateway.rtmp}/no-such-key-here", clip)
        for push in (other, bad):
            times = push.retry_times(3, 15)
            assert [round(gap) for gap in gaps(times)] == [1, 2], gaps(times)
        error = bad.outputs["push"]["error"]
        assert error["code"] == "destination_refused" and "NetStream.Publish.BadName" in error["message"], error
        assert "no-such-key-here" not in str(bad.outputs)
        assert other.outputs["push"]["error"]["code"] in ("destination_refused", "destination_dropped")
        for push in (other, bad):
            push.finish(tmp_path, state="failed")
        assert "no-such-key-here" not in gateway.log()


def push_of(gateway, egress):
    outputs = gateway.get(f"/v1/egress/{egress['id']}")["outputs"]
    return next(output for output in outputs if output["id"] == "push")


def test_outputs_come_and_go_while_it_runs(gateway, tmp_path):
    mirror = gateway.ingress("come-mirror")
    ingress = gateway.ingress("come")
    egress = gateway.egress("come", createRoom=True, start={"waitSeconds": 20})
    clip = Clip(10, 30, 1.0)
    publisher = gateway.publish(ingress, clip.path)
    gateway.egress_in(egress, "active")
    added = gateway.request(
        "POST", f"/v1/egress/{egress['id']}/outputs",
        {"id": "push", "type": "rtmp", "url": f"{gateway.rtmp}/{mirror['streamKey']}"})
    assert added.status in (200, 201, 202), added
    wait_until(lambda: push_of(gateway, egress)["state"] == "active", 15, "the push is active")
    gateway.published(mirror)
    removed = gateway.request("DELETE", f"/v1/egress/{egress['id']}/outputs/push")
    assert removed.status in (200, 202, 204), removed
    wait_until(lambda: push_of(gateway, egress)["state"] == "removed", 15, "the push is removed")
    gateway.published_to_its_end(publisher, ingress)
    assert gateway.stop_egress(egress)["state"] == "complete"
    assert media.hashes(gateway.download(egress, "film", tmp_path / "film.mp4")) == media.hashes(clip.path)
