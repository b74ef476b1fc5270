"""Who may ask: the keys that a gateway starts with, and what `--dev` opens to whom."""

import re
import socket
import subprocess

from gateway import BUILD, Gateway, free_ports, token
from test_bad_input import assert_refused, serve


def listeners(pid):
    """Addresses on which a process listens."""
    done = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, timeout=10)
    return [line.split()[3].rsplit(":", 1)[0] for line in done.stdout.splitlines() if f"pid={pid}," in line]


def test_a_new_key_as_it_is_printed_is_a_configuration():
    made = subprocess.run([BUILD / "sluice", "token", "--new-key"], capture_output=True, text=True, timeout=20)
    key, secret = re.fullmatch(r"keys:\n  (\w+): (\S+)\n", made.stdout).groups()
    assert made.returncode == 0 and len(secret) >= 43 and secret not in made.stderr, made
    text = made.stdout + "http: { host: 127.0.0.1 }\nrtmp: { host: 127.0.0.1 }\n"
    with Gateway(text) as gateway:
        gateway.key, gateway.secret = key, secret
        assert gateway.get("/v1/rooms")["items"] == []
        assert gateway.request("GET", "/v1/rooms", bearer=token(key, secret[:-1])).status == 401
        assert gateway.request("GET", "/v1/rooms", bearer=token("devkey", "secret")).status == 401


def test_dev_listens_on_loopback_only_whatever_else_is_said(tmp_path):
    environment = {"SLUICE_HTTP_HOST": "0.0.0.0", "SLUICE_RTMP_HOST": "0.0.0.0"}
    with Gateway(environment=environment) as gateway:
        found = listeners(gateway.process.pid)
        assert len(found) == 2 and set(found) == {"127.0.0.1"}, found
        assert "devkey" not in gateway.log() or "127.0.0.1" in gateway.log()
    http, rtmp = free_ports(2)
    environment |= {"SLUICE_HTTP_PORT": str(http), "SLUICE_RTMP_PORT": str(rtmp), "SLUICE_DATA": str(tmp_path)}
    for host in ("0.0.0.0", "::", "192.0.2.1", "127.example.com"):
        assert_refused(serve("--dev", "--host", host, environment=environment), "loopback only")


def test_without_dev_the_known_pair_and_weak_secrets_do_not_start(tmp_path):
    rows = {
        "": "no API key is set", "keys: { devkey: secret }": "everybody knows it",
        "keys: { k: '***' }": "everybody knows it", f"keys: {{ k: {'x' * 31} }}": "has 31 bytes and needs 32",
        f"keys: {{ a: {'x' * 32}, b: short }}": "keys.b: the secret has 5 bytes",
    }
    for text, says in rows.items():
        path = tmp_path / "sluice.yaml"
        path.write_text(text + "\n")
        done = serve("--config", path, environment={"SLUICE_DATA": str(tmp_path / "data")})
        assert_refused(done, says)
        assert "sluice token --new-key" in done.stderr, done.stderr


def test_a_gateway_listens_where_it_is_told():
    secret = "an-operator-secret-0123456789abcdef"
    with Gateway(f"http: {{ host: 0.0.0.0 }}\nrtmp: {{ host: 127.0.0.1 }}\nkeys: {{ k: {secret} }}\n") as gateway:
        gateway.secret = secret
        assert sorted(listeners(gateway.process.pid)) == ["0.0.0.0", "127.0.0.1"]
        with socket.create_connection(("127.0.0.1", gateway.rtmp_port), timeout=5):
            pass
