"""Servers around the gateway: nginx with its RTMP module, as a destination of pushes."""

import os
import pathlib
import signal
import subprocess
import tempfile

from gateway import CLIENTS, free_ports, wait_until


class NginxRTMP:
    """Takes RTMP at `url`, and records each stream as FLV. Use as a context manager."""

    def __init__(self, port=None):
        self.port = port or free_ports(1)[0]
        self.folder = tempfile.TemporaryDirectory(prefix="nginx-rtmp-")
        self.is_running = False

    @property
    def url(self):
        return f"rtmp://127.0.0.1:{self.port}/live"

    def call(self, verb):
        return subprocess.run(
            [CLIENTS / "rtmp-standin.sh", verb, str(self.port), self.folder.name], capture_output=True, text=True,
            timeout=20)

    def start(self):
        done = self.call("start")
        assert done.returncode == 0, done.stderr
        self.is_running = True
        return self

    def stop(self):
        if self.is_running:
            pid = pathlib.Path(self.folder.name, "nginx.pid")
            self.call("stop")
            wait_until(lambda: not pid.exists(), 15, "nginx has ended")
            self.is_running = False

    def kill(self):
        """As a crash: no FIN for what was not yet sent, no goodbye."""
        pid = pathlib.Path(self.folder.name, "nginx.pid")
        master = int(pid.read_text())
        workers = subprocess.run(["pgrep", "-P", str(master)], capture_output=True, text=True).stdout.split()
        for process in [master, *map(int, workers)]:
            os.kill(process, signal.SIGKILL)
        wait_until(lambda: not any(is_alive(process) for process in [master, *map(int, workers)]), 5, "nginx is dead")
        pid.unlink(missing_ok=True)
        self.is_running = False

    def recordings(self, key="*"):
        """FLV files of a stream key, oldest first."""
        found = pathlib.Path(self.folder.name, "rec").glob(f"{key}-*.flv")
        return sorted((path for path in found if path.stat().st_size > 1000), key=lambda path: path.stat().st_mtime)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()


def is_alive(pid):
    """False for a process that has ended, also while nobody has taken note of its end."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
