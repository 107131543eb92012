"""The environment every test runs in; a pytest plugin, because settings are read before conftest.

A data folder of its own, cheap key derivation, and the fixed test keys instead of new ones.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from imageshare import keyfile, start
from tests import postgres

CHEAP = {
    "TESTING": "True",
    "KDF_TIME_COST": "1",
    "KDF_MEMORY_KIB": "64",
    "THREADS": "32",  # in one process, what an installation serves at a time in two
}


def prepare(data_dir: Path) -> None:
    """Fill `data_dir` as a first `make run` does, and point this process at it."""
    os.umask(0o077)
    for name in ("images", "tmp"):
        (data_dir / name).mkdir(parents=True, exist_ok=True)
    start.claim_storage(data_dir)
    keyfile.create(data_dir / "server-keys.json")
    os.environ.update(CHEAP, DATA_DIR=str(data_dir), SECRET_KEY="for tests only " * 4)
    os.environ["DJANGO_SETTINGS_MODULE"] = "imageshare.settings"
    for name in ("SITE_URL", "DATABASE_URL", "AUDIT_DATABASE_URL", "KEY_FILE"):
        os.environ.pop(name, None)
    if postgres.SERVER:
        postgres.connect().close()
        os.environ["DATABASE_URL"] = postgres.address(postgres.RUN)
        os.environ["AUDIT_DATABASE_URL"] = postgres.address(f"{postgres.RUN}_audit")


# In memory where there is such a place: the suite waits for no disk.
MEMORY = Path("/dev/shm")
DATA_DIR = Path(
    tempfile.mkdtemp(prefix="imageshare-tests-", dir=MEMORY if MEMORY.is_dir() else None)
)
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)
prepare(DATA_DIR)
