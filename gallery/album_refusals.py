"""What a person and the trail are told where an album is refused: as of an image, in its words."""

from dataclasses import replace

from django.utils.translation import gettext as _

from audit.events import Event
from cryptocore.errors import CryptoError
from gallery import errors
from gallery.refusals import Refusal, refusal_for


def album_refusal_for(error: Exception) -> Refusal:
    """Return what is said of an error that REFUSALS names, about an album."""
    refused = refusal_for(error)
    if refused.event == Event.IMAGE_REFUSED:
        refused = replace(refused, event=Event.ALBUM_REFUSED)
    if refused.event == Event.IMAGE_ALTERED:
        refused = replace(refused, event=Event.ALBUM_ALTERED)
    sentence = _sentence(error)
    return replace(refused, sentence=sentence) if sentence else refused


def _sentence(error: Exception) -> str:
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
