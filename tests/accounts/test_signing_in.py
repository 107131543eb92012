"""Signing in, unlocking, locking, signing out."""

import unicodedata
import uuid
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import Custody, KeyPair, User
from audit.models import AuditEntry
from tests.conftest import PASSWORD
from tests.postgres import only_sqlite
from tests.trail import outcomes_of
from tests.triggers import drop_triggers, install_triggers

JSON = {"accept": "application/json"}
LOGIN, UNLOCK = "/accounts/login/", "/accounts/unlock/"


@pytest.mark.attack("C9")
def test_a_wrong_password_and_an_unknown_name_read_the_same(client, alice):
    wrong = client.post(LOGIN, {"username": "alice", "password": "wrong password"}, headers=JSON)
    nobody = client.post(LOGIN, {"username": "nobody-here", "password": PASSWORD}, headers=JSON)
    assert wrong.status_code == nobody.status_code == 422
    assert wrong.json() == nobody.json()
    events = AuditEntry.objects.filter(event="account:sign-in-refused")
    assert [entry.subject for entry in events.order_by("sequence")] == [alice.user.pk, None]


@pytest.mark.attack("C8")
def test_ten_wrong_passwords_hold_the_right_one_too(client, alice, settings):
    for _ in range(settings.SIGN_IN_TRIES + 1):
        answer = client.post(LOGIN, {"username": "alice", "password": "wrong password"})
    held = client.post(LOGIN, {"username": "alice", "password": PASSWORD}, headers=JSON)
    assert answer.status_code == held.status_code == 429
    assert held.json()["code"] == "throttled"
    assert "Retry-After" in held
    assert not Custody.objects.exists()


def test_a_held_name_is_not_held_from_another_address(alice, settings):
    for _ in range(settings.SIGN_IN_TRIES + 1):
        Client(REMOTE_ADDR="203.0.113.9").post(LOGIN, {"username": "alice", "password": "wrong"})
    assert alice.sign_in()


