"""Acts that end an access, each against openings of what it ends, again and again."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.faults.table import Table
from tests.e2e.server import ROOT

RACES = 100
TESTS = "tests/concurrency/test_circles.py"


def race(folder: Path, table: Table) -> None:
    """One picture that came too late, or anything else that does not pass, is bad."""
    environment = {**os.environ, "RACES": str(RACES)}
    words = [sys.executable, "-m", "pytest", "-q", TESTS]
    done = subprocess.run(words, cwd=ROOT, env=environment)
    table.row(f"races of each act in {TESTS}", RACES, int(done.returncode != 0))
