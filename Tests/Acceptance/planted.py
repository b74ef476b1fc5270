"""The secrets of a run: those that the tests choose, and those that gateways make for them. They are noted in a list outside
of the logs; what pytest prints masks them; at its end scripts/test searches everything that the suite wrote for each."""

import os
import pathlib
import shutil

BUILD_FOLDER = pathlib.Path(__file__).resolve().parents[2] / ".build"
LIST = BUILD_FOLDER / "planted-secrets"
LOGS = BUILD_FOLDER / "test-logs" / "gateways"
SHORTEST = 16  # shorter ones are words
noted = set()


def note(*secrets):
    """Each is a line of text. Several processes may write the list: a line each time, at its end."""
    fresh = {secret for secret in secrets if len(secret) >= SHORTEST} - noted
    if fresh:
        noted.update(fresh)
        with open(os.open(LIST, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            file.write("".join(f"{secret}\n" for secret in sorted(fresh)))


def mask(text):
    for secret in noted:
        text = text.replace(secret, "***")
    return text


def mask_report(report):
    """A test that failed may show what it was told, but for the secrets in it."""
    shown = str(report.longrepr or "")
    if mask(shown) != shown:
        report.longrepr = mask(shown)
    report.sections = [(name, mask(text)) for name, text in report.sections]


def keep(log, name):
    """Keeps a gateway's log for the search at the end of the run."""
    LOGS.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(log, LOGS / f"{name}.log")
