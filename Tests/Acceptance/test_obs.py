"""Real OBS: the bytes that it sent are the bytes that the file holds."""

import os
import subprocess

import media
import pytest
from clips import Clip
from gateway import CLIENTS
from wire import Tap, unit_hashes

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
    video, audio = unit_hashes(bytes(tap.sent[0]))
    assert len(video) >= seconds * 30 * 0.9 and media.hashes(film) == video
    kept = media.hashes(film, "a")
    assert audio[len(audio) - len(kept):] == kept, "the sound is what was sent, from the first picture on"
    assert len(audio) - len(kept) <= 60, "what may be missing is sound that came before the first picture"
    report = media.sync(film, "--loop", str(Clip(20).frames))
    # OBS itself leaves gaps in its sound when it is starved of CPU: the bytes above are the measure, not a count of gaps.
    assert report["video"]["unreadable"] == 0, report
    print(f"{settings}: {len(video)} pictures, {len(kept)} of {len(audio)} sound frames, A/V {report['av']['all']}")


def test_a_recording_of_obs_holds_the_bytes_that_it_sent(gateway, tmp_path):
    stream_obs(gateway, tmp_path, 6, **OBS["b-frames"])


@pytest.mark.long
@pytest.mark.parametrize("settings", OBS.values(), ids=OBS)
def test_recordings_of_obs_hold_the_bytes_that_it_sent(gateway, tmp_path, settings):
    stream_obs(gateway, tmp_path, 20, **settings)
