"""How much a person stores, and whether there is room for more.

Only a new image is refused: taking access away encrypts an image again, and never fails for lack of
storage.
"""

import uuid

from django.db.models import Q, Sum

from accounts.models import User
from gallery.errors import OverQuota
from gallery.models import SealedImage

# Of sizes that no image has, two are more than a database adds up.
POSSIBLE = Q(stored_bytes__range=(0, 2**40))


def bytes_stored_by(person_id: uuid.UUID) -> int:
    kept = SealedImage.objects.filter(owner=person_id, deleted_at=None)
    return kept.filter(POSSIBLE).aggregate(total=Sum("stored_bytes"))["total"] or 0


def require_room(image: SealedImage) -> None:
    """Return if `image`, just inserted, is within its owner's limit. Raises OverQuota.

    Inside the transaction that stores it, holding the owner's row: of two uploads at once the
    second counts the first. Read again: staff may have changed the limit meanwhile.
    """
    quota = User.objects.select_for_update().get(pk=image.owner_id).quota
    if not quota:
        return
    stored = bytes_stored_by(image.owner_id)
    if stored > quota:
        raise OverQuota(max(0, quota - stored + image.stored_bytes), image.stored_bytes)
