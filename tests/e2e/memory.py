"""The peak memory of a server's processes, over one act at a time (Linux: /proc)."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.e2e.server import Server

Result = TypeVar("Result")
FORGET_PEAK = "5"  # proc(5), clear_refs: the peak begins again at what is resident now


def peak_mb(server: Server, act: Callable[[], Result]) -> int:
    """Do `act`; return the largest peak that any one process had meanwhile."""
    for process in server.processes():
        Path(f"/proc/{process}/clear_refs").write_text(FORGET_PEAK)
    act()
    return max(_line_mb(process, "VmHWM") for process in server.processes())


def resident_mb(server: Server) -> int:
    """Return the memory of the largest process now."""
    return max(_line_mb(process, "VmRSS") for process in server.processes())


def _line_mb(process: int, name: str) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) // 1024
