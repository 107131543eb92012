"""Closing what the server keeps to the other accounts of its machine, at each start.

What we make is private from the beginning. What was copied here, restored or unpacked has whatever
mode that left it: the key file readable by everybody, and nobody notices.
"""

import stat
import sys
from collections.abc import Iterable
from pathlib import Path

GROUP_AND_OTHERS, OTHERS = 0o077, 0o007


def close_to_others(paths: Iterable[Path]) -> None:
    """Make each path that exists its owner's alone, and say so.

    What belongs to somebody else is as they want it, as a key file of root's that one group reads;
    but open to everybody it stops the start. Exits then.
    """
    for path in paths:
        if path.exists():
            _close(path, stat.S_IMODE(path.stat().st_mode))


def _close(path: Path, mode: int) -> None:
    if not mode & GROUP_AND_OTHERS:
        return
    try:
        path.chmod(mode & ~GROUP_AND_OTHERS)
    except OSError:  # not ours to change, or a file system without modes
        if mode & OTHERS:
            sys.exit(
                f"Every account of this machine gets at {path} (mode {mode:o}), and it is not ours "
                f"to close. Nothing was started. Close it: chmod o-rwx '{path}'"
            )
        return
    print(
        f"Other accounts of this machine got at {path} (mode {mode:o}); now only its owner does. "
        "What they may have copied is not called back: docs/operations.md, “Playbook”.",
        flush=True,
    )
