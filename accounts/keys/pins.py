"""Whose fingerprints a person compared, and what happens when one of them changes.

One document per person, MACed under their opening key, its digest in the trail (docs/format.md,
"Compared contacts"). So somebody who can write to the database cannot forge a comparison or put an
older list back unseen. Somebody who also has the key file, and could certify a key of their own for
a person, cannot make a sharer who compared wrap anything to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring, OpeningKeys
from accounts.keys.certificates import Names
from accounts.keys.identities import (
    NEVER_ACCEPTED,
    Change,
    Entry,
    How,
    Identity,
    SignerChange,
    how_changed,
    how_signed,
)
from accounts.keys.recipients import Reader
from accounts.models import Pins, User
from audit import events
from audit.events import Event, Outcome, record
from audit.leaf import Leaf
from audit.models import AuditEntry
from audit.vouched import Newest, vouched
from cryptocore import canonical, statements
from cryptocore.errors import CryptoError

VERSION = 1
MAX_BYTES = 2**21  # some ten thousand contacts
TRIES = 5
REPORTED_FOR = timedelta(minutes=10)
PIN_EVENTS = (Event.CONTACT_COMPARED, Event.CONTACT_CHANGE_ACCEPTED)

Entries = dict[str, Entry]


class ContactsRefused(Exception):
    """The list is missing, older than the trail knows, or not its owner's."""


class KeyChanged(Exception):
    """A compared contact has another key by now; nothing was wrapped to it."""

    def __init__(self, changes: list[Change]) -> None:
        super().__init__("a compared contact has another key")
        self.changes = changes


class Moved(Exception):
    """Another request changed the list meanwhile."""


# ---- the list --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contacts:
    """A person's compared contacts, as they and the trail vouch for them."""

    sequence: int
    entries: Entries
    row: Pins | None

    def compared_at(self, person: User, fingerprint: str) -> datetime | None:
        """When this very fingerprint of a person was compared or accepted."""
        entry = self.entries.get(str(person.pk))
        if entry is None or entry["fingerprint"] != fingerprint:
            return None
        return statements.parse_time(entry["time"])

    def change_of(self, person: User, now: Identity) -> Change | None:
        """Return how a person's key is not the compared one; None if it is, or none was."""
        namesake = self._namesake_of(person, now.names)
        entry = namesake or self.entries.get(str(person.pk))
        if entry is None:
            return None
        how = How.MISNAMED if namesake else how_changed(entry, now)
        return Change(person, now, how, statements.parse_time(entry["time"])) if how else None

    def change_of_signer(
        self, person: User, names: Names | None, keys: Iterable[str]
    ) -> SignerChange | None:
        """Return how somebody who signed is not as they were compared; None if they are, or never
        were. `keys`: the fingerprints that signed, their certificates verified."""
        namesake, own = self._namesake_of(person, names), self.entries.get(str(person.pk))
        entry = namesake or own
        if entry is None:
            return None
        how = How.MISNAMED if namesake else how_signed(entry, person.pk, names, keys)
        if how is None:
            return None
        called = own.get("display_name", "") if own else ""
        return SignerChange(how, statements.parse_time(entry["time"]), called)

    def _namesake_of(self, person: User, names: Names | None) -> Entry | None:
        """Return the entry that says that this username is another person's, or theirs another."""
        if names is None:
            return None
        for pk, entry in self.entries.items():
            username = entry.get("username")
            if username and (pk == str(person.pk)) != (username == names.username):
                return entry
        return None

    def require_unchanged(self, readers: Iterable[Reader], *, but_names: bool = False) -> None:
        """Return if nobody is otherwise than they were compared; `but_names`: what they are called
        does not matter, as where somebody only keeps what they have. Raises KeyChanged."""
        known = [(reader.user, reader.key.identity) for reader in readers if reader.key]
        changes = [change for person, now in known if (change := self.change_of(person, now))]
        if but_names:
            changes = [change for change in changes if change.how != How.RENAMED]
        if changes:
            raise KeyChanged(changes)


@sensitive_variables()
def contacts_of(keyring: Keyring) -> Contacts:
    """Return a person's compared contacts.

    Raises ContactsRefused, and records it, once in a while; AuditUnavailable if the trail's table
    does not answer: then nobody can know whether a list is the newest.
    """
    try:
        return _read_now(keyring)
    except (CryptoError, ContactsRefused):
        pass  # it may have been changed between reading the trail and reading the row
    try:
        return _read_now(keyring)
    except (CryptoError, ContactsRefused):
        # Every picture of a page asks for the list: on record once in ten minutes is enough.
        person, event, outcome = keyring.user.pk, Event.CONTACTS_REFUSED, Outcome.REFUSED
        since = timezone.now() - REPORTED_FOR
        if not AuditEntry.objects.seen_since(person, event, person, since, outcome=outcome):
            record(event, actor=person, subject=person, outcome=outcome)
        raise ContactsRefused from None


@sensitive_variables()
def _read_now(keyring: Keyring) -> Contacts:
    remembered = _remembered(keyring.user)
    return _read(keyring, _row_of(keyring.user), remembered)


def _row_of(user: User) -> Pins | None:
    return Pins.objects.filter(user=user).first()


def number_in(leaf: Leaf) -> tuple[int, str] | None:
    """Return number and digest of its actor's list, if an entry is about one."""
    if leaf.event not in PIN_EVENTS or "pins" not in leaf.facts:
        return None
    return leaf.facts["number"], leaf.facts["pins"]


