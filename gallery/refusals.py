"""What a person and the trail are told of each refusal of the gallery: a sentence, an entry.

gallery/answers.py makes an answer of one, gallery/zipping.py a line of a list.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from accounts.folding import record_refusal_of
from accounts.keys.certificates import NoKeys
from accounts.keys.names import certified_name
from audit.context import request_id
from audit.events import Event
from audit.leaf import Fact
from cryptocore.errors import CryptoError
from gallery import errors
from gallery.models import Circle, Grant, SealedImage
from gallery.verdicts import refusal_of


@dataclass(frozen=True)
class Refusal:
    """`code` is stable, `sentence` for a person; `event` and `facts` are for the trail, which is
    told only of what somebody should look into."""

    status: int
    code: str
    sentence: str
    template: str = "refusal.html"
    context: dict[str, object] = field(default_factory=dict)
    event: Event | None = None
    facts: dict[str, Fact] = field(default_factory=dict)
    retry_after_seconds: int | None = None

    def record(self, person: uuid.UUID, image_id: uuid.UUID | None) -> None:
        """Record or count that this was refused. Raises AuditUnavailable."""
        if self.event:
            record_refusal_of(person, self.event, subject=image_id, **self.facts)


def refusal_for(error: Exception) -> Refusal:
    """Return what is said of an error that REFUSALS names."""
    return next(refusal(error) for kind, refusal in REFUSALS.items() if isinstance(error, kind))


def _not_yours(error: errors.NotYours) -> Refusal:
    sentence = _("This image is not available to you.")
    facts: dict[str, Fact] = {"reason": "not-yours"}
    return Refusal(404, "not_found", sentence, event=Event.IMAGE_REFUSED, facts=facts)


def _not_allowed(error: errors.NotAllowed) -> Refusal:
    sentence = _("You can see this image, but you cannot do this with it.")
    facts: dict[str, Fact] = {"reason": "not-allowed"}
    return Refusal(403, "not_allowed", sentence, event=Event.IMAGE_REFUSED, facts=facts)


def _locked(error: errors.Locked) -> Refusal:
    sentence = _("Your keys were locked before this image was opened. Unlock them and try again.")
    return Refusal(401, "locked", sentence)


def _overtaken(error: Exception) -> Refusal:
    sentence = _(
        "This is being changed elsewhere right now. Nothing was done. Try again in a moment."
    )
    return Refusal(503, "busy", sentence, retry_after_seconds=1)


def _no_room(error: errors.NoRoom) -> Refusal:
    sentence = _(
        "Too many large images are being downloaded right now. Wait a little and try again."
    )
    return Refusal(503, "busy", sentence, retry_after_seconds=10)


def _no_stream(error: errors.NoStream) -> Refusal:
    sentence = _(
        "Another ZIP is on its way to you, or too many are on their way to others. Wait until "
        "yours has arrived, and try again."
    )
    return Refusal(503, "busy", sentence, retry_after_seconds=10)


def _own_key_refused(error: errors.OwnKeyRefused) -> Refusal:
    sentence = _(
        "This site no longer trusts your key, so nobody could open what you share. Nothing was "
        "stored. Ask staff to order new keys for you."
    )
    context: dict[str, object] = {"title": _("You need new keys")}
    facts: dict[str, Fact] = {"reason": "own-key"}
    return Refusal(
        409,
        "own_key_refused",
        sentence,
        context=context,
        event=Event.IMAGE_REFUSED,
        facts=facts,
    )


def _waiting(waiting: errors.Waiting) -> Refusal:
    sentence = _(
        "You can open this image once its owner shares it with your new keys. Nothing is lost."
    )
    if waiting.in_album:
        sentence = _(
            "This image is shared with an album or a team that has a new key. You can open it once "
            "its owner has been here. Nothing is lost."
        )
    if waiting.is_owner:
        sentence = _(
            "This image is locked with your earlier keys. It opens again when you bring them "
            "back, with the password or the recovery code you had then. You can still delete it."
        )
    context: dict[str, object] = {"is_owner": waiting.is_owner}
    return Refusal(409, "waiting", sentence, "gallery/waiting.html", context)


def _access_ended(ended: errors.AccessEnded) -> Refusal:
    grant = ended.grant
    subject = grant.list_of
    kind = subject.kind if isinstance(subject, Circle) else ""
    owner, ended_at = certified_name(subject.owner), grant.ended_at or grant.ends_at
    if isinstance(subject, SealedImage):
        ended_at = ended_at or subject.keep_until
    known = grant.ended_reason in Grant.Ended.values  # an altered row holds any text
    reason = grant.ended_reason if known else Grant.Ended.TIME.value
    sentences = {
        Grant.Ended.REVOKED: _("%(owner)s has ended your access."),
        Grant.Ended.TIME: _("The time %(owner)s gave you for this image is over."),
        Grant.Ended.DELETED: _("%(owner)s has deleted this image."),
        Grant.Ended.LEFT: _("You have left the team."),
        Grant.Ended.TAKEN_OVER: _("%(owner)s has taken over this image."),
    }
    if kind == Circle.Kind.ALBUM:
        sentences |= {
            Grant.Ended.TIME: _("The time %(owner)s gave you for this album is over."),
            Grant.Ended.DELETED: _("%(owner)s has deleted this album."),
            Grant.Ended.TAKEN_OVER: _("%(owner)s has taken over this album."),
        }
    if kind == Circle.Kind.TEAM:
        sentences |= {
            Grant.Ended.REVOKED: _("%(owner)s has taken you out of the team."),
            Grant.Ended.TIME: _("The time %(owner)s gave you in the team is over."),
            Grant.Ended.DELETED: _("%(owner)s has deleted the team."),
            Grant.Ended.TAKEN_OVER: _("%(owner)s has taken over the team."),
        }
    return Refusal(
        410,
        "access_ended",
        sentences[Grant.Ended(reason)] % {"owner": owner.in_full},
        "gallery/ended.html",
        {"owner_name": owner.display_name, "ended_at": ended_at, "reason": reason},
        event=Event.IMAGE_REFUSED,
        facts={"reason": "ended"},
    )


def _suspended(error: errors.Suspended) -> Refusal:
    sentence = _(
        "Staff have suspended access to the images of %(owner)s. Nothing is deleted. If you need "
        "this image, ask staff."
    )
    named = sentence % {"owner": certified_name(error.owner).in_full}
    facts: dict[str, Fact] = {"reason": "suspended"}
    return Refusal(403, "suspended", named, event=Event.IMAGE_REFUSED, facts=facts)


def _owner_active(error: errors.OwnerActive) -> Refusal:
    sentence = _(
        "You can take over images of %(owner)s only after staff have disabled their account. "
        "Nothing was changed."
    )
    named = sentence % {"owner": certified_name(error.owner).in_full}
    facts: dict[str, Fact] = {"reason": "owner-active"}
    return Refusal(409, "owner_active", named, event=Event.IMAGE_REFUSED, facts=facts)


def _taken_before(error: errors.TakenBefore) -> Refusal:
    sentence = _("%(owner)s has taken this over already. Nothing was changed.")
    named = sentence % {"owner": certified_name(error.owner).in_full}
    return Refusal(409, "taken_before", named)


def _taken_by_you(error: errors.TakenByYou) -> Refusal:
    return Refusal(409, "taken_by_you", _("You have taken this over already: it is yours."))


def _not_handed_over(error: errors.NotHandedOver) -> Refusal:
    sentence = _(
        "The key of this image was not handed over yet when its owner was last here, so you cannot "
        "take it over. Its readers can still open it. Nothing was changed."
    )
    return Refusal(409, "not_handed_over", sentence)


def _other_signer(other: errors.OtherSigner) -> Refusal:
    name = certified_name(other.owner)
    return Refusal(
        409,
        "other_signer",
        refusal_of(other.change, name.in_full),
        "gallery/other_signer.html",
        {"username": name.username},
        event=Event.IMAGE_REFUSED,
        facts={"reason": f"signer-{other.change.how.value}"},
    )


def _altered(error: errors.Altered | CryptoError) -> Refusal:
    """One answer whichever check failed: different ones would help the attacker who altered it."""
    # A CryptoError: the person's own keys do not verify or open.
    step = error.step if isinstance(error, errors.Altered) else "own-keys"
    return Refusal(
        409,
        "altered",
        _("This image does not match its owner’s signature, so it is not shown."),
        "gallery/altered.html",
        {"incident": request_id()},
        event=Event.IMAGE_ALTERED,
        facts={"step": step},
    )


def away() -> Refusal:
    """What is said of one image of several when a part of the server is unavailable."""
    sentence = _("A part of ImageShare is busy or unavailable. Try again in a moment.")
    return Refusal(503, "busy", sentence, retry_after_seconds=10)


REFUSALS: dict[type[Exception], Callable[..., Refusal]] = {
    errors.NotYours: _not_yours,
    errors.NotAllowed: _not_allowed,
    errors.Locked: _locked,
    errors.AccessEnded: _access_ended,
    errors.Altered: _altered,
    errors.Suspended: _suspended,
    errors.OwnerActive: _owner_active,
    errors.TakenBefore: _taken_before,
    errors.TakenByYou: _taken_by_you,
    errors.NotHandedOver: _not_handed_over,
    errors.Waiting: _waiting,
    errors.OtherSigner: _other_signer,
    errors.OwnKeyRefused: _own_key_refused,
    errors.NoRoom: _no_room,
    errors.NoStream: _no_stream,
    errors.HeadMoved: _overtaken,
    NoKeys: _overtaken,
    CryptoError: _altered,
}
