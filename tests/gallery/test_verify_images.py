"""`verify_images` names each thing that is wrong, and nothing else."""

import os
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.models import F
from django.utils import timezone

from accounts.models import WrappedKey
from accounts.services.rotating.carrying_out import carry_out_orders
from audit.models import AuditEntry
from gallery.heads import Heads
from gallery.models import Grant, Notice, NoticeHead, SealedImage, Statement
from gallery.verification.findings import Kind
from tests.accounts.test_rotate_keys import run
from tests.accounts.test_rotation import order
from tests.gallery.test_purging import ORPHAN, leave_behind
from tests.gallery.test_sharing import share


def verify(capsys, *arguments):
    """Return the exit status, what was said, and each finding."""
    status, said = 0, ""
    try:
        call_command("verify_images", *arguments)
    except CommandError as error:
        status, said = 1, str(error)
    streams = capsys.readouterr()
    return status, said or streams.out.strip(), streams.err.splitlines()


def test_all_is_well(shared_image, upload, bob, capsys):
    upload()
    assert verify(capsys) == (
        0,
        "Images: 2, albums: 0, and notices of 2 people, all as signed and recorded.",
        [],
    )
    entry = AuditEntry.objects.get(event="images:verified")
    assert entry.parsed().facts == {"checked": 2, "albums": 0, "people": 2, "findings": 0}


# ---- what is found -----------------------------------------------------------------------------


def kinds(capsys, *arguments):
    status, _said, findings = verify(capsys, *arguments)
    assert status == (1 if findings else 0)
    return {finding.split(":")[0] for finding in findings}


def newest(image, kind="share"):
    return Statement.objects.filter(subject=image.pk, kind=kind).latest("sequence")


def file_of(image, name="preview"):
    return storages["sealed"].path(image.renditions.get(name=name).storage_name)


def flip(path):
    data = bytearray(Path(path).read_bytes())
    data[-1] ^= 1
    Path(path).write_bytes(data)


def another_lock(image):
    WrappedKey.objects.filter(subject=image.pk).update(lock=2)


def of_nobody(image):
    Grant.objects.filter(image=image).exclude(reader=image.owner).update(wrapped_key=None)


def let_in(image):
    grant = Grant.objects.filter(image=image).exclude(reader=image.owner).get()
    Grant.objects.filter(pk=grant.pk).update(rights="view")


def end(image, **columns):
    columns = {"ended_at": timezone.now(), "ended_reason": "revoked", **columns}
    WrappedKey.objects.filter(grant__image=image).exclude(grant__reader=image.owner).delete()
    Grant.objects.filter(image=image).exclude(reader=image.owner).update(**columns)


def erase(image):
    Grant.objects.filter(image=image).delete()
    image.renditions.all().delete()
    image.delete()


WRONG = {
    "newest share gone": (lambda image: newest(image).delete(), Kind.HEAD),
    "manifest gone": (lambda image: newest(image, "manifest").delete(), Kind.HEAD),
    "signature": (
        lambda image: Statement.objects.filter(pk=newest(image).pk).update(signature=bytes(384)),
        Kind.HEAD,
    ),
    "another lock": (lambda image: SealedImage.objects.update(lock=2), Kind.HEAD),
    "first share gone": (
        lambda image: Statement.objects.get(kind="share", sequence=1).delete(),
        Kind.EARLIER,
    ),
    "first share's signature": (
        lambda image: Statement.objects.filter(kind="share", sequence=1).update(
            signature=bytes(384)
        ),
        Kind.EARLIER,
    ),
    "image gone": (erase, Kind.GONE),
    "deleted by row": (
        lambda image: SealedImage.objects.update(deleted_at=timezone.now()),
        Kind.DELETED,
    ),
    "size": (lambda image: SealedImage.objects.update(stored_bytes=1), Kind.SIZE),
    "rendition gone": (lambda image: image.renditions.first().delete(), Kind.RENDITIONS),
    "file gone": (lambda image: os.unlink(file_of(image)), Kind.STORED_GONE),
    "file cut": (lambda image: os.truncate(file_of(image), 32), Kind.STORED_ALTERED),
    "file altered": (lambda image: flip(file_of(image)), Kind.STORED_ALTERED),
    "terms raised": (let_in, Kind.READER_UNSIGNED),
    "access ended by row": (end, Kind.READER_GONE),
    "reader gone": (
        lambda image: Grant.objects.exclude(reader=image.owner).delete(),
        Kind.READER_GONE,
    ),
    "key of another lock": (another_lock, Kind.WRAPPED_KEY),
    "key of no row": (of_nobody, Kind.WRAPPED_KEY),
    "time that is none": (
        lambda image: write("UPDATE gallery_grant SET ends_at = '2026-13-45 99:99:99'"),
        Kind.UNREADABLE,
    ),
    "notice altered": (lambda image: Notice.objects.update(tag=bytes(32)), Kind.NOTICE),
    "notice gone": (lambda image: Notice.objects.earliest("pk").delete(), Kind.NOTICES_GONE),
    "count gone": (lambda image: NoticeHead.objects.all().delete(), Kind.NOTICE_HEAD),
}


