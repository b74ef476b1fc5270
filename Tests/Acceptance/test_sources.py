"""Done 2: whatever an encoder does to its stamps and its streams, the MP4, the HLS and the tape of one egress have what was
sent, agree with each other unit for unit and instant for instant, and are in sync.
"""

import dataclasses
import itertools
import os
import pathlib
import signal
import subprocess
import threading
import time
import typing

import media
import pytest
from clips import Clip
from gateway import wait_until
from hls import Media, Viewer
from rtmp_publisher import Publisher, flv, is_header
from test_hls import links, outputs_of
from test_tape import tape_tool

CLIP = Clip(8, 30, 1.0, 2)
OTHER = Clip(5, 25, 1.0, 0, mono=True, small=True)

OUTPUTS = [{"id": "film", "type": "mp4"}, {"id": "live", "type": "hls", "segmentSeconds": 2}, {"id": "raw", "type": "tape"}]


# How a clip is published.


def ffmpeg(*arguments, stalls=False):
    """ffmpeg, as it copies a file; stopped for five seconds if it `stalls`."""
    def publish(gateway, ingress, clip):
        publisher = gateway.publish(ingress, clip.path, ["-c", "copy", *arguments])
        if stalls:
            time.sleep(3)
            os.kill(publisher.pid, signal.SIGSTOP)
            time.sleep(5)
            os.kill(publisher.pid, signal.SIGCONT)
        gateway.published_to_its_end(publisher, ingress)
    return publish


def tags(stamps=lambda stamp: stamp, due=lambda stamp: stamp, late=0, described=0):
    """What ffmpeg made of a file, with other stamps and at other times; sound not before `late` milliseconds, and not said to
    be there before `described`."""
    def publish(gateway, ingress, clip):
        publisher = Publisher(gateway.rtmp_port, ingress["streamKey"])
        sent = []
        for kind, stamp, payload in flv(clip.path):
            if kind == 8 and is_header((kind, stamp, payload)):
                stamp = max(stamp, described)
            elif kind == 8 and stamp < late:
                continue
            sent.append((kind, stamp, payload))
        publisher.send(sorted(sent, key=lambda tag: tag[1]), stamps, due)
        publisher.close()
        path = f"/v1/ingress/{ingress['id']}"
        wait_until(lambda: gateway.get(path)["state"] == "inactive", 10, "the publisher has left")
    return publish


@dataclasses.dataclass(frozen=True)
class Case:
    """Clips, published one after another."""

    publish: tuple
    clips: tuple = (CLIP,)
    kinds: str = "va"
    late: float = 0
    """Seconds before the first sound."""
    jump: float | None = None
    """Where the stamps jump, in seconds of the clip: what came is placed by its arrival."""


CASES = {
    "offset": Case((ffmpeg("-output_ts_offset", "3600"),)),
    "wrap": Case((tags(stamps=lambda stamp: stamp + 0xFFFFFFFF - 4000),)),
    "jump forward": Case((tags(stamps=lambda stamp: stamp + (60_000 if stamp >= 4000 else 0)),), jump=4),
    "jump back": Case((tags(stamps=lambda stamp: stamp + (100_000 if stamp < 4000 else 0)),), jump=4),
    "stall": Case((ffmpeg(stalls=True),)),
    "late for good": Case((tags(due=lambda stamp: stamp + (5000 if stamp >= 4000 else 0)),)),
    "sound late": Case((tags(late=3000),), late=3),
    "sound described late": Case((tags(late=3000, described=3000),), late=3),
    "sound only": Case((ffmpeg("-vn"),), kinds="a"),
    "picture only": Case((ffmpeg("-an"),), kinds="v"),
    "long groups": Case((ffmpeg(),), clips=(Clip(20, 30, 8.3, 2),)),
    "another size, rate and profile": Case((ffmpeg(), ffmpeg()), clips=(Clip(4, 30, 1.0, 2), OTHER)),
    "again, an hour on": Case((ffmpeg(), ffmpeg("-output_ts_offset", "3600")), clips=(CLIP, CLIP)),
}
SHORT = ("jump back", "sound late", "another size, rate and profile")


