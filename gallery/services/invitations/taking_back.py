"""Ending invitations: taken back, used, or over by their date. Then their keys are destroyed, and
the images they carried are due to be encrypted again (services/ended.py)."""

import uuid
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.erasure import truncate_write_ahead_log
from accounts.models import User, WrappedKey
from audit import events
from audit.events import Event
from gallery.models import Circle, Invitation, InvitedGrant, SealedImage

# What an invitation that is over holds of keys, and of whom it was for.
EMPTIED: dict[str, bytes | None] = {"link_wrapped": None, "wrapped_key": None, "details": b""}


def take_back(*, invitation: Invitation, by: User | None, reason: str = "") -> Sequence[uuid.UUID]:
    """Let a link open nothing any more; return the images it carried, which are due for a new lock.

    `by`: its inviter, staff, or nobody: too many wrong codes. Needs no keys. Raises ValidationError
    if it was used or taken back before, or AuditUnavailable; then nothing has changed.
    """
    facts = {"reason": reason} if reason else {}
    with events.recorded(
        Event.INVITATION_TAKEN_BACK,
        actor=by.pk if by else None,
        subject=invitation.pk,
        in_table=True,
        **facts,
    ):
        with transaction.atomic():
            standing = Invitation.objects.filter(used_at=None, taken_back_at=None)
            mine = standing.filter(pk=invitation.pk)
            if not mine.update(taken_back_at=timezone.now(), **EMPTIED):
                sentence = _("This invitation is no longer open. Nothing was changed.")
                raise ValidationError(sentence, code="not_open")
            images = destroy_keys(invitation)
        truncate_write_ahead_log()
    return images


def destroy_keys(invitation: Invitation) -> list[uuid.UUID]:
    """Destroy what an invitation's key opens, inside the caller's transaction, which holds its row;
    return the images. Albums are due to get their next key. The rows stay as they are: by them the
    owner's next lists, and the next page, know whose access has ended."""
    WrappedKey.objects.filter(subject=invitation.pk).delete()
    carried = InvitedGrant.objects.filter(invitation=invitation, ended_at=None)
    carried.update(wrapped=None)
    images = SealedImage.objects.filter(invited__in=carried, deleted_at=None)
    image_ids = sorted(set(images.values_list("pk", flat=True)))
    due = SealedImage.objects.filter(pk__in=image_ids, relock_after=None)
    due.update(relock_after=timezone.now())
    albums = Circle.objects.filter(invited__in=carried, deleted_at=None, rekey_after=None)
    albums.update(rekey_after=timezone.now())
    return image_ids


# ---- over by their date ----------------------------------------------------------------------


def ended_invitations() -> QuerySet[Invitation]:
    """Return those that nobody used in time and whose links still hold something."""
    return Invitation.objects.filter(ends_at__lte=timezone.now()).exclude(link_wrapped=None)


def destroy_ended_invitations() -> None:
    """Destroy what these links hold: with an older copy of the database such a link would open what
    it carried for as long as the images keep their lock."""
    for invitation in ended_invitations():
        with transaction.atomic():
            if Invitation.objects.filter(pk=invitation.pk, used_at=None).update(**EMPTIED):
                destroy_keys(invitation)
