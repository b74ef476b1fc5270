"""Tapes: a room on disk as it came, read back, damaged, cut and exported."""

import json
import os
import random
import signal
import time
import xml.etree.ElementTree

import media
import pytest
from clips import Clip
from gateway import Gateway
from rooms import Recording

OUTPUTS = [{"id": "film", "type": "mp4"}, {"id": "raw", "type": "tape"}]


def tape_tool(gateway, *arguments, expect=0):
    """`sluice tape …`; what it said on standard output."""
    done = gateway.sluice("tape", *map(str, arguments))
    assert done.returncode == expect, (arguments, done.returncode, done.stdout, done.stderr)
    return done


class Taped:
    """A room that is recorded to MP4 and to a tape at once, to the end of the clip."""

    def __init__(self, gateway, folder, clip, kills=0):
        recording = Recording(gateway, clip, 1, outputs=OUTPUTS).begin()
        for _ in range(kills):
            time.sleep(random.uniform(0.8, 1.6))
            (worker,) = gateway.workers()
            os.kill(worker, signal.SIGKILL)
        recording.publish_to_the_end()
        ended = gateway.stop_egress(recording.egress)
        assert ended["state"] == "complete" and ended["attempt"] == kills + 1, ended
        assert [output["state"] for output in ended["outputs"]] == ["complete", "complete"], ended
        self.film = gateway.download(recording.egress, "film", folder / "live.mp4")
        self.record = gateway.get(ended["outputs"][1]["href"])
        self.path = self.record["location"]


def assert_same_units(clip, *files):
    """Every file has the clip's units, byte for byte."""
    for stream in "va":
        expected = media.hashes(clip.path, stream)
        for path in files:
            assert media.hashes(path, stream) == expected, (path, stream)


def milliseconds(path, stream):
    return [round(float(packet["pts_time"]) * 1000) for packet in media.packets(path, stream)]


def assert_exports(gateway, folder, taped, clip):
    """MP4 and Matroska of a tape are the recording made live beside it."""
    films = [folder / "film.mp4", folder / "film.mkv"]
    for film in films:
        tape_tool(gateway, "export", taped.path, "-o", film)
        media.assert_in_sync(
            film, source_ms=clip.offset_ms, source_gaps=clip.flv_gaps, frames=clip.frames, first=0, last=clip.frames - 1)
        media.decodes(film)
    assert_same_units(clip, taped.film, *films)
    for stream in "va":
        assert media.kept(films[0], stream) == media.kept(taped.film, stream)
        live = milliseconds(taped.film, stream)
        moved = [mkv - mp4 for mkv, mp4 in zip(milliseconds(films[1], stream), live)]
        assert max(moved) - min(moved) <= 1, moved


def run_tape(folder, clip, kills):
    with Gateway() as gateway:
        taped = Taped(gateway, folder, clip, kills)
        said = tape_tool(gateway, "verify", taped.path)
        assert said.stdout.startswith("good"), said.stdout
        info = json.loads(tape_tool(gateway, "info", taped.path, "--json").stdout)
        record = taped.record
        assert info["tape"] == record["id"] and info["finished"] and info["attempts"] == kills + 1, info
        assert record["state"] == "complete" and record["sizeBytes"] == os.path.getsize(taped.path), record
        assert [track["unitCount"] for track in info["tracks"]] == [track["unitCount"] for track in record["tracks"]]
        assert info["tracks"][0]["unitCount"] == clip.frames and info["gaps"] == [], info
        assert_exports(gateway, folder, taped, clip)
        return gateway, taped


def test_a_tape_is_the_recording(tmp_path):
    run_tape(tmp_path, Clip(8, 30, 2.0, 2), kills=1)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("clip", [Clip(30, 25, 1.0, 0, mono=True), Clip(30, 60, 2.0, 3), Clip(40, 30, 8.3, 2)], ids=str)
def test_tapes_of_many_clips(tmp_path, clip):
    run_tape(tmp_path, clip, kills=4)


