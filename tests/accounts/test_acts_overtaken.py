"""An act that was under way when the keys changed makes no way in that outlives the change."""

import pytest

from accounts import custody
from accounts.custody import DoesNotOpen, Keyring, open_with_password
from accounts.keys.keysets import keyset_digest
from accounts.models import KeyOrder, KeySlot, NewStart, User
from accounts.services import holding
from accounts.services.rotating.ordering import order_after_theft, order_pairs
from accounts.services.ways_back.locked_keys import bring_back
from accounts.services.ways_back.new_start import ask_for_new_start
from accounts.services.ways_back.passwords import change_password, restore_password
from accounts.services.ways_back.recovery import make_recovery_code, recover
from tests.accounts.test_new_start import make_new_start
from tests.conftest import PASSWORD

NEW = "an entirely new one 42"


def make_a_code(user: User, keyring: Keyring, code: str) -> None:
    make_recovery_code(keyring=keyring)


def change(user: User, keyring: Keyring, code: str) -> None:
    change_password(user=user, old_password=PASSWORD, new_password=NEW)


def recover_with_code(user: User, keyring: Keyring, code: str) -> None:
    recover(user=user, code=code, new_password=NEW)


def bring_keys_back(user: User, keyring: Keyring, code: str) -> None:
    bring_back(user=user, old_password=PASSWORD, password=PASSWORD)


ACTS = [make_a_code, change, recover_with_code, bring_keys_back]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("overtaken_by", ["a theft", "a new start"])
def test_what_was_read_before_the_keys_changed_changes_nothing_after(bob, act, overtaken_by):
    user = User.objects.get(pk=bob.user.pk)
    if overtaken_by == "a theft":
        order_after_theft(User.objects.get(pk=bob.user.pk))
    else:
        make_new_start(bob)
    before = keyset_digest(bob.user.pk)
    with pytest.raises(DoesNotOpen):
        act(user, bob.keyring, bob.recovery_code)
    assert keyset_digest(bob.user.pk) == before
    assert not User.objects.get(pk=bob.user.pk).check_password(NEW)


def restore(user: User, keyring: Keyring, code: str) -> None:
    restore_password(user=user, password=PASSWORD)


@pytest.mark.parametrize("act", [change, bring_keys_back, restore])
def test_a_password_slot_that_goes_while_it_is_opened_ends_the_act(bob, monkeypatch, act):
    derive = custody.stretch

    def gone_meanwhile(*arguments, **options):
        KeySlot.objects.filter(user=bob.user, kind=KeySlot.Kind.PASSWORD).delete()
        return derive(*arguments, **options)

    monkeypatch.setattr(custody, "stretch", gone_meanwhile)
    with pytest.raises(DoesNotOpen):
        act(bob.user, bob.keyring, bob.recovery_code)


@pytest.mark.parametrize("act", ACTS)
def test_what_nothing_overtakes_is_done(bob, act):
    before = keyset_digest(bob.user.pk)
    act(bob.user, bob.keyring, bob.recovery_code)
    assert keyset_digest(bob.user.pk) != before


# ---- one transaction -------------------------------------------------------------------------


@pytest.mark.parametrize("fails", ["keyset_digest", "truncate_write_ahead_log"])
def test_the_keys_are_back_and_the_wait_has_stopped_or_neither(bob, monkeypatch, fails):
    """The one fails inside the transaction, the other right after it."""
    ask_for_new_start(user=bob.user)
    user = User.objects.get(pk=bob.user.pk)
    user.set_password(NEW)
    user.save()

    def failing(*arguments):
        raise MemoryError

    monkeypatch.setattr(holding, fails, failing)
    with pytest.raises(MemoryError):
        bring_back(user=user, old_password=PASSWORD, password=NEW)
    opens = PASSWORD if fails == "keyset_digest" else NEW
    assert open_with_password(user, opens)
    assert bool(NewStart.objects.get().stopped_at) == (fails == "truncate_write_ahead_log")


# ---- orders ----------------------------------------------------------------------------------


def test_bringing_keys_together_leaves_an_order_that_is_open_as_it_is(bob, carol):
    order_pairs(bob.user, ["encryption"])
    order_after_theft(carol.user)
    for person in (bob, carol):
        KeyOrder.objects.order_rewrapping(person.user)
    orders = KeyOrder.objects.filter(purpose="encryption", done_at=None)
    reasons = dict(orders.values_list("user__username", "reason"))
    assert reasons == {"bob": "routine", "carol": "compromised"}
    assert orders.get(user=bob.user).replaced_at is None
