"""Somebody who has an account follows a link: nothing moves before its inviter agrees."""

import pytest
from django.core.exceptions import ValidationError

from accounts.keys.recipients import find_people
from gallery.errors import Altered, InvitationGone
from gallery.invitation_trail import recorded_of
from gallery.models import Grant, Invitation, InvitedGrant, SealedImage
from gallery.services.invitations import claiming, links
from gallery.services.invitations.taking_back import take_back
from tests.gallery.invitations.conftest import accept, carry, status_of
from tests.gallery.invitations.test_accepting import events, findings
from tests.trail import outcomes_of

pytestmark = pytest.mark.usefixtures("emptied_storage")


def claim(new, person) -> None:
    claiming.claim(key=links.key_by_link(links.follow(new.token), ""), person=person.user)


def waiting(new):
    return claiming.claimant_of(Invitation.objects.get(pk=new.invitation.pk))


def agree(owner, new, person):
    (reader,) = find_people([person.username], besides=owner.user)
    invitation = Invitation.objects.get(pk=new.invitation.pk)
    return claiming.agree_to_claim(
        keyring=owner.keyring, invitation=invitation, reader=reader, may_go_on=lambda: True
    )


def test_what_it_carries_is_shared_once_its_inviter_agrees(invite, upload, alice, bob):
    image, other, new = upload(), upload(), invite()
    carry(alice, image, new)
    carry(alice, other, new, rights="view")
    claim(new, bob)
    assert waiting(new) == bob.user
    assert status_of(bob, image) == 404
    done = agree(alice, new, bob)
    assert [one.refused for one in done] == [None, None]
    assert status_of(bob, image) == 200
    assert (status_of(bob, other), status_of(bob, other, "preview")) == (403, 200)
    assert findings(image) == findings(other) == []
    assert not InvitedGrant.objects.filter(ended_at=None).exists()
    assert events()[-2:] == [("invitation:claim-agreed", word) for word in ("intended", "done")]
    with pytest.raises(InvitationGone):
        accept(new)


def test_who_can_open_it_already_keeps_their_terms(invite, upload, alice, bob):
    image, new = upload(to=(bob,)), invite()
    carry(alice, image, new, rights="view")
    claim(new, bob)
    agree(alice, new, bob)
    assert status_of(bob, image) == 200
    assert findings(image) == []


def test_what_does_not_open_now_is_left_for_the_next_time(invite, upload, alice, bob):
    image, other = upload(), upload()
    new = invite(image, other)
    claim(new, bob)
    SealedImage.objects.filter(pk=other.pk).update(lock=2)
    done = agree(alice, new, bob)
    assert [type(one.refused) for one in done] == [type(None), Altered]
    assert waiting(new) == bob.user
    SealedImage.objects.filter(pk=other.pk).update(lock=1)
    agree(alice, new, bob)
    assert status_of(bob, other) == 200
    assert waiting(new) is None


# ---- refusals --------------------------------------------------------------------------------


@pytest.mark.attack("F129")
def test_a_claim_moves_nothing_and_the_link_still_works(invite, upload, bob):
    image = upload()
    new = invite(image)
    claim(new, bob)
    assert not Grant.objects.filter(reader=bob.user).exists()
    assert status_of(accept(new), image) == 200
    assert waiting(new) is None
    assert status_of(bob, image) == 404


@pytest.mark.attack("F129")
def test_a_claim_that_only_a_row_says_is_none(invite, upload, alice, bob, mallory):
    new = invite(upload())
    Invitation.objects.update(claimed_by=mallory.user)
    assert waiting(new) is None
    Invitation.objects.update(claimed_by=None)
    claim(new, bob)
    Invitation.objects.update(claimed_by=mallory.user)
    assert waiting(new) is None


@pytest.mark.attack("F129")
def test_a_claim_that_was_refused_and_put_back_is_none(invite, upload, alice, bob):
    new = invite(upload())
    claim(new, bob)
    claiming.refuse_claim(invitation=new.invitation, by=alice.user)
    acts = (("invitation:claimed", bob), ("invitation:claim-refused", alice))
    for event, who in acts:
        recorded = outcomes_of(event, actor=who.user.pk, subject=new.invitation.pk)
        assert recorded == ["intended", "done"]
    Invitation.objects.update(claimed_by=bob.user)
    assert waiting(new) is None
    assert recorded_of(Invitation.objects.get()).claimed_by is None


def test_of_two_who_follow_a_link_the_first_one_counts(invite, upload, bob, carol):
    new = invite(upload())
    claim(new, bob)
    with pytest.raises(ValidationError):
        claim(new, carol)
    assert waiting(new) == bob.user


def test_ones_own_invitation_is_not_claimed(invite, alice):
    with pytest.raises(ValidationError):
        claim(invite(), alice)


def test_what_was_taken_back_is_not_claimed(invite, alice, bob):
    new = invite()
    key = links.key_by_link(links.follow(new.token), "")
    take_back(invitation=new.invitation, by=alice.user)
    with pytest.raises(InvitationGone):
        claiming.claim(key=key, person=bob.user)
    with pytest.raises(InvitationGone):
        claim(new, bob)


def test_agreeing_to_what_was_taken_back_meanwhile_is_refused(invite, upload, alice, bob):
    image = upload()
    new = invite(image)
    claim(new, bob)
    take_back(invitation=new.invitation, by=alice.user)
    with pytest.raises(ValidationError):
        agree(alice, new, bob)
    assert status_of(bob, image) == 404
