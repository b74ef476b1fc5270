"""Secrets are planted wherever one can stand; then everything that the programs print, store as history and serve is
searched for them."""

import json
import pathlib
import sqlite3
import subprocess
import time

import pytest
from certificates import Authority, SecureGateway
from clips import Clip
from gateway import BUILD, free_ports, token, wait_until
from standins import NginxRTMP

MORE = """
log: {{ level: debug }}
rtc: {{ ice_servers: [{{ urls: ["turn:turn.example.com"], username: u, credential: planted-ice-credential }}] }}
pipelines: {pipelines}
"""


@pytest.fixture(scope="module")
def planted():
    """Name and text of each secret."""
    names = ["api-secret", "file-secret", "stream-key", "rotated-key", "push-key", "refused-key", "retry-key", "pipeline-key",
             "added-key", "unknown-key", "wrong-key", "user-password", "new-secret"]
    return {name: f"planted-{name}-0123456789abcdef0123456789" for name in names} | {
        "ice": "planted-ice-credential"}


@pytest.fixture(scope="module")
def gateway(planted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "file-secret").write_text(planted["file-secret"])
    pipelines = folder / "pipelines"
    pipelines.mkdir()
    (pipelines / "push.yaml").write_text(
        f"name: push\ntitle: Push\noutputs:\n  - {{ id: out, type: rtmp, url: 'rtmp://127.0.0.1:1/live/{planted['pipeline-key']}' }}\n")
    running = SecureGateway(Authority(folder), more=MORE.format(pipelines=pipelines))
    running.secret = planted["api-secret"]
    running.plant(*planted.values())
    write = running.write_configuration

    def with_keys():
        write()
        running.configuration = running.configuration.replace(
            "keys: { main: an-operator-secret-0123456789abcdef }",
            f"keys: {{ main: {planted['api-secret']}, other: {{ secret_file: {folder}/file-secret }} }}")
    running.write_configuration = with_keys
    planted["tls-key"] = (running.data / "key.pem").read_text().splitlines()[1]
    with running:
        yield running


def pushed(gateway, room, planted):
    """Egress to destinations that take, refuse and are not there, and to one with a password in its URL."""
    with NginxRTMP() as nginx:
        outputs = [
            {"id": "takes", "type": "rtmp", "url": f"{nginx.url}/{planted['push-key']}"},
            {"id": "refuses", "type": "rtmp", "url": f"{gateway.rtmp}/{planted['refused-key']}"},
            {"id": "gone", "type": "rtmp", "url": f"rtmp://127.0.0.1:{free_ports(1)[0]}/live/{planted['retry-key']}"},
            {"id": "login", "type": "rtmp", "url": f"rtmp://user:{planted['user-password']}@127.0.0.1:1/live/k"},
            {"id": "film", "type": "mp4"}]
        answer = gateway.request("POST", "/v1/egress", {"room": room, "outputs": outputs})
        if answer.status == 422:  # a URL with a login is refused: that answer is looked at too
            told(answer.body, planted, "a refused push URL")
            outputs = [output for output in outputs if output["id"] != "login"]
            answer = gateway.request("POST", "/v1/egress", {"room": room, "outputs": outputs})
        assert answer.status == 201, answer
        egress = answer.json
        told(answer.body, planted, "POST /v1/egress")
        gateway.egress_in(egress, "active")
        added = gateway.request(
            "POST", f"/v1/egress/{egress['id']}/outputs",
            {"id": "added", "type": "rtmp", "url": f"rtmp://127.0.0.1:1/live/{planted['added-key']}"})
        told(added.body, planted, "POST …/outputs")
        time.sleep(3)
        record = gateway.get(f"/v1/egress/{egress['id']}")
        states = {output["id"]: output["state"] for output in record["outputs"]}
        assert states["takes"] == "active" and states["gone"] == "retrying", states
        ended = gateway.stop_egress(egress)
        assert nginx.recordings(planted["push-key"]), "the push did go out with its key"
    return ended


def told(text, planted, where, but=()):
    """Fails if `text` holds a secret that is not named in `but`."""
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    for name, secret in planted.items():
        assert name in but or secret not in text, f"{where} tells {name}: …{text[max(0, text.find(secret) - 200):][:300]}"


