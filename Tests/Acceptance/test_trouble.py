"""Done 4: a job that crashes its worker, and a worker that stands still, take nothing from the others."""

import os
import signal
import time

import media
from clips import Clip
from gateway import Gateway, wait_until
from rooms import Recording

CLIP = Clip(20, 30, 2.0, 2)


def memory(pid, name="VmRSS"):
    """Bytes of a process's memory."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(name))


def assert_whole(recording, folder):
    """The recording's egress ended with each frame that was published, in one file."""
    recording.publish_to_the_end()
    ended = recording.gateway.stop_egress(recording.egress)
    assert ended["state"] == "complete" and not ended["partial"], ended
    assert ended["outputs"][0]["parts"] == [], ended
    film = recording.gateway.download(recording.egress, "film", folder / f"{recording.room}.mp4")
    clip = recording.clip
    media.assert_in_sync(film, source_ms=clip.offset_ms, frames=clip.frames, first=0, last=clip.frames - 1)
    return ended


def test_a_poison_stream_ends_alone(tmp_path):
    with Gateway() as gateway:
        recordings = [Recording(gateway, CLIP, number) for number in range(3)]
        for recording in recordings:
            recording.begin()
        poisoned = gateway.egress("room-0", labels={"sluice.test/poison": "true"})
        ended = gateway.egress_in(poisoned, "failed", 30)
        assert ended["error"]["code"] == "worker_crashed", ended
        assert "3 times within a minute" in ended["error"]["message"], ended
        assert ended["outputs"][0]["state"] == "failed", ended
        for recording in recordings:
            # The first crash is the shared worker's; from then on the poisoned job is alone.
            assert assert_whole(recording, tmp_path)["attempt"] <= 2
        again = gateway.egress("room-0", labels={"sluice.test/poison": "false"})
        assert gateway.stop_egress(again)["state"] in ("complete", "aborted")


def test_a_frozen_worker_is_replaced_and_nothing_is_lost(tmp_path):
    clip = Clip(30, 30, 2.0, 2)
    with Gateway() as gateway:
        recordings = [Recording(gateway, clip, number) for number in range(4)]
        for recording in recordings:
            recording.begin()
        before = memory(gateway.process.pid)
        (worker,) = gateway.workers()
        os.kill(worker, signal.SIGSTOP)
        froze = time.monotonic()
        wait_until(lambda: worker not in gateway.workers(), 9, "the frozen worker is gone")
        gone = time.monotonic() - froze
        peak = before
        while time.monotonic() < froze + 20:
            peak = max(peak, memory(gateway.process.pid))
            time.sleep(0.2)
        for recording in recordings:
            assert assert_whole(recording, tmp_path)["attempt"] == 2
        print(f"replaced after {gone:.1f} s, memory {before >> 20} MiB, at most {peak >> 20} MiB")
        assert 5 <= gone <= 8
        # The bound is limits.replay for each room; what these rooms really hold is 20 s of 0.4 Mbit/s.
        assert peak - before < 32 << 20
