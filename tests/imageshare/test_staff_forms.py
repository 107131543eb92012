"""What staff post: refused without the token, to everybody else, and while staff are locked."""

import pytest
from django.contrib import admin
from django.test import Client

from accounts.admin.acts import ActingAdmin
from accounts.models import Invite, User
from accounts.services.people.invites import make_invite
from audit.models import AuditEntry
from gallery.models import Invitation
from tests.accounts.marking import mark_as_staff
from tests.conftest import PASSWORD
from tests.imageshare.test_staff_pages import addresses, everything

MAKE_INVITE = "/admin/accounts/invite/make/"
FIELDS = {
    "reason": "a reason",
    "username": "bob",
    "megabytes": "1",
    "display_name": "Dora Dune",
    "email": "dora@example.org",
}


@pytest.fixture
def rows(shared_image, bob) -> dict[type, str]:
    """Somebody and something that staff can act on."""
    invite = make_invite(display_name="Dora Dune", email="", by=bob.user).invite
    bob.sign_in().post("/invitations/", {"display_name": "Dr. Lee"})
    invitation = Invitation.objects.get()
    return {User: str(bob.user.pk), Invite: str(invite.pk), Invitation: str(invitation.pk)}


@pytest.fixture
def overseer(make_person):
    """A superuser with keys, so unlocked by signing in: may do all there is."""
    person = make_person("overseer")
    mark_as_staff(person.user, superuser=True)
    return person


def forms(rows: dict[type, str]) -> list[str]:
    """The address of everything staff can do, as the admin itself lists it."""
    found = [MAKE_INVITE]
    for model, ours in admin.site._registry.items():
        if isinstance(ours, ActingAdmin):
            base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{rows[model]}/"
            found += [f"{base}{act.name}/" for act in ours.acts]
    return found


def strict(person) -> tuple[Client, str]:
    """A browser of theirs that is asked for the token, and that token."""
    browser = Client(enforce_csrf_checks=True)
    browser.get("/accounts/login/")
    token = browser.cookies["csrftoken"].value
    form = {"username": person.username, "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert browser.post("/accounts/login/", form).status_code == 302
    browser.get("/accounts/security/")
    return browser, browser.cookies["csrftoken"].value


def trail_of_acts() -> int:
    """How many entries there are of anything but requests that were refused."""
    return AuditEntry.objects.exclude(event="request:refused").count()


def test_every_act_is_in_this_test(rows):
    """Ten acts and the making of an invite: a new one must be counted here, too."""
    assert len(forms(rows)) == 11


@pytest.mark.attack("E9")
def test_nothing_staff_post_is_done_without_the_token(rows, overseer):
    browser, token = strict(overseer)
    before, trail = everything(), trail_of_acts()
    for address in sorted({*forms(rows), *addresses()}):
        for headers in ({}, {"x-csrftoken": "a" * 64}):
            answer = browser.post(address, FIELDS, headers=headers)
            assert answer.status_code == 403, address
        foreign = {"x-csrftoken": token, "origin": "https://evil.example"}
        assert browser.post(address, FIELDS, headers=foreign).status_code == 403, address
    assert everything() == before
    assert trail_of_acts() == trail


@pytest.mark.attack("E9")
def test_with_the_token_each_of_these_forms_is_one_that_does_something(rows, overseer):
    """Else the refusals above could be for another reason."""
    browser, token = strict(overseer)
    for address in forms(rows):
        before = everything(), trail_of_acts()
        answer = browser.post(address, FIELDS, headers={"x-csrftoken": token})
        assert answer.status_code == (200 if address == MAKE_INVITE else 302), address
        after = everything(), trail_of_acts()
        # That readers are suspended no row says, which somebody could change back.
        assert after[1] > before[1], address
        assert after[0] != before[0] or "-readers/" in address, address


@pytest.mark.attack("A6", "C4")
def test_members_and_people_signed_out_can_post_nothing_there(rows, bob, mallory, client):
    for browser in (bob.sign_in(), mallory.sign_in(), client):
        before, trail = everything(), trail_of_acts()
        for address in forms(rows):
            answer = browser.post(address, {**FIELDS, "is_staff": "1"})
            assert answer.status_code == 302, address
            assert answer.url.startswith("/admin/login/?next="), address
        assert everything() == before
        assert trail_of_acts() == trail


@pytest.mark.attack("A6")
def test_staff_who_are_locked_are_asked_for_their_password_first(rows, overseer):
    browser = overseer.sign_in()
    browser.post("/accounts/lock/")
    before, trail = everything(), trail_of_acts()
    for address in forms(rows):
        answer = browser.post(address, FIELDS)
        assert answer.status_code == 302
        assert answer.url.startswith("/accounts/unlock/"), address
    assert everything() == before
    assert trail_of_acts() == trail


@pytest.mark.attack("A6")
def test_staff_who_are_not_superusers_make_no_staff(rows, overseer):
    User.objects.filter(pk=overseer.user.pk).update(is_superuser=False)
    browser = overseer.sign_in()
    for address in forms(rows):
        if address.endswith("-staff/"):
            assert browser.post(address, FIELDS).status_code in (403, 422), address
    assert not User.objects.exclude(pk=overseer.user.pk).filter(is_staff=True).exists()
