"""`sluice store backup|check`: online, consistent, restorable; orphans are listed and never deleted."""

import os
import pathlib
import shutil
import sqlite3
import threading
import time

from gateway import Gateway, wait_until
from test_disk import library


def old(path, text="x" * 1000):
    """A file of an hour ago."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time.time() - 3600,) * 2)
    return path


def recorded(gateway, room):
    """A finished recording of some seconds."""
    ingress = gateway.ingress(room)
    publisher = gateway.publish(ingress)
    gateway.published(ingress)
    egress = gateway.egress(room)
    gateway.egress_in(egress, "active")
    publisher.kill()
    publisher.wait()
    return gateway.stop_egress(egress)


def test_backup_under_load_check_and_restore():
    with Gateway() as gateway:
        film = recorded(gateway, "demo")
        location = pathlib.Path(film["outputs"][0]["location"])
        busy, made = threading.Event(), []

        def load():
            while not busy.is_set():
                made.append(gateway.post("/v1/rooms", {"name": f"room-{len(made)}"})["id"])
        worker = threading.Thread(target=load)
        worker.start()
        backup = gateway.data / "backup.db"
        before = len(made)
        done = gateway.sluice("store", "backup", str(backup))
        busy.set()
        worker.join()
        assert done.returncode == 0 and done.stdout.startswith(f"Backup    {backup} ("), done
        assert backup.stat().st_mode & 0o777 == 0o600
        with sqlite3.connect(backup) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            rooms = copy.execute("SELECT count(*) FROM documents WHERE kind = 'room'").fetchone()[0]
        assert before <= rooms - 1 <= len(made) and len(made) > before, (before, rooms, len(made))
        again = gateway.sluice("store", "backup", str(backup))
        assert again.returncode == 1 and "exists already" in again.stderr, again

        sound = gateway.sluice("store", "check")
        assert sound.returncode == 0, sound
        assert "whole (schema " in sound.stdout and "Orphans   none" in sound.stdout, sound.stdout
        orphan = old(gateway.data / "store" / "recordings" / "nobody" / "knows.mp4")
        left = old(gateway.data / "store" / "tmp" / "half")
        listed = gateway.sluice("store", "check")
        assert listed.returncode == 0, listed
        assert "recordings/nobody/knows.mp4  1.0 kB" in listed.stdout and "tmp/half" in listed.stdout, listed.stdout
        hidden = location.rename(location.with_suffix(".hidden"))
        os.utime(hidden, (time.time() - 3600,) * 2)
        missing = gateway.sluice("store", "check")
        assert missing.returncode == 1 and f"{film['id']} film  {location}" in missing.stdout, missing.stdout
        hidden.rename(location)

        # What came after the backup is gone once it is put back; what was before is there, with its file.
        assert gateway.stop() == 0
        store = gateway.data / "store" / "store"
        for name in os.listdir(store):
            (store / name).unlink()
        shutil.copy(backup, store / "sluice.db")
        gateway.start()
        assert gateway.get(f"/v1/egress/{film['id']}")["state"] == "complete"
        assert len(gateway.download(film, "film", gateway.data / "film.mp4").read_bytes()) == location.stat().st_size
        assert gateway.request("GET", f"/v1/rooms/room-{rooms + 5}").status == 404
        found = wait_until(
            lambda: next((c for c in gateway.request("GET", "/readyz", bearer=None).json["checks"]
                          if c["name"] == "files" and c["detail"] != "not looked at yet"), None), 5, "the look at files")
        assert found["ok"] and "1 files that no record names, 1 temporary files left" in found["detail"], found
        assert "files and records differ" in gateway.log()
        assert orphan.exists() and left.exists()

        # 409 while it runs; then the file goes, the record stays and says when.
        assert gateway.request("DELETE", f"/v1/egress/{film['id']}").status == 204
        assert not location.exists() and orphan.exists()
        gone = gateway.get(f"/v1/egress/{film['id']}")
        assert gone["deletedAt"] and gone["state"] == "complete"
        assert gateway.request("GET", f"/v1/egress/{film['id']}/outputs/film/file").status == 404


def test_delete_of_what_runs_is_refused(gateway):
    ingress = gateway.ingress("running")
    gateway.publish(ingress)
    gateway.published(ingress)
    egress = gateway.egress("running")
    gateway.egress_in(egress, "active")
    answer = gateway.request("DELETE", f"/v1/egress/{egress['id']}")
    assert answer.status == 409 and answer.json["code"] == "still_running", answer
    assert gateway.stop_egress(egress)["state"] == "complete"


def test_a_damaged_store_is_named():
    with Gateway() as gateway:
        for number in range(60):
            gateway.post("/v1/rooms", {"name": f"r-{number}", "metadata": "x" * 500})
        assert gateway.stop() == 0
        path = gateway.data / "store" / "store" / "sluice.db"
        data = bytearray(path.read_bytes())
        for page in range(6, len(data) // 4096, 3):
            data[page * 4096:page * 4096 + 2000] = b"\xa5" * 2000
        path.write_bytes(data)
        damaged = gateway.sluice("store", "check")
        assert damaged.returncode == 1, damaged
        assert "DAMAGED" in damaged.stdout or "damaged" in damaged.stderr, damaged
        backup = gateway.sluice("store", "backup", str(gateway.data / "copy.db"))
        assert backup.returncode == 1 and not (gateway.data / "copy.db").exists(), backup
        assert not (gateway.data / "copy.db.part").exists()
        nothing = gateway.sluice("store", "check", "--data", str(gateway.data / "none"))
        assert nothing.returncode == 1 and "there is no store in" in nothing.stderr
        assert gateway.sluice("store", "backup").returncode == 2


def test_a_backup_is_on_the_disk_before_it_is_called_done(tmp_path):
    with Gateway() as gateway:
        gateway.environment.update(LD_PRELOAD=str(library(tmp_path)), SLOW_PATH="/backup.db", SLOW_SECONDS="2")
        started = time.monotonic()
        done = gateway.sluice("store", "backup", str(tmp_path / "backup.db"))
        assert done.returncode == 0 and "checked" in done.stdout, done
        assert time.monotonic() - started >= 4, "its bytes are synced, and then its name"
