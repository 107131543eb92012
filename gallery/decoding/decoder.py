"""A decoder: reads one file, says what it would cost, waits for the word, answers, and ends."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from gallery import intake
from gallery.decoding.answers import PARTS
from gallery.decoding.confining import confine
from gallery.decoding.wire import Channel
from gallery.pictures import Limits, Picture, PictureRejected


def decode(connection: socket.socket) -> None:
    """Serve the worker at the other end, for one file. The caller ends the process."""
    channel = Channel(connection)
    asked, _ = channel.receive(0)
    limits = Limits(**asked["limits"])
    confine(memory_bytes=asked["memory_bytes"], seconds=asked["seconds"])
    header, files = channel.receive(limits.max_bytes)

    @contextmanager
    def turn(pixels: int, held_pixels: int) -> Iterator[None]:
        channel.send({"pixels": pixels, "held_pixels": held_pixels})
        channel.receive(0)
        yield

    try:
        picture = intake.take_in(
            files.pop(), keep_details=header["keep_details"], limits=limits, turn=turn
        )
    except PictureRejected as rejection:
        channel.send({"rejected": rejection.code, "facts": rejection.facts})
    else:
        channel.send(*_as_sent(picture))


def _as_sent(picture: Picture[bytes]) -> tuple[dict[str, object], *tuple[bytes, ...]]:
    fields = asdict(picture)
    parts = [fields.pop(name) for name in PARTS]
    return {"picture": fields}, *parts
