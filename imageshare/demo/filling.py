"""Filling an empty installation: people, three weeks of their images and albums, a team, what they
shared, opened, confirmed and took back, invitations, and staff."""

import io
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.management import call_command

from accounts.custody import Keyring
from accounts.models import User
from accounts.services.people.registration import register
from accounts.services.ways_back.recovery import confirm_recovery_code, make_recovery_code
from imageshare.demo.acting import Cast
from imageshare.demo.clock import Clock
from imageshare.demo.painting import painters
from imageshare.demo.schedule import Schedule
from imageshare.demo.story import ALL_IMAGES, CAST, STAFF, share_of_series

FIRST_DAY = 21  # days ago
TELL_EVERY = 60  # images


class NotEmpty(Exception):
    """There are people here already: a demonstration must not mix with them."""


@dataclass(frozen=True)
class Account:
    """What somebody needs to sign in. Printed once, kept nowhere."""

    username: str
    password: str = field(repr=False)
    recovery_code: str = field(repr=False, default="")


def fill(tell: Callable[[str], None], *, images: int = ALL_IMAGES) -> list[Account]:
    """Fill an empty installation with about so many images and return its accounts. Raises
    NotEmpty."""
    if User.objects.exists():
        raise NotEmpty
    clock, cast, accounts = Clock(), Cast(), list[Account]()
    schedule = Schedule(clock, cast, share=share_of_series(images))
    orders = schedule.orders
    with painters(orders) as cast.painted, clock.running_from(clock.days_ago(FIRST_DAY)):
        staff = Account(STAFF, _password())
        User.objects.create_superuser(STAFF, staff.password, display_name="Staff")
        tell(f"Making the keys of {len(CAST)} people …")
        for username in CAST:
            cast.keyrings[username], account = _register(username)
            accounts.append(account)
        tell(f"Painting {len(orders)} images, sealing and sharing them …")
        for done in schedule.carry_out():
            if done % TELL_EVERY == 0:
                tell(f"  {done} of {len(orders)}")
        tell("Checking all of it …")
        for check in ("verify_audit", "verify_keys", "verify_images"):
            call_command(check, stdout=io.StringIO())
    return [*accounts, staff]


def _register(username: str) -> tuple[Keyring, Account]:
    password = _password()
    keyring = register(username=username, display_name=CAST[username], email="", password=password)
    new = make_recovery_code(keyring=keyring)
    first, second = (new.groups[n - 1] for n in (new.confirm_first, new.confirm_second))
    confirm_recovery_code(keyring=keyring, first=first, second=second)
    return keyring, Account(username, password, "-".join(new.groups))


def _password() -> str:
    return f"demo-{secrets.token_urlsafe(9)}"
