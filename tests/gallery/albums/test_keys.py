"""Albums follow their members' keys: rotated, stolen, or made anew."""

from datetime import timedelta

import pytest
from django.db.models import F

from accounts.custody import open_with_password
from accounts.models import KeyPair, User, WrappedKey
from accounts.services.rotating.carrying_out import carry_out_orders
from gallery.errors import Waiting
from gallery.models import Circle, Member, SealedImage
from gallery.services.ended import relock_ended
from tests.accounts.test_new_start import FOREIGN, make_new_start
from tests.accounts.test_rotation import order, primary
from tests.conftest import PASSWORD
from tests.gallery.albums.conftest import opened
from tests.gallery.test_relocking import asked, relock, replace_stolen
from tests.gallery.test_waiting_readers import share_again, waiting

pytestmark = pytest.mark.usefixtures("emptied_storage")
JSON = {"accept": "application/json"}


def test_a_rotation_wraps_the_albums_key_again(album, image, bob):
    order(bob)
    for _ in range(3):
        carry_out_orders(open_with_password(bob.user, PASSWORD))
    assert WrappedKey.objects.get(member__reader=bob.user).key_pair == primary(bob)
    WrappedKey.objects.update(quick_key=None)
    assert opened(bob, image)


def test_a_member_who_started_again_waits_until_the_owner_shares_again(album, image, alice, bob):
    client = make_new_start(bob)
    answer = client.get(f"/images/{image.pk}/original", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "waiting")
    (reader,) = waiting(alice)
    assert (reader["username"], reader["images"], reader["albums"]) == ("bob", 0, 1)
    assert share_again(alice).json() == {"shared_again": 1, "left": 0, "closed": 0}
    assert client.get(f"/images/{image.pk}/original").status_code == 200
    assert waiting(alice) == []


def test_a_membership_that_nobody_signed_is_not_shared_again(album, image, alice, bob):
    make_new_start(bob)
    Member.objects.filter(reader=bob.user).update(salt=bytes(32))
    assert share_again(alice).json() == {"shared_again": 0, "left": 0, "closed": 1}


@pytest.mark.attack("F105")
def test_after_a_theft_the_album_gets_its_next_key_and_its_images_new_locks(
    album, image, alice, bob, carol
):
    album.share(carol)
    stolen = WrappedKey.objects.get(member__reader=bob.user)
    replace_stolen(bob)
    (reader,) = asked(alice)
    assert (reader["username"], reader["images"], reader["albums"]) == ("bob", 0, 1)
    assert relock(alice).json() == {"relocked": 1, "left": 0, "closed": 0}
    assert Circle.objects.get().epoch == 2
    assert not WrappedKey.objects.filter(oaep_bytes=stolen.oaep_bytes).exists()
    relock_ended(alice.keyring)
    assert SealedImage.objects.get(pk=image.pk).lock == 2
    assert bob.client.get(f"/images/{image.pk}/original").status_code == 200
    assert opened(carol, image)
    # Statements have only seconds: the theft was in the second of the new key, or before it.
    earlier = F("compromised_at") - timedelta(seconds=1)
    KeyPair.objects.exclude(compromised_at=None).update(compromised_at=earlier)
    assert asked(alice) == []


def test_the_owner_whose_keys_are_new_is_told_that_the_album_waits_for_earlier_ones(
    album, image, alice, bob
):
    make_new_start(alice)
    album.owner.keyring = open_with_password(User.objects.get(pk=alice.user.pk), FOREIGN)
    with pytest.raises(Waiting):
        album.share(bob)
    assert opened(bob, image)