def write(sql):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL takes no such value")
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.attack("F5")
@pytest.mark.parametrize("what", WRONG)
def test_each_thing_that_is_wrong_is_named(shared_image, alice, bob, capsys, what):
    assert share(alice, shared_image, bob, rights="view").status_code == 200
    assert share(alice, shared_image, bob, rights="download").status_code == 200
    assert kinds(capsys) == set()
    spoil, kind = WRONG[what]
    spoil(shared_image)
    assert kind.value in kinds(capsys)


@pytest.mark.attack("F5")
def test_a_file_that_no_row_names_is_found_once_it_is_old(shared_image, capsys, settings):
    leave_behind(ORPHAN)
    assert kinds(capsys) == set()
    settings.PURGE_GRACE = timedelta(seconds=-1)
    assert kinds(capsys) == {Kind.ORPHAN.value}
    call_command("purge")
    assert kinds(capsys) == set()


def test_quick_reads_no_byte_and_sees_lengths_alone(shared_image, capsys):
    flip(file_of(shared_image))
    assert kinds(capsys, "--quick") == set()
    os.truncate(file_of(shared_image), 32)
    assert kinds(capsys, "--quick") == {Kind.STORED_ALTERED.value}


# ---- what is not wrong -------------------------------------------------------------------------


@pytest.mark.attack("F5")
def test_revoked_ended_waiting_deleted_and_replaced_are_all_well(
    upload, alice, bob, carol, capsys, monkeypatch
):
    upload()
    image = upload(to=(bob, carol), ends_at="2099-01-01T00:00:00Z")
    alice.client.post(f"/images/{image.pk}/revoke/", {"recipient": "carol"})
    deleted = upload(to=(bob,))
    alice.client.post(f"/images/{deleted.pk}/delete/")
    run("bob", "--compromised")
    upload(to=(bob,))
    order(alice, "signing")
    carry_out_orders(alice.keyring)
    assert kinds(capsys) == set()
    later = SimpleNamespace(now=lambda: timezone.now().replace(year=2100))
    monkeypatch.setattr("gallery.verification.images.timezone", later)
    Grant.objects.filter(image=image, ends_at__isnull=False, ended_at=None).update(
        ended_at=F("ends_at"), ended_reason="ended"
    )
    WrappedKey.objects.filter(subject=image.pk, grant__ended_at__isnull=False).delete()
    assert kinds(capsys) == set()


@pytest.mark.attack("F5")
def test_an_act_that_comes_between_is_no_finding(shared_image, alice, capsys, monkeypatch):
    head = Heads.head

    def in_between(heads, kind, image):
        monkeypatch.setattr(Heads, "head", head)
        body = head(heads, kind, image)
        alice.sign_in().post(f"/images/{image.pk}/revoke/", {"recipient": "bob"})
        return body

    monkeypatch.setattr(Heads, "head", in_between)
    assert kinds(capsys) == set()


def test_without_the_trail_nothing_is_said_to_be_well(shared_image, capsys, monkeypatch):
    def away(*arguments, **options):
        raise DatabaseError

    monkeypatch.setattr("audit.vouched.AuditEntry.objects.filter", away)
    status, said, findings = verify(capsys)
    assert (status, findings) == (1, [])
    assert "could not be read" in said
