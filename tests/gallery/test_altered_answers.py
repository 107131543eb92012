"""Whatever is altered at rest, one thing at a time: one answer, and no byte of the picture.

gallery/opening.py is tested check by check in test_opening.py. Here the answers are compared: an
attacker who could distinguish one failed check from another would learn how far a forgery got.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import KeyPair, WrappedKey
from audit.models import AuditEntry
from cryptocore import entries
from gallery.models import Grant, Rendition, SealedImage, Statement
from tests.gallery.test_opening import flipped, stored

JSON = {"accept": "application/json"}
CAPTION = "Kanarienfels"
SHOWN = ["", "original", "preview", "thumbnail"]
FACTS = ["description", "original", "preview", "thumbnail"]  # what each address decrypts
ITS_OWN = re.compile(r"<code>[0-9a-f-]+</code>|csrfmiddlewaretoken\" value=\"\w+\"")


@pytest.fixture
def image(upload, bob) -> SealedImage:
    bob.sign_in()
    ends_at = (timezone.now() + timedelta(days=1)).isoformat()
    return upload(to=(bob,), caption=CAPTION, ends_at=ends_at)


# ---- what is altered -------------------------------------------------------------------------


def change(row: Any, **columns: Any) -> Callable[[], None]:
    """Change columns of a row as somebody who can write to the database; return how to undo it."""
    before = {name: getattr(row, name) for name in columns}
    rows = type(row).objects.filter(pk=row.pk)
    rows.update(**columns)
    return lambda: rows.update(**before)


def spoil(row: Any, column: str, position: int | None = None) -> Callable[[], None]:
    return change(row, **{column: flipped(getattr(row, column), position)})


def rewrite(image: SealedImage, name: str, damage: Callable[[bytes], bytes]) -> Callable[[], None]:
    path, sound = stored(image, name)
    with open(path, "wb") as file:
        file.write(damage(sound))

    def mend() -> None:
        with open(path, "wb") as file:
            file.write(sound)

    return mend


def changes_of_bytes(image: SealedImage) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each for all renditions, so that every address meets it."""
    damages = {
        "IV": lambda data: flipped(data, 0),
        "body": flipped,
        "padding": lambda data: flipped(data, -1),
        "cut by a block": lambda data: data[:-16],
        "cut by a byte": lambda data: data[:-1],
        "cut to nothing": lambda data: b"",
        "a byte more": lambda data: data + b"\0",
        "first two blocks exchanged": lambda data: data[16:32] + data[:16] + data[32:],
    }
    for what, damage in damages.items():
        yield what, lambda damage=damage: [rewrite(image, name, damage) for name in FACTS]


def changes_of_rows(image: SealedImage, reader: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    grant = Grant.objects.get(image=image, reader=reader)
    wrapped = WrappedKey.objects.get(pk=grant.wrapped_key_id)
    signing = KeyPair.objects.get(user=image.owner, purpose="signing")
    mine = KeyPair.objects.get(user=reader, purpose="encryption")
    for kind in ("manifest", "share"):
        head = Statement.objects.get(subject=image.pk, kind=kind)
        yield f"{kind} signature", lambda head=head: [spoil(head, "signature")]
        yield f"{kind} signature cut", lambda head=head: [change(head, signature=b"")]
        yield f"{kind} body", lambda head=head: [spoil(head, "body")]
        yield f"{kind} body no JSON", lambda head=head: [change(head, body=b"\xff")]
        yield f"{kind} of another", lambda head=head: [change(head, subject=uuid.uuid4())]
        yield f"{kind} number", lambda head=head: [change(head, sequence=7)]
    yield "content key", lambda: [change(wrapped, oaep_bytes=flipped(wrapped.oaep_bytes))]
    yield "content key gone", lambda: [change(wrapped, oaep_bytes=b"")]
    yield "content key's lock", lambda: [change(wrapped, lock=2)]
    yield "content key's image", lambda: [change(wrapped, subject=uuid.uuid4())]
    yield "content key's reader", lambda: [change(wrapped, key_pair=signing)]
    yield "entry", lambda: [spoil(grant, "entry")]
    yield "entry of more", lambda: [change(grant, entry=entry_for(reader))]
    yield "salt", lambda: [spoil(grant, "salt")]
    yield "end", lambda: [change(grant, ends_at=grant.ends_at + timedelta(days=9))]
    yield "lock", lambda: [change(image, lock=2)]
    yield "owner", lambda: [change(image, owner=reader)]
    yield "owner's key", lambda: [spoil(signing, "public_key")]
    yield "owner's certificate", lambda: [spoil(signing, "certificate")]
    yield "owner's certificate signature", lambda: [spoil(signing, "certificate_signature")]
    yield "reader's own key", lambda: [spoil(mine, "wrapped_private_key")]
    yield "place outside", lambda: moved(image, "../../../etc/passwd-")
    yield "place of nothing", lambda: moved(image, "00/")


def moved(image: SealedImage, where: str) -> list[Callable[[], None]]:
    """Let every rendition's row name a place where its bytes are not."""
    rows = Rendition.objects.filter(image=image)
    return [change(row, storage_name=where + uuid.uuid4().hex) for row in rows]


def entry_for(reader: Any) -> bytes:
    return entries.encode_entry(holder=reader.pk, rights="download")


# ---- what is answered ------------------------------------------------------------------------


def said(answer: Any) -> tuple[int, tuple[tuple[str, str], ...], str]:
    """All of an answer but what is the request's own."""
    headers = tuple(sorted(item for item in answer.items() if item[0] != "X-Request-ID"))
    body = answer.getvalue().decode("utf-8", "replace")
    return answer.status_code, headers, ITS_OWN.sub("", body)


def is_said_alike(image: SealedImage, reader: Any, changes: Iterator) -> None:
    """Make each change and undo it; check that every answer to every one is the same."""
    address, bodies, pages = f"/images/{image.pk}/", set(), set()
    assert CAPTION in reader.get("/images/", headers=JSON).content.decode()
    for what, alter in changes:
        WrappedKey.objects.update(
            quick_key=None
        )  # otherwise it opens without the key wrapped by RSA
        mends = alter()
        bodies |= {said(reader.get(address + name, headers=JSON)) for name in SHOWN}
        pages |= {said(reader.get(address))}
        assert {status for status, _, _ in bodies | pages} == {409}, what
        assert CAPTION not in reader.get("/images/", headers=JSON).content.decode(), what
        for mend in mends:
            mend()
        assert reader.get(f"{address}original").status_code == 200, what
    ((_, _, body),) = bodies
    assert json.loads(body)["code"] == "altered"
    ((_, _, page),) = pages
    assert "Do not rely on this" in page


def steps() -> set[str]:
    failed = AuditEntry.objects.filter(event="image:altered")
    return {entry.parsed().facts["step"] for entry in failed}


@pytest.mark.attack("B1", "B2", "B3", "B12")
def test_stored_bytes_altered_in_any_way_are_answered_alike(image, bob):
    is_said_alike(image, bob.client, changes_of_bytes(image))
    assert steps() == {"stored-length", "stored-digest"}


@pytest.mark.attack("B5", "B6", "B9", "B10", "B12")
def test_rows_altered_in_any_way_are_answered_alike(image, bob):
    is_said_alike(image, bob.client, changes_of_rows(image, bob.user))
    assert len(steps()) > 8  # only the trail distinguishes them
