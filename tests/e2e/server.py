"""A real server in a process of its own.

REAL ones make and derive keys as an installation does. QUICK ones give people the fixed RSA keys,
and derive others cheaply, unless over https, where that is refused.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import postgres
from tests.environment import CHEAP

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60
REAL, QUICK = "imageshare.start", "tests.e2e.quick_start"
CHEAP_DERIVATION = ("TESTING", "KDF_TIME_COST", "KDF_MEMORY_KIB")
OURS = {
    *CHEAP,
    *("SECRET_KEY", "DJANGO_SETTINGS_MODULE", "DATA_DIR", "PORT"),
    *("DATABASE_URL", "AUDIT_DATABASE_URL"),
}


@dataclass
class Server:
    """Where it is, where it keeps everything, and what it printed."""

    port: int
    data_dir: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def processes(self) -> list[int]:
        """The server and its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment_of(data_dir: Path, port: int) -> dict[str, str]:
    """What a newcomer's shell has, and nothing of the test suite's."""
    clean = {name: value for name, value in os.environ.items() if name not in OURS}
    if postgres.SERVER:
        clean["DATABASE_URL"] = postgres.database_of(data_dir)
    return {**clean, "DATA_DIR": str(data_dir), "PORT": str(port), "PYTHONPATH": str(ROOT)}


@contextmanager
def running(
    data_dir: Path, module: str = QUICK, *, cwd: Path = ROOT, **variables: str
) -> Iterator[Server]:
    """Start the server over `data_dir`, as `make run` does; stop it as Ctrl-C does."""
    port, log = free_port(), data_dir.parent / f"{data_dir.name}.log"
    is_cheap = module == QUICK and not variables.get("SITE_URL", "").startswith("https:")
    cost = {name: CHEAP[name] for name in CHEAP_DERIVATION} if is_cheap else {}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=cwd,
            env={**environment_of(data_dir, port), **cost, **variables},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield Server(port, data_dir, log, process)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if listens(port):
            return
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
