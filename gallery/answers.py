"""What each refusal of the gallery becomes: one class, one answer, one entry in the trail."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from accounts.folding import record_refusal
from accounts.keys.certificates import NoKeys
from accounts.keys.names import certified_name
from accounts.web.answers import refusal
from audit.context import request_id
from audit.events import Event
from cryptocore.errors import CryptoError
from gallery import errors
from gallery.models import Grant
from gallery.verdicts import refusal_of

View = Callable[..., HttpResponseBase]


def answers_refusals(view: View) -> View:
    """Turn what gallery services refuse into answers: those of ANSWERS, below."""

    @wraps(view)
    def guarded(
        request: HttpRequest, image_id: uuid.UUID | None = None, **kwargs: Any
    ) -> HttpResponseBase:
        arguments = {"image_id": image_id, **kwargs} if image_id else kwargs
        try:
            return view(request, **arguments)
        except tuple(ANSWERS) as error:
            answer = next(answer for kind, answer in ANSWERS.items() if isinstance(error, kind))
            return answer(request, image_id, error)

    return guarded


def _refused(request: HttpRequest, image_id: uuid.UUID | None, reason: str) -> None:
    record_refusal(request, Event.IMAGE_REFUSED, subject=image_id, reason=reason)


def _not_yours(
    request: HttpRequest, image_id: uuid.UUID | None, error: errors.NotYours
) -> HttpResponse:
    _refused(request, image_id, "not-yours")
    return refusal(request, 404, "not_found", _("This image is not available to you."))


def _not_allowed(
    request: HttpRequest, image_id: uuid.UUID | None, error: errors.NotAllowed
) -> HttpResponse:
    _refused(request, image_id, "not-allowed")
    sentence = _("You can see this image, but you cannot do this with it.")
    return refusal(request, 403, "not_allowed", sentence)


def _overtaken(request: HttpRequest, image_id: uuid.UUID | None, error: Exception) -> HttpResponse:
    sentence = _("Something else is changing this right now. Nothing was changed.")
    response = refusal(request, 503, "busy", sentence)
    response.headers["Retry-After"] = "1"
    return response


def _no_room(
    request: HttpRequest, image_id: uuid.UUID | None, error: errors.NoRoom
) -> HttpResponse:
    sentence = _(
        "Too many large pictures are being downloaded at once. Wait until one has arrived, and try "
        "again."
    )
    response = refusal(request, 503, "busy", sentence)
    response.headers["Retry-After"] = "10"
    return response


def _own_key_refused(
    request: HttpRequest, image_id: uuid.UUID | None, error: errors.OwnKeyRefused
) -> HttpResponse:
    _refused(request, image_id, "own-key")
    sentence = _(
        "This site no longer vouches for your signing key, so nobody could open what you sign. "
        "Nothing was stored or changed. Ask staff to order new keys for you."
    )
    return refusal(request, 409, "own_key_refused", sentence)


def _waiting(
    request: HttpRequest, image_id: uuid.UUID | None, waiting: errors.Waiting
) -> HttpResponse:
    sentence = _(
        "You can open this image once its owner shares it with your new keys. Nothing is lost."
    )
    if waiting.is_owner:
        sentence = _(
            "This image is locked with your earlier keys. It opens again when you bring them "
            "back, with the password or the recovery code you had then. You can still delete it."
        )
    return refusal(
        request,
        409,
        "waiting",
        sentence,
        template="gallery/waiting.html",
        context={"is_owner": waiting.is_owner, "image_id": image_id},
    )


def _access_ended(
    request: HttpRequest, image_id: uuid.UUID | None, ended: errors.AccessEnded
) -> HttpResponse:
    _refused(request, image_id, "ended")
    grant = ended.grant
    owner, ended_at = certified_name(grant.image.owner), grant.ended_at or grant.ends_at
    known = grant.ended_reason in Grant.Ended.values  # an altered row holds any text
    reason = grant.ended_reason if known else Grant.Ended.TIME.value
    sentences = {
        Grant.Ended.REVOKED: _("%(owner)s has ended your access."),
        Grant.Ended.TIME: _("The time %(owner)s gave you for this image is over."),
        Grant.Ended.DELETED: _("%(owner)s has deleted this image."),
    }
    return refusal(
        request,
        410,
        "access_ended",
        sentences[Grant.Ended(reason)] % {"owner": owner.in_full},
        template="gallery/ended.html",
        context={"owner_name": owner.display_name, "ended_at": ended_at, "reason": reason},
    )


def _other_signer(
    request: HttpRequest, image_id: uuid.UUID | None, other: errors.OtherSigner
) -> HttpResponse:
    _refused(request, image_id, f"signer-{other.change.how.value}")
    name = certified_name(other.owner)
    sentence = refusal_of(other.change, name.in_full)
    template, context = "gallery/other_signer.html", {"username": name.username}
    return refusal(request, 409, "other_signer", sentence, template=template, context=context)


def _altered(
    request: HttpRequest, image_id: uuid.UUID | None, error: errors.Altered | CryptoError
) -> HttpResponse:
    """One answer whichever check failed: different ones would help the attacker who altered it."""
    # A CryptoError: the person's own keys do not verify or open.
    step = error.step if isinstance(error, errors.Altered) else "own-keys"
    record_refusal(request, Event.IMAGE_ALTERED, subject=image_id, step=step)
    sentence = _("This image does not match its owner's signature. It was not released.")
    return refusal(
        request,
        409,
        "altered",
        sentence,
        template="gallery/altered.html",
        context={"incident": request_id()},
    )


ANSWERS: dict[type[Exception], Callable[..., HttpResponse]] = {
    errors.NotYours: _not_yours,
    errors.NotAllowed: _not_allowed,
    errors.AccessEnded: _access_ended,
    errors.Altered: _altered,
    errors.Waiting: _waiting,
    errors.OtherSigner: _other_signer,
    errors.OwnKeyRefused: _own_key_refused,
    errors.NoRoom: _no_room,
    errors.HeadMoved: _overtaken,
    NoKeys: _overtaken,
    CryptoError: _altered,
}
