"""A selection of originals as one ZIP, made while it is sent.

Each image is opened at its turn, as if it were asked for by itself: its reader's keys, their access
and its signatures are looked at then, its release is recorded, then its first byte leaves. What
was locked, revoked or altered meanwhile is left out, and a text file at the end says why. One
picture is in memory at a time.
"""

import uuid
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from functools import partial

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.custody import Keyring
from accounts.models import User
from audit.context import request_id
from gallery import presenting
from gallery.access import Access, access_to
from gallery.archive import Archive, Names
from gallery.errors import PART_AWAY, Locked
from gallery.models import Grant, Rendition
from gallery.opening import Opened, Opener, settled
from gallery.refusals import REFUSALS, Refusal, away, refusal_for
from gallery.releases import record_opening

LEAVES_OUT: tuple[type[Exception], ...] = (*REFUSALS, *PART_AWAY, OSError)  # UnlockKeysAway
LEFT_OUT = "could-not-be-opened.txt"
# How else than as its media type such a file may end.
ALSO = {"image/jpeg": (".jpeg", ".jpe", ".jfif"), "image/heic": (".heif", ".hif")}


@dataclass(frozen=True)
class LeftOut:
    """An image that is not in the ZIP, named by nothing but what the reader said of it."""

    number: int
    image_id: uuid.UUID
    refusal: Refusal


@dataclass(frozen=True)
class Original:
    """A verified original, with the file name that its reader may know."""

    access: Access
    opened: Opened
    name: str = field(repr=False)


class Zip:
    """What a reader selected, and what could not be opened of it.

    `keyring_now` returns the reader's keys if they are open at that moment.
    """

    def __init__(
        self,
        *,
        reader: User,
        image_ids: Iterable[uuid.UUID],
        keyring_now: Callable[[], Keyring | None],
    ) -> None:
        self.left_out: list[LeftOut] = []
        self._reader = reader
        self._image_ids = image_ids
        self._keyring_now = keyring_now
        self._archive = Archive()
        self._names = Names(LEFT_OUT)

    def pieces(self) -> Generator[bytes, None, None]:
        """Yield the ZIP, nothing at all if no image of it can be opened."""
        for number, image_id in enumerate(self._image_ids, start=1):
            yield from self._pieces_of(number, image_id)
        if not self._archive:
            return
        if self.left_out:
            text = self._text().encode()
            yield from self._archive.file(LEFT_OUT, timezone.now(), lambda: iter([text]))
        yield self._archive.end()

    def _pieces_of(self, number: int, image_id: uuid.UUID) -> Generator[bytes, None, None]:
        """Yield one image. A function of its own: when it ends, its picture is let go before the
        next one is read."""
        try:
            original = self._open(image_id)
            record_opening(original.access, Rendition.Name.ORIGINAL)
        except LEAVES_OUT as error:
            self._leave_out(number, image_id, error)
            return
        ending = presenting.ending_of(original.opened.media_type)
        name = self._names.take(original.name, ending, *ALSO.get(original.opened.media_type, ()))
        yield from self._archive.file(name, original.access.image.sealed_at, original.opened.chunks)

    def _open(self, image_id: uuid.UUID) -> Original:
        """Open with what is known now. Raises what REFUSALS names, or a part that is away.

        An Opener remembers for one request, which lasts an instant; here that is one image.
        """
        access = access_to(image_id, reader=self._reader)
        keyring = self._keyring_now()
        if keyring is None:
            raise Locked
        opener = Opener(keyring)
        return settled(opener, access, partial(_original, opener))

    def _leave_out(self, number: int, image_id: uuid.UUID, error: Exception) -> None:
        try:
            refusal = refusal_for(error) if isinstance(error, tuple(REFUSALS)) else away()
            refusal.record(self._reader.pk, image_id)
        except PART_AWAY:  # of what would say or record why
            refusal = away()
        self.left_out.append(LeftOut(number, image_id, refusal))

    def _text(self) -> str:
        title = _("These images of your selection are not in this ZIP:")
        images = [
            f"{one.number}. {one.image_id}\n   {one.refusal.sentence}" for one in self.left_out
        ]
        reference = _("If you ask staff about it, give them this reference: %(reference)s")
        return "\n\n".join([title, *images, reference % {"reference": request_id()}]) + "\n"


def _original(opener: Opener, access: Access) -> Original:
    """Ask for the right of the very row that is then verified: settled() may read it once more."""
    access.require(Grant.Rights.DOWNLOAD)
    opened = opener.open(access, Rendition.Name.ORIGINAL)
    opened.chunks()  # raises what is wrong with its padding, before its release is recorded
    name = presenting.saved_name(opener, access, opened.media_type, own=True)
    return Original(access, opened, name)
