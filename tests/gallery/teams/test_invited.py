"""Somebody without an account is invited straight into a team."""

import re

import pytest
from django.test import Client

from accounts.keys.recipients import recipient_of
from gallery.models import Circle, Invitation, InvitedGrant, Member
from gallery.services.invitations import claiming, links
from tests.conftest import PASSWORD, jpeg
from tests.gallery.invitations.conftest import invite, status_of
from tests.gallery.teams.conftest import comes, shared_with_team
from tests.gallery.teams.test_pages import at, get, page, post, text_of

__all__ = ["invite"]

pytestmark = pytest.mark.usefixtures("emptied_storage")
ABOUT = {"invite-display_name": "Dr. Lee", "invite-days": "3"}
FORM = {"username": "lee", "display_name": "Ann Lee", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def link(team, alice) -> str:
    """The path of a link into the team."""
    answer = post(alice, at(team, "share/"), **ABOUT)
    assert answer.status_code == 201
    assert answer.json()["invited"] == [str(Invitation.objects.get().pk)]
    return re.sub("^https?://[^/]+", "", answer.json()["invitation"]["link"])


def test_they_open_at_once_what_the_team_was_given_and_what_it_is_given_later(
    image, team, link, upload, alice, bob
):
    assert "invited, link not used yet" in page(alice, at(team))
    assert "Dr. Lee" not in page(bob, at(team))
    guest = Client()
    assert guest.post(link, FORM).status_code == 302
    assert guest.get(f"/images/{image.pk}/preview").status_code == 200
    later = upload(data=jpeg("plum"))
    shared_with_team(team, later)
    assert guest.get(f"/images/{later.pk}/preview").status_code == 200
    assert [one["username"] for one in get(bob, at(team)).json()["people"]] == [
        "alice",
        "bob",
        "lee",
    ]
    assert "Alice Ardent (@alice) added you to a team." in guest.get("/activity/").content.decode()


@pytest.mark.attack("F173")
def test_a_link_taken_out_of_the_team_opens_nothing_of_it_and_the_team_gets_a_new_key(
    image, team, link, alice
):
    before, invitation = team.now.epoch, Invitation.objects.get()
    answer = post(alice, at(team, "revoke/"), invitation=str(invitation.pk))
    assert (answer.status_code, answer.json()["to_relock"]) == (200, 0)
    assert team.now.epoch == before + 1
    assert not InvitedGrant.objects.filter(ended_at=None).exists()
    guest = Client()
    assert guest.post(link, FORM).status_code == 302
    assert guest.get(f"/images/{image.pk}/preview").status_code == 404
    assert guest.get(at(team)).status_code == 404


@pytest.mark.attack("F173")
def test_an_invitation_taken_back_leads_into_no_team(image, team, link, alice):
    before, invitation = team.now.epoch, Invitation.objects.get()
    assert post(alice, f"/invitations/{invitation.pk}/take-back/").status_code == 200
    assert Client().post(link, FORM).status_code == 404
    comes(alice)
    assert team.now.epoch == before + 1
    assert not Member.objects.filter(circle=team.circle).exclude(
        reader__username__in=["alice", "bob"]
    )


@pytest.mark.attack("F173")
def test_only_the_owner_of_a_team_invites_into_it(team, alice, bob, mallory):
    lets_in = Circle.objects.filter(pk=team.pk)
    for person, status in ((bob, 403), (mallory, 404)):
        assert post(person, at(team, "share/"), **ABOUT).status_code == status
    assert lets_in.get().members.filter(ended_at=None).count() == 2
    assert not Invitation.objects.exists()


@pytest.mark.attack("F173")
def test_nobody_takes_out_or_uses_the_invitation_of_another(team, link, bob, make_team):
    other, invitation = make_team(bob, "Night shift"), str(Invitation.objects.get().pk)
    answer = post(bob, at(other, "revoke/"), invitation=invitation)
    assert answer.json()["errors"]["recipient"][0]["code"] == "not_a_recipient"
    answer = post(bob, at(other, "share/"), invitations=invitation)
    assert answer.json()["errors"]["invitations"][0]["code"] == "invitation_not_open"
    assert InvitedGrant.objects.filter(ended_at=None).count() == 1


def test_where_people_do_not_invite_nothing_is_made(team, alice, settings):
    settings.REGISTRATION = "closed"
    answer = post(alice, at(team, "share/"), **ABOUT)
    assert answer.status_code == 422
    assert answer.json()["errors"]["invite-__all__"][0]["code"] == "registration_closed"
    assert "Somebody without an account" not in page(alice, at(team))
    assert not Invitation.objects.exists()


def test_an_invitation_that_was_made_before_leads_into_the_team_as_well(image, team, alice, invite):
    new = invite()
    answer = post(alice, at(team, "share/"), invitations=str(new.invitation.pk))
    assert answer.json()["invited"] == [str(new.invitation.pk)]
    asked = alice.client.post(at(team, "share/"), {"confirmed": "0", **ABOUT}).content.decode()
    assert "Dr. Lee (invited) will be in the team “Imaging desk”." in text_of(asked)
    assert Invitation.objects.count() == 1


def test_somebody_with_an_account_who_claims_it_is_added_by_its_owner(
    image, team, link, alice, carol
):
    invitation = Invitation.objects.get()
    key = links.key_by_link(links.follow(link.split("/")[-2]), "")
    claiming.claim(key=key, person=carol.user)
    assert status_of(carol, image, "preview") == 404
    claiming.agree_to_claim(
        keyring=alice.keyring,
        invitation=invitation,
        reader=recipient_of(carol.user),
        may_go_on=lambda: True,
    )
    assert status_of(carol, image, "preview") == 200
    assert get(carol, at(team)).status_code == 200
