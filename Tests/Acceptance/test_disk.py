"""Done 4: a disk that is full, read-only or slow. States tell the truth, files play, other recordings are unharmed."""

import os
import pathlib
import shutil
import subprocess
import time

import media
import pytest
from clips import Clip
from gateway import BUILD, Gateway, wait_until
from rooms import Recording

CLIP = Clip(20, 30, 1.0, 2)


def library(folder):
    """The library that makes a disk slow, compiled here."""
    path = folder / "slow_disk.so"
    source = pathlib.Path(__file__).with_name("slow_disk.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(path), str(source), "-ldl"], check=True)
    return path


def whole(recording, ended, folder):
    """The file holds each frame that was published, once."""
    assert (ended["state"], ended["partial"], ended["outputs"][0]["parts"]) == ("complete", False, []), ended
    film = recording.gateway.download(recording.egress, "film", folder / f"{recording.room}.mp4")
    assert media.decodes(film)
    assert media.hashes(film) == media.hashes(recording.clip.path)
    assert media.hashes(film, "a") == media.hashes(recording.clip.path, "a")
    manifest = recording.gateway.get(f"/v1/egress/{recording.egress['id']}/manifest")["outputs"][0]
    assert manifest["unitsLost"] == 0, manifest


def slow_program(folder, seconds):
    """The gateway beside a worker to whose eyes the disk under `room-slow` is slow."""
    programs = folder / "programs"
    programs.mkdir()
    shutil.copy(BUILD / "sluice", programs / "sluice")
    (programs / "sluice-worker").write_text(
        f"#!/bin/sh\nexport LD_PRELOAD={library(folder)} SLOW_PATH=room-slow SLOW_SECONDS={seconds}\n"
        f'exec {BUILD / "sluice-worker"} "$@"\n')
    (programs / "sluice-worker").chmod(0o755)
    return programs / "sluice"


def run_slow_disk(folder, seconds, slow):
    with Gateway(program=slow_program(folder, seconds)) as gateway:
        sluggish = [Recording(gateway, CLIP, f"slow-{number}") for number in range(slow)]
        others = [Recording(gateway, CLIP, f"quick-{number}") for number in range(2)]
        started = time.monotonic()
        for recording in others:
            recording.begin()
        quick = time.monotonic() - started
        for recording in sluggish:
            recording.begin()
        late = time.monotonic() - started
        print(f"active after {quick:.1f} s; on the slow disk after {late:.1f} s")
        assert late >= seconds, "nothing is called active before it is on the disk"
        assert quick < seconds + 3, "a slow disk holds nobody else up"
        for recording in others:
            recording.publish_to_the_end()
            whole(recording, gateway.stop_egress(recording.egress), folder)
        for recording in sluggish:
            recording.publish_to_the_end()
            whole(recording, gateway.stop_egress(recording.egress, 60), folder)


def test_a_slow_disk_loses_nothing_and_harms_nobody(tmp_path):
    run_slow_disk(tmp_path, 2, 2)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_many_files_on_a_very_slow_disk_lose_nothing(tmp_path):
    run_slow_disk(tmp_path, 5, 6)


@pytest.fixture()
def small_disk(tmp_path):
    """A file system of a few megabytes."""
    mounted = tmp_path / "small"
    mounted.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=14m", "none", str(mounted)], capture_output=True)
    if done.returncode != 0:
        pytest.skip("no right to mount a tmpfs")
    yield mounted
    subprocess.run(["umount", "-l", str(mounted)], check=True)


def test_a_disk_that_fills_ends_its_recordings_truthfully(small_disk, tmp_path):
    with Gateway(environment={"SLUICE_LIMITS_DISK_RESERVE": "2MiB"}, data=small_disk) as gateway:
        recording = Recording(gateway, Clip(20, 30, 1.0, 2), "full").begin()
        pushed = gateway.ingress("mirror")
        other = gateway.egress(recording.room, [
            {"id": "film", "type": "mp4"}, {"id": "push", "type": "rtmp", "url": f"{gateway.rtmp}/{pushed['streamKey']}"}])
        gateway.egress_in(other, "active")
        (small_disk / "ballast").write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096 - (2 << 20) - 65536))
        ended = gateway.egress_in(recording.egress, "complete", 30)
        film = ended["outputs"][0]
        assert (ended["state"], ended["partial"], ended["error"]["code"]) == ("complete", True, "disk_full"), ended
        assert (film["state"], film["error"]["code"]) == ("failed", "disk_full"), film
        def states():
            return {output["id"]: output["state"] for output in gateway.get(f"/v1/egress/{other['id']}")["outputs"]}
        wait_until(lambda: states()["film"] == "failed", 5, "the other film has ended too")
        assert states()["push"] == "active"
        refused = gateway.request("POST", "/v1/egress", {"room": recording.room, "outputs": [{"type": "mp4"}]})
        assert refused.status == 503 or refused.json["code"] == "disk_full", refused
        assert gateway.request("GET", "/readyz", bearer=None).status == 503
        (small_disk / "ballast").unlink()
        wait_until(lambda: gateway.request("GET", "/readyz", bearer=None).status == 200, 10, "ready again")
        again = gateway.egress(recording.room)
        gateway.egress_in(again, "active")
        assert gateway.stop_egress(again)["state"] == "complete"
        gateway.stop_egress(other)
        path = film["location"]
        assert media.decodes(path), "what was recorded plays"
        assert float(media.probe(path)["format"]["duration"]) > 0.5


@pytest.mark.long
def test_a_folder_that_cannot_be_written_fails_one_output_alone(tmp_path):
    with Gateway(data=tmp_path) as gateway:
        recording = Recording(gateway, CLIP, "writable").begin()
        closed = tmp_path / "store" / "recordings" / "closed"
        closed.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "none", str(closed)], capture_output=True)
        if done.returncode != 0:
            pytest.skip("no right to mount a tmpfs")
        try:
            egress = gateway.egress(recording.room, [
                {"id": "film", "type": "mp4", "path": "closed/film.mp4"}, {"id": "spare", "type": "mp4"}])
            record = gateway.egress_in(egress, "active")
            film = wait_until(
                lambda: (lambda output: output if output["state"] == "failed" else None)(
                    gateway.get(f"/v1/egress/{egress['id']}")["outputs"][0]), 5, "the output has failed")
            assert film["error"]["code"] == "storage_failed" and "closed/film.mp4" in film["error"]["message"], film
            alone = gateway.egress(recording.room, [{"id": "film", "type": "mp4", "path": "closed/other.mp4"}])
            assert gateway.egress_in(alone, "failed")["error"]["code"] == "storage_failed"
            ended = gateway.stop_egress(egress)
            assert (ended["state"], ended["partial"]) == ("complete", True), ended
            recording.publish_to_the_end()
            whole(recording, gateway.stop_egress(recording.egress), tmp_path)
        finally:
            subprocess.run(["umount", "-l", str(closed)], check=True)