def test_one_track_a_file_a_part_and_a_picture(tmp_path):
    clip = Clip(8, 30, 1.0, 2)
    with Gateway() as gateway:
        taped = Taped(gateway, tmp_path, clip)
        folder = tmp_path / "tracks"
        said = tape_tool(gateway, "export", taped.path, "-o", folder, "--per-track", "--format", "mkv").stdout
        names = sorted(path.name for path in folder.iterdir())
        assert len(names) == 2 and said.count("Made ") == 2, (names, said)
        assert media.hashes(folder / next(name for name in names if "-video-" in name)) == media.hashes(clip.path)
        assert media.hashes(folder / next(name for name in names if "-audio-" in name), "a") == media.hashes(clip.path, "a")

        part = tmp_path / "part.tape"
        tape_tool(gateway, "cut", taped.path, "--from", "2.5", "--to", "0:05", "-o", part)
        tape_tool(gateway, "verify", part)
        tape_tool(gateway, "export", part, "-o", tmp_path / "part.mp4")
        frames = media.sync(tmp_path / "part.mp4")["video"]
        assert frames["lost"] == 0 and 60 <= frames["first"] <= 61 and 60 <= frames["frames"] <= 92, frames

        tape_tool(gateway, "plot", taped.path, "-o", tmp_path / "line.svg")
        drawn = xml.etree.ElementTree.parse(tmp_path / "line.svg").getroot()
        words = " ".join("".join(text.itertext()) for text in drawn.iter("{http://www.w3.org/2000/svg}text"))
        assert taped.record["id"] in words and "Mbit/s" in words or "kbit/s" in words, words

        assert "exists already" in tape_tool(gateway, "export", taped.path, "-o", tmp_path / "part.mp4", expect=1).stderr
        assert "no tape" in tape_tool(gateway, "info", clip.path, expect=1).stderr
        assert gateway.request("DELETE", f"/v1/tapes/{taped.record['id']}").status == 204
        assert not os.path.exists(taped.path)
        assert gateway.request("GET", f"/v1/tapes/{taped.record['id']}").status == 404


def damaged(tape, number, folder, generator):
    """A copy of a tape with a piece of damage; and where it begins."""
    data = bytearray(tape)
    place = generator.randrange(16, len(data))
    if number % 2:
        data[place] ^= 1 << generator.randrange(8)
    else:
        del data[place:]
    path = folder / f"damaged-{number}.tape"
    path.write_bytes(data)
    return path, place


def check_damage(gateway, path, place, total, is_flip):
    """Verify names what is wrong; nothing else is lost."""
    done = gateway.sluice("tape", "verify", str(path), "--json")
    found = json.loads(done.stdout)
    if is_flip:
        assert done.returncode == 1, (place, found)
        assert any(damage["from"] <= place < damage["to"] for damage in found["damage"]), (place, found)
        assert found["mediaCount"] >= total - 1, (place, found)
    else:
        assert done.returncode == (1 if found["damage"] else 0) and not found["finished"], (place, found)
        assert all(damage["to"] == place for damage in found["damage"]), (place, found)
    return found


def run_damage(folder, rounds, exports):
    generator = random.Random(3)
    clip = Clip(8, 30, 1.0, 2)
    with Gateway() as gateway:
        taped = Taped(gateway, folder, clip)
        tape = open(taped.path, "rb").read()
        total = json.loads(tape_tool(gateway, "verify", taped.path, "--json").stdout)["mediaCount"]
        for number in range(rounds):
            path, place = damaged(tape, number, folder, generator)
            found = check_damage(gateway, path, place, total, number % 2)
            if number >= exports or found["mediaCount"] < 60:
                continue
            film = folder / f"damaged-{number}.mp4"
            said = tape_tool(gateway, "export", path, "-o", film)
            assert ("damaged: " in said.stderr) == bool(found["damage"]), said.stderr
            units = len(media.hashes(film)) + len(media.hashes(film, "a"))
            # A lost key frame takes its group of pictures with it, a lost head the state before the next snapshot.
            assert units > 0 and units <= found["mediaCount"], (place, units, found)
            if number % 2:
                assert units >= total - 40, (place, units, total)


def test_damage_is_named_and_the_rest_is_read(tmp_path):
    run_damage(tmp_path, rounds=12, exports=3)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_hundred_damaged_tapes(tmp_path):
    run_damage(tmp_path, rounds=100, exports=20)


def test_a_tape_is_not_deleted_while_it_is_written(tmp_path):
    with Gateway() as gateway:
        recording = Recording(gateway, Clip(8, 30, 1.0, 2), 1, outputs=OUTPUTS).begin()
        (tape,) = gateway.get("/v1/tapes?active=true")["items"]
        assert tape["state"] == "writing" and tape["egress"] == recording.egress["id"], tape
        answer = gateway.request("DELETE", f"/v1/tapes/{tape['id']}")
        assert answer.status == 409 and answer.json["code"] == "still_running", answer
        gateway.stop_egress(recording.egress)
        assert gateway.get(f"/v1/tapes/{tape['id']}")["state"] == "complete"
        assert [each["id"] for each in gateway.get("/v1/tapes?state=complete&room=room-1")["items"]] == [tape["id"]]
