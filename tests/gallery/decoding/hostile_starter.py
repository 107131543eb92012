"""The starter, as if some pictures took over their decoder: a file that names an act does it.

Everything else is the real thing: started, confined, listened to and ended in the same way.
"""

import mmap
import os
import resource
import signal
import socket
import sys
import threading

if __name__ == "__main__":
    sys.path += sys.argv[1:]

from gallery import intake
from gallery.decoding import starter
from gallery.pictures import PictureRejected

FAILED, DONE = 1, 2  # told as the size of a file that is too large


def look_at_descriptors() -> None:
    """Find one beside the connection and the three that lead nowhere."""
    for descriptor in range(3, 1000):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        return
    raise OSError


def look_at_environment() -> None:
    if not os.environ.keys() - {"LC_CTYPE"}:  # Python's own word
        raise OSError


def start_a_process() -> None:
    if not os.fork():
        os._exit(0)


ATTEMPTS = {
    b"read a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
    b"write a file": lambda: os.open("/tmp/taken", os.O_WRONLY | os.O_CREAT),
    b"list a folder": lambda: os.listdir("/"),
    b"remove a file": lambda: os.unlink("/nowhere"),
    b"copy a connection": lambda: os.dup(0),
    b"make a socket": socket.socket,
    b"make a pair of sockets": socket.socketpair,
    b"start a process": start_a_process,
    b"become a program": lambda: os.execv("/bin/true", ["true"]),
    b"signal its parent": lambda: os.kill(os.getppid(), 0),
    b"run memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    b"take back a limit": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    b"take much memory": lambda: bytearray(2**40),
    b"find a descriptor": look_at_descriptors,
    b"find an environment": look_at_environment,
}


def attempt(act) -> None:
    try:
        act()
    except FileNotFoundError:  # it could look
        pass
    except (OSError, MemoryError, ValueError):
        raise PictureRejected("too_large", size=FAILED) from None
    raise PictureRejected("too_large", size=DONE)


def hang() -> None:
    while True:
        signal.getsignal(signal.SIGTERM)


def wait_for_ever() -> None:
    threading.Event().wait()


def fall() -> None:
    os._exit(3)


def answer_without_end() -> None:
    os.write(0, (20).to_bytes(4) + b'{"lengths":[999999]}')
    while True:
        os.write(0, bytes(2**16))


def answer_nonsense() -> None:
    os.write(0, (7).to_bytes(4) + b"nothing")


AFTER_ITS_TURN = {
    b"hang": hang,
    b"wait": wait_for_ever,
    b"fall": fall,
    b"crash": os.abort,
    b"answer without end": answer_without_end,
    b"answer nonsense": answer_nonsense,
}

take_in = intake.take_in


def act_or_take_in(data, *, turn, **options):
    if data == b"hang at once":
        hang()
    if data in ATTEMPTS:
        attempt(ATTEMPTS[data])
    if data in AFTER_ITS_TURN:
        with turn(1, 1):
            AFTER_ITS_TURN[data]()
    return take_in(data, turn=turn, **options)


def main() -> None:
    intake.take_in = act_or_take_in
    starter.main()


if __name__ == "__main__":
    main()
