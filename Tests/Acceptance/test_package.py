"""The Debian package: built, checked, installed into a minimal Debian of its own, and at work there."""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile

import pytest
from gateway import ROOT, Gateway, wait_until

UNIT = ROOT / "packaging" / "sluice.service"


def run(*command, **arguments):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **arguments)
    assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def test_unit_is_valid_and_confined(tmp_path):
    """systemd-analyze knows every line; the only thing that it may miss is the program, which is not installed here."""
    program = pathlib.Path("/usr/bin/sluice")
    text = UNIT.read_text()
    if not program.exists():
        text = text.replace("/usr/bin/sluice", "/bin/true")
    unit = tmp_path / "sluice.service"
    unit.write_text(text)
    checked = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert checked.returncode == 0 and "sluice" not in checked.stderr, checked.stderr
    rated = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
    level = float(rated.split("exposure level for sluice.service:")[1].split()[0])
    assert level <= 2.0, rated


@pytest.mark.skipif(os.geteuid() != 0, reason="without root no package is asked for")
@pytest.mark.parametrize("command,needs", [
    (["scripts/package"], {"dpkg-dev", "binutils", "libsqlite3-dev"}),
    (["scripts/deps", "--test"], {"dpkg-dev", "debootstrap", "systemd", "chromium"}),
], ids=["package", "tests"])
def test_what_a_bare_machine_lacks_is_asked_for_and_named(tmp_path, command, needs):
    """On a machine that has no package and cannot fetch any, nothing is built."""
    for name, does in {"dpkg-query": "exit 0", "apt-get": f'echo "$@" >>{tmp_path}/asked; exit 100'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    environment = dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}")
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "error: apt-get could not install" in done.stderr, done
    asked = (tmp_path / "asked").read_text().split()
    assert needs <= set(asked) and needs <= set(done.stderr.split()), (needs, done.stderr)
    assert "Building" not in done.stderr, done.stderr


def test_service_manager_hears_how_it_goes():
    """What systemd does with Type=notify: a datagram socket, READY, RELOADING, WATCHDOG and STOPPING."""
    import signal
    import socket
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "notify")
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(path)
        manager.settimeout(10)
        gateway = Gateway(environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"})
        with gateway:
            heard = manager.recv(4096).decode()
            assert heard.startswith("READY=1\nSTATUS="), heard
            assert manager.recv(4096) == b"WATCHDOG=1"
            assert manager.recv(4096) == b"WATCHDOG=1"
            gateway.process.send_signal(signal.SIGHUP)
            heard = [manager.recv(4096).decode().split("\n")[0] for _ in range(6)]
            first = heard.index("RELOADING=1")
            assert "READY=1" in heard[first:], heard
            gateway.process.send_signal(signal.SIGTERM)
            wait_until(lambda: manager.recv(4096).startswith(b"STOPPING=1"), 10, "STOPPING=1")
            assert gateway.process.wait(20) == 0
        manager.close()


class Debian:
    """A minimal Debian in a folder, with this machine's network and its /proc."""

    def __init__(self, folder):
        self.root = pathlib.Path(folder)
        ready = os.environ.get("SLUICE_DEBIAN")  # a folder that debootstrap filled, to be copied
        if ready:
            run("cp", "-a", f"{ready}/.", self.root)
        else:
            run("debootstrap", "--variant=minbase", "bookworm", self.root, "http://deb.debian.org/debian", timeout=1200)
        shutil.copy("/etc/resolv.conf", self.root / "etc" / "resolv.conf")
        (self.root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (self.root / "usr/sbin/policy-rc.d").chmod(0o755)
        run("mount", "-t", "proc", "proc", self.root / "proc")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.root / "proc"], check=True)

    def run(self, *command, **arguments):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        return run("chroot", self.root, *command, env=environment, **arguments)


