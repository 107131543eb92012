"""Access that ended by its date, or with its invitation: the reader's key is destroyed, and the
image is encrypted again.

Refusing a reader whose time is over leaves what was wrapped to them: with an older copy of the
database they could go on opening the image for as long as it keeps its lock. So `purge` destroys
the key, and the owner's next page with open keys changes the lock, as taking access back does.
"""

import time
import uuid
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.models import User, WrappedKey
from gallery.access import has_ended
from gallery.circle_keys import CircleOpener
from gallery.errors import GalleryError
from gallery.invitation_trail import recorded_of
from gallery.models import Grant, InvitedGrant, Placement, Row, SealedImage
from gallery.opening import Opener
from gallery.readers import everybody_signed_has_a_row
from gallery.services.acts import owners_access
from gallery.services.invitations.taking_back import destroy_ended_invitations
from gallery.services.revoking import relock

SECONDS = 0.25  # what one page gives to it; an image that was begun is finished
# So long an image is left alone once somebody took it on, or it could not be done.
PUT_OFF = timedelta(hours=1)


def ended_grants() -> QuerySet[Grant]:
    """Return the rows whose time is over and whose image still has the lock of that time. Never an
    owner's own: no altered row may cost the only key to an image."""
    over = Grant.objects.filter(ended_at=None, ends_at__lte=timezone.now())
    return over.exclude(reader=F("owner"))


def ended_places() -> QuerySet[Placement]:
    """Return the places in albums whose time is over, likewise."""
    return Placement.objects.filter(ended_at=None, ends_at__lte=timezone.now())


def ended_invited() -> QuerySet[InvitedGrant]:
    """Return the rows of invitations that are over, or whose own time is, likewise."""
    now, theirs = timezone.now(), Q(invitation__ends_at__lte=timezone.now())
    theirs |= Q(invitation__used_at__isnull=False) | Q(invitation__taken_back_at__isnull=False)
    return InvitedGrant.objects.filter(Q(ends_at__lte=now) | theirs, ended_at=None)


# ---- the keys --------------------------------------------------------------------------------


def keys_that_ended() -> QuerySet[Grant]:
    return ended_grants().exclude(wrapped_key=None)


def destroy_ended_keys() -> None:
    """Destroy what is wrapped to readers whose time is over, image by image. The rows stay as they
    are: by them the owner's next page sees what has to be encrypted again."""
    for image in set(keys_that_ended().values_list("image", flat=True)):
        with transaction.atomic():
            # Held, or an owner who gives them more time just now would lose a reader's key.
            SealedImage.objects.select_for_update().get(pk=image)
            WrappedKey.objects.filter(grant__in=keys_that_ended().filter(image=image)).delete()
    ended_invited().update(wrapped=None)
    destroy_ended_invitations()


# ---- the locks -------------------------------------------------------------------------------


def images_to_relock(owner: User) -> list[uuid.UUID]:
    """Return the owner's images whose lock a former reader may know. One query: it is asked at
    each page, and where nothing ended no image is looked at. `Exists`: joined with the images,
    SQLite would begin with all that the owner has."""
    theirs = SealedImage.objects.filter(owner=owner, deleted_at=None)
    live = Exists(theirs.filter(pk=OuterRef("image"), relock_after=None))
    ended = ended_grants().filter(live, owner=owner).values_list("image")
    out_of_albums = ended_places().filter(live).values_list("image")
    invited = ended_invited().filter(live).values_list("image")
    put_off = theirs.filter(relock_after__lte=timezone.now()).values_list("pk")
    return [image for (image,) in ended.union(out_of_albums, invited, put_off)]


@sensitive_variables()
def relock_ended(keyring: Keyring, *, seconds: float = SECONDS) -> None:
    """Encrypt some of these images again; the next page goes on. Raises if a part is busy or
    unavailable."""
    deadline = time.monotonic() + seconds
    for image_id in images_to_relock(keyring.user):
        if _claim(image_id):
            # What does not verify, or would shut somebody out, is tried again when it is due.
            with suppress(GalleryError):
                _relock_ended(keyring, image_id)
        if time.monotonic() >= deadline:
            return


def _claim(image_id: uuid.UUID) -> bool:
    """Take an image on, unless another page did. One conditional update; done, it is cleared, and
    whatever fails is due again when its time is over."""
    now = timezone.now()
    free = Q(relock_after=None) | Q(relock_after__lte=now)
    return SealedImage.objects.filter(free, pk=image_id).update(relock_after=now + PUT_OFF) == 1


@sensitive_variables()
def _relock_ended(keyring: Keyring, image_id: uuid.UUID) -> None:
    """Only where the owner signed these ends, and the row of every signed reader is there: an
    altered row must not make them sign a list without somebody."""
    opener, image = Opener(keyring), owners_access(keyring, image_id).image
    over: list[Row] = [
        *ended_grants().filter(image=image).select_related("image__owner"),
        *ended_places().filter(image=image).select_related("image__owner", "circle"),
    ]
    invited = ended_invited().filter(image=image).select_related("image__owner", "invitation")
    is_whole = everybody_signed_has_a_row(image, opener)
    is_over = all(opener.is_signed(row) for row in over)
    if is_whole and is_over and all(is_over_as_signed(row, opener) for row in invited):
        relock(keyring=keyring, image_id=image_id, keeping_everybody=True)


def is_over_as_signed(row: InvitedGrant, opener: CircleOpener) -> bool:
    """Whether what a row says of its end, or of its invitation's, is what was signed or recorded.
    Raises Altered or TrailAway."""
    return (has_ended(row) and opener.is_signed(row)) or recorded_of(row.invitation).is_over
