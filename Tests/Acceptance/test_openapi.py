"""The API against its own description: no 500, no undocumented status, no answer off its schema."""

import subprocess

import pytest
from gateway import ROOT


@pytest.mark.parametrize("examples", [5, pytest.param(100, marks=pytest.mark.long)])
def test_schemathesis_finds_nothing(gateway, examples):
    program = ROOT / ".venv" / "bin" / "schemathesis"
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    done = subprocess.run(
        [program, "--config-file", ROOT / "Tests" / "Acceptance" / "schemathesis.toml", "run",
         f"{gateway.url}/v1/openapi.json", "--url", gateway.url, "--checks", checks, "--max-examples",
         str(examples), "--header", f"Authorization: Bearer {gateway.token()}", "--seed", "1", "--workers", "1"],
        capture_output=True, text=True, timeout=580, cwd=gateway.data)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
