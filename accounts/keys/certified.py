"""What the trail remembers of certificates and names: which is the newest, and whose a name is.

A certificate is a true statement for ever. Only the trail shows that an older one, with an earlier
name, was put back; and that a username was given once, even if its row now says something else
(docs/format.md, "`key`: this public key is this person's").
"""

import hashlib
import uuid
from collections.abc import Collection
from typing import Any

from accounts import usernames
from accounts.keys.certificates import KIND
from accounts.models import KeyPair
from audit.events import Event, record_after
from audit.leaf import Leaf
from audit.vouched import Newest, vouched, vouched_of_each
from cryptocore import statements
from cryptocore.context import context


class NameTaken(Exception):
    """This username, or one that looks like it, was given to somebody else, or this person has
    another."""


# ---- certificates ----------------------------------------------------------------------------


def known_certificates(people: Collection[uuid.UUID]) -> dict[uuid.UUID, Newest]:
    """Return which certificate of each person's signing key the trail remembers as the newest.

    Raises AuditUnavailable.
    """
    known = {}
    for person, leaves in vouched_of_each([Event.KEY_CERTIFIED], subjects=people).items():
        known[person] = Newest()
        for leaf in leaves:
            take_in_certificate(known[person], leaf)
    return known


def known_certificate_of(person: uuid.UUID) -> Newest:
    """Return the same for one person. Raises AuditUnavailable."""
    return known_certificates([person])[person]


def take_in_certificate(known: Newest, leaf: Leaf) -> None:
    """Take in what one entry of the trail says, if it is about a certificate."""
    if leaf.event == Event.KEY_CERTIFIED and "certificate" in leaf.facts:
        known.take_in(leaf.outcome, leaf.facts["number"], leaf.facts["certificate"])


def certificate_facts(pair: KeyPair) -> dict[str, Any]:
    """Return what an entry says of a signing key's certificate."""
    body = bytes(pair.certificate)
    number = statements.parse(KIND, body)["sequence"]
    return {"certificate": statements.digest(body), "number": number, "key": pair.fingerprint}


def record_certified(pair: KeyPair) -> None:
    """Record a certificate that was stored with an act on the keys."""
    facts = certificate_facts(pair)
    record_after(Event.KEY_CERTIFIED, actor=pair.user_id, subject=pair.user_id, **facts)


# ---- usernames -------------------------------------------------------------------------------


def name_id(username: str) -> uuid.UUID:
    """Return what the trail calls a username: the same id for all that look alike."""
    skeleton = usernames.skeleton(username).encode()
    return uuid.UUID(bytes=hashlib.sha256(context("username") + skeleton).digest()[:16])


def require_own_name(person: uuid.UUID, username: str) -> None:
    """Return if the trail knows this name as this person's, or as nobody's.

    Otherwise somebody who can write to the database could free a name by changing a row, and have
    it certified for somebody else. Raises NameTaken, or AuditUnavailable.
    """
    name, event = name_id(username), [Event.NAME_GIVEN]
    given = vouched(event, subject=name) + vouched(event, actor=person)
    if any((leaf.actor, leaf.subject) != (person, name) for leaf in given):
        raise NameTaken


def record_name_given(person: uuid.UUID, username: str) -> None:
    record_after(Event.NAME_GIVEN, actor=person, subject=name_id(username))
