"""The command line against a real gateway: what people type and read."""

import signal
import subprocess
import time

import media
import pytest
from gateway import BUILD, Gateway, wait_until


def fields(text):
    """The `Name  value` lines of `sluice ingress show`."""
    pairs = [line.split("  ", 1) for line in text.splitlines() if "  " in line]
    return {name.strip(): value.strip() for name, value in pairs}


def test_an_ingress_from_create_to_delete(gateway):
    created = gateway.sluice("ingress", "create", "--room", "shop", "--name", "studio")
    assert created.returncode == 0, created.stderr
    shown = fields(created.stdout)
    assert shown["Server"] == gateway.rtmp and len(shown["Stream key"]) >= 8
    listed = gateway.sluice("ingress", "list", "--room", "shop")
    assert listed.stdout.splitlines()[0].split() == ["ID", "STATE", "ROOM", "NAME", "STREAM"]
    assert shown["Ingress"] in listed.stdout and shown["Stream key"] not in listed.stdout
    assert shown["Stream key"] in gateway.sluice("ingress", "show", shown["Ingress"]).stdout
    assert gateway.sluice("ingress", "delete", shown["Ingress"]).returncode == 0
    gone = gateway.sluice("ingress", "show", shown["Ingress"])
    assert gone.returncode == 1 and gone.stderr.startswith("error: ")


def test_record_waits_downloads_and_says_what_it_got(gateway, tmp_path):
    ingress = gateway.ingress("talk")
    film = tmp_path / "talk.mp4"
    command = [gateway.program, "record", "talk", "--wait", "20s", "-o", str(film), "--for", "5s"]
    environment = dict(gateway.full_environment(), SLUICE_URL=gateway.url)
    recorder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    publisher = gateway.publish(ingress)
    output, progress = recorder.communicate(timeout=40)
    publisher.kill()
    assert recorder.returncode == 0, progress
    assert f"Recorded  {film} (5." in output, output
    assert "active" in progress
    assert 5.0 <= float(media.probe(film)["format"]["duration"]) < 5.2
    assert media.decodes(film)


def test_ctrl_c_stops_the_recording_and_keeps_it(gateway, tmp_path):
    ingress = gateway.ingress("call")
    gateway.publish(ingress)
    gateway.published(ingress)
    film = tmp_path / "call.mp4"
    environment = dict(gateway.full_environment(), SLUICE_URL=gateway.url)
    recorder = subprocess.Popen(
        [gateway.program, "record", "call", "-o", str(film)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment)
    wait_until(lambda: any(e["state"] == "active" for e in gateway.get("/v1/egress?room=call")["items"]), 10, "active")
    time.sleep(2)
    recorder.send_signal(signal.SIGINT)
    output, progress = recorder.communicate(timeout=30)
    assert recorder.returncode == 0, progress
    assert "stopping" in progress and "Recorded" in output
    assert media.decodes(film)


def test_jobs_are_a_table(gateway):
    gateway.egress("nobody-comes", createRoom=True, start={"waitSeconds": 30})
    shown = gateway.sluice("jobs", "--all")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[0].split() == ["ID", "STATE", "TYPE", "SUBJECT", "ROOM", "TRY", "NOTE"]


def test_pipelines_are_found_beside_the_program(gateway):
    shown = gateway.sluice("pipelines", "list")
    names = [line.split()[0] for line in shown.stdout.splitlines()[1:]]
    assert names == ["push-rtmp", "record-and-push", "record-mp4"], shown


# What a person gets for bad input: words, what they read, exit code.
BAD = [
    (["record", "no-such-room"], 1, "no-such-room"),
    (["record"], 2, "ROOM is missing"),
    (["ingress", "create", "--room", "x", "--stream-key", "short"], 1, "streamKey"),
    (["jobs", "--token", "nonsense"], 1, "token"),
    (["jobs", "--url", "http://127.0.0.1:1"], 1, "sluice serve --dev"),
    (["serve", "--config", "no-such.yaml"], 1, "can't read no-such.yaml"),
    (["serve"], 1, "sluice token --new-key"),
    (["serve", "--dev", "--host", "0.0.0.0"], 1, "loopback only"),
    (["config", "check", "no-such.yaml"], 1, "can't read no-such.yaml"),
]


@pytest.mark.parametrize("words,code,says", BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_bad_input_is_answered_with_what_to_do(gateway, words, code, says):
    done = gateway.sluice(*words)
    assert done.returncode == code, done
    assert says in done.stderr, done.stderr
    assert done.stderr.startswith("error: ")


def test_a_config_line_is_named(tmp_path):
    path = tmp_path / "sluice.yaml"
    path.write_text("http:\n  prot: 80\n")
    done = subprocess.run([BUILD / "sluice", "serve", "--config", str(path)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert f"{path}:2:3: http: unknown key `prot`; did you mean `port`?" in done.stderr


@pytest.mark.parametrize("taken", ["http_port", "rtmp_port", "data"])
def test_a_port_or_a_folder_in_use_is_named(gateway, tmp_path, taken):
    other = Gateway(data=gateway.data if taken == "data" else tmp_path)
    if taken != "data":
        setattr(other, taken, getattr(gateway, taken))
    done = subprocess.run(
        [other.program, "serve", "--dev"], capture_output=True, text=True, timeout=20, env=other.full_environment())
    assert done.returncode == 1
    assert str(gateway.data if taken == "data" else getattr(gateway, taken)) in done.stderr, done.stderr
    assert done.stderr.startswith("error: "), done.stderr


def test_a_key_of_the_configuration_signs(tmp_path):
    new = subprocess.run([BUILD / "sluice", "token", "--new-key"], capture_output=True, text=True, timeout=20)
    assert new.returncode == 0 and new.stdout.startswith("keys:\n"), new
    with Gateway(configuration="http: { host: 127.0.0.1 }\n" + new.stdout) as own:
        own.key, own.secret = new.stdout.split("\n")[1].strip().split(": ")
        assert own.sluice("jobs", "--config", str(own.data / "sluice.yaml")).returncode == 0
        assert own.sluice("jobs").returncode == 1, "the pair of --dev is not known there"
        assert own.secret not in own.log()
        assert own.stop() == 0
