"""Invites: a link that makes one account, once, and shows nobody else its token."""

import io
import logging
import re
import threading
from datetime import timedelta
from itertools import count

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.checks import check_registration
from accounts.models import Invite, KeyPair, User
from accounts.services.people.invites import make_invite
from audit.models import AuditEntry
from cryptocore import keypair
from tests.conftest import PASSWORD
from tests.keys import load_pair

JSON = {"accept": "application/json"}
FORM = {"username": "dora", "password1": PASSWORD, "password2": PASSWORD}
MAKE = "/admin/accounts/invite/make/"


@pytest.fixture
def overseer(staff) -> User:
    return User.objects.get(username="overseer")


@pytest.fixture
def new(overseer):
    return make_invite(display_name="Dora Dune", email="dora@example.org", by=overseer)


@pytest.fixture
def link(new) -> str:
    return f"/accounts/invite/{new.token}/"


def events() -> list[tuple[str, str]]:
    entries = AuditEntry.objects.filter(event__startswith="invite:").order_by("sequence")
    return list(entries.values_list("event", "outcome"))


def everything_recorded() -> str:
    from django.conf import settings

    leaves = b"".join(bytes(entry.leaf) for entry in AuditEntry.objects.all())
    return leaves.decode() + settings.AUDIT_FILE.read_text()


# ---- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["used_at", "taken_back_at", "ends_at"])
def test_an_invite_that_is_not_open_and_one_that_never_was_are_refused_alike(new, link, change):
    Invite.objects.update(**{change: timezone.now()})
    never = Client().get("/accounts/invite/" + "x" * 43 + "/")
    for answer in (Client().get(link), Client().post(link, FORM)):
        assert answer.status_code == never.status_code == 404
        assert b"This invite does not work" in answer.content
        assert b"password1" not in answer.content
    assert Client().get(link, headers=JSON).json()["code"] == "not_found"
    assert not User.objects.filter(username="dora").exists()


def test_an_invite_ends_after_seven_days(new, link):
    assert new.invite.ends_at - new.invite.made_at == timedelta(days=7)
    Invite.objects.update(ends_at=timezone.now() + timedelta(seconds=30))
    assert Client().get(link).status_code == 200


@pytest.mark.parametrize(
    "fields", [{"username": "admin"}, {"password2": "another " * 3}, {"password1": "short"}]
)
def test_a_wrong_form_makes_nothing_and_leaves_the_invite_open(link, fields):
    assert Client().post(link, {**FORM, **fields}, headers=JSON).status_code == 422
    assert Invite.objects.get().state == "open"


def test_a_taken_name_leaves_the_invite_open(link, alice):
    answer = Client().post(link, {**FORM, "username": "a1ice"}, headers=JSON)
    assert answer.json()["errors"]["username"][0]["code"] == "username_taken"
    assert Invite.objects.get().state == "open"


def test_a_password_like_the_invited_name_is_refused(link):
    form = {**FORM, "password1": "dora dune 12", "password2": "dora dune 12"}
    answer = Client().post(link, form, headers=JSON)
    assert answer.json()["errors"]["password1"][0]["code"] == "password_too_similar"


def test_a_field_nobody_asked_for_changes_nothing(link):
    Client().post(link, {**FORM, "is_staff": "1", "display_name": "Admin", "email": "x@y.zz"})
    dora = User.objects.get(username="dora")
    assert (dora.is_staff, dora.display_name, dora.email) == (
        False,
        "Dora Dune",
        "dora@example.org",
    )


def test_of_twenty_posts_at_once_one_makes_an_account(link, monkeypatch):
    numbers = count()  # those who come too late make keys, too: more than there are in tests/keys
    monkeypatch.setattr(keypair, "generate", lambda: load_pair(3 + next(numbers) % 20))
    statuses: list[int] = []

    def accept(number: int) -> None:
        try:
            form = {**FORM, "username": f"person{number:02}x"}
            browser = Client(raise_request_exception=False)
            statuses.append(browser.post(link, form, headers=JSON).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=accept, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 404, 503}  # 503: more wait for their turn than may
    assert User.objects.filter(username__startswith="person").count() == 1
    assert Invite.objects.get().state == "used"


def test_guessing_tokens_and_posting_too_often_are_held(client, settings, link):
    settings.REGISTRATIONS_PER_HOUR = 1
    assert client.get("/accounts/invite/one/").status_code == 404
    assert client.get("/accounts/invite/two/").status_code == 429
    assert client.post(link, {**FORM, "username": "x"}).status_code == 422
    assert client.post(link, FORM).status_code == 429


# ---- what it is for -------------------------------------------------------------------------


def test_looking_at_the_link_does_not_use_it_up(link):
    assert Client().get(link).status_code == Client().head(link).status_code == 200
    assert Invite.objects.get().state == "open"


def test_the_invited_person_is_signed_in_unlocked_and_led_to_the_recovery_code(link):
    browser = Client()
    answer = browser.post(link, FORM, headers=JSON)
    expected = {"username": "dora", "unlocked": True, "next": "/accounts/recovery-code/"}
    assert (answer.status_code, answer.json()) == (201, expected)
    assert browser.get("/accounts/recovery-code/").status_code == 200
    purposes = KeyPair.objects.filter(user__username="dora").values_list("purpose", flat=True)
    assert sorted(purposes) == ["encryption", "signing"]
    assert Client().post(link, {**FORM, "username": "dorothy"}).status_code == 404


def test_an_invite_is_in_the_trail_from_making_to_use(link, new, overseer):
    Client().post(link, FORM)
    assert events() == [
        ("invite:made", "intended"),
        ("invite:made", "done"),
        ("invite:used", "done"),
    ]
    used = AuditEntry.objects.get(event="invite:used")
    assert (used.actor, used.subject) == (User.objects.get(username="dora").pk, new.invite.pk)


