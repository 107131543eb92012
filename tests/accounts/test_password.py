"""One's own change of password."""

import threading

import pytest
from django.db import connections
from django.test import Client

from accounts import custody
from accounts.custody import DoesNotOpen
from accounts.models import Custody, KeySlot, User
from accounts.services.ways_back.passwords import change_password
from tests.conftest import PASSWORD
from tests.stored import holds
from tests.trail import outcomes_of

JSON = {"accept": "application/json"}
ADDRESS = "/accounts/password/"
NEW = "an entirely new one 42"


def change(client, **changed):
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW, **changed}
    return client.post(ADDRESS, form, headers=JSON)


@pytest.mark.parametrize(
    "changed",
    [
        {"old_password": "wrong password"},
        {"old_password": ""},
        {"new_password1": "short", "new_password2": "short"},
        {"new_password2": "something else 42"},
    ],
)
def test_a_wrong_form_changes_nothing(alice, changed):
    assert change(alice.sign_in(), **changed).status_code == 422
    assert outcomes_of("account:password-changed", actor=alice.user.pk, subject=alice.user.pk) == []
    assert custody.open_with_password(alice.user, PASSWORD)
    assert alice.sign_in()


def test_the_old_password_stops_opening_and_the_new_one_opens(alice):
    assert change(alice.sign_in()).json() == {"changed": True}
    user = User.objects.get(pk=alice.user.pk)
    with pytest.raises(DoesNotOpen):
        custody.open_with_password(user, PASSWORD)
    assert custody.open_with_password(user, NEW)
    assert KeySlot.objects.filter(user=user, kind="password").count() == 1
    changes = outcomes_of("account:password-changed", actor=user.pk, subject=user.pk)
    assert changes == ["intended", "done"]


@pytest.mark.attack("C2")
def test_this_session_stays_unlocked_and_all_others_end(alice):
    elsewhere = Client()
    elsewhere.post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    here = alice.sign_in()
    change(here)
    assert here.get("/images/upload/").status_code == 200
    assert elsewhere.get("/images/").status_code == 302
    assert Custody.objects.count() == 1


def test_of_two_changes_at_once_one_wins_and_its_password_opens(alice):
    won: list[str] = []

    def attempt(new_password: str) -> None:
        user = User.objects.get(pk=alice.user.pk)
        try:
            change_password(user=user, old_password=PASSWORD, new_password=new_password)
            won.append(new_password)
        except DoesNotOpen:
            pass
        finally:
            connections.close_all()

    words = [f"new password {number} of several" for number in range(4)]
    threads = [threading.Thread(target=attempt, args=[word]) for word in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    user = User.objects.get(pk=alice.user.pk)
    assert user.check_password(won[0])
    assert custody.open_with_password(user, won[0])


def test_a_destroyed_slot_is_in_neither_the_database_file_nor_its_log(alice):
    wrapped = bytes(KeySlot.objects.get(user=alice.user, kind="password").wrapped_master_key)
    assert holds(wrapped)
    change(alice.sign_in())
    assert not holds(wrapped)
