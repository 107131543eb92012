"""Prints a table of tried and bad; exits with 1 if anything was bad.

Needs root for the part with a disk of its own that fills up. Words after it choose parts:
`python -m benchmarks.faults uploads revokes full locked races`. With `TEST_POSTGRES=postgres://…`
the races run on that server, in databases of their own.
"""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.faults import filling, killing, locking, racing, revoking
from benchmarks.faults.table import Table

PARTS = {
    "uploads": killing.kill_while_uploading,
    "revokes": revoking.kill_while_revoking,
    "full": filling.fill_each_part,
    "locked": locking.lock_each_database,
    "races": racing.race,
}


def main() -> None:
    table = Table()
    for name in sys.argv[1:] or PARTS:
        if name == "full" and os.geteuid() != 0:
            print("(not run: filling a disk of its own needs root)")
            continue
        # Where temporary files are: a real disk, unless TMPDIR says otherwise. The table says so.
        with tempfile.TemporaryDirectory(prefix="imageshare-faults-") as folder:
            PARTS[name](Path(folder), table)
    sys.exit(1 if table.bad else 0)


if __name__ == "__main__":
    main()
