"""Checking a person's own wrapped keys, while they can be opened.

A wrapped key that was damaged is not noticed while its quick key works, and the quick key is a
cache that is lost with the master key: the image would be lost at the next recovery. So a few are
opened without it at each unlocked page; one that does not open is wrapped again from its quick key,
if that is the content key its owner committed to. What the successors have of the person's own is
looked at beside it: it may be needed when nobody is left who could make it again.
"""

import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from django.db.models import F
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring
from accounts.keys.certificates import NoKeys
from accounts.models import User, WrappedKey
from accounts.services.rotating import mending
from audit.events import Event, Outcome, record
from audit.leaf import Fact
from cryptocore.errors import CryptoError
from gallery.beside import Kept, key_in
from gallery.errors import Altered, GalleryError
from gallery.models import Circle, Grant, Member, Subject, SuccessorKey
from gallery.opening import Opener
from gallery.services.successors import circles_of
from gallery.unwrapping import IsCommitted

SECONDS = 0.05  # what one page gives to it: some ten keys
CHUNK = 10


@dataclass
class Looked:
    """What one request saw, and which it saw last."""

    up_to: uuid.UUID | None
    checked: int = 0
    damaged: int = 0


@sensitive_variables()
def look_over_own_keys(keyring: Keyring) -> None:
    """Look at some of the person's wrapped keys, going on where the last page stopped."""
    check = mending.check_due(keyring.user)
    if check is None:
        return
    seen, opener, deadline = Looked(check.up_to), OwnOpener(keyring), time.monotonic() + SECONDS
    pairs, next_of = list(mending.own_pairs(keyring.user)), WrappedKey.objects.next_of
    while some := next_of(pairs, after=seen.up_to, at_most=CHUNK):
        for row in some:
            seen.checked, seen.up_to = seen.checked + 1, row.pk
            seen.damaged += not opener.is_sound(row)
        if time.monotonic() >= deadline:
            break
    mending.save_progress(check, **vars(seen), is_done=not some)


class OwnOpener(Opener):
    """Opens wrapped keys the long way, and mends those that only the short way opens."""

    @sensitive_variables()
    def is_sound(self, wrapped: WrappedKey) -> bool:
        """Whether this wrapped key opens, or does again. If nothing opens it, that is on record."""
        subject = self._subject_of(wrapped)
        if subject is None:
            return True  # nothing hangs on it
        is_committed = partial(self._is_key_of, subject)
        try:
            is_committed(bytes(32))
            self._check_place(wrapped, subject, subject.lock)
        except Altered:
            return True  # whatever is altered there, opening it says so
        self._remove_damaged(subject, is_committed)
        with suppress(Altered):
            if is_committed(self._by_private_key(wrapped)):
                return True
        if self._is_mended(wrapped, is_committed):
            return True
        if not WrappedKey.objects.filter(pk=wrapped.pk, oaep_bytes=wrapped.oaep_bytes).exists():
            return True  # re-locked meanwhile, or access ended
        self._record_damaged(wrapped.subject)
        return False

    def _subject_of(self, wrapped: WrappedKey) -> Subject | None:
        """Return the image or the circle whose key this is."""
        mine = {"wrapped_key": wrapped, "reader": self._keyring.user}
        if grant := Grant.objects.filter(**mine).select_related("image__owner").first():
            return grant.image
        if member := Member.objects.filter(**mine).select_related("circle__owner").first():
            return member.circle
        return None

    @sensitive_variables()
    def _is_key_of(self, subject: Subject, key: bytes) -> bool:
        """Whether the owner committed to this key. Raises Altered where nothing says so."""
        if isinstance(subject, Circle):
            return self.is_circle_key(key, subject)
        return self.is_content_key(key, subject)

    @sensitive_variables()
    def _is_mended(self, wrapped: WrappedKey, is_committed: IsCommitted) -> bool:
        content_key = self._by_quick_key(wrapped)
        try:
            if content_key is None or not is_committed(content_key):
                return False
            mending.mend(keyring=self._keyring, wrapped=wrapped, content_key=content_key)
        except (Altered, CryptoError, NoKeys, DoesNotOpen):
            return False
        return True

    @sensitive_variables()
    def _remove_damaged(self, subject: Subject, is_committed: IsCommitted) -> None:
        """Remove what does not open of the keys that the person's own successors have: this page or
        the next makes it again (gallery/services/successors.py)."""
        for successors, row in _keys_for_successors(subject, self._keyring.user):
            with suppress(GalleryError):  # the page of successors says what is wrong with them
                if self._opens(row, self.own_circle_key(successors), is_committed):
                    continue
                unchanged = type(row).objects.filter(pk=row.pk, wrapped=row.wrapped)
                if unchanged.delete()[0]:
                    self._record_damaged(subject.pk, successors=str(successors.pk))

    @sensitive_variables()
    def _opens(self, row: Kept, circle_key: bytes, is_committed: IsCommitted) -> bool:
        try:
            return is_committed(key_in(row, circle_key))
        except (CryptoError, ValueError):  # a column may hold anything
            return False

    def _record_damaged(self, subject: uuid.UUID, **facts: Fact) -> None:
        record(
            Event.WRAPPED_KEY_DAMAGED,
            actor=self._keyring.user.pk,
            subject=subject,
            outcome=Outcome.FAILED,
            in_table=False,
            **facts,
        )


def _keys_for_successors(subject: Subject, owner: User) -> list[tuple[Circle, Kept]]:
    """Return those of the keys of now, with whose they are; others are made again without a
    look."""
    if isinstance(subject, Circle):
        of_now = {"epoch": subject.epoch, "team_epoch": F("team__epoch")}
        held = subject.handed_over.filter(team__in=circles_of(owner), **of_now)
        return [(row.team, row) for row in held.select_related("team")]
    of_now = {"lock": subject.lock, "epoch": F("circle__epoch")}
    keys = SuccessorKey.objects.filter(image=subject, circle__in=circles_of(owner), **of_now)
    return [(row.circle, row) for row in keys.select_related("circle")]
