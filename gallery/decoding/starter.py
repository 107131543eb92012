"""The starter: a program of its own, in a clean interpreter. `python -I -S -B starter.py PATH…`.

Its standard input is a socket on which the worker sends one end of a connection for each picture.
It loads the libraries once and forks, so that a decoder starts in milliseconds; it decodes nothing
itself. It ends when its worker does, and with it every decoder.
"""

import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress

REQUESTS, FIRST_OTHER = 0, 3  # file descriptors: standard input, and the first of no standard use
PIECE_BYTES = 4096


class Starter:
    """The decoders of one worker: each a process, and this end of its connection, held to notice
    when the worker's end is closed."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._running: dict[int, int] = {}  # process by descriptor
        self._poll = select.poll()
        self._poll.register(requests, select.POLLIN)
        self._ended, wake = socket.socketpair()
        self._poll.register(self._ended, select.POLLIN)
        wake.setblocking(False)
        self._wake = wake
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Start and end decoders until the worker is gone."""
        is_asked = True
        while is_asked:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            for descriptor in ready & self._running.keys():
                self._kill(descriptor)
            if self._requests.fileno() in ready:
                is_asked = self._start()
            if self._ended.fileno() in ready:
                self._ended.recv(PIECE_BYTES)
                self._bury()
        for descriptor in self._running:
            os.kill(self._running[descriptor], signal.SIGKILL)

    def _start(self) -> bool:
        """Start a decoder; return False if the worker is gone."""
        word, descriptors, *_ = socket.recv_fds(self._requests, 1, 1)
        for descriptor in descriptors:
            process = os.fork()
            if not process:
                become_decoder(descriptor)
            self._running[descriptor] = process
            self._poll.register(descriptor, 0)  # only to hear that the worker hung up
        return bool(word)

    def _kill(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        os.kill(self._running[descriptor], signal.SIGKILL)  # not buried yet: nobody else has its id

    def _bury(self) -> None:
        for descriptor, process in list(self._running.items()):
            if os.waitpid(process, os.WNOHANG)[0]:
                del self._running[descriptor]
                with suppress(KeyError):  # it was killed
                    self._poll.unregister(descriptor)
                os.close(descriptor)  # so the worker reads the end


def become_decoder(descriptor: int) -> None:
    """Hold nothing but this connection, decode one file, and end the process."""
    from gallery.decoding import confining, decoder

    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        confining.die_with_parent()
        os.dup2(descriptor, 0)
        os.dup2(1, 2)  # what a library says of hostile bytes is for no log
        os.closerange(FIRST_OTHER, os.sysconf("SC_OPEN_MAX"))
        decoder.decode(socket.socket(fileno=0))
        status = 0
    finally:
        os._exit(status)


def main() -> None:
    sys.path += sys.argv[1:]
    from gallery import intake
    from gallery.decoding import confining, decoder  # noqa: F401  (before there are decoders)

    intake.load_decoders()
    gc.freeze()  # what a decoder does not touch is not copied for it
    for number in (signal.SIGINT, signal.SIGTERM):  # they go to the group; the worker ends us
        signal.signal(number, signal.SIG_IGN)
    Starter(socket.socket(fileno=os.dup(REQUESTS))).serve()


if __name__ == "__main__":
    main()
