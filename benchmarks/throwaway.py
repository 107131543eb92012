"""Where benchmarks keep their data: a folder on a real disk, gone afterwards."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REAL_DISK = Path("/var/tmp")  # outlives a restart (FHS), so never in memory; fsync costs there


@contextmanager
def data_folder() -> Iterator[Path]:
    """Yield the path of a data folder that is not there yet."""
    with tempfile.TemporaryDirectory(prefix="imageshare-bench-", dir=REAL_DISK) as folder:
        yield Path(folder) / "data"


def say_how_busy() -> None:
    """Print what else the machine was doing: the load of the minute before."""
    print(f"(load of the minute before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores)\n")