class Installed(Gateway):
    """The packaged gateway, as its own user, with the configuration that the package made."""

    def __init__(self, debian):
        super().__init__(data=tempfile.mkdtemp(prefix="sluice-"))
        self.debian = debian
        pair = debian.run("sh", "-c", "grep -A1 ^keys: /etc/sluice/sluice.yaml | tail -1").split(":")
        self.key, self.secret = pair[0].strip(), pair[1].strip()

    def launch(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [shutil.which("chroot"), "--userspec=sluice:sluice", self.debian.root, "/usr/bin/sluice", "serve", "--config",
                 "/etc/sluice/sluice.yaml"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                env={"PATH": "/usr/bin:/bin", "SLUICE_HTTP_PORT": str(self.http_port),
                     "SLUICE_RTMP_PORT": str(self.rtmp_port)})
        return self


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="debootstrap and chroot need root")
def test_package_installs_and_runs_in_a_minimal_debian(tmp_path):
    made = os.environ.get("SLUICE_PACKAGE")  # one that scripts/package built before
    package = pathlib.Path(made or run(ROOT / "scripts" / "package", tmp_path, timeout=3000).splitlines()[-1])
    fields = run("dpkg-deb", "--field", package)
    assert "libsqlite3-0" in fields and "librtmp1" in fields and "libmicrohttpd12" in fields, fields
    listed = run("dpkg-deb", "--contents", package)
    for path in ["./usr/bin/sluice", "./usr/bin/sluice-worker", "./lib/systemd/system/sluice.service",
                 "./usr/share/sluice/pipelines/record-mp4.yaml"]:
        assert f" {path}\n" in listed, (path, listed)
    folder = tmp_path / "debian"
    folder.mkdir()
    with Debian(folder) as debian:
        shutil.copy(package, folder / "sluice.deb")
        debian.run("apt-get", "update", "-qq", timeout=600)
        debian.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "/sluice.deb", timeout=1200)
        assert "libav" not in debian.run("ldd", "/usr/bin/sluice")
        linked = debian.run("ldd", "/usr/bin/sluice", "/usr/bin/sluice-worker")
        assert "not found" not in linked and "swift" not in linked.lower() and "Foundation" not in linked, linked
        assert debian.run("stat", "-c", "%U:%G %a", "/etc/sluice/sluice.yaml", "/var/lib/sluice").split("\n")[:2] == [
            "root:sluice 640", "sluice:sluice 750"]
        assert "pipelines in /usr/share/sluice/pipelines: ok" in debian.run("sluice", "pipelines", "check")
        gateway = Installed(debian)
        with gateway:
            first = record(gateway, tmp_path / "first.mp4")
            pipelines = [item["name"] for item in gateway.get("/v1/pipelines")["items"]]
            assert "record-mp4" in pipelines, pipelines
            assert gateway.stop() == 0
            upgrade(debian, folder)
            gateway.start()
            assert gateway.get(f"/v1/egress/{first['id']}")["state"] == "complete"
            record(gateway, tmp_path / "second.mp4")
            checked = debian.run("sluice", "store", "check", "--config", "/etc/sluice/sluice.yaml")
            assert "Orphans   none" in checked and "Missing   none" in checked, checked
        debian.run("apt-get", "purge", "-y", "-qq", "sluice", timeout=300)
        assert not (folder / "etc/sluice").exists() and (folder / "var/lib/sluice/recordings").is_dir()
        shutil.rmtree(gateway.data)


def upgrade(debian, folder):
    """The store goes back to the schema of an earlier version; then the package is installed once more, as an upgrade."""
    with sqlite3.connect(folder / "var/lib/sluice/store/sluice.db") as store:
        newest = store.execute("SELECT max(version) FROM schema_version").fetchone()[0]
        if newest == 3:  # its step made indexes alone
            for index in ["documents_ended", "jobs_ended", "events_at", "answers_finished"]:
                store.execute(f"DROP INDEX {index}")
            store.execute("DELETE FROM schema_version WHERE version = 3")
    debian.run("chown", "-R", "sluice:sluice", "/var/lib/sluice/store")
    key = debian.run("cat", "/etc/sluice/sluice.yaml")
    debian.run("apt-get", "install", "-y", "-qq", "--reinstall", "/sluice.deb", timeout=600)
    assert debian.run("cat", "/etc/sluice/sluice.yaml") == key


def record(gateway, path):
    """Publishes the bundled clip, records it, and reads the file."""
    ingress = gateway.ingress("demo")
    publisher = gateway.publish(ingress)
    gateway.published(ingress)
    egress = gateway.egress("demo")
    gateway.published_to_its_end(publisher, ingress)
    done = gateway.stop_egress(egress)
    assert done["state"] == "complete", done
    gateway.download(done, "film", path)
    seconds = float(run("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path))
    assert 11.5 < seconds < 12.5, seconds
    return done
