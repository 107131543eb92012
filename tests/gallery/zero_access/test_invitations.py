"""Everything at rest with invitations open: no way in, and every way that is put there is found."""

import hashlib
from datetime import timedelta

import pytest

from cryptocore import invitations
from gallery.invitation_keys import Details
from gallery.models import Invitation
from gallery.services.invitations import links, making
from gallery.zero_access.openers import Kind
from tests.conftest import PASSWORD
from tests.gallery.invitations.conftest import CODE, carry
from tests.gallery.zero_access.test_searching import kinds, nothing_left_of_other_tests, search
from tests.stored import holds

__all__ = ["nothing_left_of_other_tests"]


@pytest.fixture
def new(alice, upload):
    """Two open invitations, one with a spoken code: what came back of the one without."""
    image, made = upload(), {}
    for spoken_code in (CODE, ""):
        made[spoken_code] = making.make_invitation(
            keyring=alice.keyring,
            details=Details("Dr. Lee", "lee@example.org"),
            spoken_code=spoken_code,
            lasts=timedelta(days=7),
        )
        carry(alice, image, made[spoken_code])
    return made[""]


@pytest.mark.attack("F128")
def test_with_invitations_open_there_is_no_way_in(new):
    found = search()
    assert found.ways == []
    assert found.opened(Kind.INVITATION) == set()


@pytest.mark.attack("F128")
def test_name_address_and_link_are_nowhere(new):
    secret = links._secret_in(new.token)
    for word in ("Dr. Lee", "lee@example.org", new.token, CODE, "blueriver42"):
        for alias in ("default", "audit"):
            assert not holds(word.encode(), alias)
    for digest in (secret, secret.hex().encode(), hashlib.sha256(secret).hexdigest().encode()):
        assert not holds(digest)


@pytest.mark.parametrize("left", ["link", "key", "kek"])
def test_what_opens_an_invitation_is_found_wherever_it_was_left(new, alice, left):
    found = search()
    secret = links._secret_in(new.token)
    place = {"subject": new.invitation.grants.get().image_id, "lock": 1}
    row = {"link": secret, "key": new.key.key}.get(left)
    found.give_key(row or invitations._kek(new.key.key, *_place(new), *place.values()))
    found.run()
    assert Kind.CONTENT in kinds(found)
    assert (Kind.INVITATION in kinds(found)) is (left == "link")


def _place(new):
    from gallery.invitation_keys import place_of

    return place_of(new.invitation).values()


def test_a_password_opens_what_its_person_may_share_more_with(new, alice):
    found = search(certainly=alice.user)
    found.give_password(alice.user, PASSWORD)
    found.run()
    assert found.opened(Kind.INVITATION) == set(Invitation.objects.values_list("pk", flat=True))
