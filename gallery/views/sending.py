"""Answers that are made while they are sent, when the view and the middleware are left already."""

from collections.abc import Generator
from contextvars import Context, copy_context


def in_this_request(pieces: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    """Return the pieces, each made as a part of the request that asked for them.

    Otherwise entries of the trail would name no request and no address.
    """
    return _made_in(copy_context(), pieces)


def _made_in(
    context: Context, pieces: Generator[bytes, None, None]
) -> Generator[bytes, None, None]:
    try:
        while (piece := context.run(lambda: next(pieces, None))) is not None:
            yield piece
    finally:
        pieces.close()
