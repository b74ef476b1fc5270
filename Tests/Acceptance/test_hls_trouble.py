"""HLS of streams that misbehave: no illegal playlist, and unit for unit what the MP4 of the same egress has."""

import os
import signal
import time

import media
import pytest
from clips import Clip
from gateway import Gateway, wait_until
from hls import Viewer
from test_hls import assert_same_units, links, outputs_of

OUTPUTS = [{"id": "film", "type": "mp4"}, {"id": "live", "type": "hls", "segmentSeconds": 2}]
CLIP = Clip(seconds=10, gop=1.0)
OTHER = Clip(seconds=8, fps=25, gop=1.0, bframes=3, mono=True)
small = ["-c:v", "libx264", "-preset", "ultrafast", "-s", "320x180", "-g", "25", "-c:a", "copy"]


def stall(gateway, ingress, publisher):
    time.sleep(3)
    os.kill(publisher.pid, signal.SIGSTOP)
    time.sleep(5)
    os.kill(publisher.pid, signal.SIGCONT)


def restart(gateway, ingress, publisher):
    gateway.published_to_its_end(publisher, ingress)
    gateway.publish(ingress, OTHER.path, small).wait(60)


def jump(gateway, ingress, publisher):
    """The same key again, with stamps an hour further."""
    gateway.published_to_its_end(publisher, ingress)
    gateway.publish(ingress, CLIP.path, ["-c", "copy", "-output_ts_offset", "3600"]).wait(60)


CASES = {
    "offset": (CLIP, ["-c", "copy", "-output_ts_offset", "100000"], [], None, "va"),
    "sound only": (CLIP, ["-c", "copy", "-vn"], [], None, "a"),
    "picture only": (CLIP, ["-c", "copy", "-an"], [], None, "v"),
    "late sound": (CLIP, ["-map", "0:a", "-map", "1:v", "-c", "copy"], ["-itsoffset", "4", "-i", str(CLIP.path)], None, "va"),
    "long groups": (Clip(seconds=26, gop=8.3), ["-c", "copy"], [], None, "va"),
    "stall": (CLIP, ["-c", "copy"], [], stall, "va"),
    "restart": (CLIP, ["-c", "copy"], [], restart, "va"),
    "jump": (CLIP, ["-c", "copy"], [], jump, "va"),
}
SHORT = {"late sound"}


@pytest.mark.parametrize("name", [
    name if name in SHORT else pytest.param(name, marks=pytest.mark.long) for name in CASES])
def test_misbehaving_stream(name):
    clip, arguments, before, disturb, streams = CASES[name]
    with Gateway() as gateway:
        ingress = gateway.ingress("show")
        publisher = gateway.publish(ingress, clip.path, arguments, before=before)
        gateway.published(ingress)
        egress = gateway.egress("show", OUTPUTS)
        gateway.egress_in(egress, "active")
        wait_until(lambda: outputs_of(gateway.get(f"/v1/egress/{egress['id']}"))["live"]["state"] == "active", 30, "live")
        viewer = Viewer(links(gateway, egress)["live"])
        viewer.start()
        if disturb:
            disturb(gateway, ingress, publisher)
        gateway.published_to_its_end(publisher, ingress, 120)
        outputs = outputs_of(gateway.stop_egress(egress))
        assert outputs["live"]["state"] == outputs["film"]["state"] == "complete", outputs
        viewer.finish()
        main = viewer.main
        for each in viewer.renditions.values():
            print(name, each.url.rsplit("/", 1)[-1], each.media.target, [
                (round(s["duration"], 3), s["discontinuity"], "gap" if s["gap"] else "") for s in each.media.segments])
        assert ("RESOLUTION" in main) == ("v" in streams) and ("mp4a" in main) == ("a" in streams), main
        if streams == "va":
            assert_same_units(outputs["film"]["location"], outputs["live"]["location"], name == "late sound")
        else:
            assert media.hashes(outputs["film"]["location"], streams) == media.hashes(outputs["live"]["location"], streams)
        # ffmpeg's player keeps the first header, and complains of gaps; the viewer has decoded each segment behind its own.
        assert name in ("restart", "late sound") or media.decodes(outputs["live"]["location"])
