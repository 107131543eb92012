"""What hangs on the key file's keys, hung on the newest ones: MAC keys; after a theft certificates.

Person by person, each in one transaction and one entry of the trail; done twice is as done once.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from accounts.keys.certificates import (
    Names,
    certify_signing_key,
    endorses,
    is_certified,
    names_in,
    owner_vouches_for,
    verified_before_theft,
)
from accounts.keys.certified import known_certificate_of, record_certified, take_in_certificate
from accounts.keys.keysets import KEYSET_EVENTS
from accounts.keys.mac_keys import new_mac_key_row, rewrap
from accounts.keys.names import newest_signing_pairs
from accounts.models import KeyPair, MacKey, User
from accounts.services.holding import changing_keys
from audit.events import Event, Outcome
from audit.verification import NEWEST, entries_between
from audit.vouched import Newest
from cryptocore import statements
from cryptocore.errors import CryptoError

SIGNING_FACTS = ("signing", "fingerprint")
# Entries without these have no new keys or certificates: this is cheaper to look for than to check
# the MAC.
MARKS = (b'"keyset":"', b'"certificate":"')
BEFORE_THEFT = "the trail did not know it before the theft"
NO_OWNER = "nothing its owner signed verifies under it"
UNCERTIFIED = "it was not certified, or its row was changed"
NAMELESS = "certified, but without a name: the trail did not know its certificate before"


class AnotherBegun(Exception):
    """A rotation of the other kind was begun and is not finished."""


@dataclass(frozen=True)
class Refused:
    """A key that stays as it was, and why."""

    person: uuid.UUID
    key: str
    why: str

    def __str__(self) -> str:
        return f"{self.key} of person {self.person}: {self.why}"


@dataclass
class Done:
    """What became of one person's keys, or of everybody's."""

    people: int = 0
    rewrapped: int = 0
    made: int = 0
    certified: int = 0
    refused: list[Refused] = field(default_factory=list)

    def __iadd__(self, other: "Done") -> "Done":
        self.people += other.people
        self.rewrapped += other.rewrapped
        self.made += other.made
        self.certified += other.certified
        self.refused += other.refused
        return self


def begin(*, stolen_since: datetime | None) -> bool:
    """Put new keys into the key file, unless a rotation goes on; whether one goes on.

    Raises AnotherBegun.
    """
    begun = settings.SERVER_KEYS.rotation
    if begun is None:
        settings.SERVER_KEYS.rotate(stolen_since=stolen_since)
        return False
    if (begun.stolen_since is None) != (stolen_since is None):
        raise AnotherBegun
    return True


def people_with_keys() -> Iterator[uuid.UUID]:
    """Yield everybody who has key rows, in an order that stays."""
    with_keys = Q(mac_keys__isnull=False) | Q(key_pairs__isnull=False)
    people = User.objects.filter(with_keys).order_by("pk").distinct()
    yield from people.values_list("pk", flat=True).iterator()


@dataclass
class Known:
    """What the trail names as made for one person before a theft: their signing keys'
    fingerprints, and the newest certificate of these."""

    fingerprints: set[str] = field(default_factory=set)
    certificate: Newest = field(default_factory=Newest)


class Carrier:
    """Carries out the rotation that was begun, or says what a new one would do."""

    def __init__(self, stolen_since: datetime | None, begun_at: datetime | None) -> None:
        self._stolen, self._begun_at = stolen_since is not None, begun_at
        self._known = _known_before(stolen_since) if stolen_since else {}

    def carry_out(self, person: uuid.UUID) -> Done:
        """Hang this person's keys on the newest ones; nothing of theirs if one does not open."""
        plan = self._plan(person)
        if plan.is_nothing:
            return Done(refused=plan.refused)
        try:
            done = self._store(person)
        except CryptoError:
            return Done(refused=[Refused(person, "a MAC key", "it does not open")])
        if done.certified:
            record_certified(newest_signing_pairs([person])[person])
        return done

    def rehearse(self, person: uuid.UUID) -> Done:
        """Return what carry_out() would have done."""
        plan = self._plan(person)
        return plan.done(len(plan.to_certify))

    def _store(self, person: uuid.UUID) -> Done:
        whose = User(pk=person)
        with changing_keys(Event.MAC_KEY_ROTATED, whose, by_its_person=False) as change:
            plan = self._plan(person)
            for row in plan.stale:
                rewrap(row)
                row.save(update_fields=["wrapped_key", "notice_key_id"])
            if plan.next_epoch:
                new_mac_key_row(whose, plan.next_epoch).save(force_insert=True)
            certified = _certify(plan.to_certify, plan.names)
            done = plan.done(certified)
            facts = {"rewrapped": done.rewrapped, "made": done.made, "certified": certified}
            change.facts.update(facts)
        return done

    def _plan(self, person: uuid.UUID) -> "Plan":
        """Return what is left to do for this person: of a rotation not begun, everything."""
        rows = list(MacKey.objects.filter(user=person).order_by("epoch"))
        newest_id, _ = settings.SERVER_KEYS.notice.newest
        begun_at = self._begun_at
        plan = Plan([row for row in rows if begun_at is None or row.notice_key_id != newest_id])
        if self._stolen:
            if rows and (begun_at is None or rows[-1].created_at < begun_at):
                plan.next_epoch = rows[-1].epoch + 1
            self._plan_certificates(person, plan)
        return plan

    def _plan_certificates(self, person: uuid.UUID, plan: "Plan") -> None:
        pairs = KeyPair.objects.filter(user=person, purpose=KeyPair.Purpose.SIGNING)
        believed: KeyPair | None = None
        for pair in pairs.order_by("epoch"):
            if self._begun_at and is_certified(pair):
                believed = pair
            elif why := self._why_not(pair, believed):
                key = f"signing key {pair.epoch} ({pair.fingerprint})"
                plan.refused.append(Refused(person, key, why))
            else:
                plan.to_certify.append(pair)
                believed = pair
        # The names in the certificate that was the newest before the theft, as the trail says: with
        # the key file the thief could write any. Otherwise the person confirms their own.
        known = self._known.get(person, Known()).certificate.done
        for pair in pairs:
            if statements.digest(bytes(pair.certificate)) in known:
                plan.names = names_in(pair)
                break
        if plan.to_certify and plan.names is None:
            plan.refused.append(Refused(person, "the name", NAMELESS))

    def _why_not(self, pair: KeyPair, believed: KeyPair | None) -> str:
        """Why a signing key is not certified again; empty if it is.

        The thief had the key file: a certificate proves nothing from then on. What they could
        neither write into the past of the trail nor sign is what its owner did with the key; and
        what a key that is `believed` endorsed as its successor, which takes its private half.
        """
        try:
            verified_before_theft(pair)
            if believed and endorses(believed, pair):
                return ""
            vouched = owner_vouches_for(pair)
        except CryptoError:
            return UNCERTIFIED
        if pair.fingerprint not in self._known.get(pair.user_id, Known()).fingerprints:
            return BEFORE_THEFT
        return "" if vouched else NO_OWNER


