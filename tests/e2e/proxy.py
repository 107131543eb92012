"""The nginx of docs/examples/nginx.conf before a server, with ports and a certificate of a test."""

import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.server import ROOT, Server, free_port, listens, running

EXAMPLE = ROOT / "docs" / "examples" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="there is no nginx here")
MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1000; }}
http {{
    access_log off;
    {temp_paths}
    include {folder}/imageshare.conf;
}}
"""
TEMP_PATHS = ("proxy", "fastcgi", "uwsgi", "scgi")  # nginx makes them at its start, used or not


@dataclass
class Proxy:
    """Where it listens, what it stands before, and where it would write."""

    port: int
    server: Server
    folder: Path

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"


@contextmanager
def behind_nginx(folder: Path, **variables: str) -> Iterator[Proxy]:
    """Start nginx as the example has it, and a server behind it that knows it is there."""
    port, folder = free_port(), folder.absolute()
    site = f"https://127.0.0.1:{port}"
    with running(folder / "data", SITE_URL=site, **variables) as server:
        configuration = _configured(folder, port, server.port)
        process = subprocess.Popen([str(NGINX), "-p", str(folder), "-c", str(configuration)])
        try:
            _wait_until_it_listens(port, folder)
            yield Proxy(port, server, folder)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _configured(folder: Path, port: int, behind: int) -> Path:
    """Write the example with the test's places in it; return the main configuration."""
    key, certificate = _certificate(folder)
    places = {
        "127.0.0.1:8000": f"127.0.0.1:{behind}",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl;\n    s": f"listen 127.0.0.1:{port} ssl;\n    s",
        "/etc/ssl/images.example.org.pem": str(certificate),
        "/etc/ssl/private/images.example.org.key": str(key),
        "/var/log/nginx/imageshare.log": f"{folder}/access.log",
        "/dev/shm/nginx-imageshare": f"{folder}/bodies",
    }
    text = EXAMPLE.read_text()
    for example, place in places.items():
        assert text.count(example) == 1, example
        text = text.replace(example, place)
    assert not re.search(r"[ \t]/(etc|var|dev)/", text.partition("upstream")[2])
    (folder / "imageshare.conf").write_text(text)
    temp_paths = "".join(f"{name}_temp_path {folder}/{name};" for name in TEMP_PATHS)
    main = folder / "nginx.conf"
    main.write_text(MAIN.format(folder=folder, temp_paths=temp_paths))
    return main


def _certificate(folder: Path) -> tuple[Path, Path]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=127.0.0.1", "-days", "2"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return key, certificate


def trusting_anybody() -> ssl.SSLContext:
    """For a certificate that a test made for itself."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _wait_until_it_listens(port: int, folder: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if listens(port):
            return
        time.sleep(0.1)
    raise AssertionError(f"nginx did not start:\n{(folder / 'error.log').read_text()}")
