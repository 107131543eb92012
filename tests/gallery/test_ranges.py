"""A part of a picture is verified like all of it, and belongs to what the client has already."""

import random
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from audit.models import AuditEntry
from gallery import storage
from gallery.errors import Altered
from gallery.models import Rendition, SealedImage
from gallery.stored import PIECE_BYTES
from tests.conftest import Person

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def noise() -> bytes:
    """A picture of some pieces: noise does not get smaller."""
    pixels = random.Random(1).randbytes(700 * 500 * 3)
    kept = BytesIO()
    Image.frombytes("RGB", (700, 500), pixels).save(kept, "PNG")
    return kept.getvalue()


@pytest.fixture
def image(upload: Any, bob: Person, noise: bytes) -> SealedImage:
    sealed: SealedImage = upload(to=(bob,), data=noise)
    bob.unlocked()
    return sealed


@pytest.fixture
def whole(image: SealedImage, bob: Person) -> bytes:
    body: bytes = ask(image, bob).getvalue()
    assert len(body) > 3 * PIECE_BYTES
    return body


def ask(image: SealedImage, person: Person, **headers: str) -> Any:
    return person.client.get(f"/images/{image.pk}/original", headers=headers)


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, None),
        ("bytes=15-16", 15, 17),
        ("bytes=262143-262144", 262143, 262145),
        ("bytes=300000-", 300000, None),
        ("bytes=500000-999999999", 500000, None),
        ("bytes=-1", -1, None),
        ("bytes=-999999999", 0, None),
    ],
)
def test_one_range_is_answered_with_that_part(image, bob, whole, asked, start, stop):
    answer = ask(image, bob, Range=asked)
    part = whole[start:stop]
    first = len(whole) + start if start < 0 else start
    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(whole)}"
    assert answer["Content-Length"] == str(len(part))
    assert answer.getvalue() == part


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-4", "bytes=0-1,5-6", "bytes=-", "bytes= 0-1", "pages=0-1", "bytes=9999999999999999-"],
)
def test_what_is_not_one_range_is_answered_with_all_of_it(image, bob, whole, asked):
    answer = ask(image, bob, Range=asked)
    assert (answer.status_code, answer.getvalue()) == (200, whole)
    assert "Content-Range" not in answer


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0"])
def test_a_range_of_nothing_is_refused_and_nothing_is_recorded(image, bob, whole, asked):
    before = AuditEntry.objects.count()
    answer = ask(image, bob, Range=asked)
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer["Content-Range"] == f"bytes */{len(whole)}"
    assert AuditEntry.objects.count() == before


def test_a_part_of_other_bytes_is_not_added_to_what_a_client_has(image, bob, whole):
    tag = ask(image, bob)["ETag"]
    assert ask(image, bob, Range="bytes=5-9", If_Range=tag).status_code == 206
    answer = ask(image, bob, Range="bytes=5-9", If_Range='"another"')
    assert (answer.status_code, answer.getvalue()) == (200, whole)


def test_a_request_for_the_head_alone_names_the_whole_and_sends_none(image, bob, whole):
    answer = bob.client.head(f"/images/{image.pk}/original", headers={"Range": "bytes=0-4"})
    assert answer.status_code == 200
    assert (answer["Content-Length"], answer["Accept-Ranges"]) == (str(len(whole)), "bytes")
    assert answer.getvalue() == b""


@pytest.mark.attack("F191")
def test_a_part_is_refused_where_the_whole_is(image, bob, mallory, whole):
    mallory.unlocked()
    assert ask(image, mallory, Range="bytes=0-0").status_code == 404
    path = stored_path(image)
    stored = path.read_bytes()
    path.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    answer = ask(image, bob, Range="bytes=0-0", Accept="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "altered")


@pytest.mark.attack("F190")
def test_what_changes_while_it_is_sent_breaks_off_and_is_on_record(image, bob, whole):
    path = stored_path(image)
    answer = ask(image, bob)
    body = iter(answer)
    received = next(body)
    stored = path.read_bytes()
    path.write_bytes(stored[: 2 * PIECE_BYTES] + bytes(PIECE_BYTES) + stored[3 * PIECE_BYTES :])
    received += next(body)
    with pytest.raises(Altered):
        next(body)
    assert whole.startswith(received)
    assert len(received) == 2 * PIECE_BYTES - 16  # the IV took a block
    (entry,) = AuditEntry.objects.filter(event="image:altered")
    assert (entry.subject, entry.parsed().facts["step"]) == (image.pk, "stored-changed")
    assert entry.request == answer["X-Request-ID"]


def stored_path(image: SealedImage) -> Path:
    row = Rendition.objects.get(image=image, name=Rendition.Name.ORIGINAL)
    return Path(storage.sealed_storage().path(row.storage_name))