def _remembered(user: User) -> Newest:
    """Return what the trail remembers of this person's list. Raises AuditUnavailable."""
    remembered = Newest()
    for leaf in vouched(PIN_EVENTS, actor=user.pk, outcomes=(Outcome.DONE, Outcome.INTENDED)):
        if numbered := number_in(leaf):
            remembered.take_in(leaf.outcome, *numbered)
    return remembered


def _read(keyring: Keyring, row: Pins | None, remembered: Newest) -> Contacts:
    if row is None:
        if remembered.number:
            raise ContactsRefused
        return Contacts(0, {}, None)
    body = bytes(row.body)
    keyring.check_pins(body, bytes(row.tag))
    if statements.digest(body) not in remembered.digests:
        raise ContactsRefused
    document = canonical.decode(body, max_bytes=MAX_BYTES)
    return Contacts(document["sequence"], document["contacts"], row)


# ---- changing it -----------------------------------------------------------------------------


@sensitive_variables()
def note_compared(*, keyring: Keyring, person: User, identity: Identity, matches: bool) -> None:
    """Remember that a person's words were compared, and whether they matched.

    If the list is refused, this starts a new one. Not matching stops every sharing with that person
    until they are compared again.
    """
    entry = identity.as_entry() | ({} if matches else {"fingerprint": None, "earlier": []})
    facts = {"fingerprint": identity.signing.fingerprint, "matches": "yes" if matches else "no"}
    _change(keyring, Event.CONTACT_COMPARED, person, entry, anew=False, **facts)


@sensitive_variables()
def begin_anew(*, keyring: Keyring) -> None:
    """Start a new list in place of a refused one: nobody counts as compared."""
    facts = {"list": "anew"}
    _change(keyring, Event.CONTACT_CHANGE_ACCEPTED, keyring.user, None, anew=True, **facts)


@sensitive_variables()
def settle(*, keyring: Keyring, readers: Iterable[Reader], accepted: Iterable[str]) -> None:
    """Take over the changed keys of those readers whose change was accepted (user names).

    Raises KeyChanged naming the others: then nothing is taken over. Raises ContactsRefused.
    """
    contacts, accepted = contacts_of(keyring), set(accepted)
    try:
        contacts.require_unchanged(readers)
    except KeyChanged as changed:
        left = [
            change
            for change in changed.changes
            if change.how in NEVER_ACCEPTED or change.person.username not in accepted
        ]
        if left:
            raise KeyChanged(left) from None
        for change in changed.changes:
            facts = {"fingerprint": change.identity.signing.fingerprint, "how": change.how.value}
            entry, event = change.identity.as_entry(), Event.CONTACT_CHANGE_ACCEPTED
            _change(keyring, event, change.person, entry, anew=False, **facts)


def _change(keyring: Keyring, event: Event, person: User, entry: Any, **facts: Any) -> None:
    for _ in range(TRIES - 1):
        try:
            return _change_once(keyring, event, person, entry, **facts)
        except Moved:
            continue
    return _change_once(keyring, event, person, entry, **facts)


def _change_once(
    keyring: Keyring, event: Event, person: User, entry: Any, *, anew: bool, **facts: Any
) -> None:
    """Store the next list, with `entry` for `person` in it; with nobody else if it is a new
    list."""
    before = _next_to(keyring, anew)
    added = {str(person.pk): _with_earlier(entry, before, person)} if entry else {}
    document = {
        "v": VERSION,
        "instance": str(settings.SERVER_KEYS.instance_id),
        "user": str(keyring.user.pk),
        "sequence": before.sequence + 1,
        "contacts": {**before.entries, **added},
    }
    body = canonical.encode(document, max_bytes=MAX_BYTES)
    pins = Pins(user=keyring.user, body=body, tag=keyring.tag_pins(body))
    facts |= {"pins": statements.digest(body), "number": before.sequence + 1}
    with (
        events.recorded(event, actor=keyring.user.pk, subject=person.pk, **facts),
        transaction.atomic(),
    ):
        User.objects.select_for_update().get(pk=keyring.user.pk)
        if _bytes_of(_row_of(keyring.user)) != _bytes_of(before.row):
            raise Moved
        pins.save()


def _with_earlier(entry: Entry, before: Contacts, person: User) -> Entry:
    """Return an entry that keeps the keys of the one it replaces, unless the words differed."""
    if entry["fingerprint"] is None:
        return entry
    replaced = before.entries.get(str(person.pk), {})
    kept = {replaced.get("fingerprint"), *replaced.get("earlier", ()), *entry["earlier"]}
    return {**entry, "earlier": sorted(kept - {None, entry["fingerprint"]})}


def _next_to(keyring: Keyring, anew: bool) -> Contacts:
    """Return the list to go on from: an empty one, with a later number, where it is refused."""
    row, remembered = _row_of(keyring.user), _remembered(keyring.user)
    try:
        if anew:
            raise ContactsRefused
        return _read(keyring, row, remembered)
    except (CryptoError, ContactsRefused):
        return Contacts(remembered.number, {}, row)


def _bytes_of(row: Pins | None) -> bytes | None:
    return bytes(row.body) if row else None


@sensitive_variables()
def take_over(*, keyring: Keyring, earlier: OpeningKeys) -> None:
    """Tag a person's list under their new master key, inside the caller's transaction.

    Its bytes stay, so what the trail remembers of it stays true. A list that does not verify stays
    as it is, and is refused.
    """
    row = _row_of(keyring.user)
    if row is None:
        return
    try:
        earlier.check_pins(bytes(row.body), bytes(row.tag))
    except CryptoError:
        return
    row.tag = keyring.tag_pins(bytes(row.body))
    row.save(update_fields=["tag"])
