"""Rows that somebody wrote into the database earn nobody a certified key in another's place."""

import secrets
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.utils import timezone

from accounts.custody import Keyring, NewCode, OpeningKeys
from accounts.keys.verification import Verifier
from accounts.models import KeyOrder, KeyPair, KeySlot, User, token_digest
from audit.models import AuditEntry
from cryptocore import recovery_code
from cryptocore.kdf import derive_key
from cryptocore.keywrap import wrap_key
from tests.accounts.test_new_start import ask, let_the_wait_pass, sign_in_with_foreign_password
from tests.trail import outcomes_of

JSON = {"accept": "application/json"}
IMPOSTORS, NEW = "the password of an impostor", "an entirely new one 42"


def signing_keys(person) -> int:
    return KeyPair.objects.filter(user=person.user, purpose="signing").count()


def take_over_the_slot(person) -> None:
    """Put a password slot with a master key of the impostor's in the place of the person's."""
    user = User.objects.get(pk=person.user.pk)
    theirs = Keyring(user, secrets.token_bytes(32), user.master_key_version)
    person.user.key_slots.filter(kind="password").delete()
    theirs.password_slot(IMPOSTORS).save()
    User.objects.filter(pk=user.pk).update(password=make_password(IMPOSTORS))


@pytest.mark.attack("F24")
def test_a_slot_and_an_order_of_ones_own_replace_nobodys_keys(bob):
    take_over_the_slot(bob)
    code = recovery_code.new_code()
    KeyOrder.objects.create(
        user=bob.user,
        purpose="encryption",
        reason="compromised",
        proof_digest=token_digest(code),
    )
    form = {"username": "bob", "code": code, "password": IMPOSTORS}
    form |= {"new_password1": NEW, "new_password2": NEW}
    assert Client().post("/accounts/replace-keys/", form, headers=JSON).status_code == 422
    assert signing_keys(bob) == 1


@pytest.mark.attack("F24")
def test_a_recovery_code_of_ones_own_replaces_nobodys_keys(bob):
    user = User.objects.get(pk=bob.user.pk)
    new_code = NewCode.new()
    theirs = Keyring(user, secrets.token_bytes(32), user.master_key_version)
    bob.user.key_slots.filter(kind="recovery-code").delete()
    theirs.recovery_slot(new_code).save()
    KeyOrder.objects.create(user=bob.user, purpose="encryption", reason="compromised")
    form = {"username": "bob", "code": new_code.code, "new_password1": NEW, "new_password2": NEW}
    assert Client().post("/accounts/replace-keys/", form, headers=JSON).status_code == 422
    assert signing_keys(bob) == 1


@pytest.mark.attack("F24")
def test_an_answer_of_ones_own_recovers_nobody(bob):
    code = recovery_code.new_code()
    slot = KeySlot(
        user=bob.user,
        kind="answer",
        master_key_version=1,
        salt=bytes(16),
        ends_at=timezone.now() + timedelta(days=1),
    )
    from accounts.custody import _slot_context

    kek = derive_key(code.encode(), _slot_context(slot), salt=slot.salt)
    slot.wrapped_master_key = wrap_key(secrets.token_bytes(32), kek)
    slot.save()
    form = {"username": "bob", "recovery_code": code, "new_password1": NEW, "new_password2": NEW}
    assert Client().post("/accounts/recover/", form, headers=JSON).status_code == 422
    assert signing_keys(bob) == 1
    assert not hasattr(OpeningKeys(bob.user, bytes(32), 1), "sign")


# ---- a new start, where nothing opens --------------------------------------------------------


def due(client):
    let_the_wait_pass()
    with override_settings(NEW_START_WAIT=timedelta(0)):  # the trail has when it was asked for
        return ask(client)


@pytest.mark.attack("F24")
def test_a_new_start_over_altered_rows_is_refused_when_it_is_asked_for(bob):
    client = sign_in_with_foreign_password(bob)
    bob.user.key_slots.filter(kind="password").delete()  # so that bob could not stop it
    answer = ask(client)
    assert (answer.status_code, answer.json()["code"]) == (409, "keys_not_remembered")
    assert AuditEntry.objects.filter(event="keys:not-remembered", outcome="refused").exists()


@pytest.mark.attack("F24")
def test_and_when_it_is_due(bob):
    client = sign_in_with_foreign_password(bob)
    assert ask(client).status_code == 202
    bob.user.key_slots.filter(kind="recovery-code").delete()
    answer = due(client)
    assert (answer.status_code, answer.json()["code"]) == (409, "keys_not_remembered")
    assert signing_keys(bob) == 1


@pytest.mark.attack("F24")
def test_a_person_whose_keys_are_gone_gets_no_new_start(bob):
    client = sign_in_with_foreign_password(bob)
    KeySlot.objects.filter(user=bob.user).delete()
    KeyPair.objects.filter(user=bob.user).delete()
    assert ask(client).status_code == 409
    assert signing_keys(bob) == 0


def test_an_operator_accepts_rows_that_no_backup_restores(bob):
    client = sign_in_with_foreign_password(bob)
    bob.user.key_slots.filter(kind="password").delete()
    call_command("accept_keys", "bob")
    assert outcomes_of("keys:accepted", actor=None, subject=bob.user.pk) == ["done"]
    assert ask(client).status_code == 202
    assert due(client).status_code == 200
    assert signing_keys(bob) == 2
    with pytest.raises(CommandError):
        call_command("accept_keys", "nobody")


def test_testing_ones_code_leaves_rows_that_are_remembered(bob):
    client = bob.sign_in()
    answer = client.post(
        "/accounts/recovery-code/test/", {"recovery_code": bob.recovery_code}, headers=JSON
    )
    assert answer.json() == {"works": True}
    assert list(Verifier().run()) == []
