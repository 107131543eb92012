"""After a theft: a password alone is no proof, and everything the thief may have is replaced."""

from contextlib import suppress
from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.utils import timezone

from accounts import custody
from accounts.custody import DoesNotOpen, open_with_password
from accounts.keys.certificates import (
    certify_encryption_key,
    is_endorsed,
    verified_encryption_key,
    wrapping_key_of,
)
from accounts.keys.keysets import keyset_digest
from accounts.keys.verification import Verifier
from accounts.models import KeyOrder, KeyPair, KeySlot, MacKey, User, WrappedKey
from accounts.services.key_making import new_pair
from accounts.services.rotating.carrying_out import carry_out_orders
from audit.models import AuditEntry
from cryptocore.errors import CryptoError
from tests.accounts.test_new_start import (
    FOREIGN,
    ask,
    let_the_wait_pass,
    sign_in_with_foreign_password,
)
from tests.accounts.test_rotate_keys import code_of, run
from tests.accounts.test_rotation import opens, pairs, primary, recorded_keyset
from tests.conftest import PASSWORD
from tests.stored import holds

JSON = {"accept": "application/json"}
ADDRESS = "/accounts/replace-keys/"
NEW = "an entirely new one 42"


@pytest.fixture
def stolen(shared_image, bob):
    """Bob's keys are marked as stolen; the operator's one-time code."""
    return code_of(run("bob", "--compromised"))


def replace(code, client=None, /, **changed):
    form = {"username": "bob", "code": code, "new_password1": NEW, "new_password2": NEW, **changed}
    place = {"REMOTE_ADDR": form.pop("REMOTE_ADDR", "127.0.0.1")}
    return (client or Client()).post(ADDRESS, form, headers=JSON, **place)


def signed_in_with(password, client):
    return client.post("/accounts/login/", {"username": "bob", "password": password}, headers=JSON)


# ---- refused ---------------------------------------------------------------------------------


def test_the_old_password_alone_neither_signs_in_nor_replaces(stolen, bob):
    answer = signed_in_with(PASSWORD, bob.client)
    assert (answer.status_code, answer.json()["code"]) == (403, "keys_compromised")
    assert bob.client.get("/images/", headers=JSON).status_code == 401
    page = bob.client.post("/accounts/login/", {"username": "bob", "password": PASSWORD})
    assert page.url == ADDRESS
    assert bob.client.get(ADDRESS).status_code == 200
    assert bob.client.get("/images/", headers=JSON).status_code == 401


def test_the_recovery_code_recovers_nothing_until_the_keys_are_replaced(stolen, bob):
    form = {"username": "bob", "recovery_code": bob.recovery_code}
    form |= {"new_password1": NEW, "new_password2": NEW}
    answer = bob.client.post("/accounts/recover/", form, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "keys_compromised")
    assert open_with_password(User.objects.get(pk=bob.user.pk), PASSWORD)


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "A" * 30},
        {"code": "too short"},
        {"code": "", "password": PASSWORD},
        {"password": ""},
        {"password": "not the password"},
        {"username": "alice", "password": PASSWORD},
        {"username": "nobody", "password": PASSWORD},
        {"password": PASSWORD, "new_password2": "something else 42"},
        {"password": PASSWORD, "new_password1": "short", "new_password2": "short"},
    ],
)
def test_whatever_is_not_proven_changes_nothing(stolen, alice, bob, changed):
    before = keyset_digest(bob.user.pk)
    assert replace(stolen, **changed).status_code == 422
    assert keyset_digest(bob.user.pk) == before


def test_without_a_theft_neither_code_replaces_anything(alice, bob):
    before = keyset_digest(bob.user.pk)
    assert replace(bob.recovery_code).status_code == 422
    assert replace("A" * 30, password=PASSWORD).status_code == 422
    assert keyset_digest(bob.user.pk) == before


def test_an_older_one_time_code_is_worth_nothing(stolen, bob):
    newer = code_of(run("bob", "--compromised"))
    assert replace(stolen, password=PASSWORD).status_code == 422
    assert replace(newer, password=PASSWORD).status_code == 200


def test_a_code_is_used_once(stolen, bob):
    assert replace(stolen, password=PASSWORD).status_code == 200
    before = keyset_digest(bob.user.pk)
    assert replace(stolen, password=NEW).status_code == 422
    assert replace(bob.recovery_code).status_code == 422
    assert keyset_digest(bob.user.pk) == before


def test_guesses_at_the_code_with_the_right_password_are_held(stolen, settings):
    settings.SIGN_IN_TRIES = 5
    answers = [replace("B" * 30, password=PASSWORD).status_code for _ in range(7)]
    assert answers == [422] * 5 + [429] * 2
    assert replace(stolen, password=PASSWORD).status_code == 429


