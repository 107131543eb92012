"""A password set elsewhere opens nothing; what opened the keys before brings them back."""

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.custody import DoesNotOpen, open_with_password
from accounts.models import Custody, KeySlot, NewStart, User
from accounts.services.ways_back.new_start import ask_for_new_start
from audit.models import AuditEntry
from tests.conftest import PASSWORD

JSON = {"accept": "application/json"}
LOCKED = "/accounts/locked-keys/"
FOREIGN = "set by somebody else"


@pytest.fixture
def changed(alice):
    """Alice's account after `manage.py changepassword`, signed in with what it set."""
    user = User.objects.get(pk=alice.user.pk)
    user.set_password(FOREIGN)
    user.save()
    client = Client()
    assert sign_in(client).json()["next"] == LOCKED
    return client


def sign_in(client):
    form = {"username": "alice", "password": FOREIGN}
    return client.post("/accounts/login/", form, headers=JSON)


def bring_back(client, old=PASSWORD, present=FOREIGN):
    form = {"old_password": old, "password": present}
    return client.post(LOCKED, form, headers=JSON)


def recover(client, person):
    form = {
        "username": person.username,
        "recovery_code": person.recovery_code,
        "new_password1": "another good password",
        "new_password2": "another good password",
    }
    assert client.post("/accounts/recover/", form, headers=JSON).status_code == 200


def opens(client, image):
    return client.get(f"/images/{image.pk}/original").status_code


def test_changepassword_locks_the_keys_and_the_sign_in_says_so(alice, monkeypatch):
    typed = iter([FOREIGN, FOREIGN])
    monkeypatch.setattr("getpass.getpass", lambda *arguments, **options: next(typed))
    call_command("changepassword", "alice")
    client = Client()
    answer = client.post(
        "/accounts/login/", {"username": "alice", "password": FOREIGN}, headers=JSON
    )
    assert answer.json() == {"username": "alice", "unlocked": False, "next": LOCKED}
    page = client.get(LOCKED).content.decode()
    for way in ("Your earlier password", "Your recovery code", "I have none of these"):
        assert way in page
    assert AuditEntry.objects.filter(event="keys:found-locked", subject=alice.user.pk).exists()


def test_nothing_opens_until_the_keys_are_back(shared_image, alice, changed):
    unlocks = set(Custody.objects.values_list("pk", flat=True))
    assert opens(changed, shared_image) == 401
    assert changed.get("/accounts/unlock/")["Location"] == LOCKED
    answer = changed.post("/accounts/unlock/", {"password": FOREIGN}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "keys_locked")
    assert unlocks == set(Custody.objects.values_list("pk", flat=True))


def test_the_earlier_password_brings_everything_back_this_once(shared_image, alice, changed):
    assert bring_back(changed).json() == {"unlocked": True}
    assert opens(changed, shared_image) == 200
    user = User.objects.get(pk=alice.user.pk)
    assert open_with_password(user, FOREIGN)
    with pytest.raises(DoesNotOpen):
        open_with_password(user, PASSWORD)
    again = Client().post(
        "/accounts/login/", {"username": "alice", "password": FOREIGN}, headers=JSON
    )
    assert again.json()["unlocked"] is True


def test_brought_back_in_one_browser_they_open_in_the_other(shared_image, changed):
    other = Client()
    sign_in(other)
    assert bring_back(other).status_code == 200
    assert bring_back(changed).json() == {"unlocked": True}
    assert opens(changed, shared_image) == 200


@pytest.mark.parametrize(("old", "present"), [("wrong", FOREIGN), (PASSWORD, "wrong")])
def test_both_passwords_are_needed(alice, changed, old, present):
    before = list(KeySlot.objects.values_list("pk", flat=True))
    assert bring_back(changed, old, present).status_code == 422
    assert list(KeySlot.objects.values_list("pk", flat=True)) == before
    assert not Custody.objects.exists()


def test_tries_of_the_earlier_password_are_limited(alice, changed, settings):
    for _ in range(settings.SIGN_IN_TRIES):
        assert bring_back(changed, old="wrong").status_code == 422
    answer = bring_back(changed)
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")


def test_the_recovery_code_brings_them_back_too(shared_image, alice, changed):
    recover(changed, alice)
    assert opens(changed, shared_image) == 200
    assert changed.get(LOCKED)["Location"] == "/accounts/unlock/"


@pytest.mark.parametrize("way", ["old password", "recovery code"])
def test_bringing_the_keys_back_stops_a_new_start_that_waits(alice, changed, way):
    ask_for_new_start(user=alice.user)
    if way == "old password":
        bring_back(changed)
    else:
        recover(changed, alice)
    assert NewStart.objects.get().stopped_at
    assert AuditEntry.objects.filter(event="new-start:stopped").exists()


def test_who_has_no_locked_keys_is_sent_to_unlock(alice):
    assert alice.sign_in().get(LOCKED)["Location"] == "/accounts/unlock/"
    assert Client().get(LOCKED)["Location"].startswith("/accounts/login/")
