"""New keys for old: ordered by an operator, made where their person's keys are open."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.custody import Keyring, open_with_password
from accounts.keys import orders
from accounts.keys.certificates import (
    certify_encryption_key,
    certify_signing_key,
    is_endorsed,
    verified_encryption_key,
    verified_signing_key,
)
from accounts.keys.keysets import keyset_digest
from accounts.models import KeyOrder, KeyPair, User, WrappedKey
from accounts.services.key_making import new_pair
from accounts.services.rotating import carrying_out as rotation
from accounts.services.rotating.carrying_out import carry_out_orders
from audit.models import AuditEntry
from cryptocore.errors import CryptoError
from tests.accounts.rewrapping import wrapped_to
from tests.concurrency import at_once
from tests.conftest import PASSWORD
from tests.stored import holds


def order(person, purpose="encryption", reason="routine"):
    replaced_at = timezone.now() if reason == "rewrap" else None
    return KeyOrder.objects.create(
        user=person.user, purpose=purpose, reason=reason, replaced_at=replaced_at
    )


def pairs(person, purpose="encryption"):
    """State and whether there is a private half, oldest first."""
    rows = KeyPair.objects.filter(user=person.user, purpose=purpose).order_by("epoch")
    return [(row.state, row.wrapped_private_key is not None) for row in rows]


def primary(person, purpose="encryption"):
    return KeyPair.objects.get(user=person.user, purpose=purpose, state="primary")


def finish(person, requests=50):
    """As many page requests as it takes; return how many that were."""
    for number in range(requests):
        if not KeyOrder.objects.filter(user=person.user, done_at=None).exists():
            return number
        carry_out_orders(open_with_password(User.objects.get(pk=person.user.pk), PASSWORD))
    raise AssertionError("the order is never done")


def opens(person, image, what="preview"):
    return person.sign_in().get(f"/images/{image.pk}/{what}").status_code


def recorded_keyset(person):
    entries = AuditEntry.objects.filter(subject=person.user.pk, outcome="done").order_by("sequence")
    known = [
        entry.parsed().facts["keyset"] for entry in entries if "keyset" in entry.parsed().facts
    ]
    return known[-1]


# ---- refused ---------------------------------------------------------------------------------


def test_without_an_order_nothing_changes(alice):
    before = keyset_digest(alice.user.pk)
    carry_out_orders(alice.keyring)
    assert keyset_digest(alice.user.pk) == before


def test_an_order_after_a_theft_is_not_carried_out_unasked(alice):
    order(alice, reason="compromised")
    carry_out_orders(alice.keyring)
    assert pairs(alice) == [("primary", True)]


def test_a_locked_page_carries_nothing_out(alice):
    alice.sign_in().post("/accounts/lock/")
    order(alice)
    alice.client.get("/images/")
    assert pairs(alice) == [("primary", True)]


@pytest.mark.parametrize("what", ["original", "preview", "thumbnail"])
def test_an_address_that_serves_bytes_carries_nothing_out(upload, alice, what):
    image = upload()
    order(alice)
    assert alice.client.get(f"/images/{image.pk}/{what}").status_code == 200
    assert pairs(alice) == [("primary", True)]


def test_a_signing_key_that_does_not_open_vouches_for_nothing_and_is_not_tried_at_every_page(alice):
    KeyPair.objects.filter(user=alice.user, purpose="signing").update(wrapped_private_key=bytes(72))
    for _ in range(3):
        order_ = KeyOrder.objects.filter(user=alice.user).first() or order(alice)
        carry_out_orders(open_with_password(alice.user, PASSWORD))
    assert pairs(alice) == [("primary", True)]
    failed = AuditEntry.objects.filter(event="keys:rotated", outcome="failed")
    assert failed.count() == 1
    order_.refresh_from_db()
    assert order_.lease_ends_at > timezone.now()


def test_somebody_elses_lease_is_respected_until_it_ends(alice):
    held = order(alice)
    assert orders.claim(held)
    carry_out_orders(alice.keyring)
    assert pairs(alice) == [("primary", True)]
    KeyOrder.objects.update(lease_ends_at=timezone.now() - timedelta(seconds=1))
    carry_out_orders(alice.keyring)
    assert pairs(alice) == [("open-only", True), ("primary", True)]


def test_who_lost_the_lease_stores_nothing(alice, monkeypatch):
    """A process stands still in the middle; another one takes over; the first one wakes up."""
    order(alice)
    real, calls = rotation.new_pair, []

    def slow(*arguments, **named):
        made = real(*arguments, **named)
        if not calls:
            calls.append("stands still")
            KeyOrder.objects.update(lease_ends_at=timezone.now() - timedelta(seconds=1))
            carry_out_orders(open_with_password(alice.user, PASSWORD))
        return made

    monkeypatch.setattr(rotation, "new_pair", slow)
    carry_out_orders(alice.keyring)
    assert pairs(alice) == [("open-only", True), ("primary", True)]
    assert recorded_keyset(alice) == keyset_digest(alice.user.pk)


def test_keys_of_another_master_key_are_left_alone(alice):
    order(alice)
    User.objects.filter(pk=alice.user.pk).update(master_key_version=2)
    carry_out_orders(alice.keyring)
    assert pairs(alice) == [("primary", True)]


# ---- a new pair ------------------------------------------------------------------------------


def test_two_processes_at_one_order_make_one_pair(alice):
    order(alice)
    at_once(lambda _: carry_out_orders(open_with_password(alice.user, PASSWORD)), range(8))
    finish(alice)
    assert len(pairs(alice)) == 2
    entries = AuditEntry.objects.filter(event="keys:rotated", outcome="done")
    assert entries.count() == 1


def test_a_new_encryption_pair_is_certified_and_used_at_once(upload, shared_image, alice, bob):
    order(bob)
    carry_out_orders(bob.keyring)
    assert pairs(bob) == [("open-only", True), ("primary", True)]
    assert verified_encryption_key(primary(bob))
    assert opens(bob, shared_image) == 200
    image = upload(to=(bob,))
    assert opens(bob, image) == 200
    assert finish(bob) >= 0
    assert pairs(bob) == [("destroyed", False), ("primary", True)]
    assert opens(bob, shared_image) == opens(bob, image) == 200


def test_what_was_wrapped_to_the_old_pair_is_wrapped_to_the_new_one(shared_image, bob):
    old = primary(bob)
    before = WrappedKey.objects.get(key_pair=old)
    order(bob)
    finish(bob)
    after = WrappedKey.objects.get(pk=before.pk)
    assert after.key_pair == primary(bob) != old
    assert bytes(after.oaep_bytes) != bytes(before.oaep_bytes)
    WrappedKey.objects.update(quick_key=None)
    assert opens(bob, shared_image, "original") == 200
    assert recorded_keyset(bob) == keyset_digest(bob.user.pk)


def test_an_old_signing_key_is_destroyed_at_once_and_its_signatures_verify(
    shared_image, bob, alice
):
    old = primary(alice, "signing")
    order(alice, "signing")
    carry_out_orders(alice.keyring)
    assert pairs(alice, "signing") == [("destroyed", False), ("primary", True)]
    assert KeyOrder.objects.get().done_at
    new = primary(alice, "signing")
    assert verified_signing_key(old)
    assert verified_signing_key(new)
    assert is_endorsed(new)
    assert opens(bob, shared_image) == 200
    assert verified_encryption_key(primary(alice))


def test_both_ordered_the_signing_key_comes_first_and_certifies(alice):
    order(alice, "encryption")
    order(alice, "signing")
    finish(alice)
    signing, encryption = primary(alice, "signing"), primary(alice)
    assert (signing.epoch, encryption.epoch) == (2, 2)
    assert f'"key":"{signing.fingerprint}"'.encode() in bytes(encryption.certificate)
    assert verified_encryption_key(encryption)


def test_signing_in_and_a_page_carry_an_order_out(shared_image, bob):
    order(bob)
    bob.sign_in()
    assert pairs(bob) == [("open-only", True), ("primary", True)]
    assert bob.client.get("/images/").status_code == 200
    assert pairs(bob) == [("destroyed", False), ("primary", True)]


def test_an_order_to_rewrap_makes_no_pair(shared_image, bob):
    order(bob)
    carry_out_orders(bob.keyring)
    KeyOrder.objects.update(done_at=timezone.now())
    KeyPair.objects.filter(user=bob.user, state="open-only").update(state="compromised")
    order(bob, reason="rewrap")
    finish(bob)
    assert pairs(bob) == [("destroyed", False), ("primary", True)]
    assert opens(bob, shared_image) == 200


def test_without_an_order_a_page_costs_one_query_more(alice, django_assert_num_queries):
    with django_assert_num_queries(1):
        carry_out_orders(alice.keyring)


# ---- in chunks -------------------------------------------------------------------------------


@pytest.fixture
def many(shared_image, bob):
    """Twenty-four keys wrapped to bob, besides that of the image alice shared."""
    return wrapped_to(primary(bob), 24)


def test_wrapping_again_stops_when_its_time_is_over_and_goes_on_at_the_next_request(
    many, bob, monkeypatch
):
    monkeypatch.setattr(rotation, "SECONDS", 0)
    order(bob)
    carry_out_orders(bob.keyring)
    left = []
    while KeyOrder.objects.filter(done_at=None).exists():
        carry_out_orders(open_with_password(bob.user, PASSWORD))
        left.append(WrappedKey.objects.filter(key_pair__state="open-only").count())
    assert left == [15, 5, 0, 0]
    assert pairs(bob) == [("destroyed", False), ("primary", True)]


def test_what_does_not_open_is_left_reported_and_not_tried_again(many, bob, monkeypatch):
    bad = many[3]
    WrappedKey.objects.filter(pk=bad.pk).update(oaep_bytes=bytes(384))
    order(bob)
    finish(bob)
    assert pairs(bob) == [("open-only", True), ("primary", True)]
    assert list(WrappedKey.objects.filter(key_pair__state="open-only")) == [bad]
    (entry,) = AuditEntry.objects.filter(event="keys:rewrapped", outcome="failed")
    assert entry.parsed().facts == {"left": 1, "subjects": [str(bad.subject)]}
    monkeypatch.setattr(Keyring, "unwrap_content_key", None)
    carry_out_orders(open_with_password(bob.user, PASSWORD))  # would raise if it tried


def test_a_later_order_tries_again(many, bob):
    bad, whole = many[3], bytes(many[3].oaep_bytes)
    WrappedKey.objects.filter(pk=bad.pk).update(oaep_bytes=bytes(384))
    order(bob)
    finish(bob)
    WrappedKey.objects.filter(pk=bad.pk).update(oaep_bytes=whole)
    order(bob, reason="rewrap")
    finish(bob)
    assert pairs(bob) == [("destroyed", False), ("primary", True)]


def test_a_key_revoked_meanwhile_is_not_brought_back(many, bob, monkeypatch):
    real = rotation.wrap_content_key

    def late(*arguments, subject, **named):
        WrappedKey.objects.filter(subject=subject).delete()
        return real(*arguments, subject=subject, **named)

    monkeypatch.setattr(rotation, "wrap_content_key", late)
    order(bob)
    finish(bob)
    assert WrappedKey.objects.filter(key_pair__user=bob.user).count() == 0


def test_a_pair_that_something_is_wrapped_to_is_never_destroyed(many, bob, monkeypatch):
    """One more row appears on the old pair between the last chunk and the recount."""
    real = rotation._close

    def late(order, keyring):
        old = KeyPair.objects.get(user=bob.user, state="open-only")
        WrappedKey.objects.filter(pk=many[0].pk).update(key_pair=old)
        return real(order, keyring)

    monkeypatch.setattr(rotation, "_close", late)
    order(bob)
    finish(bob)
    assert pairs(bob) == [("open-only", True), ("primary", True)]


# ---- stopped in the middle -------------------------------------------------------------------

STEPS = [
    "new_pair",
    "certify_encryption_key",
    "_exchange",
    "key_to_wrap_to",
    "wrap_content_key",
    "_move",
    "_close",
    "_destroy",
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_stopped_at_any_step_nothing_is_lost_and_it_is_gone_on_with(
    many, shared_image, bob, monkeypatch, step, when
):
    real, broken = getattr(rotation, step), []

    def breaks_once(*arguments, **named):
        if broken:
            return real(*arguments, **named)
        broken.append(step)
        if when == "after":
            real(*arguments, **named)
        raise OperationalError("the database went away")

    monkeypatch.setattr(rotation, step, breaks_once)
    order(bob)
    for _ in range(10):
        assert bob.sign_in().get("/images/").status_code == 200
        assert opens(bob, shared_image) == 200
    assert broken
    assert pairs(bob) == [("destroyed", False), ("primary", True)]
    assert WrappedKey.objects.filter(key_pair=primary(bob)).count() == 25
    for row in WrappedKey.objects.filter(key_pair=primary(bob)):
        label = rotation.content_key_label(row.key_pair, subject=row.subject, lock=row.lock)
        keyring = open_with_password(bob.user, PASSWORD)
        assert len(keyring.unwrap_content_key(row, label=label)) == 32
    assert recorded_keyset(bob) == keyset_digest(bob.user.pk)


# ---- destroyed -------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", ["encryption", "signing"])
def test_a_destroyed_key_is_in_neither_the_database_file_nor_its_log(bob, purpose):
    wrapped = bytes(primary(bob, purpose).wrapped_private_key)
    assert holds(wrapped)
    order(bob, purpose)
    finish(bob)
    assert not holds(wrapped)
    old = KeyPair.objects.get(user=bob.user, purpose=purpose, epoch=1)
    with pytest.raises(CryptoError):
        open_with_password(bob.user, PASSWORD).prove(old)


# ---- a pair that somebody else certified -----------------------------------------------------


def test_a_certified_pair_that_the_person_does_not_open_is_wrapped_to_by_nobody(shared_image, bob):
    """Anybody who has database and key file inserts pairs of their own, and an order to wrap
    again."""
    thief = Keyring(bob.user, bytes(32), bob.keyring.version)
    forge_newest_pairs(bob, thief)
    KeyOrder.objects.create(
        user=bob.user, purpose="encryption", reason="rewrap", replaced_at=timezone.now()
    )
    client = bob.sign_in()
    for _ in range(3):
        client.get("/images/")
    row = WrappedKey.objects.get(key_pair__user=bob.user)
    assert row.key_pair.epoch == 1
    assert row.key_pair.wrapped_private_key
    assert client.get(f"/images/{shared_image.pk}/original").status_code == 200


def test_an_owner_wraps_to_no_pair_that_they_do_not_open(shared_image, alice, bob):
    thief = Keyring(alice.user, bytes(32), alice.keyring.version)
    forge_newest_pairs(alice, thief)
    answer = alice.sign_in().post(f"/images/{shared_image.pk}/revoke/", {"recipient": "bob"})
    assert answer.status_code == 409
    assert not WrappedKey.objects.filter(key_pair__epoch=2).exists()


def forge_newest_pairs(person, thief) -> None:
    """Certify a signing and a reading key with the stolen key file, in the place of the newest."""
    before = KeyPair.objects.get(user=person.user, purpose="signing")
    forged = new_pair(thief, KeyPair.Purpose.SIGNING, epoch=2)
    certify_signing_key(forged, before)
    KeyPair.objects.filter(pk=before.pk).update(state=KeyPair.State.OPEN_ONLY)
    forged.save(force_insert=True)
    ours = KeyPair.objects.get(user=person.user, purpose="encryption")
    reading = new_pair(thief, KeyPair.Purpose.ENCRYPTION, epoch=2)
    certify_encryption_key(reading, thief, forged, ours)
    KeyPair.objects.filter(pk=ours.pk).update(state=KeyPair.State.OPEN_ONLY)
    reading.save(force_insert=True)
