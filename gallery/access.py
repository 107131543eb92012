"""Who may see what: the one authorisation query."""

import uuid
from dataclasses import dataclass

from django.db.models import F
from django.utils import timezone

from accounts.models import User
from audit.unreadable import unreadable_columns
from gallery.errors import AccessEnded, Altered, NotAllowed, NotYours
from gallery.models import Grant, Listed, SealedImage


@dataclass(frozen=True)
class Access:
    """A person's live access to an image."""

    reader: User
    grant: Grant

    @property
    def image(self) -> SealedImage:
        return self.grant.image

    @property
    def is_owner(self) -> bool:
        return self.image.owner_id == self.reader.pk

    def require(self, rights: str) -> None:
        """Return if this right is held. Raises NotAllowed."""
        if rights == Grant.Rights.DOWNLOAD and self.grant.rights != Grant.Rights.DOWNLOAD:
            raise NotAllowed

    def require_owner(self) -> None:
        if not self.is_owner:
            raise NotAllowed


def access_to(image_id: uuid.UUID, *, reader: User) -> Access:
    """Return the reader's access. Raises NotYours, Altered, or AccessEnded for a former reader: one
    whose access was revoked, whose time is over, or whose image was deleted."""
    grant = (
        Grant.objects.filter(image_id=image_id, reader=reader)
        .select_related("image__owner", "wrapped_key__key_pair")
        .order_by(F("ended_at").desc(nulls_first=True))
        .first()
    )
    if grant is None:
        raise NotYours
    if unreadable_columns(grant):  # an end that cannot be read would count as over
        raise Altered("grant")
    if has_ended(grant):
        raise AccessEnded(grant)
    return Access(reader, grant)


def has_ended(grant: Listed) -> bool:
    return grant.ended_at is not None or (
        grant.ends_at is not None and grant.ends_at <= timezone.now()
    )
