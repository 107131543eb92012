"""Somebody who has an account already follows a link: they say so, and its inviter decides.

Until then nothing moves: a link that fell into other hands must not hand images over to whoever is
signed in. Who claimed is believed as the trail says, never as the row does.
"""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.recipients import Reader
from accounts.models import User
from audit import events
from audit.events import Event
from gallery.access import has_ended
from gallery.errors import InvitationGone
from gallery.invitation_keys import InvitationKey
from gallery.invitation_trail import recorded_of
from gallery.models import Circle, Grant, Invitation, InvitedGrant, Member
from gallery.services.circles.sharing import share_circle
from gallery.services.invitations.taking_back import EMPTIED, destroy_keys
from gallery.services.many import Done, one_after_another
from gallery.services.sharing import Shared, share_image
from gallery.services.uploading import Terms

HandedOver = Shared[Grant] | Shared[Member]


def claim(*, key: InvitationKey, person: User) -> None:
    """Record that somebody followed this link. Raises ValidationError if it is their own, or
    somebody else was before them; InvitationGone or AuditUnavailable."""
    invitation = key.invitation
    if invitation.inviter_id == person.pk:
        sentence = _("This is your own invitation. Send its link to the person it is for.")
        raise ValidationError(sentence, code="own_invitation")
    if key.recorded.claimed_by not in (None, person.pk):
        raise _claimed_before()
    unclaimed = Q(claimed_by=None) | Q(claimed_by=person)
    with events.recorded(
        Event.INVITATION_CLAIMED, actor=person.pk, subject=invitation.pk, in_table=True
    ):
        open_now = Invitation.objects.open().filter(pk=invitation.pk)
        if not open_now.exists():
            raise InvitationGone
        claimed = {"claimed_by": person, "claimed_at": timezone.now()}
        if not open_now.filter(unclaimed).update(**claimed):
            raise _claimed_before()


def _claimed_before() -> ValidationError:
    sentence = _(
        "Somebody else followed this link before you, and the person who made it has not decided "
        "yet. Nothing was changed. Ask them for another."
    )
    return ValidationError(sentence, code="claimed_before")


def claimant_of(invitation: Invitation) -> User | None:
    """Return who waits for the inviter's word. Raises Altered or TrailAway."""
    recorded = recorded_of(invitation)
    is_over = recorded.is_over or invitation.state != Invitation.State.OPEN
    if is_over or recorded.claimed_by != invitation.claimed_by_id:
        return None
    return invitation.claimed_by


def refuse_claim(*, invitation: Invitation, by: User) -> None:
    """Leave the invitation as it was. Raises AuditUnavailable."""
    with events.recorded(
        Event.INVITATION_CLAIM_REFUSED, actor=by.pk, subject=invitation.pk, in_table=True
    ):
        standing = Invitation.objects.filter(pk=invitation.pk, used_at=None)
        standing.update(claimed_by=None, claimed_at=None)


# ---- agreeing --------------------------------------------------------------------------------


@sensitive_variables()
def agree_to_claim(
    *, keyring: Keyring, invitation: Invitation, reader: Reader, may_go_on: Callable[[], bool]
) -> list[Done[HandedOver]]:
    """Share what an invitation carries with the person who claimed it, on the same terms; return
    what came of each image. Once nothing is left, the invitation is used up.

    `reader`: that person, with the key to wrap to. Raises ValidationError if the invitation is not
    open any more or waits for somebody else, Altered, TrailAway or AuditUnavailable.
    """
    invitation.refresh_from_db()
    if claimant_of(invitation) != reader.user:
        raise _not_open()
    rows = {row.list_of.pk: row for row in carried_by(invitation)}
    done: list[Done[HandedOver]] = []
    if rows:
        done = one_after_another(
            list(rows),
            lambda image_id: [_hand_over(keyring, rows[image_id], reader)],
            may_go_on=may_go_on,
        )
    if not carried_by(invitation):
        _use_up(invitation, reader.user, by=keyring.user)
    return done


def carried_by(invitation: Invitation) -> list[InvitedGrant]:
    """Return what an invitation carries, of images and albums that are there."""
    rows = InvitedGrant.objects.filter(invitation=invitation, ended_at=None)
    rows = rows.filter(image__deleted_at=None, circle__deleted_at=None)
    rows = rows.select_related("image", "circle")
    there = [row for row in rows.order_by("granted_at", "pk") if row.image or row.circle]
    return [row for row in there if not has_ended(row)]


@sensitive_variables()
def _hand_over(keyring: Keyring, row: InvitedGrant, reader: Reader) -> HandedOver:
    """One statement names the reader and drops the invitation. Who can open it already keeps the
    terms they have."""
    terms, about = Terms(row.rights, row.ends_at), row.list_of
    theirs: list[Grant | Member] = [
        *Grant.objects.filter(image=row.image, reader=reader.user, ended_at=None),
        *Member.objects.filter(circle=row.circle, reader=reader.user, ended_at=None),
    ]
    for one in theirs:
        if not has_ended(one):
            terms = Terms(one.rights, one.ends_at)
    if isinstance(about, Circle):
        return share_circle(
            keyring=keyring,
            circle_id=about.pk,
            recipients=[reader],
            terms=terms,
            instead_of=row.invitation,
            kind=about.kind,
        )
    return share_image(
        keyring=keyring,
        image_id=about.pk,
        recipients=[reader],
        terms=terms,
        instead_of=row.invitation,
    )


def _use_up(invitation: Invitation, person: User, *, by: User) -> None:
    with events.recorded(
        Event.INVITATION_CLAIM_AGREED,
        actor=by.pk,
        subject=invitation.pk,
        in_table=True,
        person=str(person.pk),
    ):
        with transaction.atomic():
            claimed = Invitation.objects.open().filter(pk=invitation.pk, claimed_by=person)
            if not claimed.update(used_at=timezone.now(), **EMPTIED):
                raise _not_open()
            destroy_keys(invitation)
        truncate_write_ahead_log()


def _not_open() -> ValidationError:
    sentence = _("This invitation is no longer open. Nothing was changed.")
    return ValidationError(sentence, code="not_open")
