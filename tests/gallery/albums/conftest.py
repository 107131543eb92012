"""Alice's album with two of her images, shared with bob."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from accounts.keys.recipients import recipient_of
from gallery.access import Access, access_to
from gallery.models import Circle, SealedImage
from gallery.opening import Opener
from gallery.services.circles.making import make_circle
from gallery.services.circles.placing import place_image
from gallery.services.circles.sharing import share_circle
from gallery.services.uploading import Terms
from tests.conftest import Person

DOWNLOAD = Terms("download", None)


@dataclass
class Album:
    """An album of its owner's, with what the tests do to it."""

    owner: Person
    circle: Circle

    @property
    def pk(self):
        return self.circle.pk

    def place(self, image: SealedImage, *, by: Person | None = None):
        keyring = (by or self.owner).keyring
        return place_image(keyring=keyring, circle_id=self.pk, image_id=image.pk)

    def share(self, *people: Person, terms: Terms = DOWNLOAD):
        recipients = [recipient_of(person.user) for person in people]
        keyring = self.owner.keyring
        return share_circle(keyring=keyring, circle_id=self.pk, recipients=recipients, terms=terms)


@pytest.fixture
def make() -> Callable[..., Album]:
    def make(owner: Person, title: str = "Lake", *, members_add: bool = False) -> Album:
        circle = make_circle(
            keyring=owner.keyring,
            title=title,
            description="Summer at the lake",
            members_add=members_add,
        )
        return Album(owner, circle)

    return make


@pytest.fixture
def image(upload: Callable[..., SealedImage]) -> SealedImage:
    """An image of alice's that nobody else has a grant for."""
    return upload(caption="At the lake")


@pytest.fixture
def album(make: Callable[..., Album], alice: Person, bob: Person, image: SealedImage) -> Album:
    """Alice's album with that image, shared with bob."""
    album = make(alice)
    album.place(image)
    album.share(bob)
    return album


def opened(person: Person, image: SealedImage, rendition: str = "original") -> bytes:
    """Return a rendition as this person opens it now. Raises what the opening refuses."""
    access: Access = access_to(image.pk, reader=person.user)
    return Opener(person.keyring).open(access, rendition).plaintext()
