"""An invitation of alice's for somebody called Dr. Lee, who has no account."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from gallery.invitation_keys import Details
from gallery.models import SealedImage
from gallery.services.invitations import accepting, links, making
from gallery.services.invitations.making import NewInvitation
from gallery.services.sharing import share_image
from gallery.services.uploading import Terms
from tests.conftest import PASSWORD, Person

CODE = "Blue river 42"


@pytest.fixture
def invite(alice: Person) -> Callable[..., NewInvitation]:
    """Make an invitation that carries these images."""

    def make(*images: SealedImage, spoken_code: str = "", days: int = 7) -> NewInvitation:
        new = making.make_invitation(
            keyring=alice.keyring,
            details=Details("Dr. Lee", "lee@example.org"),
            spoken_code=spoken_code,
            lasts=timedelta(days=days),
        )
        for image in images:
            carry(alice, image, new)
        return new

    return make


def carry(owner: Person, image: SealedImage, new: NewInvitation, rights: str = "download") -> None:
    share_image(
        keyring=owner.keyring,
        image_id=image.pk,
        recipients=[],
        terms=Terms(rights, None),
        invitations=[new.key],
    )


def accept(new: NewInvitation, username: str = "lee", spoken_code: str = "") -> Person:
    key = links.key_by_link(links.follow(new.token), spoken_code)
    keyring = accepting.accept(
        key=key, username=username, display_name="Dr. Lee", email="", password=PASSWORD
    )
    return Person(keyring, "")


def status_of(person: Person, image: SealedImage, what: str = "original") -> int:
    return person.sign_in().get(f"/images/{image.pk}/{what}").status_code
