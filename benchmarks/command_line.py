"""`make bench`: sealing and opening 25 MB beside age and GnuPG, whichever of them is installed.

They are whole processes that read and write files in memory, and neither signs here; ours are calls
in this process, signing and verifying among them. So what counts is how each grows with people.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from Crypto.PublicKey import RSA

from benchmarks.sealing import SIZE, open_it, seal
from cryptocore import keypair

PEOPLE, ROUNDS = (1, 10, 50), 5
MEMORY = "/dev/shm"  # proc(5): a file system in memory


class Tool(Protocol):
    """A program that encrypts a file for the first so many of its people."""

    def __init__(self, folder: Path) -> None: ...
    def seal(self, people: int) -> None: ...
    def open(self) -> None: ...


class Age:
    """age, one X25519 key for each person."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keys = folder, list[str]()
        for number in range(max(PEOPLE)):
            run("age-keygen", "-o", str(folder / f"{number}.key"))
            self.keys.append(run("age-keygen", "-y", str(folder / f"{number}.key")).strip())

    def seal(self, people: int) -> None:
        recipients = [word for key in self.keys[:people] for word in ("-r", key)]
        run("age", *recipients, "-o", str(self.folder / "sealed"), str(self.folder / "plain"))

    def open(self) -> None:
        names = [str(self.folder / name) for name in ("0.key", "opened", "sealed")]
        run("age", "-d", "-i", names[0], "-o", *names[1:])


class Gnupg:
    """GnuPG, one Curve25519 key for each person, without compression."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.words = ["gpg", "--homedir", str(folder), "--batch", "--yes", "--passphrase", ""]
        for number in range(max(PEOPLE)):
            run(*self.words, "--quick-generate-key", f"person-{number}@here", "future-default")

    def seal(self, people: int) -> None:
        names = [word for number in range(people) for word in ("-r", f"person-{number}@here")]
        how = ("--trust-model", "always", "--compress-algo", "none")
        into = ("-o", str(self.folder / "sealed"), "-e", str(self.folder / "plain"))
        run(*self.words, *how, *names, *into)

    def open(self) -> None:
        out = ("-o", str(self.folder / "opened"))
        run(*self.words, *out, "-d", str(self.folder / "sealed"))


TOOLS: dict[str, tuple[str, type[Tool]]] = {"age": ("age", Age), "GnuPG": ("gpg", Gnupg)}


def main() -> None:
    plaintext, key, pair = os.urandom(SIZE), os.urandom(32), RSA.generate(keypair.BITS)
    for name, (program, tool) in TOOLS.items():
        if shutil.which(program) is None:
            print(f"(not run: there is no {program} here)")
            continue
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            (Path(folder) / "plain").write_bytes(plaintext)
            theirs = tool(Path(folder))
            print(f"| 25 MB | ours, ms | {name}, ms | ratio |\n|---|---|---|---|")
            for people in PEOPLE:
                compare(
                    f"sealed for {people}",
                    lambda people=people: seal(plaintext, key, pair, people),
                    lambda people=people, theirs=theirs: theirs.seal(people),
                )
            sealed = seal(plaintext, key, pair, 1)
            compare("opened", lambda sealed=sealed: open_it(*sealed, pair), theirs.open)
        print()


def compare(what: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for side, act in zip(times, (ours, theirs), strict=True):
            begun = time.perf_counter()
            act()
            side.append((time.perf_counter() - begun) * 1000)
    mine, other = map(statistics.median, times)
    print(f"| {what} | {mine:.0f} | {other:.0f} | {mine / other:.2f} |", flush=True)


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
