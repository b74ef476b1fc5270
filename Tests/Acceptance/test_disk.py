"""A disk that fills: recording stops cleanly before the reserve, says so, and the file plays."""

import os
import time

import media
from gateway import CLIP, ENDED, Gateway, wait_until

CONFIGURATION = """
http: {{ host: 127.0.0.1 }}
rtmp: {{ host: 127.0.0.1 }}
keys: {{ small: 0123456789abcdef0123456789abcdef }}
limits: {{ disk_reserve: {reserve} }}
"""


def test_a_disk_that_fills_ends_the_recording_and_says_so(tmp_path):
    # The reserve lies 3 MB below what is free now: to the gateway the disk is that small.
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    gateway = Gateway(CONFIGURATION.format(reserve=free - 3_000_000), data=tmp_path)
    gateway.key, gateway.secret = "small", "0123456789abcdef0123456789abcdef"
    with gateway:
        ingress = gateway.ingress("full")
        egress = gateway.egress("full", createRoom=True, start={"waitSeconds": 20})
        gateway.publish(ingress, CLIP, loop=-1)
        gateway.egress_in(egress, "active")
        filler = tmp_path / "filler"
        filler.write_bytes(b"x" * 4_000_000)
        def ended():
            record = gateway.get(f"/v1/egress/{egress['id']}")
            return record if record["state"] in ENDED else time.sleep(0.2)
        record = wait_until(ended, 30, "the recording has ended")
        filler.unlink()
        output = record["outputs"][0]
        shown = [record["error"], output["error"], *record["warnings"]]
        assert "disk_full" in [each["code"] for each in shown if each], record
        assert media.decodes(output["location"])
        assert output["durationSeconds"] > 0
