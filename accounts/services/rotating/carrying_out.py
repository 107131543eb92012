"""Carrying out an order for new keys, where the person's master key is open.

A new pair is certified and primary at once. What was wrapped to the pairs before it is wrapped
again, some at a time; until then they still open. A pair is destroyed only when a recount in the
same transaction, holding that person's row, finds nothing on it: no rotation deletes the only copy
of anything. A piece that stops half-way goes on at the next request.
"""

import time
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring
from accounts.keys.certificates import (
    NoKeys,
    certify_encryption_key,
    certify_signing_key,
    endorse,
    signing_pair_of,
)
from accounts.keys.certified import known_certificate_of, record_certified
from accounts.keys.content_keys import content_key_label, wrap_content_key
from accounts.keys.orders import (
    LeaseLost,
    Reason,
    claim,
    orders_to_carry_out,
    pause,
    release,
    save_progress,
)
from accounts.keys.recipients import key_to_wrap_to
from accounts.models import KeyOrder, KeyPair, User, WrappedKey
from accounts.services.deserving import require_own_keys
from accounts.services.holding import changing_keys
from accounts.services.key_making import new_pair
from accounts.turns import KEY_MAKING_TURNS
from audit.events import Event, Outcome, alarm, record_after
from audit.leaf import Fact
from audit.unreadable import NO_ID
from cryptocore.errors import CryptoError

SECONDS = 0.25  # how long one request wraps keys again
CHUNK = 10  # wrapped keys in one transaction, for which the person's row is held
REPORTED = 20  # as many subjects as fit an audit entry
Purpose, State = KeyPair.Purpose, KeyPair.State


@dataclass
class Rewrapped:
    """What one request did for an order: how many keys were wrapped again, and which do not
    open."""

    count: int = 0
    left: list[WrappedKey] = field(default_factory=list)


@sensitive_variables()
def carry_out_orders(keyring: Keyring) -> None:
    """Do a piece of one of this person's orders, if there is one and nobody else works on it.

    Raises if a part is busy or unavailable; then the next request goes on.
    """
    order = next((order for order in orders_to_carry_out(keyring.user) if claim(order)), None)
    if order is None:
        return
    try:
        # Order, pair and slot are rows: somebody who wrote all three gets no certificate for the
        # next.
        require_own_keys(keyring)
        if order.reason == Reason.ROUTINE and order.replaced_at is None:
            # One pair made, and nothing else: this takes a second by itself.
            if KEY_MAKING_TURNS.is_free():
                _replace_pair(order, keyring)
        elif _rewrap(order, keyring):
            _close(order, keyring)
    except LeaseLost:
        return
    except (CryptoError, NoKeys, DoesNotOpen):
        pause(order)
        alarm.error("A key of %s does not open or verify: no new keys for now.", keyring.user.pk)
        return
    except BaseException:
        release(order)
        raise
    release(order)


# ---- the new pair ----------------------------------------------------------------------------


@sensitive_variables()
def _replace_pair(order: KeyOrder, keyring: Keyring) -> None:
    """Make the next pair and put it in the place of the primary one."""
    primary = KeyPair.objects.filter(user=keyring.user, purpose=order.purpose, state=State.PRIMARY)
    before = primary.filter(master_key_version=keyring.version).first()
    if before is None:
        raise NoKeys
    facts: dict[str, Fact] = {"purpose": order.purpose, "before": before.fingerprint}
    try:
        pair = _next_pair(keyring, before)
    except CryptoError:
        person, failed = keyring.user.pk, Outcome.FAILED
        record_after(Event.KEYS_ROTATED, actor=person, subject=person, outcome=failed, **facts)
        raise
    facts |= {"epoch": pair.epoch, "fingerprint": pair.fingerprint}
    with changing_keys(Event.KEYS_ROTATED, keyring.user, by_its_person=True, **facts) as change:
        _require_present(keyring, change.person)
        _exchange(order, before, pair)
    if pair.purpose == Purpose.SIGNING:
        record_certified(pair)


@sensitive_variables()
def _next_pair(keyring: Keyring, before: KeyPair) -> KeyPair:
    """Return the next pair, certified. Raises CryptoError if the signing key that has to vouch for
    it does not open: found out before the long work of making one."""
    signing = signing_pair_of(keyring.user.pk)
    keyring.prove(signing)
    pair = new_pair(keyring, Purpose(before.purpose), epoch=before.epoch + 1)
    if pair.purpose == Purpose.SIGNING:
        certify_signing_key(pair, before, known=known_certificate_of(keyring.user.pk))
        endorse(pair, by=before, keyring=keyring)
    else:
        certify_encryption_key(pair, keyring, signing, before)
    return pair


def _exchange(order: KeyOrder, before: KeyPair, pair: KeyPair) -> None:
    """Inside the caller's transaction. Raises LeaseLost if another process did it meanwhile.

    Of an old signing key the private half is destroyed at once: nothing needs it, and its
    signatures are verified by the public half and the certificate, which stay.
    """
    now, signs = timezone.now(), pair.purpose == Purpose.SIGNING
    save_progress(order, replaced_at=now, **({"done_at": now} if signs else {}))
    changed: dict[str, object] = {"state": State.OPEN_ONLY}
    if signs:
        changed = {"state": State.DESTROYED, "wrapped_private_key": None}
    as_read = {"state": State.PRIMARY, "certificate": before.certificate}  # names may have changed
    if not KeyPair.objects.filter(pk=before.pk, **as_read).update(**changed):
        raise LeaseLost
    pair.save(force_insert=True)


