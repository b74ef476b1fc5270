"""Reads recordings back: with ffprobe, and with the checker of the sync clip."""

import dataclasses
import fractions
import json
import re
import subprocess
import sys

from gateway import CLIENTS


def probe(path, *entries):
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", *entries, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def packets(path, stream="v"):
    """Packets of a stream: pts, dts, size and flags, as the container has them."""
    entries = ["-select_streams", stream, "-show_packets", "-show_entries", "packet=pts_time,dts_time,size,flags"]
    return probe(path, *entries)["packets"]


@dataclasses.dataclass(frozen=True)
class Kept:
    """A packet of a file: a hash of its bytes, and its times in seconds, exactly."""

    hash: str
    dts: fractions.Fraction
    pts: fractions.Fraction


def kept(path, stream="v", *filters):
    """The packets of a stream, in the order of the file, as they stand in it or come out of `filters`."""
    entries = ["-select_streams", stream, "-show_packets", "-show_entries", "packet=pts,dts:stream=time_base"]
    report = probe(path, *entries)
    tick = fractions.Fraction(report["streams"][0]["time_base"])
    found = hashes(path, stream, *filters)
    assert len(found) == len(report["packets"]), (len(found), len(report["packets"]))
    packets = report["packets"]  # Matroska has no decoding times: ffprobe does not know all of them
    return [Kept(each, p.get("dts", p["pts"]) * tick, p["pts"] * tick) for each, p in zip(found, packets)]


def hashes(path, stream="v", *filters):
    """One hash for each packet's bytes, as H.264 and AAC stand in the container."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", f"0:{stream}:0", "-c", "copy", *filters, "-f", "framehash", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    # stream, dts, pts, duration, size, hash; side data may follow, as the priming of AAC.
    return [line.split(",")[5].strip() for line in done.stdout.splitlines() if not line.startswith("#")]


def decodes(path):
    """Whether every frame decodes without a word of complaint."""
    # The times as they are: else frames behind a gap are moved onto the grid of a frame rate, two onto one place.
    times = ["-fps_mode", "passthrough", "-enc_time_base:v", "1/90000"]
    command = ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), *times, "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and not done.stderr.strip(), done.stderr
    return True


def sync(path, *arguments):
    """The report of sync-check.py."""
    command = [sys.executable, str(CLIENTS / "sync-check.py"), str(path), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr + done.stdout
    return json.loads(re.search(r"\{.*\}", done.stdout, re.S).group(0))


def assert_in_sync(path, offset_ms=15.0, source_ms=0.9, source_gaps=(), **expected):
    """Every frame once, no gap in the sound that is not in the source, A/V as the source has it within `offset_ms`."""
    report = sync(path)
    video, audio = report["video"], report["audio"]
    assert (video["lost"], video["repeated"], video["out_of_order"], video["unreadable"]) == (0, 0, 0, 0), video
    gaps = [gap for gap in audio["gaps"] if not any(abs(gap["at"] - known["at"]) < 0.05 for known in source_gaps)]
    assert (gaps, audio["pts_gap_count"], audio["click_count"]) == ([], 0, 0), audio
    offset = report["av"]["all"]
    assert abs(offset["median_ms"] - source_ms) <= offset_ms, offset
    for name, value in expected.items():
        assert video[name] == value, (name, video)
    return report