@dataclass
class Plan:
    """What is left to do for one person."""

    stale: list[MacKey] = field(default_factory=list)
    next_epoch: int = 0
    to_certify: list[KeyPair] = field(default_factory=list)
    names: Names | None = None
    refused: list[Refused] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return not (self.stale or self.next_epoch or self.to_certify)

    def done(self, certified: int) -> Done:
        return Done(1, len(self.stale), int(self.next_epoch > 0), certified, self.refused)


def _certify(pairs: list[KeyPair], names: Names | None) -> int:
    """Certify signing keys of one person again, each naming the one before it."""
    for pair in pairs:
        before = KeyPair.objects.filter(
            user_id=pair.user_id, purpose=pair.purpose, epoch=pair.epoch - 1
        ).first()
        previous = before if before and is_certified(before) else pair
        known = known_certificate_of(pair.user_id)
        certify_signing_key(pair, previous, names=names, known=known)
        pair.save(update_fields=["certificate", "certificate_signature"])
    return len(pairs)


def _known_before(moment: datetime) -> dict[uuid.UUID, Known]:
    """Return what the trail knew of everybody before that time."""
    everybody: dict[uuid.UUID, Known] = defaultdict(Known)
    for entry in entries_between(1, NEWEST):
        if not any(mark in entry.leaf for mark in MARKS) or not entry.is_authentic():
            continue
        leaf = entry.parsed()
        counts = leaf.event in KEYSET_EVENTS and leaf.outcome == Outcome.DONE
        if counts and leaf.subject and leaf.time < moment:
            facts = (leaf.facts.get(name) for name in SIGNING_FACTS)
            known = everybody[leaf.subject]
            known.fingerprints.update(fact for fact in facts if fact)
            take_in_certificate(known.certificate, leaf)
    return everybody
