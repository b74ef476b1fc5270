"""Starts and stops real gateways for the acceptance tests, and talks to them as clients do."""

import base64
import functools
import hashlib
import hmac
import itertools
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import planted

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENTS = pathlib.Path(os.environ.get("SLUICE_CLIENTS", ROOT.parent / "shared" / "clients"))
BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / ".build" / "release"))
CLIP = ROOT / "fixtures" / "media" / "flash-and-beep.mp4"
NUMBERS = itertools.count(1)
ENDED = {"complete", "limit_reached", "aborted", "failed"}


@functools.cache
def own_ports():
    """Ports that are this process's alone among all that run these tests, in turn.

    They lie below those that the system gives to connections, so none is taken between the look and the listening. The
    lock's name is seen as far as a port is, in this network namespace, and ends with this process.
    """
    for first in range(10_000, 32_000, 500):
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0sluice-test-ports-{first}")
        except OSError:
            lock.close()
        else:
            return lock, itertools.cycle(range(first, first + 500))
    raise AssertionError("more than 40 processes run these tests")


def is_free(port):
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(type=kind) as probe:
                probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def free_ports(count):
    """Ports that nobody listens on now, all different."""
    _, ports = own_ports()
    return list(itertools.islice(filter(is_free, ports), count))


def wait_until(condition, seconds, what):
    """The first true value of `condition()`; an assertion names `what` when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.05)


def token(key="devkey", secret="secret", ttl=3600, room="", identity="", **grants):
    """A JWT as a server SDK makes it (HS256), with every operator's grant unless some are named."""
    if not grants:
        grants = dict(roomCreate=True, roomList=True, roomAdmin=True, roomRecord=True, ingressAdmin=True)
    video = dict(grants, **({"room": room} if room else {}))
    claims = {"iss": key, "sub": identity, "exp": int(time.time()) + ttl, "video": video}
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")
    message = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    signature = part(hmac.new(secret.encode(), message, hashlib.sha256).digest())
    planted.note(secret, signature.decode())
    return (message + b"." + signature).decode()


