"""Whose first keys are made and certified when they sign in with a password.

Somebody who can write to the database can set a password and delete keys; somebody who can write to
the trail's database, too, can delete entries. Neither gets the deleted person's name certified for
keys of their own: first keys need the unbroken trail to say of the account that it was made without
keys, and never had any since; or a one-time code that an operator gives the person.
"""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import Error
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.keys.keysets import KEYSET_EVENTS
from accounts.models import KeyPair, User, token_digest
from audit.events import AuditUnavailable, Event, Outcome, record
from audit.models import AuditEntry
from audit.unbroken import Broken, unbroken_from
from audit.vouched import vouched
from cryptocore import recovery_code
from cryptocore.errors import CryptoError

CODE_LASTS = timedelta(days=7)


class HasKeys(Exception):
    """This account has keys: no code for first ones is made."""


@dataclass(frozen=True)
class FirstKeysCode:
    """A one-time code, to be shown once. Never prints itself."""

    code: str = field(repr=False)

    @property
    def shown(self) -> str:
        return "-".join(recovery_code.groups(self.code))


def has_none(user: User) -> bool:
    """Whether no keys of this account are stored, whatever was once."""
    return not (user.master_key_version or KeyPair.objects.filter(user=user).exists())


def are_proven_due(user: User) -> bool:
    """Whether the unbroken trail says that this account was made without keys and never had any.

    Raises AuditUnavailable where trail or file do not answer.
    """
    made = _making_of(user.pk)
    if made is None:
        return False
    try:
        return not any(
            leaf.subject == user.pk and leaf.event in KEYSET_EVENTS and leaf.outcome == Outcome.DONE
            for leaf in unbroken_from(made)
        )
    except Broken:
        return False


def _making_of(person: uuid.UUID) -> AuditEntry | None:
    """Return the entry of the account's making by a command, if the audit key vouches for one. A
    column that hides it can only cause a refusal."""
    event = Event.ACCOUNT_MADE_BY_COMMAND
    rows = AuditEntry.objects.filter(subject=person, event=event, outcome=Outcome.DONE)
    try:
        entries = list(rows.order_by("sequence").proofs()[:2])
    except Error:
        raise AuditUnavailable from None
    for entry in filter(AuditEntry.is_authentic, entries):
        leaf = entry.parsed()
        if (leaf.subject, leaf.event, leaf.outcome) == (person, event, Outcome.DONE):
            return entry
    return None


def record_refused(user: User) -> None:
    event, outcome = Event.FIRST_KEYS_REFUSED, Outcome.REFUSED
    record(event, actor=user.pk, subject=user.pk, outcome=outcome)


# ---- an operator's word instead --------------------------------------------------------------


@sensitive_variables()
def make_code(*, user: User) -> FirstKeysCode:
    """Make a code with which this person's first keys are made; an earlier one is worth nothing.

    Only its SHA-256 is kept, in the trail: anybody could have written a row. Raises HasKeys.
    """
    if not has_none(user):
        raise HasKeys
    code = recovery_code.new_code()
    record(Event.FIRST_KEYS_ALLOWED, actor=None, subject=user.pk, code=token_digest(code))
    return FirstKeysCode(code)


@sensitive_variables()
def is_code_of(user: User, code: str) -> bool:
    """Whether this is the newest code made for this person, in time, and no keys were made since.

    Raises AuditUnavailable.
    """
    try:
        digest = token_digest(recovery_code.normalise(code))
    except CryptoError:
        return False
    events = (Event.FIRST_KEYS_ALLOWED, Event.KEYS_MADE)
    newest = vouched(events, subject=user.pk, since=timezone.now() - CODE_LASTS)[:1]
    return any(secrets.compare_digest(digest, leaf.facts.get("code", "")) for leaf in newest)
