"""Lists that no form asks for, signed by their owner."""

from audit.events import Event
from gallery.models import Placement
from gallery.opening import Opener
from gallery.readers import readers_as_signed
from gallery.sealing import SHARE, set_entry, share_fields, sign_statement
from gallery.services.acts import owners_act


def signed_anew(owner, image, terms) -> Placement:
    """Sign the image's list once more, with other terms for its only place."""
    opener = Opener(owner.keyring)
    readers = readers_as_signed(image, opener)
    (place,) = readers.placed
    set_entry(place, rights=terms.rights, ends_at=terms.ends_at)
    share = sign_statement(
        SHARE,
        share_fields([*readers.signed, place]),
        keyring=owner.keyring,
        subject=image.pk,
        previous=opener.to_follow(SHARE, image),
    )
    with owners_act(Event.IMAGE_SHARED, image, signed=[share]):
        share.save(force_insert=True)
        place.save()
    return place
