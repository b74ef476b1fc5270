"""sluice-bench runs, prints what it measures, and finds no loss. Speeds are not judged here: `sluice-bench` is."""

import subprocess

import pytest

from gateway import BUILD


def bench(*arguments):
    return subprocess.run(
        [BUILD / "sluice-bench", *arguments], capture_output=True, text=True, timeout=300)


def test_help_names_each_bench():
    done = bench("--help")
    assert done.returncode == 0
    for name in ["chunks", "ingest", "record", "start", "idle", "--smoke"]:
        assert name in done.stdout


@pytest.mark.parametrize("words", [["chunk"], ["chunks", "--rounds"], ["ingest", "--publishers", "1,x"]])
def test_a_wrong_command_line_is_told(words):
    done = bench(*words)
    assert done.returncode == 2
    assert "sluice-bench --help" in done.stderr


@pytest.mark.alone
@pytest.mark.parametrize("name, bar", [
    ("chunks", "chunks of 4096 bytes"),
    ("ingest", "2 publishers, user / nginx"),
    ("idle", "gateway and workers"),
])
def test_smoke(name, bar):
    done = bench(name, "--smoke")
    assert done.returncode == 0, done.stderr
    assert bar in done.stdout


@pytest.mark.alone
@pytest.mark.parametrize("name, bar", [
    ("record", "recordings with a loss"),
    ("start", "times `active` before the file decodes"),
    ("start", "frames that ffmpeg decodes"),
])
def test_what_must_hold_in_a_smoke_too(name, bar):
    done = bench(name, "--smoke")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if bar in line)
    assert line.split()[0] == "PASS", done.stdout