def _require_present(keyring: Keyring, held: User) -> None:
    """Raises LeaseLost if the person, whose row is held, has another master key by now."""
    if held.master_key_version != keyring.version:
        raise LeaseLost


# ---- wrapping again --------------------------------------------------------------------------


@sensitive_variables()
def _rewrap(order: KeyOrder, keyring: Keyring) -> bool:
    """Wrap keys again for a while; return whether the last one was reached."""
    done, deadline = Rewrapped(), time.monotonic() + SECONDS
    try:
        while chunk := _next_chunk(order, keyring):
            _rewrap_chunk(order, keyring, chunk, done)
            if time.monotonic() >= deadline:
                return False
        return True
    finally:
        _report(keyring, done)


def _next_chunk(order: KeyOrder, keyring: Keyring) -> list[WrappedKey]:
    """Return the next wrapped keys. One whose id cannot be read never comes to an end: without."""
    pairs, after = _pairs_before(keyring), order.rewrapped_up_to
    chunk = WrappedKey.objects.next_of(pairs, after=after, at_most=CHUNK)
    return [row for row in chunk if row.pk > (order.rewrapped_up_to or NO_ID)]


def _pairs_before(keyring: Keyring) -> QuerySet[KeyPair]:
    """The pairs that still open earlier images and that the current master key opens."""
    return KeyPair.objects.filter(
        user=keyring.user,
        purpose=Purpose.ENCRYPTION,
        state__in=[State.OPEN_ONLY, State.COMPROMISED],
        master_key_version=keyring.version,
    ).exclude(wrapped_private_key=None)


@sensitive_variables()
def _rewrap_chunk(
    order: KeyOrder, keyring: Keyring, chunk: list[WrappedKey], done: Rewrapped
) -> None:
    """Open and wrap outside the transaction; inside it, change only rows that are as they were."""
    target, public_key = key_to_wrap_to(keyring.user)
    # Certified is not enough: somebody who has database and key file can certify a key of their
    # own.
    keyring.prove(target)
    anew = []
    for row in chunk:
        try:
            label = content_key_label(row.key_pair, subject=row.subject, lock=row.lock)
            content_key = keyring.unwrap_content_key(row, label=label)
        except CryptoError:
            done.left.append(row)
            continue
        to = wrap_content_key(content_key, target, public_key, subject=row.subject, lock=row.lock)
        anew.append((row, to))
    with transaction.atomic():
        _require_present(keyring, User.objects.select_for_update().get(pk=keyring.user.pk))
        save_progress(order, rewrapped_up_to=chunk[-1].pk)
        if not KeyPair.objects.filter(pk=target.pk, state=State.PRIMARY).exists():
            raise LeaseLost
        moved = [_move(row, to) for row, to in anew]
    done.count += sum(moved)


def _move(row: WrappedKey, to: WrappedKey) -> bool:
    """Exchange one row's wrapping, unless it is gone, or the new pair already holds this key."""
    there = WrappedKey.objects.filter(
        key_pair=to.key_pair, subject=OuterRef("subject"), lock=OuterRef("lock")
    )
    unchanged = WrappedKey.objects.filter(~Exists(there), pk=row.pk, key_pair=row.key_pair)
    return unchanged.update(key_pair=to.key_pair, oaep_bytes=to.oaep_bytes) == 1


def _report(keyring: Keyring, done: Rewrapped) -> None:
    person = keyring.user.pk
    if done.count:
        record_after(Event.KEYS_REWRAPPED, actor=person, subject=person, count=done.count)
    if done.left:
        record_after(
            Event.KEYS_REWRAPPED,
            actor=person,
            subject=person,
            outcome=Outcome.FAILED,
            left=len(done.left),
            subjects=[str(row.subject) for row in done.left[:REPORTED]],
        )


# ---- the old pairs ---------------------------------------------------------------------------


def _close(order: KeyOrder, keyring: Keyring) -> None:
    """Close the order, and destroy the pairs that nothing is wrapped to any more.

    A pair that something is still wrapped to is kept: what does not open now may be the only copy
    all the same.
    """
    if not _emptied(keyring).exists():
        save_progress(order, done_at=timezone.now())
        return
    with changing_keys(Event.KEY_DESTROYED, keyring.user) as change:
        _require_present(keyring, change.person)
        change.facts["fingerprints"] = _destroy(_emptied(keyring))
        save_progress(order, done_at=timezone.now())


def _emptied(keyring: Keyring) -> QuerySet[KeyPair]:
    wrapped = WrappedKey.objects.filter(key_pair=OuterRef("pk"))
    return _pairs_before(keyring).filter(~Exists(wrapped))


def _destroy(pairs: QuerySet[KeyPair]) -> list[str]:
    """Destroy the private halves; return the fingerprints. Holding the person's row."""
    destroyed = dict(pairs.values_list("pk", "fingerprint"))
    KeyPair.objects.filter(pk__in=destroyed).update(state=State.DESTROYED, wrapped_private_key=None)
    return list(destroyed.values())
