"""Confirming that an image was received: a reader's own signature, once for each image."""

import uuid
from functools import partial

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.keys.recipients import hold_people
from audit import events
from audit.events import Event
from cryptocore.picture import picture_tag
from gallery.access import Access, access_to
from gallery.acknowledgements import Acknowledged, acknowledged_by
from gallery.errors import HeadMoved, NotAllowed
from gallery.heads import step
from gallery.models import Acknowledgement, Rendition, Statement
from gallery.opening import Opener
from gallery.sealing import ACKNOWLEDGEMENT, MANIFEST, SHARE, sign_statement
from gallery.services.acts import anew_if_moved, hold, require_present_signer, starting_anew
from gallery.services.notices import NoticeKind, record_notices, send_notices


@sensitive_variables()
def acknowledge_image(*, keyring: Keyring, image_id: uuid.UUID) -> Acknowledged:
    """Let the reader sign that they have received the image; return what they signed, now or
    before.

    The original is opened for it, also where the reader may only view: nothing leaves. Raises
    NotAllowed for the owner, otherwise as opening does; OwnKeyRefused, AuditUnavailable, HeadMoved.
    """
    access = access_to(image_id, reader=keyring.user)
    if access.is_owner:
        raise NotAllowed
    return starting_anew(lambda: _acknowledge_once(keyring, image_id))


@sensitive_variables()
def _acknowledge_once(keyring: Keyring, image_id: uuid.UUID) -> Acknowledged:
    access, opener = access_to(image_id, reader=keyring.user), Opener(keyring)
    with anew_if_moved(access, opener):
        fields = _received(access, opener)
        head = opener.newest(SHARE, access.image)
    earlier = acknowledged_by(access.image).get(keyring.user.pk)
    if earlier is None:
        sign = partial(sign_statement, keyring=keyring, subject=image_id, previous=None)
        _commit(access, head, sign(ACKNOWLEDGEMENT, fields))
    return earlier or acknowledged_by(access.image)[keyring.user.pk]


@sensitive_variables()
def _received(access: Access, opener: Opener) -> dict[str, str]:
    """Return what is signed of the picture, from the bytes that open for this very reader."""
    original = opener.open(access, Rendition.Name.ORIGINAL)
    description = opener.description(access)
    fields = {"manifest": opener.newest(MANIFEST, access.image).digest}
    with step("description"):
        if picture_key := description.get("picture_key"):
            tag = picture_tag(bytes.fromhex(picture_key), original.chunks())
            fields["picture"] = tag.hex()
    return fields


def _commit(access: Access, head: Statement, signed: Statement) -> None:
    image, grant = access.image, access.as_grant
    facts = {ACKNOWLEDGEMENT: signed.digest}
    with (
        events.recorded(
            Event.IMAGE_ACKNOWLEDGED,
            actor=access.reader.pk,
            subject=image.pk,
            in_table=True,
            **facts,
        ),
        transaction.atomic(),
    ):
        hold(image, head)
        hold_people([image.owner, access.reader])
        require_present_signer(access.reader, signed)
        if Acknowledgement.objects.filter(image=image, reader=access.reader).exists():
            raise HeadMoved  # the same press twice
        Acknowledgement.objects.create(
            image=image, reader=access.reader, body=signed.body, signature=signed.signature
        )
        sent = send_notices(NoticeKind.ACKNOWLEDGED, [grant])
    record_notices([sent])
