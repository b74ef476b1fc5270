import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import planted  # noqa: E402
from gateway import BUILD, Gateway  # noqa: E402
from players import Chromium  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: a Done line in full; runs with scripts/test --long")
    config.addinivalue_line("markers", "alone: measures, or needs every core: runs when no other test does")
    assert (BUILD / "sluice").exists(), "build first: scripts/build"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    report = yield
    planted.mask_report(report)
    return report


@pytest.fixture(scope="module")
def gateway():
    """One `--dev` gateway for the tests of a module."""
    with Gateway() as running:
        yield running


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests that play files."""
    with Chromium() as browser:
        yield browser
