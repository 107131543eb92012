"""A retried upload: what its first try made is found again, rather than made twice."""

import secrets
from collections.abc import Callable

from django.db import IntegrityError
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from cryptocore import content
from gallery.access import access_to
from gallery.errors import GalleryError, UploadIdUsed
from gallery.intake import Picture
from gallery.models import Rendition, SealedImage
from gallery.opening import Opener
from gallery.services.uploading import Origin

ORIGINAL = Rendition.Name.ORIGINAL.value


@sensitive_variables()
def seal_once(
    seal: Callable[[], SealedImage], *, keyring: Keyring, picture: Picture, origin: Origin
) -> SealedImage:
    """Return what an earlier try of this very upload made, else what `seal` makes.

    Raises UploadIdUsed if that was another picture, or has been deleted since: neither may pass
    for the one that was sent now.
    """
    earlier = _earlier_try(keyring, origin)
    if earlier is None:
        try:
            return seal()
        except IntegrityError:  # both tries at once, and the other one was first
            earlier = _earlier_try(keyring, origin)
            if earlier is None:
                raise
    if not _holds(earlier, picture, keyring):
        raise UploadIdUsed
    return earlier


def _earlier_try(keyring: Keyring, origin: Origin) -> SealedImage | None:
    if origin.upload_id is None:
        return None
    return SealedImage.objects.filter(
        owner=keyring.user, upload_id=origin.upload_id, upload_index=origin.index
    ).first()


@sensitive_variables()
def _holds(image: SealedImage, picture: Picture, keyring: Keyring) -> bool:
    """Whether the owner signed for this very picture. No digest of a picture is kept in clear."""
    opener = Opener(keyring)
    try:
        content_key = opener.content_key_for(access_to(image.pk, reader=keyring.user))
        signed = opener.manifest(image)["renditions"][ORIGINAL]["plaintext_tag"]
    except GalleryError:  # deleted, or altered
        return False
    tag = content.plaintext_tag(content_key, rendition=ORIGINAL, plaintext=picture.original)
    return secrets.compare_digest(tag.hex(), signed)
