"""`make faults`: kill -9 while keys change: password, recovery, new start, rotation, theft.

Every try begins with the same person and the same wrapped keys, is killed at a random moment,
and is looked at by a process of its own: what opens, what verifies, and whether it is gone on with
to the end. Prints a table of tried and bad, and exits with 1 if anything was bad.
"""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import django

from benchmarks.faults.forked import FILES, Act, Look, begin, in_a_process, keep, kill_each
from tests import environment

KILLS, KEYS = 30, 60
OLD, NEW, NEXT = "correct horse battery", "an entirely new one 42", "and one after that 42"
LATER = "set by an operator 42"
PASSWORDS = (OLD, NEW, NEXT, LATER)
codes: list[str] = []  # alice's first recovery code; every process is forked from this one


def main() -> None:
    django.setup()  # before any fork, so that kills meet the act and not its imports
    with tempfile.TemporaryDirectory(dir=environment.MEMORY) as folder:
        before = Path(folder) / "before"
        codes.extend(in_a_process(make))
        assert codes != ["error"]
        keep(before)
        sys.exit(1 if kill_each(ACTS, CHECKS, before, KILLS) else 0)


# ---- in processes of their own -----------------------------------------------------------------


def make() -> list[str]:
    begin(1)
    from django.core.management import call_command

    for alias in ("default", "audit"):
        call_command("migrate", database=alias, verbosity=0)
    from accounts.models import KeyPair
    from accounts.services.people.registration import register
    from accounts.services.ways_back.recovery import make_recovery_code
    from tests.accounts.rewrapping import wrapped_to

    keyring = register(username="alice", display_name="", email="", password=OLD)
    wrapped_to(KeyPair.objects.get(user=keyring.user, purpose="encryption"), KEYS)
    return [make_recovery_code(keyring=keyring).code]


def alice():
    from accounts.models import User

    return User.objects.get(username="alice")


def change_password() -> None:
    begin(5)
    from accounts.services.ways_back.passwords import change_password

    for old, new in ((OLD, NEW), (NEW, OLD), (OLD, NEW)):
        change_password(user=alice(), old_password=old, new_password=new)


def recover() -> None:
    begin(5)
    from accounts.services.ways_back.recovery import recover

    _, next_code = recover(user=alice(), code=codes[0], new_password=NEW)
    recover(user=alice(), code=next_code.code, new_password=OLD)


def start_anew() -> None:
    """An operator sets a password, which opens nothing, and the wait for new keys is over."""
    begin(5)
    from django.conf import settings

    from accounts.services.ways_back import new_start

    settings.NEW_START_WAIT = timedelta(0)
    user = alice()
    user.set_password(LATER)
    user.save()
    new_start.ask_for_new_start(user=user)
    new_start.start_anew(user=user, password=LATER)


def rotate() -> None:
    begin(5)
    from accounts.services.rotating.carrying_out import carry_out_orders
    from accounts.services.rotating.ordering import order_pairs

    order_pairs(alice(), ["signing", "encryption"])
    for _ in range(3):
        carry_out_orders(opened())


def rewrap() -> None:
    begin(5)
    from accounts.services.rotating.ordering import order_pairs

    order_pairs(alice(), ["encryption"])
    go_on()


def go_on() -> None:
    from accounts.models import KeyOrder
    from accounts.services.rotating.carrying_out import carry_out_orders

    while KeyOrder.objects.filter(done_at=None).exists():
        carry_out_orders(opened())


def replace_stolen() -> None:
    begin(5)
    from accounts.services.rotating.ordering import order_after_theft
    from accounts.services.rotating.replacing import replace_keys

    order_after_theft(alice())
    replace_keys(stolen=opened(), new_password=NEW)
    go_on()


def opened():
    """The open keys, by whichever of the passwords it is."""
    from accounts.custody import DoesNotOpen, open_with_password

    for password in PASSWORDS:
        try:
            return open_with_password(alice(), password)
        except DoesNotOpen:
            continue
    raise AssertionError("no password opens")


CHECKS = (
    "the password that signs in does not open the keys",
    "a content key is lost",
    "a key in use does not verify",
    "not gone on with to the end",
    "the trail does not verify, or knows other key rows",
    "a destroyed private key is still in a file",
)


def look() -> list[str]:
    """Return what is wrong: at once after the kill, and again once all is done."""
    begin(15)
    from django.utils import timezone

    from accounts.models import KeyOrder

    wrong, private = looked_at(), private_keys()
    KeyOrder.objects.update(lease_ends_at=timezone.now() - timedelta(seconds=1))
    finish()
    wrong |= looked_at() | left_at_rest(private)
    return [*wrong, *(whole())]


