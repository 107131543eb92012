"""A thief of a mailbox does not outrank the password that opens the keys."""

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.custody import open_with_password
from accounts.models import KeySlot, NewStart, User
from accounts.services.rotating.ordering import order_after_theft
from accounts.services.ways_back import passwords
from audit.models import AuditEntry
from tests.conftest import PASSWORD

JSON = {"accept": "application/json"}
THIEFS = "a thief chose this one"


@pytest.fixture(autouse=True)
def mailbox(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def thief(bob, shared_image):
    """Somebody at bob's mailbox: signed in with a password by mail, new keys asked for."""
    User.objects.filter(pk=bob.user.pk).update(email="bob@example.org")
    Client().post("/accounts/reset/", {"username": "bob"})
    link = re.search(r"/accounts/reset/\S+", mail.outbox[0].body).group(0)
    Client().post(link, {"new_password1": THIEFS, "new_password2": THIEFS})
    client = Client()
    signed_in = client.post("/accounts/login/", {"username": "bob", "password": THIEFS})
    assert signed_in.headers["Location"] == "/accounts/locked-keys/"
    asked = client.post("/accounts/new-start/", {"password": THIEFS}, headers=JSON)
    assert asked.status_code == 202
    mail.outbox.clear()
    return client


def sign_in(password=PASSWORD):
    client = Client()
    fields = {"username": "bob", "password": password}
    return client, client.post("/accounts/login/", fields, headers=JSON)


def events(event):
    entries = AuditEntry.objects.filter(event=event).order_by("sequence")
    return [entry.outcome for entry in entries]


@pytest.mark.attack("F39")
def test_the_password_that_opens_the_keys_signs_in_and_opens_them(thief, bob, shared_image):
    client, answer = sign_in()
    assert answer.json()["unlocked"] is True
    assert client.get(f"/images/{shared_image.pk}/original").status_code == 200


@pytest.mark.attack("F39")
def test_it_stops_the_new_start_and_is_the_password_again(thief, bob):
    slots = list(KeySlot.objects.filter(user=bob.user).order_by("pk").values())
    sign_in()
    assert NewStart.objects.get().stopped_at is not None
    assert events("new-start:stopped") == ["done"]
    assert events("account:password-restored") == ["intended", "done"]
    user = User.objects.get(pk=bob.user.pk)
    assert user.check_password(PASSWORD)
    assert not user.check_password(THIEFS)
    assert list(KeySlot.objects.filter(user=bob.user).order_by("pk").values()) == slots


@pytest.mark.attack("F39")
def test_the_thief_is_signed_out_and_stays_out(thief):
    assert thief.get("/images/", headers=JSON).status_code == 200
    sign_in()
    assert thief.get("/images/", headers=JSON).status_code == 401
    assert sign_in(THIEFS)[1].status_code == 422


@pytest.mark.attack("F39", "F42")
def test_the_person_is_mailed_and_sees_it_in_the_timeline(thief):
    client, _ = sign_in()
    assert [one.subject for one in mail.outbox] == ["Your own password works again"]
    assert b"It works again. The newer one" in client.get("/accounts/security/").content


@pytest.mark.attack("F39")
def test_it_counts_where_ones_own_session_is_with_the_mailed_password(thief, bob):
    """Bob set a password by mail himself, and then remembers the earlier one."""
    fields = {"password": PASSWORD, "old_password": PASSWORD}
    answer = thief.post("/accounts/locked-keys/", fields, headers=JSON)
    assert answer.json() == {"unlocked": True}
    assert thief.get("/images/", headers=JSON).status_code == 200
    assert User.objects.get(pk=bob.user.pk).check_password(PASSWORD)


@pytest.mark.attack("F39")
def test_an_answer_of_the_organisation_waits_no_longer(thief, bob):
    KeySlot.objects.create(
        user=bob.user, kind="answer", master_key_version=1, wrapped_master_key=b"x", salt=b"x"
    )
    sign_in()
    assert not KeySlot.objects.filter(kind="answer").exists()


@pytest.mark.parametrize("password", [THIEFS + "!", PASSWORD + "!", ""])
def test_no_other_password_does(thief, bob, password):
    assert sign_in(password)[1].status_code == 422
    assert NewStart.objects.get().stopped_at is None


def test_the_password_by_mail_still_signs_in_and_opens_nothing(thief):
    _, answer = sign_in(THIEFS)
    assert answer.json()["unlocked"] is False
    assert NewStart.objects.get().stopped_at is None


def test_after_a_theft_was_ordered_it_is_no_proof(thief, bob):
    """Then the thief may know it: the recovery code or a one-time code is asked for."""
    order_after_theft(User.objects.get(pk=bob.user.pk))
    assert sign_in()[1].status_code == 422
    assert User.objects.get(pk=bob.user.pk).check_password(THIEFS)


def test_who_is_disabled_stays_out(thief, bob):
    User.objects.filter(pk=bob.user.pk).update(is_active=False)
    assert sign_in()[1].status_code == 422


def test_a_password_older_than_a_new_start_signs_nobody_in(bob):
    """It opens an earlier slot, and that is asked for at /accounts/earlier-keys/."""
    user = User.objects.get(pk=bob.user.pk)
    user.set_password(THIEFS)
    user.master_key_version = 2
    user.save()
    assert sign_in()[1].status_code == 422


def test_a_slot_that_is_replaced_meanwhile_restores_nothing(thief, bob, monkeypatch):
    """The keys were brought back under another password, at the same moment."""
    real = passwords.changing_keys

    def overtaken(*arguments, **named):
        KeySlot.objects.filter(user=bob.user, kind="password").delete()
        return real(*arguments, **named)

    monkeypatch.setattr(passwords, "changing_keys", overtaken)
    assert sign_in()[1].status_code == 422
    assert User.objects.get(pk=bob.user.pk).check_password(THIEFS)


@pytest.mark.parametrize("username", ["bob", "nobody-of-this-name", "overseer"])
def test_a_wrong_password_costs_as_much_for_every_name(bob, staff, username, monkeypatch):
    """Twice the derivation, for a name that is unknown or has no keys, too: the time it takes
    reveals nothing."""
    from accounts import custody, hashers
    from accounts.custody import KDF_TURNS

    derived = []
    for module in (custody, hashers):
        turns = type("Turns", (), {"turn": lambda self: derived.append(1) or KDF_TURNS.turn()})()
        monkeypatch.setattr(module, "KDF_TURNS", turns)
    Client().post("/accounts/login/", {"username": username, "password": "wrong " * 3})
    assert len(derived) == 2


def test_what_opens_is_still_opened_with_the_same_slot(thief, bob):
    sign_in()
    assert open_with_password(User.objects.get(pk=bob.user.pk), PASSWORD)
