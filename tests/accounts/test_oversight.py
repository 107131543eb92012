"""What staff may do to an account: shut it out, limit it; never open or take it."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.test import Client

from accounts.models import Custody, User
from accounts.services.people import oversight
from audit.models import AuditEntry
from tests.accounts.marking import mark_as_staff
from tests.conftest import PASSWORD

JSON = {"accept": "application/json"}
REASON = "left the house"


def address(person, act: str) -> str:
    return f"/admin/accounts/user/{person.pk}/{act}/"


def act(client, person, name, **fields):
    form = {"reason": REASON, "username": person.username, **fields}
    return client.post(address(person, name), form)


def told(event: str) -> list[tuple]:
    entries = AuditEntry.objects.filter(event=event).order_by("sequence")
    return [(entry.outcome, entry.actor, entry.subject, entry.parsed().facts) for entry in entries]


def code_of(refusal) -> str:
    return refusal.value.error_list[0].code


@pytest.fixture
def overseer(staff) -> User:
    """The superuser whose browser is `staff`."""
    return User.objects.get(username="overseer")


@pytest.fixture
def clerk(make_person):
    """Staff, without one permission of Django's."""
    person = make_person("clerk", "Cleo Clerk")
    mark_as_staff(person.user)
    person.sign_in()
    return person


# ---- who may not ----------------------------------------------------------------------------

ACTS = ["disable", "enable", "end-sessions", "quota", "make-staff", "remove-staff"]


@pytest.mark.parametrize("name", ACTS)
def test_people_who_are_not_staff_can_do_nothing(client, alice, bob, name):
    assert act(client, bob.user, name).status_code == 302
    assert act(alice.sign_in(), bob.user, name).status_code == 302
    assert User.objects.filter(is_active=True, is_staff=False, session_epoch=0).count() == 2


@pytest.mark.parametrize("name", ["make-staff", "remove-staff"])
def test_only_a_superuser_makes_staff(clerk, bob, name):
    User.objects.filter(pk=bob.user.pk).update(is_staff=name == "remove-staff")
    answer = act(clerk.client, bob.user, name)
    assert (answer.status_code, b"Only a superuser" in answer.content) == (422, True)
    bob.user.refresh_from_db()
    assert bob.user.is_staff == (name == "remove-staff")


@pytest.mark.parametrize("name", ["disable", "enable", "end-sessions", "quota"])
def test_staff_do_nothing_to_a_superuser(clerk, overseer, name):
    assert act(clerk.client, overseer, name).status_code == 422
    overseer.refresh_from_db()
    assert (overseer.is_active, overseer.session_epoch, overseer.quota_bytes) == (True, 0, None)


def test_nobody_disables_themselves(clerk, staff, overseer):
    assert act(clerk.client, clerk.user, "disable").status_code == 422
    assert act(staff, overseer, "disable").status_code == 422
    assert not User.objects.filter(is_active=False).exists()


def test_the_last_superuser_is_not_disabled(overseer):
    second = User.objects.create_superuser("second", PASSWORD)
    oversight.disable_person(person=overseer, by=second, reason=REASON)
    overseer.refresh_from_db()
    with pytest.raises(ValidationError) as refusal:
        oversight.disable_person(person=second, by=overseer, reason=REASON)
    assert code_of(refusal) == "not_staff"  # a disabled superuser can no longer act
    assert User.objects.get(pk=second.pk).is_active


