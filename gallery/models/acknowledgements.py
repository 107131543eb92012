"""What readers confirm with their own signatures."""

from django.conf import settings
from django.db import models

from audit.fields import RawBytesField
from cryptocore import statements
from gallery.models.images import SealedImage


class Acknowledgement(models.Model):
    """A reader's signed word that they have received an image: its exact bytes and signature."""

    image = models.ForeignKey(SealedImage, models.PROTECT, related_name="acknowledgements")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    body = RawBytesField()
    signature = RawBytesField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image", "reader"], name="one_acknowledgement_per_reader"
            )
        ]

    @property
    def digest(self) -> str:
        """The SHA-256 of the body, in hex: what the trail vouches for."""
        return statements.digest(bytes(self.body))
