"""Sync clips, made once and kept beside the build: what publishers of the acceptance tests send."""

import dataclasses
import os
import subprocess
import sys

import media
from gateway import CLIENTS, ROOT

FOLDER = ROOT / ".build" / "clips"


@dataclasses.dataclass(frozen=True)
class Clip:
    """A flash-and-beep clip in 360p; its frames carry their numbers."""

    seconds: int = 20
    fps: int = 30
    gop: float = 1.0
    bframes: int = 0
    mono: bool = False
    """44.1 kHz mono instead of 48 kHz stereo."""
    small: bool = False
    """320x180 in Baseline instead of 640x360 in High."""
    kbps: int = 300

    @property
    def name(self):
        sound = "mono44100" if self.mono else "stereo48000"
        picture = f"{self.fps}fps-small" if self.small else f"{self.fps}fps"
        return f"{picture}-{sound}-b{self.bframes}-gop{self.gop}-{self.seconds}s-{self.kbps}k"

    @property
    def frames(self):
        return self.seconds * self.fps

    @property
    def gop_frames(self):
        return int(self.gop * self.fps)

    @property
    def path(self):
        path = FOLDER / f"{self.name}.mp4"
        if not path.exists():
            self.make(path)
        return path

    def make(self, path):
        FOLDER.mkdir(parents=True, exist_ok=True)
        draft = FOLDER / f"{os.getpid()}-{path.name}"
        run([
            sys.executable, CLIENTS / "sync-clip.py", draft, "--seconds", self.seconds, "--fps", self.fps, "--size",
            "640x360", "--gop", self.gop, "--bframes", self.bframes, "--vbitrate", f"{self.kbps}k"])
        if self.mono:
            mono = draft.with_name("mono-" + draft.name)
            run(["ffmpeg", "-y", "-v", "error", "-i", draft, "-c:v", "copy", "-c:a", "aac", "-b:a", "64k", "-ar", 44100,
                 "-ac", 1, mono])
            mono.replace(draft)
        if self.small:
            small = draft.with_name("small-" + draft.name)
            run(["ffmpeg", "-y", "-v", "error", "-i", draft, "-c:a", "copy", "-s", "320x180", "-profile:v", "baseline", "-g",
                 self.gop_frames, "-sc_threshold", 0, small])
            small.replace(draft)
        draft.rename(path)

    @property
    def flv_gaps(self):
        """Gaps in the sound of the clip as an FLV file, which has no edit list: the padding of the last AAC frame shows."""
        flv = FOLDER / f"{self.name}-{os.getpid()}.flv"
        run(["ffmpeg", "-y", "-v", "error", "-i", self.path, "-c", "copy", flv])
        gaps = media.sync(flv)["audio"]["gaps"]
        flv.unlink()
        return gaps

    @property
    def offset_ms(self):
        """A/V of the clip itself: what a recording of it is measured against."""
        if self.name not in OFFSETS:
            OFFSETS[self.name] = media.sync(self.path)["av"]["all"]["median_ms"]
        return OFFSETS[self.name]


OFFSETS = {}


def run(command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, timeout=600)
