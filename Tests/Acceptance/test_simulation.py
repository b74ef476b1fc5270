"""A day of simulated publishers: sound and picture within 15 ms, every gap told, nothing held that grows."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_simulation_of_24_hours():
    command = ["swift", "test", "--disable-xctest", "--no-parallel", "--filter", "SimulationTests"]
    environment = os.environ | {"SLUICE_SIMULATED_HOURS": "24"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=5300)
    failures = [line for line in done.stdout.splitlines() if "recorded an issue" in line]
    assert done.returncode == 0, "\n".join(failures) or done.stdout[-2000:] + done.stderr[-2000:]
    ran = re.search(r"with (\d+) tests", done.stdout)
    assert ran and int(ran[1]) >= 5, done.stdout[-2000:]
