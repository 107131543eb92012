"""First keys: only where the unbroken trail, or an operator's code, says that they are due."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from accounts.models import KeyPair, KeySlot, MacKey, User
from accounts.services import first_keys
from audit.events import Event
from audit.models import AuditEntry, AuditHead, PersonalFacts
from tests.conftest import PASSWORD
from tests.trail import outcomes_of
from tests.triggers import drop_triggers, install_triggers

JSON = {"accept": "application/json"}
LOGIN, ADDRESS = "/accounts/login/", "/accounts/first-keys/"
IMPOSTORS = "the password of an impostor"


def sign_in(username, password=PASSWORD):
    client = Client(raise_request_exception=False)
    form = {"username": username, "password": password}
    return client, client.post(LOGIN, form, headers=JSON)


def delete_keys(user) -> None:
    """What somebody who can write to the main database does to pass for a person without keys."""
    for model in (KeySlot, KeyPair, MacKey):
        model.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(
        master_key_version=0, password=make_password(IMPOSTORS), session_epoch=0
    )


def tamper(*statements: str) -> None:
    """Write to the trail's database as its owner can, around triggers."""
    drop_triggers()
    with connections["audit"].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    install_triggers()


def refused(username, password=IMPOSTORS) -> Client:
    """Sign in and see that no keys are made; return the browser."""
    client, answer = sign_in(username, password)
    assert (answer.status_code, answer.json()["unlocked"]) == (200, False)
    assert answer.json()["next"] == ADDRESS
    user = User.objects.get(username=username)
    assert not KeyPair.objects.filter(user=user).exists()
    entry = AuditEntry.objects.filter(event=Event.FIRST_KEYS_REFUSED).latest("sequence")
    assert entry.parsed().subject == user.pk
    return client


@pytest.fixture
def keyless() -> User:
    return User.objects.create_superuser("overseer", PASSWORD)


@pytest.fixture
def keyed(keyless) -> User:
    """Made by a command; signed in since, and so has keys."""
    assert sign_in("overseer")[1].json()["unlocked"] is True
    return keyless


# ---- by the trail ----------------------------------------------------------------------------


def test_who_was_made_by_a_command_gets_keys_whatever_happened_meanwhile(keyless, alice, bob):
    alice.sign_in()
    assert sign_in("overseer")[1].json()["unlocked"] is True
    assert KeyPair.objects.filter(user=keyless).count() == 2
    made = outcomes_of("account:made-by-command", actor=None, subject=keyless.pk)
    assert made == ["intended", "done"]


@pytest.mark.attack("F20")
def test_with_both_databases_nobody_is_certified_in_place_of_one_who_registered(alice, bob):
    delete_keys(alice.user)
    with connections["audit"].cursor() as cursor:
        drop_triggers()
        about = [alice.user.pk if cursor.db.vendor == "postgresql" else alice.user.pk.hex] * 2
        cursor.execute("DELETE FROM audit_auditentry WHERE actor = %s OR subject = %s", about)
        assert cursor.rowcount > 4
        install_triggers()
    refused("alice")


@pytest.mark.attack("F20")
def test_nor_in_place_of_one_whom_a_command_made_by_dropping_the_making_of_keys(keyed):
    delete_keys(keyed)
    tamper("DELETE FROM audit_auditentry WHERE event = 'keys:made'")
    refused("overseer")


def cut_from_the_making_of_keys() -> None:
    """Cut the trail's end, and set its head back to what is left."""
    making = AuditEntry.objects.filter(event=Event.KEYS_MADE).earliest("sequence")
    last = AuditEntry.objects.get(sequence=making.sequence - 1)
    PersonalFacts.objects.all().delete()
    drop_triggers()
    with connections["audit"].cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditentry WHERE sequence >= %s", [making.sequence])
    AuditHead.objects.update(sequence=last.sequence, chain=last.chain)
    install_triggers()


@pytest.mark.attack("F20")
@pytest.mark.parametrize("signed_in_since", [False, True])
def test_nor_by_cutting_the_trails_end_which_its_file_still_has(keyed, bob, signed_in_since):
    delete_keys(keyed)
    cut_from_the_making_of_keys()
    if signed_in_since:
        bob.sign_in()  # what is appended now has a line too: head and last line agree again
    refused("overseer")


@pytest.mark.attack("F20")
@pytest.mark.parametrize("column", ["event", "outcome"])
def test_nor_by_hiding_an_entry_behind_its_columns(keyed, column):
    delete_keys(keyed)
    tamper(f"UPDATE audit_auditentry SET {column} = 'x' WHERE event = 'keys:made'")
    refused("overseer")


