"""What other programs make of a recording: finished, and as a kill left it."""

import functools
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import time

import media
import pytest
from gateway import CLIENTS, CLIP, Gateway


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A finished recording, and one that SIGKILL of everything left."""
    folder = tmp_path_factory.mktemp("films")
    with Gateway() as gateway:
        for name, is_killed in [("finished.mp4", False), ("killed.mp4", True)]:
            ingress = gateway.ingress(name)
            egress = gateway.egress(name, createRoom=True, start={"waitSeconds": 20})
            publisher = gateway.publish(ingress, CLIP, loop=-1)
            active = gateway.egress_in(egress, "active")
            time.sleep(4)
            location = pathlib.Path(active["outputs"][0]["location"])
            if is_killed:
                gateway.kill()
                publisher.kill()
            else:
                publisher.kill()
                assert gateway.stop_egress(egress)["state"] == "complete"
            (folder / name).write_bytes(location.read_bytes())
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


KINDS = pytest.mark.parametrize("name", ["finished.mp4", "killed.mp4"])


@KINDS
def test_ffmpeg_reads_every_frame(films, name):
    assert media.decodes(films / name)
    kinds = [stream["codec_name"] for stream in media.probe(films / name)["streams"]]
    assert sorted(kinds) == ["aac", "h264"]


@KINDS
def test_mediainfo_knows_both_tracks(films, name):
    done = subprocess.run(["mediainfo", "--Output=JSON", films / name], capture_output=True, text=True, timeout=30)
    tracks = {track["@type"]: track for track in json.loads(done.stdout)["media"]["track"]}
    assert tracks["Video"]["Format"] == "AVC" and tracks["Audio"]["Format"] == "AAC", tracks
    assert float(tracks["General"]["Duration"]) > 3
    assert "IsTruncated" not in json.dumps(tracks), tracks


@KINDS
def test_gstreamer_plays_it_to_its_end(films, name):
    pipeline = ["filesrc", f"location={films / name}", "!", "decodebin", "name=d"]
    sinks = ["d.", "!", "queue", "!", "videoconvert", "!", "fakesink", "d.", "!", "queue", "!", "audioconvert", "!", "fakesink"]
    done = subprocess.run(["gst-launch-1.0", "-q", *pipeline, *sinks], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr


@KINDS
def test_chromium_plays_it(films, name):
    handler = functools.partial(Quiet, directory=str(films))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/{name}"
        command = [sys.executable, CLIENTS / "browser.py", "native", url, "--seconds", "3", "--min-frames", "45"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
        server.shutdown()
    assert done.returncode == 0, done.stdout + done.stderr