def test_no_secret_is_told(gateway, planted):
    key = planted["stream-key"]
    made = gateway.request("POST", "/v1/ingress", {"type": "rtmp", "room": "r", "streamKey": key}, headers={"Idempotency-Key": "1"})
    ingress = made.json
    told(made.body, planted, "POST /v1/ingress", but=("stream-key",))
    gateway.publish(ingress, Clip(6, 30).path, loop=-1)
    gateway.published(ingress)
    for bad in (f"{gateway.rtmp}/{planted['unknown-key']}", f"{gateway.rtmp}/{planted['wrong-key']}?token={planted['wrong-key']}",
                f"{gateway.rtmp.replace('/live', '/' + planted['wrong-key'])}/x"):
        subprocess.run(["ffmpeg", "-nostdin", "-v", "quiet", "-i", Clip(6, 30).path, "-c", "copy", "-f", "flv", bad], timeout=30)
    egress = pushed(gateway, "r", planted)
    bearers = [gateway.token(), token("main", planted["wrong-key"]), token("other", planted["file-secret"]), planted["wrong-key"],
               f"{planted['wrong-key']}.{planted['wrong-key']}.x"]
    planted |= {f"token {number}": bearer.rsplit(".", 1)[-1] for number, bearer in enumerate(bearers) if "planted" not in bearer}
    for bearer in bearers:
        told(gateway.request("GET", "/v1/rooms", bearer=bearer).body, planted, "an answer to a token")
    rejected = [
        ("/v1/ingress", {"type": "rtmp", "room": "r", "streamKey": planted["wrong-key"] + "/é"}),
        ("/v1/ingress", {"type": "rtmp", "room": "r", "streamKey": planted["wrong-key"] * 9}),
        ("/v1/egress", {"room": "r", "outputs": [{"id": "x", "type": "rtmp", "url": f"ftp://x/{planted['wrong-key']}"}]}),
        ("/v1/egress", {"room": "r", "outputs": [{"id": "x", "type": "rtmp", "url": f"rtmp://[x/{planted['wrong-key']}"}]}),
    ]
    for path, body in rejected:
        answer = gateway.request("POST", path, body)
        assert answer.status == 422, answer
        told(answer.body, planted, f"a refused POST {path}")
    gateway.request("GET", f"/hls/{planted['wrong-key']}/EG_x/live/index.m3u8", bearer=None)
    gateway.request("POST", f"/whip/k/{planted['wrong-key']}", {}, bearer=None)
    walk(gateway, planted, ingress, egress)
    rotated = gateway.request("POST", f"/v1/ingress/{ingress['id']}/rotate-key", {"streamKey": planted["rotated-key"]})
    told(rotated.body, planted, "rotate-key", but=("rotated-key",))
    reload_with_errors(gateway, planted)
    command_line(gateway, planted, ingress)
    stored(gateway, planted)
    assert gateway.stop() == 0
    log = gateway.log()
    assert '"level":"debug"' in log and len(log) > 5000
    told(log, planted, "the log")
    for path in pathlib.Path(gateway.data).rglob("*"):
        if path.is_file() and path.name not in ("sluice.yaml", "key.pem") and ".db" not in path.name:
            told(path.read_bytes(), planted, str(path))


def walk(gateway, planted, ingress, egress):
    """Every GET of the API, and what a browser sees."""
    document = gateway.get("/v1/openapi.json")
    ids = {"/v1/egress": egress["id"], "/v1/ingress": ingress["id"], "/v1/jobs": gateway.get("/v1/jobs")["items"][0]["id"]}
    names = {"room": "r", "output": "takes", "name": "push", "identity": "x", "path": "x", "track": "x", "link": "x"}
    count = 0
    for path in [path for path, item in document["paths"].items() if "get" in item]:
        target = path
        for part in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            value = ids.get("/".join(path.split("/")[:3]), "TP_x") if part == "id" else names.get(part, "x")
            target = target.replace("{" + part + "}", value)
        answer = gateway.request("GET", target)
        # An operator who may see one ingress may see its key: API.md, "Ingress".
        told(answer.body, planted, target, but=("stream-key",) if path == "/v1/ingress/{id}" else ())
        count += answer.status == 200
    assert count >= 15, count
    shown = json.dumps(gateway.get(f"/v1/egress/{egress['id']}"))
    assert "***" in shown


def reload_with_errors(gateway, planted):
    path = gateway.data / "sluice.yaml"
    good = path.read_text()
    bad = [
        good.replace(planted["api-secret"], "planted-short-secret"), good + f"\nkeys2: {planted['new-secret']}\n",
        good.replace("keys: {", f"keys: [{planted['new-secret']}] #"),
        good.replace(f"{gateway.data}/key.pem", f'"-----BEGIN PRIVATE KEY----- {planted["new-secret"]}"'),
        good + f"\nhttp: {{ x: {planted['new-secret']} }}", good + f"\n: [{planted['new-secret']}",
        good.replace("credential: planted-ice-credential", f"credential: [{planted['new-secret']}]"),
    ]
    for text in bad:
        path.write_text(text)
        answer = gateway.request("POST", "/v1/reload", {})
        assert answer.status == 422, answer
        told(answer.body, planted | {"short": "planted-short-secret"}, "POST /v1/reload")
        done = subprocess.run([BUILD / "sluice", "config", "check", path], capture_output=True, text=True, timeout=20)
        assert done.returncode == 1, done
        told(done.stdout + done.stderr, planted | {"short": "planted-short-secret"}, "config check")
    path.write_text(good)
    gateway.hang_up("configuration read again")


def command_line(gateway, planted, ingress):
    arguments = ["--token", gateway.token()]
    planted["command line token"] = arguments[1].rsplit(".", 1)[1]
    commands = [["config", "print", str(gateway.data / "sluice.yaml")], ["jobs", *arguments], ["ingress", "list", *arguments],
                ["jobs", "--token", planted["wrong-key"]], ["pipelines", "list"]]
    for command in commands:
        done = gateway.sluice(*command)
        told(done.stdout + done.stderr, planted, " ".join(command))
    for path in pathlib.Path("/proc").glob(f"{gateway.process.pid}/task/*/children"):
        for worker in path.read_text().split():
            told(pathlib.Path(f"/proc/{worker}/cmdline").read_bytes(), planted, "a worker's arguments")
            told(pathlib.Path(f"/proc/{worker}/environ").read_bytes(), planted, "a worker's environment")


def stored(gateway, planted):
    """The durable event log, which webhooks and event streams read; and whose the data is."""
    store = gateway.data / "store" / "store" / "sluice.db"
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        (events,) = [name for name in tables if "event" in name]
        rows = database.execute(f"SELECT * FROM {events}").fetchall()
    assert len(rows) > 5
    for row in rows:
        for value in row:
            told(value if isinstance(value, bytes) else str(value), planted, "a stored event")
    assert (gateway.data / "store").stat().st_mode & 0o077 == 0, "the data folder is its owner's alone"
    wait_until(lambda: gateway.is_ready(), 5, "ready")
