"""The worker's side: has a decoder take a file, and waits for it no longer than is right."""

import atexit
import importlib.util
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from accounts.turns import Busy
from gallery.decoding.answers import most_bytes, picture_in, pixels_in, rejection_in
from gallery.decoding.wire import Broken, Channel
from gallery.pictures import Limits, Original, Picture, PictureRejected

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent.parent
STARTER = ROOT / "gallery" / "decoding" / "starter.py"
LIBRARIES = ("PIL", "pi_heif")

# Measured: the costliest pictures take 17 bytes of memory for each pixel, and 50 ms of a processor
# for each million. A decoder may take so much beside that, and a machine be twenty times as slow.
BYTES_EACH_PIXEL, BYTES_BESIDE = 24, 128 * 2**20
READING_SECONDS, PIXELS_A_SECOND, MOST_SECONDS = 20, 1_000_000, 120
PROCESSOR_SECONDS = 60
STARTER_ENDS_SECONDS = 0.1  # after its connections have

DECODER_LOST = "A picture ended its decoder, or kept it too long (%.1f s)."
STARTER_ENDED = "The starter of decoders was ended; the next picture starts it again."


class DecoderLost(PictureRejected):
    """Unreadable: the picture ended its decoder, or kept it so many seconds without an answer."""

    def __init__(self, seconds: float) -> None:
        super().__init__("unreadable")
        self.seconds = seconds


class Decoders:
    """The decoders of this process. Their starter is started by the first who asks, or ahead."""

    def __init__(self, program: Path = STARTER) -> None:
        self._program = program
        self._forget()
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.stop)

    def _forget(self) -> None:
        """Leave the starter to the process that started it."""
        self._lock = threading.Lock()
        self._starter: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None

    def start(self) -> None:
        """Start the starter, if it does not run."""
        with self._lock:
            self._running()

    def stop(self) -> None:
        """End the starter, and with it all that it started."""
        with self._lock:
            self._end()

    @property
    def process_id(self) -> int | None:
        """The starter's, for who watches it."""
        return self._starter.pid if self._starter else None

    def take(self, data: bytes, *, keep_details: bool, limits: Limits) -> "Decoding":
        """Give a file to a decoder, which reads its headers and removes its details.

        Raises PictureRejected if that shows it is none we take, DecoderLost among these; Busy if
        the starter was killed.
        """
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            try:
                starter = self._ask_for_decoder(theirs)
            except OSError:  # it was killed
                self._end()
                starter = self._ask_for_decoder(theirs)
        decoding = Decoding(Channel(ours), starter, limits)
        decoding.begin(data, keep_details=keep_details)
        return decoding

    def _ask_for_decoder(self, theirs: socket.socket) -> "subprocess.Popen[bytes]":
        requests, starter = self._running()
        socket.send_fds(requests, [b"\0"], [theirs.fileno()])
        return starter

    def _running(self) -> "tuple[socket.socket, subprocess.Popen[bytes]]":
        if self._requests is None or self._starter is None:
            self._requests, theirs = socket.socketpair()
            with theirs:
                self._starter = subprocess.Popen(  # noqa: S603  (our own program)
                    [sys.executable, "-I", "-S", "-B", str(self._program), *import_paths()],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    cwd="/",
                    env={},
                )
        return self._requests, self._starter

    def _end(self) -> None:
        if self._requests and self._starter:
            self._requests.close()
            self._starter.wait()
        self._requests = self._starter = None


class Decoding:
    """A file in a decoder's hands. Close it: that ends the decoder, whatever it is doing."""

    pixels: int  # to be gone over, of all frames
    held_pixels: int  # of them, at once in memory

    def __init__(
        self, channel: Channel, starter: "subprocess.Popen[bytes]", limits: Limits
    ) -> None:
        self._channel, self._starter, self._limits = channel, starter, limits

    def begin(self, data: bytes, *, keep_details: bool) -> None:
        limits = self._limits
        with self._one_refusal():
            self._channel.wait_at_most(READING_SECONDS)
            self._channel.send(
                {
                    "limits": asdict(limits),
                    "memory_bytes": BYTES_BESIDE
                    + 4 * limits.max_bytes
                    + BYTES_EACH_PIXEL * limits.max_pixels,
                    "seconds": PROCESSOR_SECONDS,
                }
            )
            self._channel.send({"keep_details": keep_details}, data)
            header, _ = self._channel.receive(0)
            if "rejected" in header:
                raise rejection_in(header)
            self.pixels, self.held_pixels = pixels_in(header)

    def picture(self, keep: Callable[[Iterator[bytes]], Original]) -> Picture[Original]:
        """Have it decoded, and return what came of it, with what `keep` makes of the original,
        which comes in pieces. Raises PictureRejected, or Busy."""
        with self._one_refusal():
            seconds = READING_SECONDS + self.pixels / PIXELS_A_SECOND
            self._channel.wait_at_most(min(seconds, MOST_SECONDS))
            self._channel.send({})
            header, lengths = self._channel.receive_header(most_bytes(self._limits))
            if "rejected" in header:
                raise rejection_in(header)
            picture = picture_in(header, lengths, self._channel.pieces, self._limits, keep)
        self.close()
        return picture

    def close(self) -> None:
        self._channel.close()

    @contextmanager
    def _one_refusal(self) -> Iterator[None]:
        """A picture that ends its decoder, or keeps it too long, is unreadable. Nobody else's is:
        where the starter is gone, whose end nobody's picture is, it was Busy."""
        begun = time.monotonic()
        try:
            yield
        except Broken:
            seconds = time.monotonic() - begun
            self.close()
            if self._starter_has_ended():
                logger.warning(STARTER_ENDED)
                raise Busy from None
            logger.warning(DECODER_LOST, seconds)
            raise DecoderLost(seconds) from None
        except PictureRejected:
            self.close()
            raise

    def _starter_has_ended(self) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self._starter.wait(STARTER_ENDS_SECONDS)
            return True
        return False


def import_paths() -> list[str]:
    """Return where a clean interpreter finds our code and the decoders."""
    specs = [importlib.util.find_spec(name) for name in LIBRARIES]
    places = [Path(spec.origin).parent.parent for spec in specs if spec and spec.origin]
    return list(dict.fromkeys(map(str, (ROOT, *places))))


DECODERS = Decoders()
