"""A thief of a password, and so of the master key, who writes to the database as well.

Once the theft is ordered to be mended, and after it was, the rows they write or put back prove
nothing, open nothing new, and nobody wraps anything to them.
"""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.custody import Keyring, NewCode, _slot_context, open_with_password
from accounts.keys.content_keys import content_key_label
from accounts.models import (
    Custody,
    KeyOrder,
    KeyPair,
    KeySlot,
    MacKey,
    User,
    WrappedKey,
    WrappedKeyCheck,
    token_digest,
)
from accounts.services.rotating.replacing import replace_keys
from cryptocore import recovery_code
from cryptocore.errors import CryptoError
from cryptocore.kdf import derive_key
from cryptocore.keywrap import wrap_key
from gallery.services.revoking import relock
from tests.accounts.test_deserving import signing_keys
from tests.accounts.test_remembered import signs_in, take_marks_out
from tests.accounts.test_replacing import NEW, replace
from tests.accounts.test_rotate_keys import code_of, run
from tests.conftest import PASSWORD

JSON = {"accept": "application/json"}


@pytest.fixture
def thief(bob) -> Keyring:
    keyring = open_with_password(User.objects.get(pk=bob.user.pk), PASSWORD)
    for pair in KeyPair.objects.filter(user=bob.user):
        keyring.prove(pair)
    return keyring


# ---- while the theft is ordered --------------------------------------------------------------


@pytest.mark.attack("F93")
def test_a_one_time_code_written_into_the_order_is_none(bob):
    run("bob", "--compromised")
    code = recovery_code.new_code()
    KeyOrder.objects.update(proof_digest=token_digest(code))
    assert replace(code, password=PASSWORD).status_code == 422
    assert signing_keys(bob) == 1


@pytest.mark.attack("F93")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_recovery_code_written_with_the_stolen_master_key_is_none(bob, thief, when):
    new_code = NewCode.new()
    ordered = when == "before" or code_of(run("bob", "--compromised"))
    bob.user.key_slots.filter(kind="recovery-code").delete()
    thief.recovery_slot(new_code).save()
    ordered = code_of(run("bob", "--compromised")) if when == "before" else ordered
    assert replace(new_code.code).status_code == 422
    assert signing_keys(bob) == 1
    assert replace(ordered, password=PASSWORD).status_code == 200


@pytest.mark.attack("F93")
def test_neither_is_an_answer_of_the_organisation_that_was_never_taken(bob, thief):
    run("bob", "--compromised")
    code, slot = recovery_code.new_code(), KeySlot(user=bob.user, kind="answer", salt=bytes(16))
    slot.master_key_version, slot.ends_at = 1, timezone.now() + timedelta(days=1)
    kek = derive_key(code.encode(), _slot_context(slot), salt=slot.salt)
    slot.wrapped_master_key = wrap_key(thief._branch("opening"), kek)
    slot.save()
    assert replace(code).status_code == 422
    assert signing_keys(bob) == 1


@pytest.mark.attack("F93")
def test_an_order_opened_again_takes_no_code_once_more(bob):
    code = code_of(run("bob", "--compromised"))
    rows = list(KeyOrder.objects.filter(user=bob.user))
    assert replace(code, password=PASSWORD).status_code == 200
    for row in rows:
        KeyOrder.objects.filter(pk=row.pk).update(done_at=None)
    assert replace(code, password=NEW).status_code == 422
    assert signing_keys(bob) == 2


@pytest.mark.attack("F95")
@pytest.mark.parametrize("hidden", ["version", "pairs"])
def test_keys_that_were_hidden_while_the_theft_was_ordered_are_stolen(bob, mallory, hidden):
    pairs = KeyPair.objects.filter(pk__in=[pair.pk for pair in bob.user.key_pairs.all()])
    if hidden == "version":
        User.objects.filter(pk=bob.user.pk).update(master_key_version=7)
    else:
        pairs.update(user=mallory.user, epoch=77, state="open-only")
    run(str(bob.user.pk), "--compromised")
    User.objects.filter(pk=bob.user.pk).update(master_key_version=1)
    pairs.update(user=bob.user, epoch=1)
    take_marks_out(bob)
    assert not signs_in(bob)


# ---- after it was mended ---------------------------------------------------------------------


