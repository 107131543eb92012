"""Opening an image through an album: who may, and who may not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import WrappedKey
from accounts.services.rotating.ordering import order_after_theft
from gallery import signers
from gallery.access import Through, access_to
from gallery.errors import AccessEnded, NotAllowed, NotYours, OtherSigner, Waiting
from gallery.models import Member, Placement
from gallery.opening import Opener
from gallery.services import revoking
from gallery.services.circles.deleting import delete_circle
from gallery.services.circles.placing import take_out
from gallery.services.circles.rekeying import revoke_member
from gallery.services.deleting import delete_image
from gallery.services.uploading import Terms
from tests.gallery.albums.conftest import opened
from tests.gallery.test_sharing import share

JPEG = b"\xff\xd8\xff"


def soon():
    return timezone.now().replace(microsecond=0) + timedelta(minutes=5)


@pytest.mark.attack("F102")
def test_a_member_opens_what_is_in_the_album_and_what_is_placed_later(album, image, bob, upload):
    assert opened(bob, image).startswith(JPEG)
    later = upload()
    with pytest.raises(NotYours):
        opened(bob, later)
    album.place(later)
    assert opened(bob, later).startswith(JPEG)


@pytest.mark.attack("F102")
def test_a_stranger_opens_nothing_of_it(album, image, mallory):
    with pytest.raises(NotYours):
        opened(mallory, image)


@pytest.mark.attack("F102")
def test_a_former_member_is_told_so_and_opens_nothing(album, image, alice, bob, carol, upload):
    album.share(carol)
    revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    with pytest.raises(AccessEnded) as refused:
        opened(bob, image)
    assert refused.value.grant.ended_reason == "revoked"
    assert opened(carol, image).startswith(JPEG)
    later = upload()
    album.place(later)
    with pytest.raises(NotYours):  # it was never theirs
        opened(bob, later)


def test_an_image_that_was_taken_out_ended_for_its_members(album, image, alice, bob):
    take_out(keyring=alice.keyring, circle_id=album.pk, image_id=image.pk)
    with pytest.raises(AccessEnded):
        opened(bob, image)
    assert opened(alice, image).startswith(JPEG)


@pytest.mark.parametrize("delete", ["album", "image"])
def test_what_was_deleted_ended(album, image, alice, bob, delete):
    if delete == "album":
        delete_circle(keyring=alice.keyring, circle_id=album.pk)
    else:
        delete_image(keyring=alice.keyring, image_id=image.pk)
    with pytest.raises(AccessEnded) as refused:
        opened(bob, image)
    assert refused.value.grant.ended_reason == "deleted"
    assert not Placement.objects.exclude(wrapped=None).exists()


@pytest.mark.attack("F103")
def test_rights_intersect_and_the_earlier_end_counts(album, image, bob, carol):
    end = soon()
    album.share(carol, terms=Terms("view", end))
    access = access_to(image.pk, reader=carol.user)
    assert (access.rights, access.ends_at) == ("view", end)
    with pytest.raises(NotAllowed):
        access.require("download")
    assert access_to(image.pk, reader=bob.user).rights == "download"
    assert opened(carol, image, "preview").startswith(JPEG)


@pytest.mark.attack("F103")
def test_a_member_whose_time_is_over_opens_nothing(album, image, carol, monkeypatch):
    album.share(carol, terms=Terms("download", soon()))
    access = access_to(image.pk, reader=carol.user)
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=10))
    with pytest.raises(AccessEnded):
        Opener(carol.keyring).open(access, "original")
    with pytest.raises(AccessEnded):
        opened(carol, image)


@pytest.mark.parametrize(("direct", "is_through"), [("view", True), ("download", False)])
def test_the_best_way_is_taken(album, image, alice, bob, direct, is_through):
    share(alice, image, bob, rights=direct)
    access = access_to(image.pk, reader=bob.user)
    assert isinstance(access.way, Through) == is_through
    assert access.rights == "download"
    assert opened(bob, image).startswith(JPEG)


def test_a_grant_stays_when_the_album_ends_and_the_album_when_the_grant_does(
    album, image, alice, bob
):
    share(alice, image, bob, rights="download")
    revoking.revoke(keyring=alice.keyring, image_id=image.pk, recipient=bob.user)
    assert opened(bob, image).startswith(JPEG)
    share(alice, image, bob)
    revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    assert opened(bob, image).startswith(JPEG)


def test_a_second_opening_needs_no_private_key(album, image, bob, monkeypatch):
    opened(bob, image)
    assert WrappedKey.objects.get(member__reader=bob.user).quick_key
    monkeypatch.setattr(bob.keyring, "_private_keys", None)  # slots: refused if it were asked
    assert opened(bob, image).startswith(JPEG)


def test_a_damaged_quick_key_is_only_a_cache(album, image, bob):
    opened(bob, image)
    WrappedKey.objects.filter(member__reader=bob.user).update(quick_key=bytes(40))
    assert opened(bob, image).startswith(JPEG)


def test_a_member_whose_keys_were_stolen_waits_and_keeps_nobody_from_taking_out(
    album, image, alice, bob, carol
):
    album.share(carol)
    order_after_theft(carol.user)
    revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    assert Member.objects.get(reader=carol.user).wrapped_key is None
    with pytest.raises(Waiting):
        opened(carol, image)
    assert opened(alice, image).startswith(JPEG)


@pytest.mark.attack("F102")
def test_an_album_of_an_owner_who_is_not_as_compared_opens_nothing(
    album, image, alice, bob, monkeypatch
):
    """Both owners are looked up in the reader's compared contacts: here there is one."""
    asked = []

    def check(self, owner, keys):
        asked.append(owner)
        if len(asked) == 2:  # image's, then album's
            raise OtherSigner(owner, None)

    monkeypatch.setattr(signers.Signers, "check", check)
    with pytest.raises(OtherSigner):
        opened(bob, image)
    assert asked == [alice.user, alice.user]
