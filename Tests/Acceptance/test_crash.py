"""What a kill leaves: files that play everywhere; a killed worker loses nothing."""

import os
import random
import shutil
import signal
import time

import media
import pytest
from clips import Clip
from gateway import Gateway, wait_until
from players import assert_all_play
from rooms import Recording
from standins import is_alive


def assert_left_whole(path, recording, killed_at, chromium):
    """A file as a kill left it: every frame from the first to at most a second before the kill, for every player."""
    report = media.sync(path)
    video, clip = report["video"], recording.clip
    assert (video["first"], video["repeated"], video["out_of_order"], video["unreadable"]) == (0, 0, 0, 0), video
    assert report["audio"]["gap_count"] == 0 and abs(report["av"]["all"]["median_ms"] - clip.offset_ms) <= 15, report
    frames = video["frames"]
    # Frames stand in decoding order: the last may be one that B-frames, shown before it, did not follow any more.
    steps = [int(event.split("after ")[1].split("@")[0]) for event in video["events"]]
    assert all(step >= video["last"] - clip.bframes - 1 for step in steps), video
    missing = (recording.published(killed_at) - frames) / clip.fps
    print(f"{path.name}: {frames} frames, {missing:.2f} s before the kill")
    assert missing <= 1.0, f"{missing:.2f} s are missing"
    assert_all_play(path, frames, clip.fps, chromium)


def kill_worker(gateway, recordings, folder, number):
    """Kills the worker while the gateway stands still, so that the files can be copied as it left them."""
    paths = [recording.location for recording in recordings]
    (worker,) = gateway.workers()
    os.kill(gateway.process.pid, signal.SIGSTOP)
    try:
        at = time.time()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: not is_alive(worker), 5, "the worker is dead")
        left = [shutil.copy(path, folder / f"{number}-{index}.mp4") for index, path in enumerate(paths)]
    finally:
        os.kill(gateway.process.pid, signal.SIGCONT)
    return at, left


def run_worker_kills(folder, chromium, rounds, rooms, clip):
    with Gateway() as gateway:
        recordings = [Recording(gateway, clip, number) for number in range(rooms)]
        for recording in recordings:
            recording.begin()
        killed = []
        for number in range(rounds):
            time.sleep(random.uniform(0.7, 2.5))
            killed.append(kill_worker(gateway, recordings, folder, number))
        for recording in recordings:
            recording.publish_to_the_end()
            ended = gateway.stop_egress(recording.egress)
            assert ended["state"] == "complete" and not ended["partial"], ended
            assert ended["attempt"] == rounds + 1 and ended["outputs"][0]["parts"] == [], ended
            film = gateway.download(recording.egress, "film", folder / f"{recording.room}.mp4")
            media.assert_in_sync(film, source_ms=clip.offset_ms, frames=clip.frames, first=0, last=clip.frames - 1)
            assert media.hashes(film) == media.hashes(clip.path)
            assert media.hashes(film, "a") == media.hashes(clip.path, "a")
        assert_all_play(film, clip.frames, clip.fps, chromium)
        for at, left in killed:
            for path, recording in zip(left, recordings):
                assert_left_whole(path, recording, at, chromium)


def test_a_killed_worker_loses_nothing(tmp_path, chromium):
    run_worker_kills(tmp_path, chromium, rounds=2, rooms=2, clip=Clip(10, 30, 2.0, 2))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_workers_killed_at_twenty_instants_lose_nothing(tmp_path, chromium):
    run_worker_kills(tmp_path, chromium, rounds=20, rooms=2, clip=Clip(60, 30, 2.0, 2))


def run_gateway_kills(folder, chromium, rounds, clip):
    gateway = Gateway(data=folder, environment={"SLUICE_EGRESS_RESUME_WITHIN": "1s"})
    try:
        for number in range(rounds):
            gateway.start()
            recording = Recording(gateway, clip, number).begin()
            time.sleep(random.uniform(1.0, 4.5))
            path = recording.location
            at = time.time()
            gateway.kill()
            left = folder / f"left-{number}.mp4"
            shutil.copy(path, left)
            recording.publisher.wait(10)
            assert_left_whole(left, recording, at, chromium)
            gateway.start()
            ended = gateway.egress_in(recording.egress, {"complete", "failed", "aborted"})
            assert ended["state"] == "complete" and ended["stateReason"] == "source_gone", ended
            assert media.probe(path)["format"]["tags"].get("major_brand") and media.decodes(path)
            gateway.stop()
    finally:
        gateway.__exit__()


def test_a_killed_gateway_leaves_a_file_that_plays(tmp_path, chromium):
    run_gateway_kills(tmp_path, chromium, rounds=2, clip=Clip(10, 30, 2.0, 2))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_gateways_killed_at_twenty_instants_leave_files_that_play(tmp_path, chromium):
    run_gateway_kills(tmp_path, chromium, rounds=20, clip=Clip(10, 30, 2.0, 2))


def test_a_publisher_back_after_a_restart_goes_on_in_the_same_egress(tmp_path):
    clip = Clip(10, 30, 2.0, 2)
    gateway = Gateway(data=tmp_path)
    try:
        gateway.start()
        recording = Recording(gateway, clip, 0).begin()
        time.sleep(2)
        gateway.kill()
        recording.publisher.wait(10)
        gateway.start()
        gateway.egress_in(recording.egress, "waiting")
        publisher = gateway.publish(recording.ingress, clip.path)
        gateway.egress_in(recording.egress, "active")
        gateway.published_to_its_end(publisher, recording.ingress)
        ended = gateway.stop_egress(recording.egress)
        assert ended["state"] == "complete", ended
        parts = [part["location"] for part in ended["outputs"][0]["parts"]]
        last = parts[-1] if parts else ended["outputs"][0]["location"]
        assert media.decodes(last)
        assert media.hashes(last)[-clip.frames:] == media.hashes(clip.path)
    finally:
        gateway.__exit__()
