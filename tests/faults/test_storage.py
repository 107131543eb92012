"""A storage that fails after some bytes: nothing half done, nothing lost, and it recovers."""

import os

import pytest
from django.core.files.storage import storages

from accounts.models import WrappedKey
from audit.models import AuditEntry
from gallery import storage
from gallery.models import Grant, Notice, Rendition, SealedImage, Statement
from tests.gallery.test_uploading import JSON, post, stored_files

RENDITIONS = range(4)
AFTER = {
    "nothing": lambda data: 0,
    "one byte": lambda data: 1,
    "half": lambda data: len(data) // 2,
    "all but one": lambda data: len(data) - 1,
}
after = pytest.mark.parametrize("kept", AFTER.values(), ids=AFTER.keys())
ROWS = (SealedImage, Rendition, Statement, Grant, WrappedKey, Notice)


@pytest.fixture
def fail_at(monkeypatch):
    """Return a function that lets the write with this number keep some bytes and then fail."""

    def fail(number: int, kept) -> None:
        writes = iter(range(number + 1))

        def failing(path, data, write=storage_write):
            if next(writes, number + 1) != number:
                return write(path, data)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data[: kept(data)])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(storage, "_write_and_sync", failing)

    return fail


storage_write = storage._write_and_sync


def everything() -> tuple[object, ...]:
    """What is stored and what rows there are, left-overs of unfinished writes included."""
    folder = storages["sealed"].path("")
    files = {name for _, _, names in os.walk(folder) for name in names}
    return files, *(sorted(map(str, model.objects.values_list("pk", flat=True))) for model in ROWS)


@pytest.mark.attack("E13")
@after
def test_an_upload_that_fails_leaves_no_trace_and_the_next_one_succeeds(alice, bob, fail_at, kept):
    alice.client.raise_request_exception = False
    for number in RENDITIONS:
        before = everything()
        fail_at(number, kept)
        answer = post(alice, recipients=["bob"])
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert "Retry-After" in answer
        assert everything() == before
    assert post(alice, recipients=["bob"]).status_code == 201
    failed = AuditEntry.objects.filter(event="image:uploaded", outcome="failed")
    assert failed.count() == len(RENDITIONS)


@after
def test_a_revoking_that_fails_changes_nothing_and_the_next_one_succeeds(
    shared_image, alice, bob, fail_at, kept
):
    alice.client.raise_request_exception = False
    revoke = f"/images/{shared_image.pk}/revoke/"
    for number in RENDITIONS:
        before = everything()
        fail_at(number, kept)
        answer = alice.client.post(revoke, {"recipient": "bob"}, headers=JSON)
        assert answer.status_code == 503
        assert everything() == before
    assert bob.sign_in().get(f"/images/{shared_image.pk}/original").status_code == 200
    assert alice.client.post(revoke, {"recipient": "bob"}, headers=JSON).status_code == 200
    assert bob.client.get(f"/images/{shared_image.pk}/original").status_code == 410
    assert stored_files() >= set(Rendition.objects.values_list("storage_name", flat=True))