class Answer:
    """One HTTP answer: `status`, `headers`, `body`, `json`."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:500]!r}"


class Gateway:
    """A gateway with free ports and a data folder of its own. Use as a context manager.

    `configuration` is YAML text; without it the gateway runs with `--dev`.
    """

    def __init__(self, configuration=None, environment=None, data=None, program=None):
        self.http_port, self.rtmp_port = free_ports(2)
        self.own_data = tempfile.TemporaryDirectory(prefix="sluice-") if data is None else None
        self.data = pathlib.Path(data or self.own_data.name)
        self.log_path = self.data / "gateway.log"
        self.configuration = configuration
        self.environment = environment or {}
        self.program = str(program or BUILD / "sluice")
        self.process = None
        self.publishers = []
        self.key, self.secret = "devkey", "secret"
        self.tls_context = None
        self.planted = set()
        self.number = next(NUMBERS)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def rtmp(self):
        return f"rtmp://127.0.0.1:{self.rtmp_port}/live"

    def full_environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
        return dict(
            kept, SLUICE_HTTP_PORT=str(self.http_port), SLUICE_RTMP_PORT=str(self.rtmp_port),
            SLUICE_DATA=str(self.data / "store"), **self.environment)

    def launch(self):
        """Starts the process, and does not wait for it."""
        arguments = [self.program, "serve"]
        if self.configuration is None:
            arguments.append("--dev")
        else:
            path = self.data / "sluice.yaml"
            path.write_text(self.configuration)
            arguments += ["--config", str(path)]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.full_environment(),
                start_new_session=True)
        return self

    def start(self):
        self.launch()
        wait_until(self.is_ready, 20, "the gateway is ready")
        return self

    def is_ready(self):
        assert self.process.poll() is None, f"the gateway ended with {self.process.returncode}:\n{self.log()[-3000:]}"
        try:
            return self.request("GET", "/readyz", bearer=None).status == 200
        except OSError:
            return False

    def stop(self, seconds=40):
        """SIGTERM, as an operator stops it; gives the exit code."""
        for publisher in self.publishers:
            if publisher.poll() is None:
                publisher.kill()
                publisher.wait()
        self.publishers = []
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        self.assert_nothing_told()
        return self.process.returncode

    def plant(self, *secrets):
        """These are secrets. Shorter ones than 16 bytes are words."""
        self.planted.update(secret for secret in secrets if len(secret) >= planted.SHORTEST)
        planted.note(*secrets)

    def assert_nothing_told(self):
        """No secret that went through this object stands in the log, or in what lies beside recordings."""
        self.plant(self.secret)
        texts = {"the log": self.log()}
        for path in (self.data / "store").rglob("*"):
            if path.suffix in (".json", ".m3u8") or path.name == ".state":
                texts[path.name] = path.read_text(errors="replace")
        telling = [name for name, text in texts.items() if any(secret in text for secret in self.planted)]
        assert not telling, f"a secret is told by {telling}"
        if self.log_path.exists():
            planted.keep(self.log_path, f"{os.getpid()}-{self.number}")

    def kill(self):
        """SIGKILL for the gateway and all that it started: workers are in process groups of their own."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGSTOP)
            for pid in [*self.workers(), self.process.pid]:
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def workers(self):
        """Process ids of the workers."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True)
        return [int(word) for word in found.stdout.split()]

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            if self.process is not None and self.process.poll() is None:
                self.kill()
            if self.own_data is not None:
                self.own_data.cleanup()

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # REST

    def token(self, **arguments):
        made = token(self.key, self.secret, **arguments)
        self.plant(made.rsplit(".", 1)[1])
        return made

    def request(self, method, path, body=None, bearer="", headers=None, timeout=20):
        """One request; `body` is sent as JSON unless it is bytes. `bearer=None` sends no token."""
        fields = dict(headers or {})
        if bearer is not None:
            fields.setdefault("Authorization", f"Bearer {bearer or self.token()}")
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            fields.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, data=data, headers=fields, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=self.tls_context) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as answer:
            return Answer(answer.code, answer.headers, answer.read())

    def get(self, path):
        answer = self.request("GET", path)
        assert answer.status == 200, answer
        return answer.json

    def post(self, path, body, expect=(200, 201, 202)):
        answer = self.request("POST", path, body)
        assert answer.status in expect, answer
        return answer.json

    # Streams in

    def ingress(self, room, **fields):
        made = self.post("/v1/ingress", dict({"type": "rtmp", "room": room}, **fields))
        self.plant(made["streamKey"])
        return made

    def publish(self, ingress, clip=CLIP, arguments=("-c", "copy"), loop=0, before=()):
        """ffmpeg in real time into an ingress."""
        command = ["ffmpeg", "-nostdin", "-v", "error", "-re", "-stream_loop", str(loop), *before, "-i", str(clip)]
        command += [*arguments, "-f", "flv", f"{self.rtmp}/{ingress['streamKey']}"]
        publisher = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.publishers.append(publisher)
        return publisher

    def published(self, ingress, seconds=10):
        """Waits until media of the ingress is in its room."""
        path = f"/v1/ingress/{ingress['id']}"
        return wait_until(
            lambda: (lambda record: record if record["state"] == "publishing" else None)(self.get(path)), seconds,
            "the stream is in its room")

    def published_to_its_end(self, publisher, ingress, seconds=90):
        """Waits until the publisher has ended by itself and the gateway has taken all that it sent."""
        assert publisher.wait(seconds) == 0, publisher.stderr.read()
        path = f"/v1/ingress/{ingress['id']}"
        wait_until(lambda: self.get(path)["state"] != "publishing", 10, "the stream has ended")

    # Streams out

    def egress(self, room, outputs=None, **fields):
        outputs = outputs or [{"id": "film", "type": "mp4"}]
        self.plant(*(output["url"].rsplit("/", 1)[1] for output in outputs if "url" in output))
        return self.post("/v1/egress", dict({"room": room, "outputs": outputs}, **fields))

    def egress_in(self, egress, states, seconds=30):
        """Waits until the egress is in one of `states`; an end that is none of them is an error at once."""
        wanted = {states} if isinstance(states, str) else set(states)
        def look():
            record = self.get(f"/v1/egress/{egress['id']}")
            assert record["state"] in wanted or record["state"] not in ENDED, record
            return record if record["state"] in wanted else None
        return wait_until(look, seconds, f"egress is {' or '.join(sorted(wanted))}")

    def stop_egress(self, egress, seconds=30):
        answer = self.request("POST", f"/v1/egress/{egress['id']}/stop", {})
        assert answer.status in (200, 202), answer
        return self.egress_in(egress, ENDED, seconds)

    def download(self, egress, output, path):
        answer = self.request("GET", f"/v1/egress/{egress['id']}/outputs/{output}/file", timeout=60)
        assert answer.status == 200, answer
        pathlib.Path(path).write_bytes(answer.body)
        return pathlib.Path(path)

    # The command line

    def sluice(self, *arguments, timeout=60):
        environment = dict(self.full_environment(), SLUICE_URL=self.url)
        return subprocess.run(
            [self.program, *arguments], capture_output=True, text=True, timeout=timeout, env=environment)