def test_guesses_at_the_password_with_the_right_code_are_held(stolen, settings):
    settings.SIGN_IN_TRIES = 5
    answers = [
        replace(stolen, password="not the password", REMOTE_ADDR=f"198.51.100.{number}").status_code
        for number in range(7)
    ]
    assert answers == [422] * 5 + [429] * 2


def test_a_damaged_certificate_keeps_nobody_from_new_keys(stolen, bob):
    KeyPair.objects.filter(user=bob.user, purpose="signing").update(certificate=b"damaged")
    assert replace(stolen, password=PASSWORD).status_code == 200
    assert wrapping_key_of(bob.user.pk)


def test_a_key_that_the_stolen_key_certifies_is_wrapped_to_by_nobody(stolen, bob):
    """The thief has the signing key and the database, and puts in a pair of their own."""
    thief = open_with_password(User.objects.get(pk=bob.user.pk), PASSWORD)
    signing = KeyPair.objects.get(user=bob.user, purpose="signing")
    thief.prove(signing)
    assert replace(stolen, password=PASSWORD).status_code == 200
    forged = new_pair(thief, KeyPair.Purpose.ENCRYPTION, epoch=3)
    certify_encryption_key(forged, thief, signing)
    KeyPair.objects.filter(pk=primary(bob).pk).update(state="open-only")
    forged.save(force_insert=True)
    assert verified_encryption_key(forged)
    with pytest.raises(CryptoError):
        wrapping_key_of(bob.user.pk)


# ---- replaced --------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["the recovery code", "the operator's code and the password"])
def test_everything_is_replaced_and_nothing_is_lost(stolen, shared_image, bob, way):
    proof = {"code": bob.recovery_code} if way == "the recovery code" else {"password": PASSWORD}
    answer = replace(stolen, bob.client, **proof)
    assert answer.status_code == 200, answer.content
    bob.password = NEW
    user = User.objects.get(pk=bob.user.pk)
    assert user.master_key_version == 2
    assert set(KeySlot.objects.filter(user=user).values_list("kind", "master_key_version")) == {
        ("password", 2),
        ("recovery-code", 2),
    }
    with pytest.raises(DoesNotOpen):
        open_with_password(user, PASSWORD)
    slot = user.present_slots.get(kind="recovery-code")
    assert custody.open_with_recovery_code(slot, answer.json()["recovery_code"])
    assert MacKey.objects.filter(user=user).count() == 2
    assert wrapping_key_of(user.pk)
    assert not is_endorsed(primary(bob, "signing"))
    assert bob.client.get("/images/").status_code == 200  # what is left to wrap again is done here
    assert pairs(bob) == [("destroyed", False), ("primary", True)]
    assert pairs(bob, "signing") == [("compromised", False), ("primary", True)]
    WrappedKey.objects.update(quick_key=None)
    assert opens(bob, shared_image, "original") == 200
    assert not KeyOrder.objects.filter(done_at=None).exists()
    assert recorded_keyset(bob) == keyset_digest(user.pk)
    (entry,) = AuditEntry.objects.filter(event="keys:replaced", outcome="done")
    assert entry.parsed().facts["reason"] == "compromised"


def test_after_a_reset_by_mail_the_earlier_password_still_opens_with_the_code(stolen, bob):
    user = User.objects.get(pk=bob.user.pk)
    user.set_password("set by mail, opens nothing")
    user.save()
    assert replace(stolen, password="set by mail, opens nothing").status_code == 422
    assert replace(stolen, password=PASSWORD).status_code == 200
    assert open_with_password(User.objects.get(pk=bob.user.pk), NEW)


def test_a_damaged_pair_keeps_nobody_out_and_comes_back_when_repaired(stolen, shared_image, bob):
    pair = KeyPair.objects.filter(user=bob.user, purpose="encryption")
    whole = bytes(pair.get().wrapped_private_key)
    pair.update(wrapped_private_key=whole[:-1] + bytes([whole[-1] ^ 1]))
    assert replace(stolen, bob.client, password=PASSWORD).status_code == 200
    bob.password = NEW
    assert opens(bob, shared_image, "original") == 409
    KeyPair.objects.filter(user=bob.user, epoch=1, purpose="encryption").update(
        wrapped_private_key=whole
    )
    answer = bob.client.post("/accounts/earlier-keys/", {"secret": PASSWORD}, headers=JSON)
    assert answer.json() == {"key_pairs": 1}
    assert opens(bob, shared_image, "original") == 200
    assert not bob.user.key_slots.filter(master_key_version=1).exists()


