"""What gives an image a new lock, or an album its next key, takes everybody's keys away. Of the new
one the owner always has theirs: or nothing has changed, and nobody has lost anything.

An act may be on its way while staff disable its owner, or somebody alters the owner's key row.
"""

from functools import partial

import pytest

from accounts.models import KeyPair, User
from gallery.errors import Altered, HeadMoved
from gallery.models import Circle, Grant, Member, SealedImage, Statement
from gallery.services.circles.rekeying import rekey, revoke_member
from gallery.services.revoking import relock, revoke
from tests.gallery.albums.conftest import album, image, make, opened

__all__ = ["album", "image", "make"]
pytestmark = pytest.mark.attack("F230")


@pytest.fixture
def acts(alice, bob, carol, upload, album):
    """The image is shared with bob alone, and he is the album's only member."""
    shared, keyring = upload(to=(bob,)), alice.keyring
    return {
        "reader revoked": partial(revoke, keyring=keyring, image_id=shared.pk, recipient=bob.user),
        "image locked again": partial(relock, keyring=keyring, image_id=shared.pk),
        "member taken out": partial(
            revoke_member, keyring=keyring, circle_id=album.pk, recipient=bob.user
        ),
        "album's next key": partial(rekey, keyring=keyring, circle_id=album.pk),
    }


def everything() -> list[list[tuple[object, ...]]]:
    models = (SealedImage, Circle, Grant, Member, Statement)
    return [list(model.objects.order_by("pk").values_list()) for model in models]


@pytest.mark.parametrize(
    "act", ["reader revoked", "image locked again", "member taken out", "album's next key"]
)
def test_an_owner_who_was_disabled_meanwhile_loses_no_key(alice, acts, act):
    before = everything()
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    with pytest.raises(HeadMoved):
        acts[act]()
    assert everything() == before


@pytest.mark.parametrize("act", ["reader revoked", "member taken out"])
def test_nor_one_whose_key_does_not_verify(alice, acts, act):
    before = everything()
    pairs = KeyPair.objects.filter(user=alice.user, purpose=KeyPair.Purpose.ENCRYPTION)
    pairs.update(certificate_signature=b"x" * 384)
    with pytest.raises(Altered):
        acts[act]()
    assert everything() == before


def test_the_owner_opens_what_was_locked_again(alice, bob, acts, album, image):
    for act in acts.values():
        act()
    for one in SealedImage.objects.all():
        assert opened(alice, one)
    assert Member.objects.get(circle=album.pk, reader=alice.user, ended_at=None).wrapped_key
