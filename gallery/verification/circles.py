"""One album or team: its statements, its members, its keys, and what is in it."""

import uuid
from collections.abc import Collection, Iterator

from accounts.models import WrappedKey
from audit.unreadable import unreadable_columns
from cryptocore import statements
from gallery.errors import Altered
from gallery.heads import Body, Heads, is_unbroken
from gallery.image_trail import deletions_without_end
from gallery.members import put_out
from gallery.models import Circle, Member, Row, Statement, SuccessorCircleKey
from gallery.sealing import MEMBERSHIP, album_signed
from gallery.verification.findings import Finding, Kind
from gallery.verification.images import UNREADABLE, missing_of, stands


class CircleCheck:
    """Checks albums and teams, some at a time."""

    def __init__(self, circle_ids: Collection[uuid.UUID]) -> None:
        self._heads = Heads()
        self._heads.prepare(circle_ids)
        self._begun = deletions_without_end(circle_ids)

    def check(self, circle_id: uuid.UUID) -> Iterator[Finding]:
        """Yield what is wrong. Raises TrailAway or django.db.Error."""
        try:
            circle = Circle.objects.filter(pk=circle_id).first()
            if circle is None:  # found by its entries in the trail
                return
            is_deleted = self._heads.is_deleted(circle_id)
            if is_deleted or circle.deleted_at is not None:
                yield from _check_deleted(circle, is_deleted=is_deleted)
            else:
                yield from self._check_live(circle)
        except UNREADABLE:
            yield Finding(Kind.UNREADABLE, circle_id)

    def _check_live(self, circle: Circle) -> Iterator[Finding]:
        if circle.pk in self._begun:
            yield Finding(Kind.WITHOUT_END, circle.pk)
        kept = SuccessorCircleKey.objects.filter(circle=circle)
        for row in (circle, *circle.members.all(), *circle.placements.all(), *kept):
            if columns := unreadable_columns(row):
                yield Finding(Kind.UNREADABLE, circle.pk, f"{row._meta.model_name}: {columns[0]}")
        try:
            membership = self._heads.head(MEMBERSHIP, circle)
        except Altered as altered:
            yield Finding(Kind.HEAD, circle.pk, altered.step)
            return
        yield from _check_row(circle, membership)
        yield from self._check_earlier(circle)
        yield from self._check_members(circle, membership)
        yield from _check_wrapped_keys(circle)
        for placement in circle.placements.filter(ended_at=None).select_related("image"):
            of_now = placement.image.lock, circle.epoch
            if placement.wrapped is not None and (placement.lock, placement.epoch) != of_now:
                yield Finding(Kind.PLACE, circle.pk, f"image {placement.image_id}")
        for row in circle.members.filter(ended_at=None).exclude(team=None).select_related("team"):
            if row.wrapped is not None and row.team and row.team_epoch != row.team.epoch:
                yield Finding(Kind.PLACE, circle.pk, f"team {row.team_id}")

    def _check_earlier(self, circle: Circle) -> Iterator[Finding]:
        if not is_unbroken(self._heads.newest(MEMBERSHIP, circle)):
            yield Finding(Kind.EARLIER, circle.pk, MEMBERSHIP)
        for row in Statement.objects.filter(subject=circle.pk).order_by("sequence").iterator():
            try:
                self._heads.verified_then(row.kind, circle, row)
            except Altered as altered:
                what = f"{row.kind} {row.sequence}: {altered.step}"
                yield Finding(Kind.EARLIER, circle.pk, what)

    def _check_members(self, circle: Circle, membership: Body) -> Iterator[Finding]:
        rows: list[Row] = [
            *(members := circle.members.select_related("circle")),
            *circle.invited.select_related("circle", "invitation"),
        ]
        for row in rows:
            if row.ended_at is None and not self._heads.is_signed(row):
                yield Finding(Kind.READER_UNSIGNED, circle.pk, "{} {}".format(*row.holder))
        if missing := missing_of(membership, [*filter(stands, rows), *put_out(members)]):
            yield Finding(Kind.READER_GONE, circle.pk, f"{missing} of them")


def _check_row(circle: Circle, membership: Body) -> Iterator[Finding]:
    details = bytes(circle.details)
    signed = {
        "epoch": circle.epoch,
        "circle": circle.kind,
        "album": album_signed(circle),
        "members_add": circle.members_add,
        "details": {"sha256": statements.digest(details), "length": len(details)},
    }
    for name, value in signed.items():
        if membership.get(name) != value:
            yield Finding(Kind.ALBUM, circle.pk, name)


def _check_wrapped_keys(circle: Circle) -> Iterator[Finding]:
    """Those of the current epoch, each its member's own; nothing older is left."""
    linked = Member.objects.filter(circle=circle, wrapped_key__isnull=False, ended_at=None)
    readers = dict(linked.values_list("wrapped_key", "reader"))
    for key in WrappedKey.objects.filter(subject=circle.pk).select_related("key_pair"):
        fits = key.lock == circle.epoch and readers.pop(key.pk, None) == key.key_pair.user_id
        if not fits:
            yield Finding(Kind.WRAPPED_KEY, circle.pk, f"person {key.key_pair.user_id}")
    for reader in readers.values():  # theirs is of something else
        yield Finding(Kind.WRAPPED_KEY, circle.pk, f"person {reader}")


def _check_deleted(circle: Circle, *, is_deleted: bool) -> Iterator[Finding]:
    if not is_deleted:
        yield Finding(Kind.DELETED, circle.pk)
    left = {
        "album": circle.deleted_at is None,
        "title": bool(circle.details),
        "wrapped keys": WrappedKey.objects.filter(subject=circle.pk).exists(),
        "members": circle.members.filter(ended_at=None).exists(),
        "images": circle.placements.filter(ended_at=None).exists(),
        "albums": circle.teams_albums.filter(ended_at=None).exists(),
        "invitations": circle.invited.filter(ended_at=None).exists(),
        "key for successors": SuccessorCircleKey.objects.filter(circle=circle).exists(),
        "keys of successors": circle.successor_keys.exists()
        or circle.successor_circle_keys.exists(),
    }
    for what in (name for name, is_there in left.items() if is_there):
        yield Finding(Kind.NOT_DELETED, circle.pk, what)