def kept(path, kind):
    """The packets of a file without parameter sets, since Matroska has later ones in its key frames."""
    return media.kept(path, kind, *(["-bsf:v", "filter_units=remove_types=7-8"] if kind == "v" else []))


def sent(case, clip, kind):
    """The units of one kind that a case sends of a clip, and those that may stand in front of the zero."""
    number = {"v": 9, "a": 8}[kind]
    whole = kept(clip.path, kind)
    stamps = [stamp for number_, stamp, payload in flv(clip.path)
              if number_ == number and not is_header((number_, stamp, payload)) and len(payload) > 5 - 3 * (kind == "a")]
    assert len(stamps) == len(whole), (len(stamps), len(whole))
    return [each for each, stamp in zip(whole, stamps) if kind == "v" or stamp >= case.late * 1000]


# How an output is read.


@dataclasses.dataclass(frozen=True)
class Read:
    """An output's units by kind, on its own time, whose zero is the first picture, or the first sound without one."""

    name: str
    path: pathlib.Path
    units: dict
    seconds: float

    def own(self, kind, known):
        """What was sent; silence that was made is left out."""
        return [unit for unit in self.units[kind] if unit.hash in known]


def on_its_zero(units):
    zero = min(unit.pts for unit in units["v" if "v" in units else "a"])
    return zero, {kind: [media.Kept(each.hash, each.dts - zero, each.pts - zero) for each in found]
                  for kind, found in units.items()}


def read_file(name, path, kinds):
    zero, units = on_its_zero({kind: kept(path, kind) for kind in kinds})
    seconds = float(media.probe(path)["format"]["duration"])
    return Read(name, path, units, seconds - (float(zero) if path.suffix == ".mkv" else 0))


def runs(playlist):
    """The segments of a playlist that follow each other behind one header, as files that can be read alone."""
    segments = [segment for segment in Media(playlist.read_text()).segments if not segment["gap"]]
    stretches = itertools.groupby(segments, key=lambda segment: (segment["discontinuity"], segment["map"]))
    for number, ((_, header), run) in enumerate(stretches):
        path = playlist.with_name(f"{playlist.stem}-run-{number}.mp4")
        path.write_bytes(b"".join(playlist.with_name(name).read_bytes() for name in [header, *(s["uri"] for s in run)]))
        yield path


def read_presentation(path, kinds):
    """An HLS presentation: each rendition's segments behind their headers."""
    playlists = {"v": path.with_name("video.m3u8"), "a": path.with_name("audio-1.m3u8")}
    units = {kind: [unit for run in runs(playlists[kind]) for unit in kept(run, kind)] for kind in kinds}
    seconds = [Media(playlists[kind].read_text()).seconds for kind in kinds]
    return Read("live", path, on_its_zero(units)[1], max(seconds))


# What is held against what.


def heard(case, read):
    """The clips whose sound an output has: Matroska holds one configuration of it."""
    return [clip for clip in case.clips if read.path.suffix != ".mkv" or clip.mono == case.clips[0].mono]


def assert_agree(case, film, other, known):
    """The same units in the same order at the same instants: to a tick, in Matroska to its millisecond."""
    limit = 0.001 if other.path.suffix == ".mkv" else 0.00005
    for kind in case.kinds:
        ours, theirs = film.own(kind, known), other.own(kind, known)
        if kind == "a" and len(heard(case, other)) < len(case.clips):
            ours = ours[:len(theirs)]
            assert len(theirs) > 40 * case.clips[0].seconds, len(theirs)
        assert [unit.hash for unit in theirs] == [unit.hash for unit in ours], (other.name, kind, len(theirs), len(ours))
        apart = [abs(a.pts - b.pts) for a, b in zip(ours, theirs)]
        if other.path.suffix != ".mkv":  # which has no decoding times
            apart += [abs(a.dts - b.dts) for a, b in zip(ours, theirs)]
        assert max(apart) <= limit, (other.name, kind, float(max(apart)))
        made = {unit.hash for unit in other.units[kind]} - known
        assert len(made) <= (kind == "a") * len(case.clips), (other.name, kind, "what nobody sent", len(made))


