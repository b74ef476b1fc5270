"""A certificate authority for the tests, and gateways with its certificates."""

import os
import signal
import socket
import ssl
import subprocess
import tempfile

from gateway import Gateway, free_ports, wait_until

SECRET = "an-operator-secret-0123456789abcdef"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60)


class Authority:
    """Signs certificates for localhost in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate = folder / "ca.pem"
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
            "/CN=Sluice test authority", "-keyout", folder / "ca.key", "-out", self.certificate)

    def sign(self, name, days=30, key="rsa"):
        """Files of a certificate for localhost and its key."""
        paths = [self.folder / f"{name}.{suffix}" for suffix in ("pem", "key", "csr", "ext")]
        certificate, private, request, extensions = paths
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        algorithm = ["rsa:2048"] if key == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("req", "-newkey", *algorithm, "-nodes", "-subj", f"/CN={name}", "-keyout", private, "-out", request)
        openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.folder / "ca.key", "-CAcreateserial",
            "-days", days, "-extfile", extensions, "-out", certificate)
        return certificate, private


def common_name(port, authority):
    """The name in the certificate that a port shows now."""
    context = ssl.create_default_context(cafile=authority.certificate)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secure:
            return dict(pair[0] for pair in secure.getpeercert()["subject"])["commonName"]


class SecureGateway(Gateway):
    """HTTPS and RTMPS on localhost, with the files `cert.pem` and `key.pem` of its folder."""

    def __init__(self, authority, more="", **arguments):
        self.authority = authority
        (self.rtmps_port,) = free_ports(1)
        folder = tempfile.TemporaryDirectory(prefix="sluice-tls-")
        super().__init__(data=folder.name, **arguments)
        self.own_data = folder
        self.key, self.secret = "main", SECRET
        self.tls_context = ssl.create_default_context(cafile=authority.certificate)
        self.more = more
        self.use(*authority.sign("first"))

    @property
    def url(self):
        return f"https://localhost:{self.http_port}"

    @property
    def rtmps(self):
        return f"rtmps://localhost:{self.rtmps_port}/live"

    def use(self, certificate, private):
        """Lays the files of a certificate where the configuration names them; nothing is told."""
        for source, name in ((certificate, "cert.pem"), (private, "key.pem")):
            draft = self.data / f"{name}.new"
            draft.write_bytes(source.read_bytes())
            draft.rename(self.data / name)

    def write_configuration(self):
        self.configuration = f"""
http: {{ host: 127.0.0.1, tls: {{ cert: {self.data}/cert.pem, key: {self.data}/key.pem }} }}
rtmp: {{ host: 127.0.0.1, tls_port: {self.rtmps_port} }}
keys: {{ main: {SECRET} }}
{self.more}
"""

    def launch(self):
        self.write_configuration()
        return super().launch()

    def hang_up(self, says):
        """SIGHUP; waits until the log `says` so once more."""
        before = self.log().count(says)
        os.kill(self.process.pid, signal.SIGHUP)
        wait_until(lambda: self.log().count(says) > before, 10, f"the log says {says!r}")
