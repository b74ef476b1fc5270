"""Done 2: what is published comes out whole, in files and at destinations, whatever the encoder's settings."""

import itertools
import time

import media
import pytest
from clips import Clip
from rooms import wall
from standins import NginxRTMP

SHORT = [Clip(10, 25, 1.0, 3, True), Clip(10, 60, 8.3, 0, False)]
LONG = {
    fps: [
        Clip(60, fps, gop, bframes, mono)
        for gop, bframes, mono in itertools.product((1.0, 8.3), (0, 3), (True, False))
    ]
    for fps in (25, 30, 60)
}


class Line:
    """One publisher, recorded and pushed to nginx and to a second room, which is recorded too."""

    def __init__(self, gateway, nginx, clip, number):
        self.gateway, self.nginx, self.clip = gateway, nginx, clip
        self.room, self.key = f"line-{number}", f"{clip.name}-{number}".replace(".", "_")
        self.source, mirror = gateway.ingress(self.room), gateway.ingress(self.room + "-mirror")
        outputs = [
            {"id": "film", "type": "mp4"},
            {"id": "nginx", "type": "rtmp", "url": f"{nginx.url}/{self.key}"},
            {"id": "mirror", "type": "rtmp", "url": f"{gateway.rtmp}/{mirror['streamKey']}"},
        ]
        self.whole = gateway.egress(self.room, outputs, createRoom=True, start={"waitSeconds": 60})
        self.copy = gateway.egress(self.room + "-mirror", createRoom=True, start={"waitSeconds": 60})
        self.late = None

    def publish(self):
        self.publisher = self.gateway.publish(self.source, self.clip.path)

    def record_late(self):
        """A second recording, asked for while the stream runs."""
        started = wall(self.gateway.egress_in(self.whole, "active")["startedAt"])
        fraction = (time.time() - started) % self.clip.gop / self.clip.gop
        if not 0.2 < fraction < 0.8:  # not beside a key frame: which of two the room holds would be a matter of luck
            time.sleep((1.5 - fraction) % 1 * self.clip.gop)
        self.late = self.gateway.egress(self.room)
        asked = int((wall(self.late["createdAt"]) - started) * self.clip.fps)
        self.expected_first = asked // self.clip.gop_frames * self.clip.gop_frames

    def finish(self):
        self.gateway.published_to_its_end(self.publisher, self.source, 120)
        for egress in (self.whole, self.copy, self.late):
            ended = self.gateway.stop_egress(egress)
            assert ended["state"] == "complete" and not ended["partial"], ended

    def check(self, folder):
        """The four files that the stream made."""
        last = self.clip.frames - 1
        whole = dict(first=0, last=last, frames=self.clip.frames)
        paths = [(self.gateway.download(self.whole, "film", folder / f"{self.room}.mp4"), whole)]
        paths.append((self.gateway.download(self.copy, "film", folder / f"{self.room}-mirror.mp4"), whole))
        late = self.gateway.download(self.late, "film", folder / f"{self.room}-late.mp4")
        paths.append((late, dict(first=self.expected_first, last=last)))
        received = self.nginx.recordings(self.key)
        assert len(received) == 1, received
        paths.append((received[0], dict(whole, source_gaps=self.clip.flv_gaps)))
        for path, expected in paths:
            report = media.assert_in_sync(path, source_ms=self.clip.offset_ms, **expected)
            print(f"{self.clip.name} {path.suffix} {path.stem}: {report['av']['all']['median_ms']} ms, "
                  f"source {self.clip.offset_ms} ms")
        assert media.hashes(paths[0][0]) == media.hashes(self.clip.path)
        sound = media.hashes(self.clip.path, "a")[-100:]
        for path, _ in paths:
            assert media.hashes(path, "a")[-100:] == sound, f"{path} does not end with the sound that was published last"
        assert media.decodes(paths[0][0])


def check(gateway, clips, folder):
    for clip in clips:
        clip.path
    with NginxRTMP() as nginx:
        lines = [Line(gateway, nginx, clip, f"{clip.fps}-{number}") for number, clip in enumerate(clips)]
        for line in lines:
            line.publish()
        for line in lines:
            line.record_late()
        for line in lines:
            line.finish()
        for line in lines:
            line.check(folder)


def test_streams_come_out_whole(gateway, tmp_path):
    check(gateway, SHORT, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fps", LONG)
def test_every_kind_of_stream_comes_out_whole(gateway, tmp_path, fps):
    check(gateway, LONG[fps], tmp_path)