def assert_as_sent(case, film):
    """All that was sent, but sound before the first picture; pictures as far apart as they were."""
    for kind in case.kinds:
        wanted = [sent(case, clip, kind) for clip in case.clips]
        flat = list(itertools.chain(*wanted))
        got = film.own(kind, {unit.hash for unit in flat})
        before = len(flat) - len(got)
        assert before == 0 if kind == "v" else before <= 4, f"{len(got)} units of {len(flat)}"
        assert [unit.hash for unit in got] == [unit.hash for unit in flat[before:]]
        if kind == "v":
            at = 0
            for clip in wanted:
                moved = [mine.pts - own.pts for mine, own in zip(got[at:], clip)]
                assert max(moved) - min(moved) <= (0.1 if case.jump else 0.002), float(max(moved) - min(moved))
                at += len(clip)


def assert_in_sync(case, read, clip, path):
    """What sync-check says of one clip."""
    report = media.sync(path)
    if "v" in case.kinds:
        video = report["video"]
        assert (video["lost"], video["repeated"], video["out_of_order"], video["unreadable"]) == (0, 0, 0, 0), (read.name, video)
    if "a" in case.kinds and "audio" in report:
        audio = report["audio"]
        start = 2 if path.suffix == ".m3u8" else 0  # where a presentation's own time has its zero
        allowed = [known["at"] for known in clip.flv_gaps] + ([case.jump] if case.jump else [])
        gaps = [gap for gap in audio["gaps"] + audio["pts_gaps"] + audio["clicks"]
                if gap["at"] - start > case.late + 0.1 and not any(abs(gap["at"] - start - at) < 0.15 for at in allowed)]
        assert gaps == [], (read.name, audio)
        if "v" in case.kinds:
            assert abs(report["av"]["all"]["median_ms"] - clip.offset_ms) <= 15, (read.name, report["av"])
    return report


def joined(folder, run, path):
    """A run of the picture and of its sound in one file, each at its own time."""
    inputs = [word for stem in ("video", "audio-1") for word in ("-i", folder / f"{stem}-run-{run}.mp4")]
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-copyts", *inputs, "-c", "copy", path]
    subprocess.run([str(word) for word in command], check=True, timeout=60)
    return path


