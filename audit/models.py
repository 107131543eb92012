"""The trail's table. Rows are added, read, and nothing else."""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn

from django.conf import settings
from django.db import Error, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit import chain
from audit.events import Event, Outcome
from audit.fields import RawBytesField
from audit.leaf import IMAGES, Leaf
from cryptocore.errors import CryptoError

RECENT = 200  # entries looked through for a repeat; a person makes fewer in minutes


class AppendOnly(Exception):
    """Somebody tried to change or remove an audit entry."""


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Refuses every way Django has of changing rows without asking the model."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def bulk_update(self, objs: Any, fields: Any, batch_size: int | None = None) -> NoReturn:
        raise AppendOnly

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise AppendOnly

    def _update(self, values: Any) -> NoReturn:
        raise AppendOnly

    def proofs(self) -> "AuditEntryQuerySet":
        """The entries without their search columns, which may hold what Django cannot read."""
        return self.only("sequence", "leaf", "leaf_hash", "previous", "chain", "key_id")

    def seen_since(
        self,
        actor: uuid.UUID,
        event: Event,
        subject: uuid.UUID,
        since: datetime,
        *,
        outcome: Outcome = Outcome.DONE,
    ) -> bool:
        """Whether the same is on record already, so that a repeat need not be.

        False when the table does not answer: then it is recorded once more, which harms nobody.
        """
        recent = self._recent(actor, event, since, outcome).filter(subject=subject)
        with suppress(Error):
            return any(
                entry.is_proven(actor, event, since, outcome) and entry.parsed().subject == subject
                for entry in recent[:RECENT]
            )
        return False

    def thumbnails_not_seen_since(
        self, actor: uuid.UUID, images: Iterable[uuid.UUID], since: datetime
    ) -> list[uuid.UUID]:
        """Return those of `images` that no page of thumbnails on record names (`images`).

        All of them when the table does not answer.
        """
        event, outcome = Event.THUMBNAILS_OPENED, Outcome.DONE
        missing = {str(image): image for image in images}
        with suppress(Error):
            for page in self._recent(actor, event, since, outcome)[:RECENT]:
                named = missing.keys() & page.images()
                if named and page.is_proven(actor, event, since, outcome):
                    missing = {name: missing[name] for name in missing if name not in named}
                if not missing:
                    break
        return list(missing.values())

    def _recent(
        self, actor: uuid.UUID, event: Event, since: datetime, outcome: Outcome
    ) -> "AuditEntryQuerySet":
        """The rows that say so. Only a proven one may keep a repeat out of the trail: otherwise
        somebody who can write to the database could hide what they open by one row of their own."""
        entries = self.filter(actor=actor, event=event, outcome=outcome, time__gte=since)
        return entries.order_by("-sequence").proofs()


class AuditEntry(models.Model):
    """One thing that happened. `leaf` is the truth, and what the chain covers; the columns after
    `key_id` repeat parts of it for searching."""

    sequence = models.BigIntegerField(_("number"), primary_key=True)
    leaf = RawBytesField()
    leaf_hash = RawBytesField(db_index=True)
    # Unique: a second entry after the same predecessor would be a fork.
    previous = RawBytesField(unique=True)
    chain = RawBytesField(unique=True)
    key_id = models.CharField(max_length=64)
    time = models.DateTimeField(_("time"), db_index=True)
    event = models.CharField(_("event"), max_length=64)
    # No foreign keys: entries outlive the people and things they speak of.
    actor = models.UUIDField(_("by"), null=True)
    subject = models.UUIDField(_("about"), null=True)
    outcome = models.CharField(_("outcome"), max_length=16)
    request = models.CharField(_("request"), max_length=32, null=True, db_index=True)

    # Of whom and what it speaks, where staff are shown it (audit/naming.py).
    names: dict[uuid.UUID, str]

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["actor", "event", "time"], name="audit_by_actor"),
            models.Index(fields=["subject", "time"], name="audit_by_subject"),
            models.Index(fields=["event", "time"], name="audit_by_event"),
            # What happened to one thing: asked at every opening.
            models.Index(fields=["subject", "event", "sequence"], name="audit_by_subject_event"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.event}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        # Without it Django first tries an UPDATE of the row with this number.
        super().save(force_insert=True, using=kwargs.get("using"))

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def parsed(self) -> Leaf:
        """Return what the leaf says. Raises CryptoError if it says nothing we wrote."""
        return Leaf.parse(self.leaf)

    def is_authentic(self) -> bool:
        """Whether the audit key vouches for leaf and predecessor of this row."""
        leaf_hash = chain.hash_leaf(self.leaf)
        try:
            key = settings.SERVER_KEYS.audit.get(self.key_id)
            chain.check_link(self.previous, leaf_hash, self.chain, key)
        except (CryptoError, KeyError):
            return False
        return bool(leaf_hash == self.leaf_hash)

    def is_proven(self, actor: uuid.UUID, event: Event, since: datetime, outcome: Outcome) -> bool:
        """Whether the audit key vouches that this person did this, between `since` and now."""
        if not self.is_authentic():
            return False
        leaf = self.parsed()
        said = (leaf.actor, leaf.event, leaf.outcome)
        return said == (actor, event, outcome) and since <= leaf.time <= timezone.now()

    def images(self) -> list[str]:
        try:
            return list(self.parsed().facts.get(IMAGES, []))
        except CryptoError:
            return []


class AuditHead(models.Model):
    """The newest entry's number and chain value: one row, held while an entry is added."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    sequence = models.BigIntegerField()
    chain = RawBytesField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_audit_head")]


class PersonalFacts(models.Model):
    """From where an entry came: a truncated address and a browser's name. May be erased."""

    # No constraint: what can be erased must never stand in the way of the trail.
    entry = models.OneToOneField(
        AuditEntry,
        models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="personal_facts",
    )
    salt = RawBytesField()
    address = models.CharField(_("network"), max_length=64, blank=True)
    agent = models.CharField(_("browser"), max_length=200, blank=True)

    class Meta:
        verbose_name_plural = _("personal facts")