@pytest.mark.attack("F20")
def test_nor_by_a_making_nobody_vouches_for(alice):
    """An entry about somebody else, its columns altered to speak of alice."""
    made = User.objects.create_user("visitor", PASSWORD)
    delete_keys(alice.user)
    with connections["audit"].cursor() as cursor:
        drop_triggers()
        by = (lambda pk: pk) if cursor.db.vendor == "postgresql" else (lambda pk: pk.hex)
        query = "UPDATE audit_auditentry SET subject = %s WHERE subject = %s"
        cursor.execute(query, [by(alice.user.pk), by(made.pk)])
        assert cursor.rowcount
        install_triggers()
    refused("alice")


def test_without_the_file_nothing_is_proven(keyless, settings, tmp_path):
    settings.AUDIT_FILE = tmp_path / "moved-away.jsonl"
    refused("overseer", PASSWORD)


def test_a_file_that_cannot_be_read_is_a_part_that_is_away(keyless, settings, tmp_path):
    settings.AUDIT_FILE = tmp_path
    assert sign_in("overseer")[1].status_code == 503
    assert not KeyPair.objects.exists()


def test_a_trail_too_long_to_walk_while_somebody_waits_proves_nothing(keyless, monkeypatch):
    monkeypatch.setattr("audit.unbroken.MOST", 0)
    refused("overseer", PASSWORD)


def test_an_account_older_than_the_trails_entry_of_its_making_is_refused(keyless):
    User.objects.bulk_create(
        [User(username="elder", skeleton="elder", password=make_password(PASSWORD))]
    )
    refused("elder", PASSWORD)


# ---- by an operator's code -------------------------------------------------------------------


@pytest.fixture
def elder(client) -> User:
    """Somebody whose account was made before its making was recorded."""
    user = User(username="elder", skeleton="elder", display_name="Elder")
    user.set_password(PASSWORD)
    user.save()
    return user


def code_for(user) -> str:
    out = io.StringIO()
    call_command("first_keys_code", user.username, stdout=out)
    return out.getvalue().splitlines()[-1]


def use(client, code, password=PASSWORD):
    return client.post(ADDRESS, {"code": code, "password": password}, headers=JSON)


def test_the_code_and_the_password_make_keys_and_lead_to_the_recovery_code(elder):
    client = refused("elder", PASSWORD)
    assert b"One-time code" in client.get(ADDRESS).content
    answer = use(client, code_for(elder).lower())
    assert answer.json() == {
        "username": "elder",
        "unlocked": True,
        "next": "/accounts/recovery-code/",
    }
    assert KeyPair.objects.filter(user=elder).count() == 2
    assert sign_in("elder")[1].json()["unlocked"] is True
    assert client.get(ADDRESS).status_code == 302


@pytest.mark.attack("F21")
def test_only_a_digest_of_the_code_is_kept(elder, settings):
    code = code_for(elder)
    kept = settings.AUDIT_FILE.read_text() + "".join(
        bytes(leaf).decode() for leaf in AuditEntry.objects.values_list("leaf", flat=True)
    )
    assert code not in kept
    assert code.replace("-", "") not in kept


@pytest.mark.attack("F21")
def test_a_code_serves_one_person_and_the_newest_alone(elder, keyless):
    client = refused("elder", PASSWORD)
    older, others = code_for(elder), code_for(keyless)
    newest = code_for(elder)
    for wrong in (older, others, "", "x", newest[:-1], newest[:-1] + "U"):
        assert use(client, wrong).status_code == 422, wrong
    assert not KeyPair.objects.exists()
    assert use(client, newest, "not the password").status_code == 422
    assert use(client, newest).status_code == 200


@pytest.mark.attack("F21")
def test_a_code_that_made_keys_makes_no_others(elder):
    client = refused("elder", PASSWORD)
    code = code_for(elder)
    assert use(client, code).status_code == 200
    delete_keys(elder)
    again = refused("elder")
    assert use(again, code, IMPOSTORS).status_code == 422
    assert not KeyPair.objects.exists()


@pytest.mark.attack("F21")
def test_a_code_ends_after_seven_days(elder, monkeypatch):
    client = refused("elder", PASSWORD)
    code = code_for(elder)
    monkeypatch.setattr(first_keys, "CODE_LASTS", timedelta(0))
    assert use(client, code).status_code == 422


def test_no_code_is_made_for_people_with_keys_or_for_nobody(alice):
    for name in ("alice", "nobody"):
        with pytest.raises(CommandError):
            call_command("first_keys_code", name)
    assert not AuditEntry.objects.filter(event=Event.FIRST_KEYS_ALLOWED).exists()


def test_who_has_keys_is_led_away_from_the_page_for_first_ones(alice):
    assert alice.sign_in().get(ADDRESS).status_code == 302


def test_who_has_none_is_led_to_it_from_where_locked_keys_are_brought_back(elder):
    client = refused("elder", PASSWORD)
    assert client.get("/accounts/locked-keys/").url == ADDRESS
