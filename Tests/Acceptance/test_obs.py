"""Real OBS: what it sent is what the file holds, and two recordings of one publish are the same."""

import os
import subprocess

import media
import pytest
from gateway import CLIENTS, CLIP

SETTINGS = {
    "advanced": {},
    "simple": {"OBS_SIMPLE": "1"},
    "b-frames": {"OBS_PRESET": "veryfast", "OBS_BFRAMES": "2"},
}


@pytest.mark.parametrize("kind", ["advanced", *(pytest.param(k, marks=pytest.mark.long) for k in ["simple", "b-frames"])])
def test_obs_streams_into_a_room(gateway, tmp_path, kind):
    room = f"obs-{kind}"
    ingress = gateway.ingress(room)
    outputs = [{"id": "film", "type": "mp4"}, {"id": "twin", "type": "mp4", "path": "{room}/twin.mp4"}]
    egress = gateway.egress(room, outputs, createRoom=True, start={"waitSeconds": 60})
    settings = dict(os.environ, OBS_SIZE="640x360", OBS_PRESET="ultrafast", **SETTINGS[kind])
    command = [CLIENTS / "obs-stream.sh", gateway.rtmp, ingress["streamKey"], "8", CLIP]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=settings)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = gateway.get(f"/v1/ingress/{ingress['id']}")
    ended = gateway.stop_egress(egress)
    assert ended["state"] == "complete", ended
    film, twin = (gateway.download(egress, name, tmp_path / f"{name}.mp4") for name in ("film", "twin"))
    assert media.hashes(film) == media.hashes(twin) and media.hashes(film, "a") == media.hashes(twin, "a")
    assert media.decodes(film)
    assert float(media.probe(film)["format"]["duration"]) > 6
    assert shown["session"] is None or shown["session"]["encoder"], shown
