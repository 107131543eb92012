"""Many images and notices, without sealing each.

The hundred images that first and last pages show are genuine: sealed, signed, stored. Those
between are copies of one image's rows under new ids, whose bytes are not stored and whose
statements would not verify: they are there to be counted, joined, sorted and skipped. Notices are
all genuine.
"""

import io
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import User, WrappedKey, WrappedKeyCheck
from accounts.services.people import registration
from accounts.services.ways_back.recovery import make_recovery_code
from gallery.models import Grant, Notice, NoticeHead, Rendition, SealedImage, Statement
from gallery.notice_proofs import compose, count_them, mac_keys_of

PASSWORD = "correct horse battery"
OWNER, READER = "owner", "reader"
OLDEST, NEWEST = 40, 60  # a page is 60; of 100, 10,000 and 100,000 the last page shows 40
BATCH = 2000


def browser(username: str) -> Client:
    """Make an account with keys and return its signed-in, unlocked browser."""
    keyring = registration.register(
        username=username, display_name=username.title(), email="", password=PASSWORD
    )
    make_recovery_code(keyring=keyring)
    return signed_in(username)


def signed_in(username: str) -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    answer = client.post("/accounts/login/", {"username": username, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return client


def share_genuine(owner: Client) -> None:
    """Seal the images of the pages that are looked at, the last page's a year ago."""
    _upload(owner, OLDEST)
    long_ago = timezone.now() - timedelta(days=365)
    SealedImage.objects.update(sealed_at=long_ago)
    Grant.objects.update(granted_at=long_ago)
    _upload(owner, NEWEST)


def _upload(owner: Client, amount: int) -> None:
    form = {"images": [_file(number) for number in range(amount)], "recipients": [READER]}
    answer = owner.post("/images/upload/", form, headers={"accept": "application/json"})
    assert len(answer.json()["images"]) == amount, answer.content


def _file(number: int) -> io.BytesIO:
    file = io.BytesIO()
    file.name = f"{number}.jpg"
    Image.new("RGB", (640, 480), (number, number, 99)).save(file, "JPEG")
    file.seek(0)
    return file


def grow_to(total: int) -> None:
    """Add copies between the genuine images, and notices, until there are so many of each."""
    image, now = SealedImage.objects.order_by("sealed_at").first(), timezone.now()
    missing = range(SealedImage.objects.count(), total)
    _hurry()
    with transaction.atomic():
        for start in range(missing.start, missing.stop, BATCH):
            batch = range(start, min(start + BATCH, total))
            _copy(image, [now - timedelta(days=1, seconds=number) for number in batch])
        _tell_up_to(total, image)
        # A round of looks at one's own wrapped keys ends after ten pages of a hundred images, and
        # takes months of 100,000: 50 ms of a page, at either size.
        for person in User.objects.all():
            WrappedKeyCheck.objects.update_or_create(user=person, defaults={"done_at": now})
    connection.close()


def _hurry() -> None:
    """Fill without waiting for the disk, until the connection is closed."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA cache_size=-1000000")  # in KiB


def _copy(image: SealedImage, times: list[datetime]) -> None:
    new = [(uuid.uuid4(), time) for time in times]
    SealedImage.objects.bulk_create(like(image, id=pk, sealed_at=time) for pk, time in new)
    Rendition.objects.bulk_create(
        Rendition(image_id=pk, name=name, storage_name=f"{pk.hex[:2]}/{uuid.uuid4().hex}")
        for pk, _ in new
        for name in Rendition.Name.values
    )
    for statement in Statement.objects.filter(subject=image.pk):
        Statement.objects.bulk_create(like(statement, id=None, subject=pk) for pk, _ in new)
    for grant in image.grants.select_related("wrapped_key"):
        keys = [like(grant.wrapped_key, id=uuid.uuid4(), subject=pk) for pk, _ in new]
        WrappedKey.objects.bulk_create(keys)
        Grant.objects.bulk_create(
            like(grant, id=uuid.uuid4(), image_id=pk, wrapped_key_id=key.pk, granted_at=time)
            for (pk, time), key in zip(new, keys, strict=True)
        )


def _tell_up_to(total: int, image: SealedImage) -> None:
    reader = User.objects.get(username=READER).pk
    ((epoch, key),) = mac_keys_of([reader])[reader].items()
    now = timezone.now()
    said = {"kind": "shared", "image": str(image.pk), "actor": str(image.owner_id),
            "rights": "view", "ends_at": None}  # fmt: skip
    # All anew, an hour apart: within ten minutes they would be one line.
    Notice.objects.filter(person=reader).delete()
    times = [now - timedelta(hours=total - number) for number in range(1, total + 1)]
    notices = [
        compose(reader, number, epoch, key, {**said, "time": time.isoformat()})
        for number, time in enumerate(times, 1)
    ]
    for notice in notices:
        notice.created_at = now
    Notice.objects.bulk_create(notices, batch_size=BATCH)
    NoticeHead.objects.filter(person=reader).delete()
    count_them(reader, total, epoch, key).save(force_insert=True)


def like(row: Model, **changes: Any) -> Any:
    """Return a new row like this one, with the changes; not stored yet."""
    same = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return type(row)(**{**same, **changes})
