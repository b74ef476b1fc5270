"""Done 4: a job that crashes its worker, a worker that stands still, and an encoder that means harm take nothing from the
others."""

import os
import signal
import time

import media
import pytest
from clips import Clip
from gateway import Gateway, wait_until
from rooms import Recording
from rtmp_publisher import Publisher, flv, is_header

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


def changing(tags, in_band, seconds=15):
    """20 key frames a second, each with another decoder configuration before it, or another parameter set in it."""
    header = next(payload for kind, _, payload in tags if kind == 9 and payload[1] == 0)
    key = next(payload for kind, _, payload in tags if kind == 9 and payload[0] == 0x17 and payload[1] == 1)
    # An AVCDecoderConfigurationRecord with one set of each kind (ISO/IEC 14496-15, section 5.3.3.1).
    at = 5 + 8 + int.from_bytes(header[11:13], "big")
    size = int.from_bytes(header[at + 1:at + 3], "big")
    pps, tail = header[at + 3:at + 3 + size], header[at + 3 + size:]
    for index in range(seconds * 20):
        changed = pps + index.to_bytes(2, "big") + b"\x80"
        if in_band:
            yield 9, index * 50, key[:5] + len(changed).to_bytes(4, "big") + changed + key[5:]
        else:
            yield 9, index * 50, header[:at] + b"\x96" + 150 * (len(changed).to_bytes(2, "big") + changed) + tail
            yield 9, index * 50, key


@pytest.mark.parametrize("in_band", [False, True], ids=["configurations", "parameter sets"])
def test_an_encoder_that_changes_at_each_key_frame_harms_nobody(tmp_path, in_band):
    tags = flv(Clip(2, 30).path)
    with Gateway() as gateway:
        ingress = gateway.ingress("bad")
        outputs = [{"id": "film", "type": "mp4"}, {"id": "live", "type": "hls"}]
        harmed = gateway.egress("bad", outputs, createRoom=True, start={"waitSeconds": 60})
        good = Recording(gateway, CLIP, 1)
        publisher = Publisher(gateway.rtmp_port, ingress["streamKey"])
        publisher.send([tag for tag in tags if is_header(tag)])
        good.begin()
        (worker,) = gateway.workers()
        try:
            publisher.send(changing(tags, in_band))
        except OSError:
            assert not in_band
        assert assert_whole(good, tmp_path)["attempt"] == 1
        assert gateway.workers() == [worker]
        if not in_band:
            assert "the encoder changes its configuration again and again" in gateway.log()
        ended = gateway.stop_egress(harmed)
        assert ended["state"] == "complete" and ended["attempt"] == 1, ended
        assert ("units_left_out" in [warning["code"] for warning in ended["warnings"]]) == in_band, ended
