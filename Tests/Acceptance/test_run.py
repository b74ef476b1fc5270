"""What a newcomer types first."""

import os
import re
import shlex
import signal
import subprocess
import time

import pytest
from gateway import ROOT, free_ports


@pytest.fixture
def environment(tmp_path):
    http, rtmp = free_ports(2)
    return dict(
        os.environ, SLUICE_HTTP_PORT=str(http), SLUICE_RTMP_PORT=str(rtmp), SLUICE_DATA=str(tmp_path / "sluice-data"))


def test_run_ends_with_lines_a_person_can_use(environment):
    process = subprocess.Popen(
        # As in a terminal: what runs in the background may ignore Ctrl-C, and a shell leaves it so.
        ["env", "--default-signal=INT", ROOT / "scripts" / "run"], cwd=ROOT, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if line.startswith("The gateway runs until Ctrl-C"):
            break
    try:
        text = "\n".join(lines)
        ready = re.search(r"^Ready +http://127.0.0.1:\d+ \(after (\d+\.\d) s\)$", text, re.M)
        assert ready and float(ready[1]) < 5, text
        assert re.search(r"^Recorded +\S+\.mp4 \(12\.0 s, 0 frames lost\)$", text, re.M), text
        assert re.search(r"^Pushed ", text, re.M) and re.search(r"^Watch ", text, re.M), text
        obs = re.search(r"^OBS +Server: (rtmp://\S+)  Key: (\S+)  Keyframe interval 2 s$", text, re.M)
        assert obs, text
        command = re.search(r"^Record +(curl .*)$", text, re.M)[1]
        words = shlex.split(command)
        assert words[0] == "curl"
        answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=20)
        assert '"id":"EG_' in answer.stdout, answer
        publisher = subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-re", "-t", "2", "-i", ROOT / "fixtures/media/flash-and-beep.mp4", "-c",
             "copy", "-f", "flv", f"{obs[1]}/{obs[2]}"], timeout=30)
        assert publisher.returncode == 0
    finally:
        os.killpg(process.pid, signal.SIGINT)
        end = time.monotonic() + 45
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130


def test_run_once_ends_by_itself(environment):
    done = subprocess.run(
        [ROOT / "scripts" / "run", "--once"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