def test_superusers_disabling_one_another_leave_one(overseer):
    for name in "bcd":
        User.objects.create_superuser(f"super{name}", PASSWORD)
    # Every request has read its own rows before any of them acts.
    people = list(User.objects.filter(is_superuser=True).order_by("username"))
    actors = list(User.objects.filter(is_superuser=True).order_by("username"))
    refusals = []

    def disable(person, by):
        try:
            oversight.disable_person(person=person, by=by, reason=REASON)
        except ValidationError as refusal:
            refusals.append(refusal)
        finally:
            connections.close_all()

    pairs = zip(people, actors[1:] + actors[:1], strict=True)
    threads = [threading.Thread(target=disable, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = User.objects.filter(is_superuser=True, is_active=True).count()
    assert left >= 1
    assert len(refusals) == left


def test_a_superuser_stays_staff(staff, overseer):
    second = User.objects.create_superuser("second", PASSWORD)
    assert act(staff, second, "remove-staff").status_code == 422
    assert User.objects.get(pk=second.pk).is_staff


@pytest.mark.parametrize("fields", [{"reason": ""}, {"reason": "x" * 201}, {"reason": "a\u202eb"}])
def test_an_act_without_a_readable_reason_is_refused(staff, bob, fields):
    assert act(staff, bob.user, "disable", **fields).status_code == 422
    assert User.objects.get(pk=bob.user.pk).is_active


def test_disabling_asks_for_the_username(staff, bob):
    assert act(staff, bob.user, "disable", username="alice").status_code == 422
    assert User.objects.get(pk=bob.user.pk).is_active


def test_a_get_changes_nothing_and_a_post_needs_the_token(staff, overseer, bob):
    assert staff.get(address(bob.user, "disable")).status_code == 200
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    assert act(strict, bob.user, "disable").status_code == 403
    assert User.objects.get(pk=bob.user.pk).is_active


def test_looking_and_acting_need_an_unlocked_session(staff, bob):
    Custody.objects.all().delete()
    assert act(staff, bob.user, "disable").url.startswith("/accounts/unlock/")
    assert staff.get("/admin/accounts/user/").url.startswith("/accounts/unlock/")
    assert User.objects.get(pk=bob.user.pk).is_active


# ---- disabling ------------------------------------------------------------------------------


def test_disabling_ends_sessions_and_unlocks_at_once(staff, bob, shared_image):
    browser = bob.sign_in()
    pages = [f"/images/{shared_image.pk}/", "/images/", "/accounts/security/", "/images/upload/"]
    stream = f"/images/{shared_image.pk}/preview"
    assert all(browser.get(page).status_code == 200 for page in [*pages, stream])
    assert act(staff, bob.user, "disable").status_code == 302
    for page in [*pages, stream]:
        answer = browser.get(page)
        assert (answer.status_code, answer.url.split("?")[0]) == (302, "/accounts/login/")
    assert browser.get(stream, headers=JSON).json()["code"] == "signed_out"
    assert not Custody.objects.filter(user=bob.user).exists()


def test_sign_in_recovery_and_a_wrong_password_are_refused_alike(staff, bob):
    form = {"username": "bob", "password": PASSWORD}
    wrong = Client().post("/accounts/login/", {**form, "password": "wrong " * 3}, headers=JSON)
    act(staff, bob.user, "disable")
    right = Client().post("/accounts/login/", form, headers=JSON)
    assert (right.status_code, right.json()) == (wrong.status_code, wrong.json())
    new = {"new_password1": "another " * 3, "new_password2": "another " * 3}
    code = {"username": "bob", "recovery_code": bob.recovery_code, **new}
    assert Client().post("/accounts/recover/", code, headers=JSON).status_code == 422


def test_an_earlier_session_stays_ended_when_the_person_is_enabled(staff, bob):
    browser = bob.sign_in()
    act(staff, bob.user, "disable")
    assert act(staff, bob.user, "enable").status_code == 302
    assert browser.get("/images/").status_code == 302
    bob.client = Client()
    assert bob.sign_in().get("/images/").status_code == 200


def test_what_a_disabled_person_shared_stays_with_those_who_have_it(staff, alice, bob, upload):
    image = upload(to=(bob,))
    act(staff, alice.user, "disable")
    page = bob.sign_in().get(f"/images/{image.pk}/", headers=JSON)
    assert page.json()["verdict"]["code"] == "verified"
    assert bob.client.get(f"/images/{image.pk}/original").status_code == 200


def test_ending_sessions_signs_out_everywhere_and_the_person_may_come_back(clerk, bob):
    phone, desk = Client(), bob.sign_in()
    phone.post("/accounts/login/", {"username": "bob", "password": PASSWORD})
    assert act(clerk.client, bob.user, "end-sessions").status_code == 302
    assert [browser.get("/images/").status_code for browser in (phone, desk)] == [302, 302]
    assert not Custody.objects.filter(user=bob.user).exists()
    assert bob.sign_in().get("/images/").status_code == 200


def test_a_change_of_password_still_ends_the_other_sessions(bob):
    phone = Client()
    phone.post("/accounts/login/", {"username": "bob", "password": PASSWORD})
    new = {"new_password1": "another " * 3, "new_password2": "another " * 3}
    answer = bob.sign_in().post("/accounts/password/", {"old_password": PASSWORD, **new})
    assert answer.status_code == 302
    assert bob.client.get("/images/").status_code == 200
    assert phone.get("/images/").status_code == 302


# ---- the trail, quota, staff ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("disable", "account:disabled"),
        ("enable", "account:enabled"),
        ("end-sessions", "account:sessions-ended"),
        ("quota", "account:quota-set"),
        ("make-staff", "account:staff-made"),
        ("remove-staff", "account:staff-removed"),
    ],
)
def test_every_act_is_in_the_trail_with_its_actor_and_reason(staff, overseer, bob, name, event):
    assert act(staff, bob.user, name).status_code == 302
    (intended, done) = told(event)
    assert intended[:3] == ("intended", overseer.pk, bob.user.pk)
    assert done[:3] == ("done", overseer.pk, bob.user.pk)
    assert done[3]["reason"] == intended[3]["reason"] == REASON


def test_a_refused_act_is_in_the_trail_as_failed(clerk, overseer):
    act(clerk.client, overseer, "disable")
    assert [entry[0] for entry in told("account:disabled")] == ["intended", "failed"]


@pytest.mark.parametrize(
    ("typed", "kept", "fact"), [("", None, "default"), ("0", 0, 0), ("5", 5 * 2**20, 5 * 2**20)]
)
def test_a_storage_limit_is_the_default_none_or_a_number(staff, bob, typed, kept, fact):
    assert act(staff, bob.user, "quota", megabytes=typed).status_code == 302
    assert User.objects.get(pk=bob.user.pk).quota_bytes == kept
    assert told("account:quota-set")[-1][3]["quota_bytes"] == fact


@pytest.mark.parametrize("typed", ["-1", "x", str(2**40), "1.5"])
def test_a_limit_that_is_none_is_refused(staff, bob, typed):
    assert act(staff, bob.user, "quota", megabytes=typed).status_code == 422


def test_made_staff_oversee_and_removed_staff_do_not(staff, bob):
    act(staff, bob.user, "make-staff")
    assert bob.sign_in().get("/admin/accounts/user/").status_code == 200
    act(staff, bob.user, "remove-staff")
    assert bob.client.get("/admin/accounts/user/").status_code == 302


def test_a_persons_page_offers_what_may_be_done_to_them(staff, clerk, bob):
    address = f"/admin/accounts/user/{bob.user.pk}/change/"
    titles = [">Disable</a>", ">End sessions</a>", ">Set storage limit</a>"]
    for browser, more in ((staff, True), (clerk.client, False)):
        page = browser.get(address).content.decode()
        assert all(title in page for title in titles)
        assert (">Make staff</a>" in page) == more
        assert ">Enable again</a>" not in page
