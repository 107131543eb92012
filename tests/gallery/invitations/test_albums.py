"""An invitation that carries an album: its person becomes a member, with the key it has then."""

import pytest

from accounts.keys.recipients import recipient_of
from audit.models import AuditEntry
from gallery.errors import InvitationGone
from gallery.models import Circle, Grant, InvitedGrant, Member
from gallery.services.circles.deleting import delete_circle
from gallery.services.circles.ended import rekey_ended
from gallery.services.circles.making import change_circle, make_circle
from gallery.services.circles.rekeying import end_invited_member, revoke_member
from gallery.services.circles.sharing import share_circle
from gallery.services.invitations import claiming, links
from gallery.services.invitations.taking_back import take_back
from gallery.services.uploading import Terms
from tests.gallery.albums.conftest import Album
from tests.gallery.invitations.conftest import accept, status_of

pytestmark = pytest.mark.usefixtures("emptied_storage")


def carry(album: Album, new, rights: str = "download") -> None:
    share_circle(
        keyring=album.owner.keyring,
        circle_id=album.pk,
        recipients=[],
        terms=Terms(rights, None),
        invitations=[new.key],
    )


def album_of(owner) -> Album:
    made = make_circle(keyring=owner.keyring, title="Lake", description="", members_add=False)
    return Album(owner, made)


@pytest.fixture
def picture(upload):
    return upload(caption="At the lake")


@pytest.fixture
def album(alice, picture):
    album = album_of(alice)
    album.place(picture)
    return album


@pytest.fixture
def new(invite, album):
    """An invitation that carries the album."""
    made = invite()
    carry(album, made)
    return made


def test_the_images_of_an_album_open_at_once_and_later_ones_too(new, album, picture, upload):
    lee = accept(new)
    assert status_of(lee, picture) == 200
    later = upload()
    album.place(later)
    assert status_of(lee, later) == 200
    assert not Grant.objects.filter(reader=lee.user).exists()
    assert Member.objects.get(reader=lee.user).wrapped_key.quick_key


def test_view_only_is_view_only(invite, album, picture):
    new = invite()
    carry(album, new, rights="view")
    lee = accept(new)
    assert (status_of(lee, picture), status_of(lee, picture, "preview")) == (403, 200)


def test_a_next_key_is_carried_too(new, album, bob, picture):
    album.share(bob)
    revoke_member(keyring=album.owner.keyring, circle_id=album.pk, recipient=bob.user)
    row = InvitedGrant.objects.get()
    assert (row.lock, Circle.objects.get().epoch) == (2, 2)
    assert status_of(accept(new), picture) == 200


def test_other_acts_on_the_album_keep_the_invitation_on_its_list(new, album, carol, picture):
    album.share(carol)
    change_circle(
        keyring=album.owner.keyring,
        circle_id=album.pk,
        title="Sea",
        description="",
        members_add=True,
    )
    assert status_of(accept(new), picture) == 200


@pytest.mark.attack("F120")
def test_taken_back_it_opens_nothing_and_the_album_gets_its_next_key(new, album, picture):
    take_back(invitation=new.invitation, by=album.owner.user)
    with pytest.raises(InvitationGone):
        accept(new)
    assert Circle.objects.get().rekey_after is not None
    rekey_ended(album.owner.keyring)
    circle = Circle.objects.get()
    assert (circle.epoch, circle.rekey_after) == (2, None)
    assert InvitedGrant.objects.get().ended_at is not None
    assert status_of(album.owner, picture) == 200


def test_ended_for_one_album_the_link_carries_the_rest(invite, album, alice, upload):
    other, there = album_of(alice), upload()
    other.place(there)
    new = invite()
    carry(album, new)
    carry(other, new)
    end_invited_member(keyring=alice.keyring, circle_id=album.pk, invitation=new.invitation)
    lee = accept(new)
    assert status_of(lee, there) == 200
    assert [member.circle_id for member in Member.objects.filter(reader=lee.user)] == [other.pk]


def test_once_used_ending_it_ends_the_membership(new, album, picture):
    lee = accept(new)
    end_invited_member(keyring=album.owner.keyring, circle_id=album.pk, invitation=new.invitation)
    assert status_of(lee, picture) == 410


def test_a_deleted_album_is_left_out(new, album, picture):
    delete_circle(keyring=album.owner.keyring, circle_id=album.pk)
    lee = accept(new)
    assert status_of(lee, picture) == 404
    assert not Member.objects.filter(reader=lee.user).exists()


def test_somebody_with_an_account_becomes_a_member_once_the_owner_agrees(new, album, bob, picture):
    key = links.key_by_link(links.follow(new.token), "")
    claiming.claim(key=key, person=bob.user)
    assert status_of(bob, picture) == 404
    claiming.agree_to_claim(
        keyring=album.owner.keyring,
        invitation=new.invitation,
        reader=recipient_of(bob.user),
        may_go_on=lambda: True,
    )
    assert status_of(bob, picture) == 200
    with pytest.raises(InvitationGone):
        accept(new)


@pytest.mark.attack("F121")
@pytest.mark.parametrize("column", ["entry", "salt", "rights", "lock", "wrapped", "circle"])
def test_an_altered_row_makes_no_member(new, album, alice, picture, column):
    row = InvitedGrant.objects.get()
    value = {
        "entry": b"{}",
        "salt": bytes(32),
        "rights": "view",
        "lock": 7,
        "wrapped": bytes(40),
        "circle": album_of(alice).circle,
    }[column]
    InvitedGrant.objects.filter(pk=row.pk).update(**{column: value})
    lee = accept(new)
    assert status_of(lee, picture) in (404, 409)
    assert not AuditEntry.objects.filter(event="picture:downloaded", actor=lee.user.pk).exists()


@pytest.mark.attack("F121")
def test_a_row_from_before_it_ended_is_refused(new, album, picture):
    before = InvitedGrant.objects.values().get()
    end_invited_member(keyring=album.owner.keyring, circle_id=album.pk, invitation=new.invitation)
    InvitedGrant.objects.filter(pk=before["id"]).update(**before)
    lee = accept(new)
    assert status_of(lee, picture) == 404


def test_an_album_is_shared_with_an_invitation_on_its_page_and_ended_there(invite, album, alice):
    new = invite()
    json = {"accept": "application/json"}
    place = f"/albums/{album.pk}/"
    alice.sign_in()
    assert "Dr. Lee" in alice.client.get(place).content.decode()  # to be chosen
    answer = alice.client.post(
        f"{place}share/", {"invitations": [str(new.invitation.pk)]}, headers=json
    )
    assert answer.json()["invited"] == [str(new.invitation.pk)]
    assert "invited, link not used yet" in alice.client.get(place).content.decode()
    assert (
        alice.client.post(f"{place}revoke/", {"invitation": str(alice.user.pk)}).status_code == 422
    )
    ended = alice.client.post(
        f"{place}revoke/", {"invitation": str(new.invitation.pk)}, headers=json
    )
    assert ended.status_code == 200
    assert not Member.objects.filter(reader=accept(new).user).exists()