def piece(read, number, case, folder):
    """One of the clips in an output, as a file of its own; decoded, since parameters change between them."""
    path, source = folder / f"{read.name}-{number}.mkv", read.path
    whole = False
    if read.name == "live":
        count = len(list(read.path.parent.glob("video-run-*.mp4")))
        whole = count == len(case.clips)
        source = joined(read.path.parent, number if whole else 0, path.with_suffix(".joined.mkv"))
    pictures = [unit.pts for unit in read.units["v"]]
    before = sum(clip.frames for clip in case.clips[:number])
    begin = min(pictures[before:before + case.clips[number].frames])
    inputs = [*([] if whole else ["-ss", f"{float(begin):.4f}"]), "-i", source]
    # Counted: a length in seconds would begin anew where the size changes.
    clip = case.clips[number]
    limits = ["-frames:v", clip.frames, "-frames:a", clip.seconds * (44100 if clip.mono else 48000) // 1024]
    command = ["ffmpeg", "-v", "quiet", "-nostdin", "-y", *inputs, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-c:a",
               "pcm_s16le", "-fps_mode", "passthrough", "-enc_time_base:v", "1/90000", *limits, path]
    subprocess.run([str(word) for word in command], check=True, timeout=120)
    return path


class Show:
    """One egress to MP4, HLS and tape of a case, watched as it runs, to its end."""

    def __init__(self, gateway, folder, name):
        self.case, self.gateway, self.folder = CASES[name], gateway, folder
        room = name.replace(" ", "-").replace(",", "")
        self.ingress = gateway.ingress(room)
        self.egress = gateway.egress(room, OUTPUTS, createRoom=True, start={"waitSeconds": 60})
        self.error = None
        publishing = threading.Thread(target=self.publish)
        publishing.start()
        viewer = self.watch()
        publishing.join()
        if self.error:
            raise self.error
        self.record = gateway.stop_egress(self.egress)
        assert self.record["state"] == "complete" and not self.record["partial"], self.record
        self.viewer = viewer.finish()
        self.outputs = outputs_of(self.record)

    def publish(self):
        try:
            for publish, clip in zip(self.case.publish, self.case.clips):
                publish(self.gateway, self.ingress, clip)
        except Exception as error:  # told by who waits for it
            self.error = error

    def watch(self):
        path = f"/v1/egress/{self.egress['id']}"
        wait_until(
            lambda: self.error or outputs_of(self.gateway.get(path))["live"]["state"] == "active", 30, "there is a playlist")
        viewer = Viewer(links(self.gateway, self.egress)["live"])
        viewer.start()
        return viewer

    def read(self):
        """Every output, and what the tape is exported to."""
        kinds = self.case.kinds
        exported = [self.folder / "tape.mp4", self.folder / "tape.mkv"]
        for path in exported:
            tape_tool(self.gateway, "export", self.outputs["raw"]["location"], "-o", path)
        film = read_file("film", pathlib.Path(self.outputs["film"]["location"]), kinds)
        live = read_presentation(pathlib.Path(self.outputs["live"]["location"]), kinds)
        return [film, live, *(read_file(path.name, path, kinds) for path in exported)]


def run(gateway, folder, name, whole):
    clips = CASES[name].clips
    for clip in clips:
        assert clip.path  # made before time counts
    show = Show(gateway, folder, name)
    case, outputs = show.case, show.outputs
    assert outputs["film"]["parts"] == [], outputs["film"]
    main = show.viewer.main
    assert ("RESOLUTION" in main, "mp4a" in main) == ("v" in case.kinds, "a" in case.kinds), main
    reads = show.read()
    film = reads[0]
    known = {unit.hash for kind in case.kinds for clip in clips for unit in sent(case, clip, kind)}
    for read in reads:
        print(f"{name}: {read.name} {read.seconds:.3f} s, {[len(units) for units in read.units.values()]} units")
    assert_as_sent(case, film)
    for read in reads[1:]:
        assert_agree(case, film, read, known)
    frame = max(1 / min(clip.fps for clip in clips), 1024 / 44100) if "v" in case.kinds else 1024 / 44100
    for output in (outputs["film"], outputs["live"]):
        assert output["durationSeconds"] == pytest.approx(film.seconds, abs=frame), output
    for read in reads[1:]:
        assert read.seconds == pytest.approx(film.seconds, abs=frame), (read.name, read.seconds, film.seconds)
    if len(clips) == 1:
        length = float(media.probe(clips[0].path)["format"]["duration"])
        assert film.seconds == pytest.approx(length, abs=frame + (0.1 if case.jump else 0)), "a jump or a stall makes no hole"
    if len(clips) == 1:  # libavformat's parser complains of slices that it reads with the parameter sets of the first entry
        assert media.decodes(film.path)
    for read in reads if whole else reads[:2]:
        if len(clips) == 1:
            assert_in_sync(case, read, clips[0], read.path)
        else:
            for number, clip in enumerate(heard(case, read)):
                assert_in_sync(case, read, clip, piece(read, number, case, folder))


@pytest.mark.parametrize("name", SHORT)
def test_what_was_sent_is_in_each_output(gateway, tmp_path, name):
    run(gateway, tmp_path, name, whole=False)


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_whatever_was_sent_is_in_each_output(gateway, tmp_path, name):
    run(gateway, tmp_path, name, whole=True)