def test_writing_the_name_differently_gives_no_further_tries(client, alice, settings):
    for number in range(settings.SIGN_IN_TRIES):
        name = ["alice", "Alice", " ALICE"][number % 3]
        client.post(LOGIN, {"username": name, "password": "wrong password"})
    answer = client.post(LOGIN, {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 429


def test_a_disabled_person_is_refused_and_their_session_is_dead_at_once(alice):
    client = alice.sign_in()
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    assert client.get("/images/").status_code == 302
    answer = Client().post(LOGIN, {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 422


def test_the_session_id_is_new_after_signing_in(client, alice):
    client.get(LOGIN)
    client.session["planted"] = "before"
    before = client.session.session_key
    client.post(LOGIN, {"username": "alice", "password": PASSWORD})
    assert client.session.session_key != before


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_next_never_leaves_this_site(client, alice, address):
    form = {"username": "alice", "password": PASSWORD, "next": address}
    assert client.post(LOGIN, form).url == "/images/"


@pytest.mark.attack("F301")
@pytest.mark.parametrize("address", ["people", "home", "?page=2", "#x", "é", "x\r\ny", "\x00"])
def test_next_that_is_no_path_of_ours_fails_nowhere(client, alice, address):
    form = {"username": "alice", "password": PASSWORD, "next": address}
    assert client.post(LOGIN, form).url == "/images/"
    assert client.post(UNLOCK, form).url == "/images/"
    for place in ("theme", "language"):
        assert client.post(f"/preferences/{place}/", {"next": address}).url == "/"
    assert not AuditEntry.objects.filter(event="request:failed").exists()


def test_next_leads_back(client, alice):
    form = {"username": "alice", "password": PASSWORD, "next": "/images/upload/"}
    assert client.post(LOGIN, form).url == "/images/upload/"


def test_a_password_typed_in_either_unicode_form_signs_in_and_unlocks(client):
    composed = "Grüße aus Köln 99"
    decomposed = unicodedata.normalize("NFD", composed)
    form = {"username": "carla", "display_name": "Carla"}
    client.post("/accounts/register/", {**form, "password1": decomposed, "password2": composed})
    answer = Client().post(LOGIN, {"username": "carla", "password": composed}, headers=JSON)
    assert answer.json()["unlocked"] is True


def test_an_account_made_by_a_command_gets_its_keys_at_first_sign_in(client):
    get_user_model().objects.create_superuser("overseer", PASSWORD)
    assert not KeyPair.objects.exists()
    answer = client.post(LOGIN, {"username": "overseer", "password": PASSWORD}, headers=JSON)
    assert answer.json()["unlocked"] is True
    assert KeyPair.objects.count() == 2
    Client().post(LOGIN, {"username": "overseer", "password": PASSWORD})
    assert KeyPair.objects.count() == 2


def test_locked_is_not_signed_out(alice):
    client = alice.sign_in()
    client.post("/accounts/lock/")
    assert not Custody.objects.exists()
    assert client.get("/images/").status_code == 200
    assert client.get("/images/upload/").url == "/accounts/unlock/?next=%2Fimages%2Fupload%2F"
    answer = client.get("/images/upload/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (401, "locked")


def test_signed_out_is_302_for_a_page_and_401_for_json(client):
    assert client.get("/images/").url == "/accounts/login/?next=/images/"
    answer = client.get("/images/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")


@pytest.mark.attack("C2")
def test_fifteen_idle_minutes_lock(alice):
    client = alice.sign_in()
    Custody.objects.update(idle_ends_at=timezone.now() - timedelta(seconds=1))
    assert client.get("/images/upload/").status_code == 302
    assert not Custody.objects.exists()
    assert AuditEntry.objects.filter(event="account:locked").exists()


def test_use_moves_the_idle_end_on_but_never_past_the_absolute_one(alice):
    client = alice.sign_in()
    soon = timezone.now() + timedelta(minutes=2)
    Custody.objects.update(idle_ends_at=soon)
    client.get("/images/upload/")
    assert Custody.objects.get().idle_ends_at > soon
    Custody.objects.update(absolute_ends_at=timezone.now())
    assert client.get("/images/upload/").status_code == 302


@pytest.mark.attack("C3")
@pytest.mark.parametrize("value", ["", "A", "not base64!", "A" * 43, "é", "A" * 5000])
def test_a_cookie_that_is_not_the_one_given_opens_nothing(alice, value):
    client = alice.sign_in()
    client.cookies[django_settings.UNLOCK_COOKIE_NAME] = value
    answer = client.get("/images/upload/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (401, "locked")
    assert AuditEntry.objects.filter(event="custody:refused").exists() or not value


@pytest.mark.attack("A6")
def test_each_half_alone_opens_nothing(alice, bob):
    ours, theirs = alice.sign_in(), bob.sign_in()
    name = django_settings.UNLOCK_COOKIE_NAME
    ours.cookies[name], theirs.cookies[name] = (
        theirs.cookies[name].value,
        ours.cookies[name].value,
    )
    for client in (ours, theirs):
        assert client.get("/images/upload/", headers=JSON).status_code == 401


@pytest.mark.attack("C3")
def test_somebody_elses_custody_row_opens_nothing(alice, bob):
    client = alice.sign_in()
    bob.sign_in()
    row = Custody.objects.get(user=bob.user)
    Custody.objects.filter(user=alice.user).update(wrapped_master_key=bytes(row.wrapped_master_key))
    assert client.get("/images/upload/", headers=JSON).status_code == 401


def test_unlocking_needs_the_password_and_gives_a_new_secret(alice):
    client = alice.sign_in()
    name = django_settings.UNLOCK_COOKIE_NAME
    first = client.cookies[name].value
    client.post("/accounts/lock/")
    me = alice.user.pk
    unlocked_before = outcomes_of("account:unlocked", actor=me, subject=me)
    assert client.post(UNLOCK, {"password": "wrong password"}).status_code == 422
    assert outcomes_of("account:unlock-refused", actor=me, subject=me) == ["refused"]
    assert outcomes_of("account:unlocked", actor=me, subject=me) == unlocked_before
    answer = client.post(UNLOCK, {"password": PASSWORD, "next": "/images/upload/"})
    assert outcomes_of("account:unlocked", actor=me, subject=me) == [*unlocked_before, "done"]
    assert answer.url == "/images/upload/"
    assert client.cookies[name].value != first
    assert client.get("/images/upload/").status_code == 200


@pytest.mark.attack("C2")
def test_signing_out_ends_session_and_custody(alice):
    client = alice.sign_in()
    kept = {name: morsel.value for name, morsel in client.cookies.items()}
    answer = client.post("/accounts/logout/")
    assert "cache" in answer["Clear-Site-Data"]
    assert not Custody.objects.exists()
    replay = Client()
    for name, value in kept.items():
        replay.cookies[name] = value
    assert replay.get("/images/").status_code == 302


def test_signing_out_by_get_is_refused(alice):
    assert alice.sign_in().get("/accounts/logout/").status_code == 405


def test_nothing_secret_is_in_the_session(alice):
    client = alice.sign_in()
    assert set(client.session.keys()) <= {
        "_auth_user_id",
        "_auth_user_backend",
        "_auth_user_hash",
        "_session_expiry",
        "custody",
    }


@pytest.mark.attack("E10")
def test_cookies_are_guarded(alice):
    client = alice.sign_in()
    cookie = client.cookies[django_settings.UNLOCK_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == ""


# ---- what one browser leaves to the next person ----------------------------------------------


def test_signing_in_as_somebody_else_drops_the_first_persons_keys(alice, bob):
    client = alice.sign_in()
    client.post(LOGIN, {"username": "bob", "password": PASSWORD})
    assert [row.user for row in Custody.objects.all()] == [bob.user]


def test_the_session_id_is_new_after_unlocking(alice):
    client = alice.sign_in()
    client.post("/accounts/lock/")
    before = client.session.session_key
    client.post(UNLOCK, {"password": PASSWORD})
    assert client.session.session_key != before


@pytest.mark.parametrize(
    "address",
    ["/accounts/register/", LOGIN, "/accounts/recover/", "/accounts/password/", UNLOCK],
)
def test_an_empty_post_learns_what_is_missing(alice, address):
    answer = alice.sign_in().post(address, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"]


# ---- keys that are gone ----------------------------------------------------------------------


@pytest.mark.parametrize("forget_version", [True, False])
def test_keys_deleted_in_the_database_are_never_made_again_silently(alice, forget_version):
    alice.user.key_slots.all().delete()
    KeyPair.objects.filter(user=alice.user).delete()
    if forget_version:
        User.objects.filter(pk=alice.user.pk).update(master_key_version=0)
    answer = Client().post(LOGIN, {"username": "alice", "password": PASSWORD}, headers=JSON)
    assert answer.json()["unlocked"] is False
    assert not KeyPair.objects.filter(user=alice.user).exists()


@pytest.mark.parametrize("column", ["event", "subject", "outcome"])
def test_a_search_column_of_the_trail_altered_too_hides_no_keys_that_were_there(alice, column):
    KeyPair.objects.filter(user=alice.user).delete()
    User.objects.filter(pk=alice.user.pk).update(master_key_version=0)
    drop_triggers()
    with connections["audit"].cursor() as cursor:
        query = f"UPDATE audit_auditentry SET {column} = %s WHERE event = 'keys:made'"
        cursor.execute(query, [uuid.uuid4().hex if column == "subject" else "x"])
        assert cursor.rowcount == 1
    install_triggers()
    answer = Client().post(LOGIN, {"username": "alice", "password": PASSWORD}, headers=JSON)
    assert answer.json()["unlocked"] is False
    assert not KeyPair.objects.filter(user=alice.user).exists()


@pytest.mark.parametrize(
    "column",
    [
        {"salt": b"short"},
        {"parallelism": 10**6},
        {"time_cost": 0},
        pytest.param({"master_key_version": 2**33}, marks=only_sqlite),
    ],
)
def test_an_altered_slot_signs_in_and_opens_nothing(alice, column):
    alice.user.key_slots.filter(kind="password").update(**column)
    answer = Client().post(LOGIN, {"username": "alice", "password": PASSWORD}, headers=JSON)
    assert answer.json()["unlocked"] is False
