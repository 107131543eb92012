"""What people search through: the words of each image they can open, for them alone."""

from django.conf import settings
from django.db import models

from audit.fields import RawBytesField
from gallery.models.images import SealedImage


class SearchEntry(models.Model):
    """The words of one image as one manifest had them, encrypted under a key of one person's."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="search_entries"
    )
    image = models.ForeignKey(SealedImage, models.CASCADE, related_name="search_entries")
    # The number of that manifest. It is under the tag, too: an older entry counts for none later.
    manifest = models.PositiveIntegerField()
    sealed = RawBytesField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "image"], name="one_search_entry_per_image")
        ]
