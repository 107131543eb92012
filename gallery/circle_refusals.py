"""What a person and the trail are told where an album, a team or successors are refused: as of an
image, in its words."""

from dataclasses import replace
from functools import partial

from django.utils.translation import gettext as _

from audit.events import Event
from cryptocore.errors import CryptoError
from gallery import errors
from gallery.circle_events import EVENTS_OF_KIND
from gallery.models import Circle
from gallery.refusals import Refusal, refusal_for


def _circle_refusal_for(kind: str, error: Exception) -> Refusal:
    """Return what is said of an error that REFUSALS names, about a circle of this kind."""
    refused, events = refusal_for(error), EVENTS_OF_KIND[kind]
    if refused.event == Event.IMAGE_REFUSED:
        refused = replace(refused, event=events.refused)
    if refused.event == Event.IMAGE_ALTERED:
        refused = replace(refused, event=events.altered)
    sentence = SENTENCES[Circle.Kind(kind)](error)
    return replace(refused, sentence=sentence) if sentence else refused


album_refusal_for = partial(_circle_refusal_for, Circle.Kind.ALBUM)
team_refusal_for = partial(_circle_refusal_for, Circle.Kind.TEAM)
successors_refusal_for = partial(_circle_refusal_for, Circle.Kind.SUCCESSORS)


def _album_sentence(error: Exception) -> str:
    if isinstance(error, errors.NotYours):
        return _("This album is not available to you.")
    if isinstance(error, errors.NotAllowed):
        return _("You can see this album, but you cannot do this with it.")
    if isinstance(error, errors.Altered | CryptoError):
        return _("This album does not match its owner’s signature, so it is not shown.")
    if isinstance(error, errors.Waiting) and error.is_owner:
        return _(
            "This album is locked with your earlier keys. It opens again when you bring them back, "
            "with the password or the recovery code you had then. You can still delete it."
        )
    if isinstance(error, errors.Waiting):
        return _(
            "You can open this album once its owner shares it with your new keys. Nothing is lost."
        )
    return ""


def _team_sentence(error: Exception) -> str:
    if isinstance(error, errors.NotYours):
        return _("This team is not available to you.")
    if isinstance(error, errors.NotAllowed):
        return _("You are in this team, but only its owner can do this.")
    if isinstance(error, errors.Altered | CryptoError):
        return _("This team does not match its owner’s signature, so it is not shown.")
    if isinstance(error, errors.Waiting) and error.is_owner:
        return _(
            "This team is locked with your earlier keys. It opens again when you bring them back, "
            "with the password or the recovery code you had then. You can still delete it."
        )
    if isinstance(error, errors.Waiting):
        return _(
            "You can open what is shared with this team once its owner has added your new keys. "
            "Nothing is lost."
        )
    return ""


def _successors_sentence(error: Exception) -> str:
    if isinstance(error, errors.NotYours):
        return _("This person has not named you as a successor.")
    if isinstance(error, errors.Altered | CryptoError):
        return _(
            "The list of successors does not match its owner’s signature, so it is not used. Tell "
            "staff: somebody may have changed it."
        )
    if isinstance(error, errors.Waiting):
        return _("Your successors are locked with earlier keys. Bring these keys back first.")
    return ""


SENTENCES = {
    Circle.Kind.ALBUM: _album_sentence,
    Circle.Kind.TEAM: _team_sentence,
    Circle.Kind.SUCCESSORS: _successors_sentence,
}
