"""What an operator orders for somebody: new keys as planned, or after the old ones were stolen."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.keys.keysets import row_digest
from accounts.keys.mac_keys import new_mac_key_row
from accounts.keys.orders import Reason, open_orders_of
from accounts.models import KeyOrder, KeyPair, KeySlot, MacKey, User, token_digest
from accounts.services.deserving import keys_made_for
from accounts.services.holding import changing_keys
from accounts.services.ways_back.new_start import record_stopped, stop_waiting
from accounts.services.ways_back.recovery import recovery_slot_of
from accounts.unlocks import end_unlocks
from audit.events import Event, record_after
from cryptocore import recovery_code

Purpose, State = KeyPair.Purpose, KeyPair.State
NAMED_IN_AN_ENTRY = 20  # fingerprints, of 64 digits each, in 2 KiB


def order_pairs(user: User, purposes: Collection[str]) -> list[str]:
    """Order new pairs; return for which purposes. What is ordered already is not ordered twice."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        # A new pair also brings everything together under the current one, so this order is
        # included.
        open_orders_of(user).filter(reason=Reason.REWRAP, purpose__in=purposes).delete()
        already = set(open_orders_of(user).values_list("purpose", flat=True))
        wanted = [purpose for purpose in purposes if purpose not in already]
        KeyOrder.objects.bulk_create(
            KeyOrder(user=user, purpose=purpose, reason=Reason.ROUTINE) for purpose in wanted
        )
    if wanted:
        record_after(
            Event.KEYS_ROTATION_ORDERED,
            actor=None,
            subject=user.pk,
            reason=Reason.ROUTINE.value,
            purposes=wanted,
        )
    return wanted


def replace_mac_key(user: User) -> None:
    """Make the next MAC key. Those before it stay: notices and their count are checked by them."""
    with changing_keys(Event.MAC_KEY_ROTATED, user, by_its_person=False) as change:
        newest = MacKey.objects.filter(user=user).order_by("-epoch").first()
        row = new_mac_key_row(user, epoch=newest.epoch + 1 if newest else 1)
        row.save(force_insert=True)
        change.facts["epoch"] = row.epoch


@sensitive_variables()
def order_after_theft(user: User, *, since: datetime | None = None) -> str:
    """Let nothing more be wrapped to this person's keys and sign them out; return a one-time code.

    With it, or their recovery code, they choose a new password and get a new master key and new
    pairs. If ordered again there is another code, and the earlier one is worth nothing. A recovery
    code made after `since` is destroyed: the thief of the password may have made it. The trail says
    which code proves the person, because a thief may write rows.
    """
    code = recovery_code.new_code()
    event = Event.KEYS_ROTATION_ORDERED
    facts = {"reason": Reason.COMPROMISED.value, "code": token_digest(code)}
    anew = {"reason": Reason.COMPROMISED, "proof_digest": token_digest(code), "lease_ends_at": None}
    with changing_keys(event, user, by_its_person=False, **facts) as change:
        held = change.person
        change.facts["stolen"] = _mark_compromised(held)
        if since:
            codes = held.present_slots.filter(kind=KeySlot.Kind.RECOVERY_CODE)
            codes.filter(created_at__gte=since).delete()
        slot = recovery_slot_of(held) if change.is_told else None
        if slot:
            change.facts["recovery_slot"] = row_digest(slot).hex()
        held.session_epoch += 1
        held.save(update_fields=["session_epoch"])
        end_unlocks(held)
        stopped = stop_waiting(held)  # a thief may have asked for it: it begins from the start
        for purpose in Purpose.values:
            # One open order for each: one being carried out becomes this, and loses its lease.
            if not open_orders_of(held).filter(purpose=purpose).update(**anew):
                KeyOrder.objects.create(user=held, purpose=purpose, **anew)
    record_stopped(user, stopped)
    return code


def _mark_compromised(user: User) -> list[str]:
    """From now on the trail decides which signatures of these keys count (gallery/ledger.py).

    Also for destroyed pairs: somebody who has the master key and an old backup has their private
    halves. Returns the newest fingerprints, for an entry: a mark can be taken out of a row.
    """
    pairs = KeyPair.objects.filter(user=user, master_key_version=user.master_key_version)
    pairs.filter(compromised_at=None).update(compromised_at=timezone.now())
    pairs.filter(~Q(state=State.DESTROYED)).update(state=State.COMPROMISED)
    newest = pairs.order_by("-created_at").values_list("fingerprint", flat=True)
    # Rows may be hidden, or the person's version altered, while the theft is ordered.
    return list(dict.fromkeys([*keys_made_for(user.pk), *newest]))[:NAMED_IN_AN_ENTRY]
