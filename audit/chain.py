"""How entries are chained. Pure: no clock, no database, no settings.

    leaf hash = SHA-256(0x00 | leaf)                                       RFC 6962 §2.1
    chain     = HMAC(audit key, "audit-chain" | chain before | leaf hash)  the first: 32 zero bytes
    line tag  = HMAC(audit key, "audit-line" | leaf hash)                  a line without a place

Each chain value covers the whole trail before it, under a key outside the database: somebody who
can write there can cut the trail's end, but cannot change, add, drop or reorder what stays.
"""

import hashlib

from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.mac import check_mac, mac

HASH_BYTES = 32
BEGINNING = bytes(HASH_BYTES)
LEAF_PREFIX = b"\x00"  # RFC 6962 §2.1: so that no leaf passes for a node of the hash tree


def hash_leaf(leaf: bytes) -> bytes:
    """Return the leaf hash, 32 bytes."""
    return hashlib.sha256(LEAF_PREFIX + leaf).digest()


def link(previous: bytes, leaf_hash: bytes, key: bytes) -> bytes:
    """Return the chain value (32 bytes) of the entry that follows `previous`."""
    return mac(context("audit-chain", previous, leaf_hash), key)


def check_link(previous: bytes, leaf_hash: bytes, chain: bytes, key: bytes) -> None:
    """Return if `chain` is the chain value of this leaf after `previous`; else CryptoError."""
    if len(previous) != HASH_BYTES:
        raise CryptoError
    check_mac(context("audit-chain", previous, leaf_hash), chain, key)


def tag_line(leaf_hash: bytes, key: bytes) -> bytes:
    """Return the tag (32 bytes) of a line written while the table was away."""
    return mac(context("audit-line", leaf_hash), key)


def check_line_tag(leaf_hash: bytes, tag: bytes, key: bytes) -> None:
    """Return if `tag` is the line tag of this leaf; else CryptoError."""
    check_mac(context("audit-line", leaf_hash), tag, key)
