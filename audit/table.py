"""Adding to the trail's table: number, predecessor and chain, taken under one lock."""

from django.conf import settings
from django.db import connections, transaction

from audit import chain
from audit.leaf import Leaf, Personal
from audit.models import AuditEntry, AuditHead, PersonalFacts
from audit.router import ALIAS


def append(leaf: bytes, personal: Personal | None) -> AuditEntry:
    """Add an entry, committed to disk on return. Raises django.db.Error if the table is away."""
    with transaction.atomic(using=ALIAS, durable=True):
        entry = _append_after(_lock_head(), leaf)
        if personal is not None:
            PersonalFacts.objects.create(
                entry=entry, salt=personal.salt, address=personal.address, agent=personal.agent
            )
    return entry


def append_once(leaf: bytes) -> AuditEntry | None:
    """Add an entry unless the table has this leaf already; None if it has.

    Raises django.db.Error if the table is away.
    """
    with transaction.atomic(using=ALIAS, durable=True):
        head = _lock_head()
        if AuditEntry.objects.filter(leaf_hash=chain.hash_leaf(leaf)).exists():
            return None
        return _append_after(head, leaf)


def recover_connection() -> None:
    """Drop a connection that an error left unusable, so that the next entry opens a new one."""
    connections[ALIAS].close_if_unusable_or_obsolete()


def _lock_head() -> AuditHead:
    # On SQLite the transaction itself is the lock: settings make it IMMEDIATE.
    heads = AuditHead.objects.select_for_update()
    beginning = {"sequence": 0, "chain": chain.BEGINNING}
    head, _ = heads.get_or_create(pk=AuditHead.ONLY, defaults=beginning)
    return head


def _append_after(head: AuditHead, leaf: bytes) -> AuditEntry:
    entry = _follow(head, leaf)
    entry.save()
    AuditHead.objects.filter(pk=head.pk).update(sequence=entry.sequence, chain=entry.chain)
    return entry


def _follow(head: AuditHead, leaf: bytes) -> AuditEntry:
    key_id, key = settings.SERVER_KEYS.audit.newest
    leaf_hash, previous = chain.hash_leaf(leaf), bytes(head.chain)
    return AuditEntry(
        sequence=head.sequence + 1,
        leaf=leaf,
        leaf_hash=leaf_hash,
        previous=previous,
        chain=chain.link(previous, leaf_hash, key),
        key_id=key_id,
        **columns(Leaf.parse(leaf)),
    )


def columns(leaf: Leaf) -> dict[str, object]:
    """Return the searchable copies of what `leaf` says."""
    return {
        "time": leaf.time,
        "event": leaf.event,
        "actor": leaf.actor,
        "subject": leaf.subject,
        "outcome": leaf.outcome,
        "request": leaf.request,
    }
