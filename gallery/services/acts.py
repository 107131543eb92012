"""What every act of an owner on a sealed image, or on an album, has in common.

Read the head; encrypt, wrap and sign; record what is intended; in one short transaction compare the
head again and commit, or start again; record that it is done. If it is missing after `done`,
somebody rolled it back; if it has only `intended`, it was never finished.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import IntegrityError
from django.db.models import F, Q
from django.utils import timezone

from accounts.custody import Keyring
from accounts.keys.certificates import NoKeys, signing_pair_of
from accounts.models import User, WrappedKey
from audit import events
from audit.events import Event, Outcome, record_after
from audit.leaf import Fact
from cryptocore import statements
from gallery.access import Access, access_to
from gallery.circle_events import events_of
from gallery.errors import Altered, HeadMoved
from gallery.heads import Heads
from gallery.image_trail import facts_of
from gallery.ledger import SIGNED_AT
from gallery.models import (
    Circle,
    Ended,
    Grant,
    Invitation,
    InvitedGrant,
    Member,
    Placement,
    Row,
    SealedImage,
    SearchEntry,
    Statement,
    Subject,
)
from gallery.opening import moved_on
from gallery.sealing import head_of

TRIES = 5  # how often an act is tried again because another came between

Result = TypeVar("Result")


def starting_anew(act: Callable[[], Result]) -> Result:
    """Return what `act` returns, tried again while others come between. Raises HeadMoved at
    last."""
    for _ in range(TRIES - 1):
        try:
            return act()
        except HeadMoved:
            continue
    return act()


def owners_access(keyring: Keyring, image_id: uuid.UUID) -> Access:
    """Return the owner's access. Raises NotYours, AccessEnded, NotAllowed or Altered."""
    access = access_to(image_id, reader=keyring.user)
    access.require_owner()
    if access.image.deleted_at is not None:  # deleting ends the owner's own grant with it
        raise Altered("deleted")
    return access


@contextmanager
def anew_if_moved(access: Access, heads: Heads | None = None) -> Iterator[None]:
    """Let an act be tried again if what it read looks altered because another came between. With
    the `heads` it read by, if it reads the description."""
    try:
        yield
    except Altered:
        if moved_on(access, heads):
            raise HeadMoved from None
        raise


@contextmanager
def owners_act(
    event: Event, about: Subject, *, signed: Iterable[Statement] = (), **facts: Fact
) -> Iterator[None]:
    """Record the act on an image or an album as intended, then as done or as failed.

    What it stores counts only while the trail's table vouches for it, so of an act with `signed`
    statements the table must take the intention. Raises AuditUnavailable.
    """
    heads = facts_of(signed)
    if isinstance(about, Circle) and about.album_id:
        facts["album"] = str(about.album_id)
    if heads and event not in SIGNED_AT:
        raise ValueError("what this event signs would never be the newest: see SIGNED_AT")
    with events.recorded(
        event,
        actor=about.owner_id,
        subject=about.pk,
        in_table=bool(heads),
        **heads,
        **facts,
    ):
        yield


@contextmanager
def altered_if_refused() -> Iterator[None]:
    """Around writing what was read before. Raises Altered where the database does not keep it: it
    was not written by us."""
    try:
        yield
    except IntegrityError:
        raise Altered("row-refused") from None


def record_unsigned(about: Subject, rows: Collection[Row]) -> None:
    """Record that rows said somebody may open this whom its owner never named."""
    if rows:
        record_after(
            events_of(about).altered if isinstance(about, Circle) else Event.IMAGE_ALTERED,
            actor=about.owner_id,
            subject=about.pk,
            outcome=Outcome.FAILED,
            step="entries",
            count=len(rows),
        )


def hold(about: Subject, head: Statement | None) -> None:
    """Hold the row of an image or an album, and compare lock, head and date of deletion. Raises
    HeadMoved if any moved on."""
    rows = Circle.objects if isinstance(about, Circle) else SealedImage.objects
    held = rows.select_for_update().get(pk=about.pk)
    newest = head_of(about.list_kind, about.pk)
    if held.deleted_at is not None or held.lock != about.lock:
        raise HeadMoved
    dates = [one.keep_until for one in (held, about) if isinstance(one, SealedImage)]
    if len(set(dates)) > 1:
        raise HeadMoved
    if (newest.digest if newest else None) != (head.digest if head else None):
        raise HeadMoved


def require_present_signer(signer: User, signed: Statement) -> None:
    """With the signer's row held: raises HeadMoved if the key that signed is not their current one.
    What a key signs after it was ordered stolen does not count."""
    key = statements.parse(signed.kind, bytes(signed.body))["key"]
    try:
        present = signing_pair_of(signer.pk).fingerprint
    except NoKeys:
        raise HeadMoved from None
    if present != key:
        raise HeadMoved


def end_rows(rows: Iterable[Row], reason: str) -> None:
    """Take these rows' keys and end them, inside the caller's transaction."""
    ended = {"ended_at": timezone.now(), "ended_reason": reason}
    ids = [row.pk for row in rows]
    WrappedKey.objects.filter(Q(grant__in=ids) | Q(member__in=ids)).delete()
    words = SearchEntry.objects.filter(image__grants__in=ids, person=F("image__grants__reader"))
    words.delete()
    of_members = {"person__memberships__in": ids, "image__placements__circle__members__in": ids}
    SearchEntry.objects.filter(**of_members).exclude(person=F("image__owner")).delete()
    placed = SearchEntry.objects.filter(image__placements__in=ids)
    placed.exclude(person=F("image__owner")).delete()
    Grant.objects.filter(pk__in=ids).update(**ended)
    for model in (Member, Placement, InvitedGrant):
        model._default_manager.filter(pk__in=ids).update(wrapped=None, **ended)


def end_expired(about: Subject) -> None:
    """End the rows whose time, or whose invitation, is over: the new list does not name them. The
    image is due to be encrypted again, the album to get its next key (services/ended.py)."""
    over = {"ended_at": None, "ends_at__lte": timezone.now()}
    ended = {"ended_at": F("ends_at"), "ended_reason": Ended.TIME}
    now = {**ended, "ended_at": timezone.now()}
    closed = about.invited.filter(~Q(invitation__in=Invitation.objects.open()), ended_at=None)
    count = about.invited.filter(**over).update(wrapped=None, **ended)
    count += closed.update(wrapped=None, **now)
    if isinstance(about, Circle):
        WrappedKey.objects.filter(member__in=about.members.filter(**over)).delete()
        if count + about.members.filter(**over).update(wrapped=None, **ended):
            circles = Circle.objects.filter(pk=about.pk, rekey_after=None)
            circles.update(rekey_after=timezone.now())
        return
    WrappedKey.objects.filter(grant__in=about.grants.filter(**over)).delete()
    count += about.grants.filter(**over).update(**ended)
    if count + about.placements.filter(**over).update(wrapped=None, **ended):
        images = SealedImage.objects.filter(pk=about.pk, relock_after=None)
        images.update(relock_after=timezone.now())
