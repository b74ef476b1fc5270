"""Done 3: a gateway that is killed or stopped under a stream goes on in the same egress and the same file."""

import os
import random
import signal
import subprocess
import time

import media
import pytest
from clips import Clip
from gateway import CLIENTS, Gateway, wait_until
from rooms import Recording, wall

CLIP = Clip(8, 30, 1.0, 2)


def gaps(path, longer=0.2):
    """Holes of the picture: where each begins, and how long it is, in seconds."""
    times = sorted(float(packet["pts_time"]) for packet in media.packets(path))
    return [(a, b - a) for a, b in zip(times, times[1:]) if b - a > longer]


def kill(gateway):
    """The gateway alone: its workers see their link end and seal."""
    os.kill(gateway.process.pid, signal.SIGKILL)
    gateway.process.wait()


def stop(gateway):
    """As an operator stops it, without a wait for what runs."""
    os.kill(gateway.process.pid, signal.SIGTERM)
    assert gateway.process.wait(10) == 0


ENDS = {"everything killed": Gateway.kill, "gateway killed": kill, "SIGTERM": stop}


def run_restarts(folder, rounds, end):
    gateway = Gateway(data=folder, environment={"SLUICE_SHUTDOWN_WAIT": "0s"})
    try:
        gateway.start()
        recording = Recording(gateway, CLIP, 0).begin()
        publisher, away = recording.publisher, []
        for number in range(rounds):
            time.sleep(random.uniform(1.5, 3))
            at = time.time()
            end(gateway)
            publisher.wait(10)
            gateway.start()
            record = gateway.get(f"/v1/egress/{recording.egress['id']}")
            assert (record["state"], record["stateReason"]) == ("waiting", "source_away"), record
            publisher = gateway.publish(recording.ingress, CLIP.path)
            wait_until(lambda: gateway.get(f"/v1/ingress/{recording.ingress['id']}")["session"], 5, "it is back")
            away.append(time.time() - at)
            gateway.egress_in(recording.egress, "active", 10)
        gateway.published_to_its_end(publisher, recording.ingress)
        ended = gateway.stop_egress(recording.egress)
        output = ended["outputs"][0]
        assert (ended["state"], ended["partial"], output["parts"]) == ("complete", False, []), ended
        film = gateway.download(recording.egress, "film", folder / "film.mp4")
        assert media.decodes(film)
        assert media.hashes(film)[-CLIP.frames:] == media.hashes(CLIP.path), "the last publication is whole"
        found = gaps(film)
        print([f"{length:.2f} s of {limit:.2f}" for (_, length), limit in zip(found, away)])
        assert len(found) == rounds, found
        assert all(length <= limit + 2 for (_, length), limit in zip(found, away)), (found, away)
        seconds = wall(ended["endedAt"]) - wall(ended["startedAt"])
        assert abs(output["durationSeconds"] - float(media.probe(film)["format"]["duration"])) < 0.05
        assert abs(output["durationSeconds"] - seconds) < 1.5
        # Every publication begins its file's part with its own first frame: nothing lies over another.
        video = media.sync(film)["video"]
        assert video["unreadable"] == 0 and video["first"] == 0 and video["last"] == CLIP.frames - 1, video
    finally:
        gateway.__exit__()


@pytest.mark.parametrize("end", ENDS)
def test_a_restart_leaves_one_file(tmp_path, end):
    run_restarts(tmp_path, 1, ENDS[end])


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("end", ENDS)
def test_ten_restarts_leave_one_file(tmp_path, end):
    run_restarts(tmp_path, 10, ENDS[end])


def run_obs(folder, rounds):
    """Real OBS that reconnects by itself; how long it was away is what the gateway saw."""
    gateway = Gateway(data=folder)
    obs = None
    try:
        gateway.start()
        ingress = gateway.ingress("obs")
        egress = gateway.egress("obs", createRoom=True, start={"waitSeconds": 90})
        environment = dict(
            os.environ, OBS_RECONNECT="1", OBS_SIZE="640x360", OBS_PRESET="ultrafast", OBS_VKBPS="800", OBS_KILL="1")
        command = [CLIENTS / "obs-stream.sh", gateway.rtmp, ingress["streamKey"], str(10 + 12 * rounds), Clip(20).path]
        obs = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               start_new_session=True)
        gateway.egress_in(egress, "active", 60)
        away = []
        for number in range(rounds):
            time.sleep(random.uniform(2, 4))
            at = time.time()
            gateway.kill()
            gateway.start()
            path = f"/v1/ingress/{ingress['id']}"
            session = wait_until(lambda: gateway.get(path)["session"], 40, "OBS is back")
            away.append(wall(session["startedAt"]) - at)
            gateway.egress_in(egress, "active", 10)
        time.sleep(2)
        ended = gateway.stop_egress(egress)
        assert (ended["state"], ended["partial"], ended["outputs"][0]["parts"]) == ("complete", False, []), ended
        film = gateway.download(egress, "film", folder / "film.mp4")
        assert media.decodes(film)
        found = gaps(film, longer=0.8)
        print([f"{length:.2f} s of {limit:.2f}" for (_, length), limit in zip(found, away)])
        assert len(found) == rounds, (found, away)
        assert all(length <= limit + 2 for (_, length), limit in zip(found, away)), (found, away)
    finally:
        gateway.__exit__()
        if obs is not None:
            os.killpg(obs.pid, signal.SIGKILL)  # the script waits for its sleep; OBS and its display are in its group
            obs.wait(20)


def test_obs_comes_back_into_the_same_file(tmp_path):
    run_obs(tmp_path, 1)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_obs_comes_back_ten_times_into_the_same_file(tmp_path):
    run_obs(tmp_path, 10)
