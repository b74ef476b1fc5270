"""Done 2: whatever the encoder does to its stamps and its streams, what was sent is in each output, and in sync.

A further output is one more row of OUTPUTS: what is asked for, and where its media is read.
"""

import dataclasses
import itertools
import typing

import media
import pytest
from clips import Clip
from gateway import wait_until
from rtmp_publisher import Publisher, flv, is_header

CLIP = Clip(10, 30, 1.0, 2)
OTHER = Clip(6, 25, 1.0, 0, True)

OUTPUTS = {
    "film": ({"id": "film", "type": "mp4"}, lambda output: output["location"]),
    "live": ({"id": "live", "type": "hls", "segmentSeconds": 2}, lambda output: output["location"]),
}


def same(stamp):
    return stamp


@dataclasses.dataclass(frozen=True)
class Case:
    """What an encoder sends: clips one after another, each on a connection of its own, and what it does to them."""

    clips: tuple = (CLIP,)
    stamps: typing.Callable = same
    due: typing.Callable = same
    keep: typing.Callable = lambda tag: True
    """Which tags are sent."""
    hole: float = 0
    """Seconds by which the recording is longer than its media."""
    kinds: str = "va"


CASES = {
    "offset": Case(stamps=lambda stamp: stamp + 3_600_000),
    "wrap": Case(stamps=lambda stamp: stamp + 0xFFFFFFFF - 4000),
    "jump forward": Case(stamps=lambda stamp: stamp + (60_000 if stamp >= 5000 else 0)),
    "jump back": Case(stamps=lambda stamp: stamp + (100_000 if stamp < 5000 else 0)),
    "stall": Case(due=lambda stamp: stamp + (5000 if stamp >= 5000 else 0)),
    "audio late": Case(keep=lambda tag: tag[0] != 8 or is_header(tag) or tag[1] >= 3000),
    "audio only": Case(keep=lambda tag: tag[0] == 8, kinds="a"),
    "video only": Case(keep=lambda tag: tag[0] == 9, kinds="v"),
    "long GOP": Case(clips=(Clip(20, 30, 8.3, 2),)),
    "another size, rate and profile": Case(clips=(CLIP, OTHER)),
}
SHORT = ("jump forward", "jump back", "another size, rate and profile")


def sent(case, clip, kind):
    """Hashes of the units of one kind that a case sends of a clip."""
    number = {"v": 9, "a": 8}[kind]
    whole = media.hashes(clip.path, kind)
    tags = [tag for tag in flv(clip.path) if tag[0] == number and not is_header(tag) and len(tag[2]) > 5 - 3 * (kind == "a")]
    assert len(tags) == len(whole)
    return [each for each, tag in zip(whole, tags) if case.keep(tag)]


def run(gateway, folder, name):
    case = CASES[name]
    room = name.replace(" ", "-").replace(",", "")
    ingress = gateway.ingress(room)
    egress = gateway.egress(room, [request for request, _ in OUTPUTS.values()], createRoom=True, start={"waitSeconds": 60})
    for clip in case.clips:
        publisher = Publisher(gateway.rtmp_port, ingress["streamKey"])
        publisher.send([tag for tag in flv(clip.path) if case.keep(tag) or tag[0] == 18], case.stamps, case.due)
        publisher.close()
        path = f"/v1/ingress/{ingress['id']}"
        wait_until(lambda: gateway.get(path)["state"] == "inactive", 10, "the publisher has left")
    ended = gateway.stop_egress(egress)
    assert ended["state"] == "complete" and not ended["partial"], ended
    outputs = {output["id"]: output for output in ended["outputs"]}
    for id, (_, where) in OUTPUTS.items():
        check(case, outputs[id], where(outputs[id]))
    assert outputs["film"]["parts"] == [], outputs["film"]
    film = outputs["film"]["location"]
    if len(case.clips) == 1:
        assert media.decodes(film)
    else:  # libavformat's parser complains of slices that it reads with the parameter sets of the first entry
        stream = media.probe(film, "-count_frames", "-select_streams", "v")["streams"][0]
        assert int(stream["nb_read_frames"]) == sum(clip.frames for clip in case.clips), stream


def check(case, output, path):
    for kind in case.kinds:
        wanted = list(itertools.chain(*(sent(case, clip, kind) for clip in case.clips)))
        got = media.hashes(path, kind)
        if kind == "v":
            assert got == wanted, f"{output['id']}: {len(got)} pictures of {len(wanted)}"
        else:
            own = [each for each in got if each in set(wanted)]
            assert wanted[-len(own):] == own and len(wanted) - len(own) <= 4, f"{len(own)} pieces of sound of {len(wanted)}"
    duration = float(media.probe(path)["format"]["duration"])
    media_seconds = sum(clip.seconds for clip in case.clips)
    print(f"{output['id']}: {duration:.3f} s of {media_seconds} s, told {output['durationSeconds']:.3f} s")
    assert output["durationSeconds"] == pytest.approx(duration, abs=0.05)
    if len(case.clips) == 1:
        assert duration == pytest.approx(media_seconds, abs=0.06), "a jump or a stall makes no hole"
    if case.kinds == "va" and len(case.clips) == 1:
        report = media.sync(path)
        assert report["video"]["lost"] == 0 and report["video"]["unreadable"] == 0, report["video"]
        assert abs(report["av"]["all"]["median_ms"] - case.clips[0].offset_ms) <= 15, report["av"]


@pytest.mark.parametrize("name", SHORT)
def test_what_was_sent_is_there(gateway, tmp_path, name):
    run(gateway, tmp_path, name)


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_whatever_was_sent_is_there(gateway, tmp_path, name):
    run(gateway, tmp_path, name)
