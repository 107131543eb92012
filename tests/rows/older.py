"""Older, genuine rows put back, as anybody who has an old copy of the database can."""

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

from django.db import Error, models, transaction

from accounts.models import WrappedKey
from gallery.models import (
    Acknowledgement,
    Circle,
    Grant,
    Invitation,
    InvitedGrant,
    Member,
    Placement,
    Rendition,
    SealedImage,
    Statement,
    SuccessorCircleKey,
    SuccessorKey,
)
from tests.environment import DATA_DIR
from tests.rows.flips import unguarded

Piece = tuple[type[models.Model], str]  # a table; of statements those of one kind
PIECES: list[Piece] = [
    *((Statement, kind) for kind in ("share", "manifest", "membership", "acknowledgement")),
    *((model, "") for model in (SealedImage, Rendition, WrappedKey, Grant, Acknowledgement)),
    *((model, "") for model in (Circle, Member, Placement, Invitation, InvitedGrant)),
    *((model, "") for model in (SuccessorKey, SuccessorCircleKey)),
]


class Older:
    """What the tables of images, circles and invitations hold at one moment, and the stored
    bytes."""

    def __init__(self) -> None:
        self._rows = {piece: _rows_of(piece) for piece in PIECES}
        self._stored = {path: path.read_bytes() for path in (DATA_DIR / "images").glob("*/*")}

    def changed(self) -> list[Piece]:
        """Return what holds something else by now."""
        return [piece for piece, rows in self._rows.items() if rows != _rows_of(piece)]

    def put_back(self, pieces: Iterable[Piece]) -> bool:
        """Let these hold what they held then; return whether the database took it."""
        try:
            with unguarded(), transaction.atomic():
                for model, kind in pieces:
                    _of(model, kind)._raw_delete("default")
                    model._base_manager.bulk_create(model(**row) for row in self._rows[model, kind])
        except Error:
            return False
        return True

    def put_files_back(self) -> None:
        for path, data in self._stored.items():
            path.write_bytes(data)


def subsets(pieces: list[Piece]) -> Iterator[tuple[Piece, ...]]:
    """Yield each alone, in pairs, and all together."""
    yield from combinations(pieces, 1)
    yield from combinations(pieces, 2)
    if len(pieces) > 2:
        yield tuple(pieces)


def _of(model: type[models.Model], kind: str) -> Any:
    rows = model._base_manager.all()
    return rows.filter(kind=kind) if kind else rows


def _rows_of(piece: Piece) -> list[dict[str, Any]]:
    model, kind = piece
    names = [one.attname for one in model._meta.concrete_fields]
    return list(_of(model, kind).order_by("pk").values(*names))
