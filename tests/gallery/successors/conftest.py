"""Alice owns images and names bob her successor; staff disable her."""

from collections.abc import Callable

import pytest

from accounts.keys.recipients import recipient_of
from gallery.services.successors import name_successors
from tests.accounts.test_oversight import act
from tests.conftest import Person
from tests.gallery.albums.conftest import make

__all__ = ["make"]  # an album of somebody's


def name(owner: Person, *people: Person) -> None:
    """Name these, and hand over what there is."""
    name_successors(keyring=owner.keyring, people=[recipient_of(person.user) for person in people])


@pytest.fixture
def image(upload, carol):
    """An image of alice's that carol can open, and bob cannot."""
    return upload(to=(carol,), caption="At the lake")


@pytest.fixture
def named(alice, bob, image):
    """The same image, once bob is alice's successor."""
    name(alice, bob)
    return image


@pytest.fixture
def disable(staff) -> Callable[[Person], None]:
    def disable(person: Person) -> None:
        assert act(staff, person.user, "disable").status_code == 302

    return disable