def test_the_person_is_notified_by_mail(stolen, bob, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    User.objects.filter(pk=bob.user.pk).update(email="bob@example.org")
    assert replace(stolen, password=PASSWORD).status_code == 200
    assert [message.subject for message in mail.outbox] == ["Your keys were replaced"]


def test_the_page_shows_the_new_recovery_code(stolen, bob):
    form = {"username": "bob", "code": stolen, "password": PASSWORD}
    page = bob.client.post(ADDRESS, {**form, "new_password1": NEW, "new_password2": NEW})
    assert page.status_code == 200
    assert b"code-grid" in page.content
    assert bob.client.get("/images/upload/").status_code == 200


def test_what_was_stolen_is_in_neither_the_database_file_nor_its_log(stolen, bob):
    wrapped = [
        *KeySlot.objects.filter(user=bob.user).values_list("wrapped_master_key", flat=True),
        *KeyPair.objects.filter(user=bob.user).values_list("wrapped_private_key", flat=True),
    ]
    assert all(holds(bytes(one)) for one in wrapped)
    replace(stolen, bob.client, password=PASSWORD)
    bob.client.get("/images/")
    assert not any(holds(bytes(one)) for one in wrapped)


def test_other_people_notice_nothing(stolen, shared_image, alice):
    assert opens(alice, shared_image) == 200


# ---- who lost everything, too ----------------------------------------------------------------


@pytest.fixture
def lost(stolen, bob):
    """Bob has neither password nor code, and staff set a password: he is signed in with that."""
    return sign_in_with_foreign_password(bob)


def test_a_password_set_elsewhere_signs_in_and_opens_nothing(lost, shared_image):
    assert lost.get(f"/images/{shared_image.pk}/original").status_code == 401
    page = lost.get("/accounts/locked-keys/").content.decode()
    assert "/accounts/replace-keys/" in page
    assert "old_password" not in page


def test_the_earlier_password_does_not_bring_stolen_keys_back(lost, bob):
    before = keyset_digest(bob.user.pk)
    form = {"old_password": PASSWORD, "password": FOREIGN}
    answer = lost.post("/accounts/locked-keys/", form, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "keys_compromised")
    assert keyset_digest(bob.user.pk) == before


def test_a_person_who_proves_nothing_gets_a_new_start_after_the_wait(
    lost, shared_image, upload, bob
):
    assert ask(lost).status_code == 202
    assert ask(lost).status_code == 202  # not before
    assert KeyOrder.objects.filter(user=bob.user, done_at=None).exists()
    let_the_wait_pass()
    with override_settings(NEW_START_WAIT=timedelta(0)):
        assert ask(lost).status_code == 200
    assert not KeyOrder.objects.filter(user=bob.user, done_at=None).exists()
    newer = upload(to=(bob,))
    assert lost.get(f"/images/{newer.pk}/original").status_code == 200
    assert lost.get(f"/images/{shared_image.pk}/original").status_code == 409
    assert [str(finding) for finding in Verifier().run()] == []


# ---- as verify_keys sees it ------------------------------------------------------------------


def test_at_no_stage_does_verify_keys_find_anything(shared_image, alice, bob):
    def stages():
        yield run("alice", "bob")
        for _ in range(5):
            carry_out_orders(open_with_password(User.objects.get(pk=bob.user.pk), PASSWORD))
            yield "one step more"
        code = code_of(run("bob", "--compromised"))
        yield "stolen"
        assert replace(code, bob.client, password=PASSWORD).status_code == 200
        yield "replaced"
        bob.client.get("/images/")
        yield "wrapped again"

    for stage in stages():
        said = StringIO()
        with suppress(CommandError):
            call_command("verify_keys", stdout=said, stderr=said)
        assert "all as made" in said.getvalue(), (stage, said.getvalue())


# ---- a code that the thief made --------------------------------------------------------------


def test_a_recovery_code_made_since_the_theft_proves_nothing(shared_image, bob):
    begun = timezone.now()
    client = bob.sign_in()
    made = client.post("/accounts/recovery-code/", {"password": PASSWORD}, headers=JSON)
    thiefs = made.json()["recovery_code"]
    code = code_of(run("bob", "--compromised", "--since", begun.isoformat()))
    assert replace(thiefs).status_code == 422
    assert replace(code, password=PASSWORD).status_code == 200


def test_an_earlier_recovery_code_still_proves_who_you_are(shared_image, bob):
    run("bob", "--compromised", "--since", timezone.now().isoformat())
    assert replace(bob.recovery_code).status_code == 200


def test_since_goes_with_compromised_only(bob):
    with pytest.raises(CommandError):
        run("bob", "--since", timezone.now().isoformat())
