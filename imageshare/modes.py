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
    """Make each existing path readable by its owner only, and say so.

    A file that belongs to somebody else stays as they want it, such as a key file of root's that
    one group can read; but if everybody can read it, the start stops. Exits then.
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
                f"{path} is open to every account of this machine (mode {mode:o}), and we cannot "
                f"change that. Nothing was started. Close it yourself: chmod o-rwx '{path}'"
            )
        return
    print(
        f"{path} was open to other accounts of this machine (mode {mode:o}); now only its owner "
        "can read it. If others use this machine, they may have a copy: docs/operations.md, "
        "“Playbook”.",
        flush=True,
    )
