"""Registering: an account with all its keys, or none."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from accounts import usernames
from accounts.models import KeyPair, KeySlot, MacKey, User
from accounts.services.people import registration
from accounts.turns import Busy
from audit.models import AuditEntry
from tests.conftest import PASSWORD

FORM = {
    "username": "alice",
    "display_name": "Alice Ardent",
    "password1": PASSWORD,
    "password2": PASSWORD,
}
JSON = {"accept": "application/json"}


MALFORMED = ["", "ab", "1alice", "-alice", "al ice", "alice!", "аlice", "al/ice", "alice,bob"]
HOSTILE = ["a" * 33, "alice\nbob", '"alice"', "../server"]
RESERVED = ["admin", "ALL", "root", "me"]


@pytest.mark.attack("C7", "E3")
@pytest.mark.parametrize("username", [*MALFORMED, *HOSTILE, *RESERVED])
def test_a_name_that_is_malformed_or_reserved_is_refused(client, username):
    answer = client.post("/accounts/register/", {**FORM, "username": username}, headers=JSON)
    assert answer.status_code == 422
    assert "username" in answer.json()["errors"]
    assert not User.objects.exists()


@pytest.mark.attack("C7")
@pytest.mark.parametrize("look_alike", ["alice", "ALICE", " alice ", "a1ice", "allce", "aIice"])
def test_a_name_that_looks_like_a_taken_one_is_refused(client, alice, look_alike):
    answer = client.post("/accounts/register/", {**FORM, "username": look_alike}, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"]["username"][0]["code"] == "username_taken"
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elevenchars", "password_too_short"),
        ("password1234", "password_too_common"),
        ("alice-ardent", "password_too_similar"),
        ("x" * 1025, "max_length"),
        ("ü" * 600, "password_too_long"),
    ],
)
def test_a_weak_password_is_refused(client, password, code):
    form = {**FORM, "password1": password, "password2": password}
    answer = client.post("/accounts/register/", form, headers=JSON)
    assert answer.status_code == 422
    assert code in {error["code"] for error in answer.json()["errors"]["password1"]}
    assert not User.objects.exists()


def test_two_different_passwords_are_refused(client):
    form = {**FORM, "password2": PASSWORD + " "}
    answer = client.post("/accounts/register/", form, headers=JSON)
    assert answer.json()["errors"]["password2"][0]["code"] == "password_mismatch"


@pytest.mark.attack("C4")
def test_a_field_nobody_asked_for_changes_nothing(client):
    client.post("/accounts/register/", {**FORM, "is_staff": "1", "is_superuser": "1", "id": "7"})
    user = User.objects.get()
    assert not user.is_staff
    assert not user.is_superuser


def test_registering_makes_all_keys_signs_in_and_leads_to_the_recovery_code(client):
    answer = client.post("/accounts/register/", FORM)
    assert answer.status_code == 302
    assert answer.url == "/accounts/recovery-code/"
    user = User.objects.get(username="alice")
    purposes = set(KeyPair.objects.filter(user=user).values_list("purpose", flat=True))
    assert purposes == {"signing", "encryption"}
    assert KeySlot.objects.get(user=user).kind == "password"
    assert MacKey.objects.filter(user=user).count() == 1
    assert client.get("/accounts/recovery-code/").status_code == 200


def test_json_is_answered_with_json(client):
    answer = client.post("/accounts/register/", FORM, headers=JSON)
    assert answer.status_code == 201
    expected = {"username": "alice", "unlocked": True, "next": "/accounts/recovery-code/"}
    assert answer.json() == expected


def test_every_step_is_recorded_and_no_secret_is(client):
    client.post("/accounts/register/", FORM)
    events = list(AuditEntry.objects.order_by("sequence").values_list("event", "outcome"))
    assert events[:3] == [
        ("account:registered", "intended"),
        ("account:registered", "done"),
        ("keys:made", "done"),
    ]
    leaves = b"".join(bytes(entry.leaf) for entry in AuditEntry.objects.all())
    assert PASSWORD.encode() not in leaves


@pytest.mark.attack("C6")
def test_one_name_registered_at_once_makes_one_account():
    outcomes: list[str] = []

    def register() -> None:
        try:
            registration.register(username="alice", display_name="", email="", password=PASSWORD)
            outcomes.append("made")
        except (ValidationError, Busy):  # Busy: more wait for their turn than may
            outcomes.append("not made")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made"] + ["not made"] * 7
    assert User.objects.count() == 1
    assert KeyPair.objects.count() == 2


def test_too_many_registrations_from_one_address_are_held(client, settings):
    settings.REGISTRATIONS_PER_HOUR = 1
    client.post("/accounts/register/", {**FORM, "username": "x"})
    answer = client.post("/accounts/register/", FORM, headers=JSON)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert not User.objects.exists()


def test_skeletons_meet_only_for_names_that_look_alike():
    assert usernames.skeleton("a1ice") == usernames.skeleton("alice")
    assert usernames.skeleton("barn") == usernames.skeleton("bam")
    assert usernames.skeleton("alice") != usernames.skeleton("alicia")


@pytest.mark.parametrize("name", ["adm1n", "supp0rt", "r00t", "imageshare", "Staff"])
def test_names_of_ours_and_what_looks_like_them_are_not_given_away(client, name):
    answer = client.post("/accounts/register/", {**FORM, "username": name}, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"]["username"]


@pytest.mark.attack("C7")
@pytest.mark.parametrize(
    "name",
    [
        *("\u202eecila", "Ali\u200bce", "\u200b", "a\nb", "a\x1b[31m", "\ue000"),
        # A joiner where it joins nothing: at an end, between Latin letters, alone, twice.
        *("Al\u200dice", "Al\u200cice", "\u200dAlice", "علی\u200c", "\u200c", "علی\u200c\u200cرضا"),
    ],
)
def test_names_with_what_is_not_seen_are_refused(client, name):
    answer = client.post("/accounts/register/", {**FORM, "display_name": name}, headers=JSON)
    assert answer.json()["errors"]["display_name"]
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        *("Åsa Öberg", "李小龍", "أليس", "O’Neill-Smith, Jr."),
        "علی\u200cرضا",  # Persian: zero width non-joiner between letters that would otherwise join
        "ශ්\u200dරී ලංකා",  # Sinhala: zero width joiner after al-lakuna
        "ജോര്\u200dജ്",  # Malayalam: chillu
        "র\u200d্যাব",  # Bengali: before the virama
    ],
)
def test_names_of_every_script_are_welcome(client, name):
    client.post("/accounts/register/", {**FORM, "display_name": name})
    assert User.objects.get().display_name == name
