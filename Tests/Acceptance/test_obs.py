"""Real OBS: the bytes that it sent are the bytes that the file holds, at the times that it gave them."""

import fractions
import os
import subprocess

import media
import pytest
from clips import Clip
from gateway import CLIENTS
from wire import Tap, units

OBS = {
    "advanced": dict(OBS_BFRAMES="0"),
    "simple": dict(OBS_SIMPLE="1"),
    "b-frames": dict(OBS_BFRAMES="3"),
}


def stream_obs(gateway, folder, seconds, **settings):
    """Real OBS through a tap; its recording holds what the tap saw."""
    ingress = gateway.ingress("obs")
    egress = gateway.egress("obs", createRoom=True, start={"waitSeconds": 90})
    environment = dict(os.environ, OBS_SIZE="640x360", OBS_PRESET="ultrafast", OBS_VKBPS="800", **settings)
    with Tap(gateway.rtmp_port) as tap:
        command = [CLIENTS / "obs-stream.sh", f"rtmp://127.0.0.1:{tap.port}/live", ingress["streamKey"], str(seconds),
                   Clip(20).path]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + 120)
        assert done.returncode == 0, done.stdout + done.stderr
    ended = gateway.stop_egress(egress)
    gateway.request("DELETE", f"/v1/ingress/{ingress['id']}")
    assert ended["state"] == "complete", ended
    film = gateway.download(egress, "film", folder / "obs.mp4")
    assert len(tap.sent) == 1
    video, audio = units(bytes(tap.sent[0]))
    assert len(video) >= seconds * 30 * 0.9
    pictures, sounds = media.kept(film), media.kept(film, "a")
    assert_pictures(pictures, video)
    gaps = assert_sounds(sounds, audio, start=pictures[0].pts - fractions.Fraction(video[0].pts, 1000))
    report = media.sync(film, "--loop", str(Clip(20).frames))
    assert report["video"]["unreadable"] == 0, report
    print(f"{settings}: {len(video)} pictures, {len(sounds)} of {len(audio)} sound frames, {gaps} gaps, "
          f"A/V {report['av']['all']}")


def assert_pictures(pictures, sent):
    """Each picture once, and between any two of them exactly the time that their stamps say."""
    assert [each.hash for each in pictures] == [each.hash for each in sent]
    for name in ("dts", "pts"):
        first, origin = getattr(pictures[0], name), getattr(sent[0], name)
        for number, (picture, unit) in enumerate(zip(pictures, sent)):
            asked = fractions.Fraction(getattr(unit, name) - origin, 1000)
            assert getattr(picture, name) - first == asked, (name, number, picture, unit)


# How far the time of a counted sound frame may stand from its stamp: in general, for longer than PATIENCE frames, and how
# much of that the stamps' own rounding takes (Packaging's SampleClock).
WANDER, STEADY, ROUNDING = (fractions.Fraction(ms, 1000) for ms in (100, 15, 2))
PATIENCE = 16


def assert_sounds(sounds, sent, start):
    """Each frame of sound once, from the first picture on; counted, and near its stamp; a gap only where the stamps have one.

    `start` is the file's time at stamp 0. Returns the number of gaps. OBS itself leaves gaps when it is starved of CPU, so
    their number says nothing.
    """
    hashes = [each.hash for each in sent]
    assert sounds[0].hash in hashes[:60], "what may be missing is sound that came before the first picture"
    at = hashes.index(sounds[0].hash)
    frame = fractions.Fraction(1024, 48000)
    gaps, off_for, last = 0, 0, None
    for sound in sounds:
        if at == len(sent) or sound.hash != hashes[at]:
            # Silence that fills a gap: what was sent must still come, in its order, and but once.
            assert sound.hash not in hashes, f"a frame that was sent stands out of order, where {at} should"
            continue
        stamp = start + fractions.Fraction(sent[at].pts, 1000)
        off = sound.pts - stamp
        assert abs(off) <= WANDER + ROUNDING, (at, float(off))
        off_for = off_for + 1 if abs(off) > STEADY + ROUNDING else 0
        assert off_for <= PATIENCE, (at, float(off))
        if last is not None and sound.pts != last.pts + frame:
            gaps += 1
            counted = last.pts + frame
            assert abs(stamp - counted) >= STEADY - ROUNDING, f"frame {at} moved by {float(sound.pts - counted)} s"
        at, last = at + 1, sound
    assert at == len(sent), f"frame {at} of {len(sent)} is not in the file"
    return gaps


def test_a_recording_of_obs_holds_the_bytes_that_it_sent(gateway, tmp_path):
    stream_obs(gateway, tmp_path, 6, **OBS["b-frames"])


@pytest.mark.long
@pytest.mark.parametrize("settings", OBS.values(), ids=OBS)
def test_recordings_of_obs_hold_the_bytes_that_it_sent(gateway, tmp_path, settings):
    stream_obs(gateway, tmp_path, 20, **settings)
