"""Editing what is said of an image: its caption, and what stands for the picture where it is not
seen.

The words are sealed once more, under the same content key; the three pictures stay as they are
stored. The owner signs the next manifest, and the same list of readers again: as after any other of
their acts both heads move, so an older state that somebody puts back is refused.
"""

import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.recipients import hold_people
from audit.events import Event
from cryptocore import canonical, statements
from gallery import storage
from gallery.access import Access
from gallery.errors import EditedMeanwhile
from gallery.models import Rendition, SealedImage, SearchEntry, Statement
from gallery.opening import Opener, settled
from gallery.sealing import MANIFEST, SHARE, Plain, Sealed, seal_rendition, sign_statement
from gallery.services.acts import (
    altered_if_refused,
    anew_if_moved,
    hold,
    owners_access,
    owners_act,
    require_present_signer,
    starting_anew,
)
from gallery.services.uploading import discard_unreferenced

DESCRIPTION = Rendition.Name.DESCRIPTION.value


@dataclass(frozen=True)
class Words:
    """What an owner says of an image. Never prints it."""

    caption: str = field(repr=False)
    alt_text: str = field(repr=False)

    @classmethod
    def of(cls, description: dict[str, Any]) -> "Words":
        return cls(description["caption"], description.get("alt_text", ""))

    @property
    def version(self) -> str:
        """What a page sends back to say which words it showed. A new lock changes none of them."""
        said = {"caption": self.caption, "alt_text": self.alt_text}
        return statements.digest(canonical.encode(said))


@sensitive_variables()
def words_of(access: Access, *, keyring: Keyring) -> Words:
    """Return the words as they are now. Raises as opening does."""
    opener = Opener(keyring)
    return Words.of(settled(opener, access, opener.description))


@sensitive_variables()
def edit_words(*, keyring: Keyring, image_id: uuid.UUID, words: Words, seen: str) -> None:
    """Say this of the owner's image from now on; `seen` is the version they were shown.

    Raises NotYours, AccessEnded, NotAllowed, EditedMeanwhile, OwnKeyRefused, StorageAway,
    AuditUnavailable or HeadMoved, and as opening does; then nothing has changed.
    """
    starting_anew(lambda: _edit_once(keyring, image_id, words, seen))


@sensitive_variables()
def _edit_once(keyring: Keyring, image_id: uuid.UUID, words: Words, seen: str) -> None:
    access, opener = owners_access(keyring, image_id), Opener(keyring)
    image = access.image
    with anew_if_moved(access, opener):
        share, manifest = opener.to_follow(SHARE, image), opener.to_follow(MANIFEST, image)
        description, content_key = opener.description(access), opener.content_key_for(access)
        said, listed = opener.manifest(image), opener.head(SHARE, image)["entries"]
    before = Words.of(description)
    if words == before:
        return
    if before.version != seen:
        raise EditedMeanwhile
    description |= {"caption": words.caption, "alt_text": words.alt_text}
    plain = Plain([canonical.encode(description)], "application/json")
    sealed = seal_rendition(DESCRIPTION, plain, content_key)
    sign = partial(sign_statement, keyring=keyring, subject=image.pk)
    next_share = sign(SHARE, {"entries": listed}, previous=share)
    fields = {
        "lock": image.lock,
        "share": next_share.digest,
        "renditions": {**said["renditions"], DESCRIPTION: sealed.facts},
        "key_commitment": said["key_commitment"],
    }
    _commit(image, share, sealed, [sign(MANIFEST, fields, previous=manifest), next_share])


def _commit(image: SealedImage, head: Statement, sealed: Sealed, signed: list[Statement]) -> None:
    """Write the new ciphertext, exchange the rows, then take the old ciphertext away."""
    row = image.renditions.get(name=DESCRIPTION)
    old_name, new_name = row.storage_name, ""
    with owners_act(Event.IMAGE_DETAILS_EDITED, image, signed=signed):
        try:
            new_name = row.storage_name = storage.put(sealed.stored)
            with altered_if_refused(), transaction.atomic():
                _exchange(image, head, row, signed)
        except BaseException:
            discard_unreferenced([new_name] if new_name else [])
            raise
        storage.discard([old_name])
        truncate_write_ahead_log()


def _exchange(image: SealedImage, head: Statement, row: Rendition, signed: list[Statement]) -> None:
    hold(image, head)
    hold_people([image.owner])
    require_present_signer(image.owner, signed[0])
    row.save(update_fields=["storage_name"])
    Statement.objects.bulk_create(signed)
    renditions = statements.parse(MANIFEST, bytes(signed[0].body))["renditions"]
    image.stored_bytes = sum(one["length"] for one in renditions.values())
    image.save(update_fields=["stored_bytes"])
    # Of every reader, so that nobody finds it by words that it has no longer.
    SearchEntry.objects.filter(image=image).delete()