class Before:
    """Bob's rows as they were before the theft was known."""

    def __init__(self, bob) -> None:
        self.user = User.objects.get(pk=bob.user.pk)
        tables = (KeyPair, KeySlot, MacKey, Custody)
        self.rows = [row for table in tables for row in table.objects.filter(user=bob.user)]
        self.sessions = list(Session.objects.all())

    def put_back(self) -> None:
        reading = next(row for row in self.rows if getattr(row, "purpose", "") == "encryption")
        WrappedKey.objects.filter(key_pair__user=self.user).update(key_pair=reading)
        kept = [row.pk for row in self.rows]
        for table in (KeyPair, KeySlot, MacKey):
            table.objects.filter(user=self.user).exclude(pk__in=kept).delete()
        for row in (self.user, *self.rows, *self.sessions):
            row.save()
        KeyOrder.objects.filter(user=self.user).delete()


@pytest.fixture
def before(bob) -> Before:
    bob.sign_in()
    return Before(bob)


@pytest.fixture
def mended(before, bob) -> Before:
    code = code_of(run("bob", "--compromised"))
    assert replace(code, password=PASSWORD).status_code == 200
    before.put_back()
    return before


@pytest.mark.attack("F94")
def test_keys_that_were_replaced_sign_nobody_in_though_all_rows_are_put_back(mended, bob):
    client = Client()
    form = {"username": "bob", "password": PASSWORD}
    answer = client.post("/accounts/login/", form, headers=JSON)
    assert answer.status_code != 200 or answer.json()["unlocked"] is False
    answer = client.post("/accounts/unlock/", {"password": PASSWORD}, headers=JSON)
    assert answer.status_code != 200


@pytest.mark.attack("F94")
def test_nor_does_an_earlier_unlock_open_anything(shared_image, mended, bob):
    answer = bob.client.get(f"/images/{shared_image.pk}/preview", headers=JSON)
    assert answer.status_code == 401


@pytest.mark.attack("F94")
def test_they_earn_no_next_key(mended, bob, monkeypatch):
    """Though somebody were signed in with them."""
    for place in ("accounts.views.signing_in", "accounts.web.unlocking"):
        monkeypatch.setattr(f"{place}.opens_replaced_keys_alone", lambda keyring, standing: False)
    KeyOrder.objects.create(user=bob.user, purpose="signing", reason="routine")
    bob.client = Client()
    bob.sign_in().get("/images/")
    assert signing_keys(bob) == 1
    form = {"display_name": "Bob the Thief"}
    assert bob.client.post("/accounts/name/", form, headers=JSON).status_code == 422
    code = recovery_code.new_code()
    KeyOrder.objects.all().delete()
    KeyOrder.objects.create(
        user=bob.user, purpose="signing", reason="compromised", proof_digest=token_digest(code)
    )
    assert replace(code, password=PASSWORD).status_code == 422
    assert signing_keys(bob) == 1


@pytest.mark.attack("F94")
def test_nothing_is_mended_to_them(shared_image, alice, bob, thief):
    """Bob's new pair is hidden, his stolen one called the one in use, and a wrapped key damaged
    that only its quick key opens still."""
    run("bob", "--compromised")
    replace_keys(stolen=open_with_password(bob.user, PASSWORD), new_password=NEW)
    stolen = KeyPair.objects.get(user=bob.user, purpose="encryption", epoch=1)
    bob.password = NEW
    for _ in range(2):
        bob.sign_in().get("/images/")
    relock(keyring=alice.keyring, image_id=shared_image.pk)
    assert bob.client.get(f"/images/{shared_image.pk}/preview").status_code == 200
    wrapped = WrappedKey.objects.get(key_pair__user=bob.user)
    damaged = bytes(len(wrapped.oaep_bytes))
    WrappedKey.objects.filter(pk=wrapped.pk).update(key_pair=stolen, oaep_bytes=damaged)
    KeyPair.objects.filter(user=bob.user, purpose="encryption", epoch=2).delete()
    stolen.state, stolen.compromised_at = "primary", None
    stolen.save()
    KeyPair.objects.filter(user=bob.user).update(compromised_at=None)
    WrappedKeyCheck.objects.all().delete()
    bob.client.get("/images/")
    wrapped = WrappedKey.objects.get(key_pair__user=bob.user)
    label = content_key_label(stolen, subject=wrapped.subject, lock=wrapped.lock)
    assert bytes(wrapped.oaep_bytes) == damaged
    with pytest.raises(CryptoError):
        thief.unwrap_content_key(wrapped, label=label)
