"""What proves a notice: a tag over its canonical body, and a tagged head that counts them.

The body names instance, person, sequence and MAC key epoch, so a notice that was forged, altered,
moved to another person or repeated is seen; the head shows one that was taken away.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from accounts.keys.mac_keys import notice_mac_key
from accounts.models import MacKey
from cryptocore import canonical
from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.mac import check_mac, mac
from gallery.models import Notice, NoticeHead

VERSION = 1

Keys = dict[int, bytes | None]  # by epoch; None: this one does not open


@sensitive_variables()
def mac_keys_of(people: Iterable[uuid.UUID]) -> dict[uuid.UUID, Keys]:
    """Return the MAC keys (32 bytes) of these people by epoch; none for people who have none."""
    keys: dict[uuid.UUID, Keys] = defaultdict(dict)
    for row in MacKey.objects.filter(user__in=list(people)):
        try:
            keys[row.user_id][row.epoch] = notice_mac_key(row)
        except CryptoError:
            keys[row.user_id][row.epoch] = None
    return keys


@sensitive_variables()
def compose(
    person: uuid.UUID, sequence: int, epoch: int, key: bytes, said: dict[str, Any]
) -> Notice:
    """Return a notice that says `said`, tagged; not stored yet."""
    about = {
        "v": VERSION,
        "instance": str(settings.SERVER_KEYS.instance_id),
        "person": str(person),
        "sequence": sequence,
        "epoch": epoch,
    }
    body = canonical.encode({**about, **said})
    return Notice(
        person_id=person,
        sequence=sequence,
        body=body,
        tag=mac(context("notice") + body, key),
        mac_epoch=epoch,
    )


@sensitive_variables()
def verified_body(notice: Notice, keys: Keys) -> dict[str, Any]:
    """Return what a notice says. Raises CryptoError if tag, person or epoch is not right.

    Its `sequence` may be another than the row's: then the row is a copy.
    """
    raw, key = bytes(notice.body), keys.get(notice.mac_epoch)
    if key is None:
        raise CryptoError
    check_mac(context("notice") + raw, bytes(notice.tag), key)
    body = canonical.decode(raw)
    expected = {
        "v": VERSION,
        "instance": str(settings.SERVER_KEYS.instance_id),
        "person": str(notice.person_id),
        "epoch": notice.mac_epoch,
    }
    if any(body.get(name) != value for name, value in expected.items()):
        raise CryptoError
    return body


@sensitive_variables()
def count_them(person: uuid.UUID, sequence: int, epoch: int, key: bytes) -> NoticeHead:
    """Return the head that says there are `sequence` notices; not stored yet."""
    tag = mac(context("notice-head", person, sequence), key)
    return NoticeHead(person_id=person, sequence=sequence, tag=tag, mac_epoch=epoch)


@sensitive_variables()
def counted(head: NoticeHead, keys: Keys) -> int:
    """Return how many notices there must be. Raises CryptoError for a head we did not write."""
    key = keys.get(head.mac_epoch)
    if key is None:
        raise CryptoError
    check_mac(context("notice-head", head.person_id, head.sequence), bytes(head.tag), key)
    return head.sequence
