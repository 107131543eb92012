"""A retried upload: what its first try made is found again, rather than made twice."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from cryptocore import content
from gallery.access import Access, access_to
from gallery.errors import GalleryError, StoredBefore, UploadIdUsed
from gallery.models import Circle, Rendition, SealedImage
from gallery.opening import Opener
from gallery.pictures import Picture
from gallery.readers import readers_as_signed
from gallery.sealing import Received
from gallery.services.uploading import Origin, Terms

ORIGINAL = Rendition.Name.ORIGINAL.value


@dataclass(frozen=True)
class Asked:
    """What is asked for one file: an earlier try counts as this one only if all of it holds.

    `recipients`: people here, and people of invitations.
    """

    picture: Picture[Received] = field(repr=False)
    caption: str = field(repr=False)
    file_name: str = field(repr=False)
    recipients: frozenset[uuid.UUID]
    terms: Terms
    keep_until: datetime | None = None
    teams: frozenset[uuid.UUID] = frozenset()
    album: uuid.UUID | None = None


@sensitive_variables()
def seal_once(
    seal: Callable[[], SealedImage], *, keyring: Keyring, asked: Asked, origin: Origin
) -> SealedImage:
    """Return what an earlier try of this very upload made, otherwise what `seal` makes.

    Raises UploadIdUsed if that was another picture, or has been deleted since: neither may pass
    for the one that was sent now. Raises StoredBefore if it is this picture, but not as asked.
    """
    earlier = _earlier_try(keyring, origin)
    if earlier is None:
        try:
            return seal()
        except IntegrityError:  # both tries at once, and the other one was first
            earlier = _earlier_try(keyring, origin)
            if earlier is None:
                raise
    opener = Opener(keyring)
    try:
        access = access_to(earlier.pk, reader=keyring.user)
        is_this_picture = _is_picture(access, asked.picture, opener)
        is_as_asked = is_this_picture and _is_as_asked(access, asked, opener)
    except GalleryError:  # deleted, or altered
        raise UploadIdUsed from None
    if not is_this_picture:
        raise UploadIdUsed
    if not is_as_asked:
        raise StoredBefore
    return earlier


def _earlier_try(keyring: Keyring, origin: Origin) -> SealedImage | None:
    if origin.upload_id is None:
        return None
    return SealedImage.objects.filter(
        owner=keyring.user, upload_id=origin.upload_id, upload_index=origin.index
    ).first()


@sensitive_variables()
def _is_picture(access: Access, picture: Picture[Received], opener: Opener) -> bool:
    """Whether the owner signed for this very picture. No digest of a picture is kept in clear."""
    content_key = opener.content_key_for(access)
    signed = opener.manifest(access.image)["renditions"][ORIGINAL]["plaintext_tag"]
    tag = content.tagging(content_key, ORIGINAL)
    for piece in picture.original.pieces():
        tag.update(piece)
    return secrets.compare_digest(tag.hexdigest(), signed)


@sensitive_variables()
def _is_as_asked(access: Access, asked: Asked, opener: Opener) -> bool:
    """Whether exactly these people and teams can open it by now, on these terms, it is called so,
    and was not taken out of this album: what its owner took back no retry gives again."""
    image, description = access.image, opener.description(access)
    readers = readers_as_signed(image, opener)
    of_teams = [row for row in readers.placed if row.circle.kind == Circle.Kind.TEAM]
    rows = (*readers.signed, *readers.invited, *of_teams)
    granted = {
        row.holder[1]: Terms(row.rights, row.ends_at)
        for row in rows
        if row.holder[1] != image.owner_id
    }
    has_left = (
        asked.album not in {row.circle_id for row in readers.placed}
        and image.placements.filter(circle=asked.album).exists()
    )
    told = (description["caption"], description["file_name"], image.keep_until)
    wished = dict.fromkeys(asked.recipients | asked.teams, asked.terms)
    is_called_so = told == (asked.caption, asked.file_name, asked.keep_until)
    return granted == wished and is_called_so and not has_left
