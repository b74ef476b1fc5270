"""Every kind of publish for a minute: the file and the pushed copies hold each frame once, and stay in sync."""

import subprocess
import sys

import media
import pytest
from gateway import CLIENTS
from standins import NginxRTMP

pytestmark = pytest.mark.long

# Frames a second, seconds between key frames, B-frames, sound in Hz, channels.
KINDS = [(25, 1, 0, 48000, 2), (30, 2, 3, 44100, 1), (60, 1, 0, 48000, 2), (30, 8.3, 0, 44100, 1), (25, 8.3, 3, 48000, 2)]


@pytest.fixture
def clip(request, tmp_path):
    fps, gop, bframes, rate, channels = request.param
    path = tmp_path / "clip.mp4"
    made = subprocess.run(
        [sys.executable, CLIENTS / "sync-clip.py", path, "--seconds", "60", "--fps", str(fps), "--gop", str(gop),
         "--bframes", str(bframes), "--arate", str(rate), "--size", "640x360", "--vbitrate", "1000k"],
        capture_output=True, text=True, timeout=300)
    assert made.returncode == 0, made.stderr
    if channels == 1:
        mono = tmp_path / "mono.mp4"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", path, "-c:v", "copy", "-c:a", "aac", "-ac", "1", "-ar", str(rate), mono],
            check=True, timeout=300)
        path = mono
    return path, 60 * fps


@pytest.mark.parametrize("clip", KINDS, indirect=True, ids=lambda kind: "-".join(map(str, kind)))
def test_a_minute_of_each_kind(gateway, clip, tmp_path):
    path, frames = clip
    source_ms = media.sync(path)["av"]["all"]["median_ms"]
    room = f"minute-{tmp_path.name}"
    ingress, mirror = gateway.ingress(room), gateway.ingress(room + "-mirror")
    with NginxRTMP() as nginx:
        outputs = [
            {"id": "film", "type": "mp4"},
            {"id": "nginx", "type": "rtmp", "url": f"{nginx.url}/copy"},
            {"id": "self", "type": "rtmp", "url": f"{gateway.rtmp}/{mirror['streamKey']}"},
        ]
        egress = gateway.egress(room, outputs, createRoom=True, start={"waitSeconds": 20})
        copy = gateway.egress(room + "-mirror", createRoom=True, start={"waitSeconds": 30})
        publisher = gateway.publish(ingress, path)
        gateway.egress_in(copy, "active")
        gateway.published_to_its_end(publisher, ingress)
        ended = [gateway.stop_egress(egress), gateway.stop_egress(copy)]
        assert [each["state"] for each in ended] == ["complete", "complete"], ended
        nginx.stop()
        film = gateway.download(egress, "film", tmp_path / "film.mp4")
        again = gateway.download(copy, "film", tmp_path / "copy.mp4")
        (flv,) = nginx.recordings()
        for result in (film, again, flv):
            media.assert_in_sync(result, source_ms=source_ms, frames=frames, first=0, last=frames - 1)
    assert media.hashes(film) == media.hashes(path)
    assert media.hashes(film, "a") == media.hashes(path, "a")
    assert abs(ended[0]["outputs"][0]["durationSeconds"] - 60) < 2 / (frames / 60)