def private_keys() -> set[bytes]:
    from accounts.models import KeyPair

    wrapped = KeyPair.objects.exclude(wrapped_private_key=None)
    return {bytes(one) for one in wrapped.values_list("wrapped_private_key", flat=True)}


def left_at_rest(before: set[bytes]) -> set[str]:
    """Whether a private key that is no row's any more is still in a file."""
    from accounts.erasure import truncate_write_ahead_log

    truncate_write_ahead_log()
    return {CHECKS[5]} if any(map(at_rest, before - private_keys())) else set()


def finish() -> None:
    """Do what the person would do next: sign in, go on, change the password once more."""
    from accounts.keys.orders import stolen_order_of
    from accounts.services.rotating.replacing import replace_keys
    from accounts.services.ways_back import passwords

    if stolen_order_of(alice()):
        replace_keys(stolen=opened(), new_password=NEW)
    go_on()
    for password in (OLD, NEW):
        if alice().check_password(password):
            passwords.change_password(user=alice(), old_password=password, new_password=NEXT)


def looked_at() -> set[str]:
    from accounts.custody import DoesNotOpen, open_with_password
    from accounts.keys.certificates import (
        NoKeys,
        signing_pair_of,
        verified_signing_key,
        wrapping_key_of,
    )
    from accounts.keys.orders import stolen_order_of
    from cryptocore.errors import CryptoError

    wrong, user = set(), alice()
    signs_in = [password for password in PASSWORDS if user.check_password(password)]
    try:
        open_with_password(user, *signs_in)
    except (DoesNotOpen, TypeError):
        wrong.add(CHECKS[0])
    if content_keys_lost():
        wrong.add(CHECKS[1])
    try:
        if not stolen_order_of(user):
            verified_signing_key(signing_pair_of(user.pk))
            wrapping_key_of(user.pk)
    except (NoKeys, CryptoError):
        wrong.add(CHECKS[2])
    return wrong


def content_keys_lost() -> bool:
    """Whether there are fewer than at first, or one no longer opens: OAEP notices a wrong one."""
    from accounts.keys.content_keys import content_key_label
    from accounts.models import WrappedKey
    from cryptocore.errors import CryptoError

    keyring, rows = opened(), list(WrappedKey.objects.select_related("key_pair"))
    for row in rows:
        label = content_key_label(row.key_pair, subject=row.subject, lock=row.lock)
        try:
            keyring.unwrap_content_key(row, label=label)
        except CryptoError:
            return True
    return len(rows) != KEYS


def whole() -> list[str]:
    from accounts.keys.keysets import keyset_digest
    from accounts.models import KeyOrder, KeyPair, WrappedKey
    from audit.models import AuditEntry
    from audit.reconciliation import reconcile
    from audit.verification import verify

    wrong, user = [], alice()
    earlier = WrappedKey.objects.exclude(key_pair__state="primary")
    alive = KeyPair.objects.exclude(state="primary").exclude(wrapped_private_key=None)
    if KeyOrder.objects.filter(done_at=None).exists() or earlier.exists() or alive.exists():
        wrong.append(CHECKS[3])
    reconcile()
    done = AuditEntry.objects.filter(subject=user.pk, outcome="done").order_by("sequence")
    keysets = [entry.parsed().facts.get("keyset") for entry in done]
    if list(verify()) or [one for one in keysets if one][-1] != keyset_digest(user.pk):
        wrong.append(CHECKS[4])
    return wrong


def at_rest(needle: bytes) -> bool:
    paths = (environment.DATA_DIR / name for name in FILES[:2])
    return any(needle in path.read_bytes() for path in paths if path.exists())


def look_started_anew() -> list[str]:
    """As look(): with the old keys still in place, or with new ones that bring the old back."""
    begin(15)
    from accounts.services.ways_back.locked_keys import bring_back_earlier

    wrong = {CHECKS[1]} if alice().master_key_version == 1 and content_keys_lost() else set()
    if alice().master_key_version == 1:
        start_anew()
    wrong |= looked_at() - {CHECKS[1]}
    private = private_keys()
    bring_back_earlier(keyring=opened(), secret=OLD)
    go_on()
    wrong |= looked_at() | left_at_rest(private)
    return [*wrong, *whole()]


ACTS: dict[str, tuple[Act, Look]] = {
    "password change": (change_password, look),
    "recovery": (recover, look),
    "new start": (start_anew, look_started_anew),
    "rotation": (rotate, look),
    "wrapping anew": (rewrap, look),
    "after a theft": (replace_stolen, look),
}


if __name__ == "__main__":
    main()
