"""/healthz and /readyz, each check broken for real."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from gateway import BUILD, CLIP, Gateway, wait_until
from test_bad_input import small_disk

PTRACE_CONT, PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 7, 17, 0x4206, 0x4207, 0x40000000
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@contextlib.contextmanager
def frozen_thread(pid, name):
    """Holds one thread of a process with a debugger's means; the others go on."""
    threads = pathlib.Path(f"/proc/{pid}/task")
    (thread,) = [int(path.name) for path in threads.iterdir() if (path / "comm").read_text().strip() == name]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    assert libc.ptrace(PTRACE_SEIZE, thread, None, None) == 0, os.strerror(ctypes.get_errno())
    assert libc.ptrace(PTRACE_INTERRUPT, thread, None, None) == 0
    assert os.waitpid(thread, WALL)[0] == thread
    try:
        yield
    finally:
        libc.ptrace(PTRACE_DETACH, thread, None, None)


def checks(gateway, path="/readyz"):
    answer = gateway.request("GET", path, bearer=None, timeout=5)
    failed = {check["name"]: check for check in answer.json["checks"] if not check["ok"]}
    assert answer.status == (503 if failed else 200) and answer.json["ready"] is not bool(failed), answer
    for check in failed.values():
        assert check["detail"] and check["remedy"], check
    return failed


@needs_root
def test_a_media_loop_that_stands_still_is_seen(gateway):
    assert checks(gateway, "/healthz") == {} == checks(gateway)
    with frozen_thread(gateway.process.pid, "media-0"):
        wait_until(lambda: checks(gateway, "/healthz"), 5, "the loop is missed")
        failed = checks(gateway, "/healthz")
        assert set(failed) == {"media-0"} and failed["media-0"]["remedy"] == "Restart the gateway.", failed
        assert "media-0" in checks(gateway)
    wait_until(lambda: not checks(gateway, "/healthz") and not checks(gateway), 15, "the loop goes on")


@needs_root
def test_a_store_that_cannot_be_written_is_seen(tmp_path):
    with small_disk(tmp_path / "disk", 24) as disk:
        environment = {"SLUICE_LIMITS_DISK_RESERVE": "0"}
        with Gateway(data=disk, environment=environment) as gateway:
            assert checks(gateway) == {}
            filler = disk / "filler"
            with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            failed = wait_until(lambda: checks(gateway), 10, "the full disk is seen")
            assert "store" in failed and "full" in failed["store"]["detail"], failed
            refused = gateway.request("POST", "/v1/rooms", {"name": "x"})
            assert refused.status == 503 and refused.headers["Retry-After"], refused
            filler.unlink()
            wait_until(lambda: not checks(gateway), 10, "the store is writable again")
            assert gateway.request("POST", "/v1/rooms", {"name": "x"}).status == 201


def test_a_worker_that_does_not_start_is_seen(tmp_path):
    for name in ("sluice", "sluice-worker"):
        shutil.copy(BUILD / name, tmp_path / name)
    with Gateway(program=tmp_path / "sluice") as gateway:
        assert checks(gateway) == {}
        (tmp_path / "sluice-worker").rename(tmp_path / "elsewhere")
        for pid in gateway.workers():
            os.kill(pid, signal.SIGKILL)
        failed = wait_until(lambda: checks(gateway), 10, "the worker is missed")
        assert set(failed) == {"workers"} and "sluice-worker" in failed["workers"]["remedy"], failed
        assert checks(gateway, "/healthz") == {}, "a restart of the gateway would not help"
        (tmp_path / "elsewhere").rename(tmp_path / "sluice-worker")
        wait_until(lambda: not checks(gateway), 40, "a worker is there again")


def test_draining_is_not_ready_and_lets_nobody_in(tmp_path):
    with Gateway(environment={"SLUICE_SHUTDOWN_WAIT": "4s"}) as gateway:
        ingress = gateway.ingress("drain")
        gateway.publish(ingress, CLIP, loop=-1)
        gateway.published(ingress)
        egress = gateway.egress("drain")
        gateway.egress_in(egress, "active")
        gateway.process.send_signal(signal.SIGTERM)
        failed = wait_until(lambda: checks(gateway), 3, "draining is seen")
        assert set(failed) == {"listeners", "draining"}, failed
        assert checks(gateway, "/healthz") == {}
        refused = gateway.request("POST", "/v1/egress", {"room": "drain", "outputs": [{"type": "mp4"}]})
        assert refused.status == 503 and refused.json["code"] == "draining" and refused.headers["Retry-After"], refused
        late = subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-i", CLIP, "-c", "copy", "-f", "flv",
             f"{gateway.rtmp}/{ingress['streamKey']}"], capture_output=True, text=True, timeout=20)
        assert late.returncode != 0 and "refused" in late.stderr.lower(), late
        begin = time.monotonic()
        assert gateway.process.wait(30) == 0
        print(f"ended {time.monotonic() - begin:.1f} s after")
