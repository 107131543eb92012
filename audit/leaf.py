"""The bytes an entry commits to. Pure: no clock, no database, no settings.

Canonical JSON: {"actor": uuid | null, "event", "facts": {}, "outcome", "personal": hex | null,
"request": hex | null, "subject": uuid | null, "time": "2026-11-23T08:09:13.000000Z", "v": 1}.
"""

import hashlib
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from cryptocore import canonical
from cryptocore.context import context
from cryptocore.errors import CryptoError

VERSION = 1
LEAF_BYTES = 2048  # without the list of images
IMAGES = "images"  # the one fact that may be long: which thumbnails a page showed
MAX_IMAGES = 100
MAX_BYTES = 8192  # LEAF_BYTES and a full list of images
MAX_DEPTH = 3
SALT_BYTES = 32
FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")

Fact = str | int | list[str]


@dataclass(frozen=True, slots=True)
class Personal:
    """Facts about a person's machine. The leaf holds only their salted digest, so that they can
    be erased while the chain stays whole."""

    salt: bytes
    address: str
    agent: str

    @classmethod
    def with_new_salt(cls, address: str, agent: str) -> Self:
        return cls(secrets.token_bytes(SALT_BYTES), address, agent)

    def digest(self) -> str:
        """Return SHA-256("audit-personal" | salt | canonical facts), hex."""
        facts = canonical.encode({"address": self.address, "agent": self.agent})
        return hashlib.sha256(context("audit-personal", self.salt) + facts).hexdigest()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One thing that happened, as the trail has it."""

    time: datetime
    event: str
    actor: uuid.UUID | None
    subject: uuid.UUID | None
    outcome: str
    request: str | None
    facts: Mapping[str, Any]
    personal: str | None

    def encode(self) -> bytes:
        """Return the canonical bytes.

        Raises TypeError or ValueError for facts of a kind or size the trail does not take.
        """
        check_facts(self.facts)
        leaf = canonical.encode(self._body(self.facts))
        if len(leaf) > LEAF_BYTES:
            short = {name: fact for name, fact in self.facts.items() if name != IMAGES}
            if len(canonical.encode(self._body(short))) > LEAF_BYTES:
                raise ValueError(f"an audit entry holds at most {LEAF_BYTES} bytes")
        return leaf

    def _body(self, facts: Mapping[str, Fact]) -> dict[str, Any]:
        return {
            "v": VERSION,
            "time": self.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "event": self.event,
            "actor": _text(self.actor),
            "subject": _text(self.subject),
            "outcome": self.outcome,
            "request": self.request,
            "facts": dict(facts),
            "personal": self.personal,
        }

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return what `data` says. Raises CryptoError unless it is exactly what encode() makes."""
        body = canonical.decode(data, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH)
        try:
            leaf = cls._from_body(body)
            check_facts(leaf.facts)
            # A second spelling of a UUID or a time, an unknown or a missing field.
            if leaf._body(leaf.facts) != body:
                raise CryptoError
        except (KeyError, TypeError, ValueError, AttributeError):
            raise CryptoError from None
        return leaf

    @classmethod
    def _from_body(cls, body: dict[str, Any]) -> Self:
        return cls(
            time=datetime.fromisoformat(body["time"]),
            event=body["event"],
            actor=_uuid(body["actor"]),
            subject=_uuid(body["subject"]),
            outcome=body["outcome"],
            request=body["request"],
            facts=body["facts"],
            personal=body["personal"],
        )


def check_facts(facts: Mapping[str, Fact]) -> None:
    """Return if every fact is a string, an integer or a list of strings.

    Raises TypeError or ValueError. Exact types: True is an int, and nobody means 1 by it.
    """
    for name, fact in facts.items():
        if not FACT_NAME.fullmatch(name):
            raise ValueError("a fact's name is a short lower-case word")
        if type(fact) not in (str, int, list):
            raise TypeError("a fact is a string, an integer or a list of strings")
        if type(fact) is list and not all(type(item) is str for item in fact):
            raise TypeError("a list of facts holds strings")
    images = facts.get(IMAGES, [])
    if type(images) is not list or len(images) > MAX_IMAGES:
        raise ValueError(f"images: a list of at most {MAX_IMAGES}")
    for image in images:
        if str(uuid.UUID(image)) != image:
            raise ValueError("images: a list of UUIDs")


def _text(person_or_thing: uuid.UUID | None) -> str | None:
    return None if person_or_thing is None else str(person_or_thing)


def _uuid(text: str | None) -> uuid.UUID | None:
    return None if text is None else uuid.UUID(text)