# ---- the token ------------------------------------------------------------------------------


def test_the_token_is_long_and_not_stored(new):
    assert len(new.token) >= 43  # 256 bits in base64
    assert new.token not in repr(new)
    assert new.token not in repr(list(Invite.objects.values_list()))


def test_no_log_and_no_entry_holds_the_token(new, link, settings):
    settings.REGISTRATIONS_PER_HOUR = 2
    stream = io.StringIO()
    handler = logging.getLogger("django").handlers[0]
    previous = handler.setStream(stream)
    try:
        Client(enforce_csrf_checks=True).post(link, FORM)  # 403
        Client().post(link, {**FORM, "username": "x"})  # 422
        Client().put(link)  # 405
        Client().post(link, FORM)
        Client().get(link)  # 404
        Client().post(link, FORM)
        Client().get(link)
        assert Client().get(link).status_code == 429
    finally:
        handler.setStream(previous)
    assert stream.getvalue().count("/accounts/invite/…/") >= 5
    assert new.token not in stream.getvalue()
    assert new.token not in everything_recorded()


def test_the_page_is_not_kept_and_no_other_site_learns_where_it_is(link):
    answer = Client().get(link)
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]


# ---- made and taken back by staff -----------------------------------------------------------


def test_staff_make_an_invite_and_see_its_link_once(staff):
    page = staff.post(MAKE, {"display_name": "Dora Dune", "email": ""})
    (token,) = re.findall(r"http://127.0.0.1:8000/accounts/invite/([\w-]+)/", page.content.decode())
    assert "no-store" in page["Cache-Control"]
    assert Client().get(f"/accounts/invite/{token}/").status_code == 200
    invite = Invite.objects.get()
    for address in ("", f"{invite.pk}/change/", "make/"):
        shown = staff.get(f"/admin/accounts/invite/{address}").content.decode()
        assert token not in shown
        assert invite.token_digest not in shown


def test_the_link_is_made_of_the_sites_address_whatever_the_host_header_says(staff, settings):
    settings.SITE_URL = "https://images.example.org"
    page = staff.post(MAKE, {"display_name": "Dora"}, headers={"host": "localhost"})
    assert b"https://images.example.org/accounts/invite/" in page.content


@pytest.mark.parametrize("fields", [{}, {"display_name": "Do\u202era"}, {"email": "no address"}])
def test_an_invite_needs_a_name_that_can_be_seen(staff, fields):
    assert staff.post(MAKE, {"display_name": "", **fields}).status_code == 422
    assert not Invite.objects.exists()


def test_members_make_no_invite(alice):
    assert alice.sign_in().post(MAKE, {"display_name": "Dora"}).status_code == 302
    assert not Invite.objects.exists()


def test_an_invite_taken_back_makes_no_account(staff, new, link):
    address = f"/admin/accounts/invite/{new.invite.pk}/take-back/"
    assert staff.post(address, {"reason": ""}).status_code == 422
    assert staff.post(address, {"reason": "sent to the wrong person"}).status_code == 302
    assert Client().post(link, FORM).status_code == 404
    assert staff.post(address, {"reason": "again"}).status_code == 422
    outcomes = [outcome for event, outcome in events() if event == "invite:taken-back"]
    assert outcomes == ["intended", "done", "intended", "failed"]


def test_the_list_shows_the_state_of_each(staff, overseer):
    for name in ("open", "used_at", "taken_back_at", "ends_at"):
        one = make_invite(display_name=name, email="", by=overseer).invite
        if name != "open":
            Invite.objects.filter(pk=one.pk).update(**{name: timezone.now()})
    page = staff.get("/admin/accounts/invite/").content.decode()
    states = re.findall(r'field-state">([^<]+)<', page)
    assert sorted(states) == ["ended", "open", "taken back", "used"]


# ---- the policy -----------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["invitations", "invite", "closed", "Open", ""])
def test_registering_is_refused_where_it_is_not_open(client, settings, policy):
    settings.REGISTRATION = policy
    form = {**FORM, "display_name": "Dora"}
    for answer in (client.get("/accounts/register/"), client.post("/accounts/register/", form)):
        assert answer.status_code == 403
        assert b"No new accounts here" in answer.content
    told = client.post("/accounts/register/", form, headers=JSON).json()
    assert told["code"] == "registration_closed"
    assert not User.objects.exists()
    for page in ("/", "/accounts/login/", "/about/protection/"):
        assert b"/accounts/register/" not in client.get(page).content


def test_registering_is_offered_where_it_is_open(client):
    assert b"/accounts/register/" in client.get("/").content


@pytest.mark.parametrize("policy", ["invitations", "invite"])
def test_invites_work_where_accounts_are_made_by_invitation(settings, link, policy):
    settings.REGISTRATION = policy
    assert Client().post(link, FORM).status_code == 302
    assert User.objects.filter(username="dora").exists()


@pytest.mark.parametrize("policy", ["closed", "typo"])
def test_a_closed_site_makes_and_takes_no_invite(staff, settings, link, policy):
    settings.REGISTRATION = policy
    answer = Client().post(link, FORM, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")
    assert staff.post(MAKE, {"display_name": "Dora"}).status_code == 422
    assert Invite.objects.count() == 1
    assert not User.objects.filter(username="dora").exists()


def test_a_policy_nobody_knows_stops_the_start(settings):
    for policy, errors in (
        ("open", []),
        ("invitations", []),
        ("invite", []),
        ("closed", []),
        ("Open", ["accounts.E004"]),
    ):
        settings.REGISTRATION = policy
        assert [error.id for error in check_registration(None)] == errors
