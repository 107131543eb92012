"""One more than is allowed, and names made to do harm: a plain answer, and nothing half done."""

import re
from urllib.parse import quote

import pytest

from gallery.models import Grant, Notice, Rendition, SealedImage, Statement
from tests.conftest import jpeg
from tests.gallery.test_uploading import ADDRESS, JSON, file, nothing_was_stored, post, stored_files

REFUSED = {"x" * 100_000: 400}  # a part's headers end at 4 kB
BOUNDARY = "a-boundary"
NEUTRAL = re.compile(r'attachment; filename="image-[0-9a-f]{8}\.jpg"')
# Letters, digits, hyphens and our ending; in any script as percent-encoded UTF-8 (RFC 8187).
FROM_CAPTION = re.compile(
    r"""attachment; (filename="[\w-]{1,80}\.jpg"|filename\*=utf-8''[\w%-]{1,720}\.jpg)""", re.ASCII
)
HOSTILE = {
    "up": "../../../tmp/evil.jpg",
    "absolute": "/etc/passwd",
    "drive": "C:\\Windows\\evil.jpg",
    "dots": "..",
    "NUL": "a\0b.jpg",
    "bell and escape": "\a\x1b[31mred.jpg",
    "another header": "a.jpg\r\nX-Evil: 1\r\n\r\n<script>alert(1)</script>",
    "end of the quotes": 'a.jpg"; filename="evil.exe',
    "bidi override": "photo\u202egpj.exe",
    "bidi isolate and zero width": "a\u2066b\u200bc\ufeff.jpg",
    "line separators": "a\u2028b\u2029c\x85d.jpg",
    "markup": "\"'><img src=x onerror=alert(1)>",
    "markup as entities": "&lt;script&gt;alert(1)&lt;&#47;script&gt;",
    "a template": "{{ 7*7 }}{% load static %}",
    "300 characters": "x" * 300,
    "100 kB": "x" * 100_000,
    "nothing": " ",
    "not UTF-8": b"\xff\xfe.jpg",
}
names = pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())


# ---- limits ----------------------------------------------------------------------------------


def fields_beside(count: int) -> dict[str, str]:
    return {f"field{number}": "x" for number in range(count)}


@pytest.mark.attack("E7")
def test_a_hundred_files_are_read_and_one_more_is_refused(alice, settings):
    before = stored_files()
    nothings = [file(b"no picture") for _ in range(settings.MAX_FILES + 1)]
    answer = post(alice, nothings)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_files")
    assert nothing_was_stored(before)
    answer = post(alice, [file(b"no picture") for _ in range(settings.MAX_FILES)])
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == settings.MAX_FILES == 100


@pytest.mark.attack("E7")
def test_as_many_fields_as_the_limit_are_read_and_one_more_is_refused(alice, settings):
    before, most = stored_files(), settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    answer = post(alice, **fields_beside(most + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")
    assert nothing_was_stored(before)
    assert post(alice, **fields_beside(most - 1)).status_code == 201  # the file is one, too


@pytest.mark.attack("E7")
def test_five_hundred_recipients_are_looked_up_and_one_more_is_not(shared_image, alice, settings):
    settings.NAME_LOOKUPS_PER_HOUR = 10_000
    before = stored_files(), everything()
    for many, code in ((501, "too_many_recipients"), (500, "unknown_recipient")):
        recipients = ["bob", *(f"nobody{number}" for number in range(many - 1))]
        for address, fields in (
            (ADDRESS, {"images": [file(jpeg())]}),
            (f"/images/{shared_image.pk}/share/", {}),
        ):
            form = {**fields, "recipients": recipients}
            answer = alice.sign_in().post(address, form, headers=JSON)
            assert answer.status_code == 422
            assert answer.json()["errors"]["recipients"][0]["code"] == code
            assert (stored_files(), everything()) == before


@pytest.mark.attack("E7")
def test_the_largest_file_passes_and_one_byte_more_is_refused(alice, settings, picture):
    settings.MAX_UPLOAD_BYTES = len(picture)
    assert post(alice, [file(picture)], keep_details="1").status_code == 201
    before = stored_files(), everything()
    answer = post(alice, [file(picture + b"\0")])
    assert answer.status_code == 422
    assert answer.json()["errors"]["0"][0]["code"] == "too_large"
    assert (stored_files(), everything()) == before


@pytest.mark.attack("E7")
def test_the_largest_request_passes_and_one_byte_more_is_refused(alice, bob, settings):
    client, body = alice.sign_in(), body_of("holiday.jpg")
    settings.MAX_REQUEST_BYTES = len(body) - 1
    assert send(client, body).status_code == 413
    assert not SealedImage.objects.exists()
    settings.MAX_REQUEST_BYTES = len(body)
    assert send(client, body).status_code == 201


@pytest.mark.attack("E7")
@pytest.mark.parametrize(("size", "status"), [(500, 201), (501, 422), (100_000, 422)])
def test_a_caption_has_five_hundred_characters_at_most(alice, size, status):
    before = stored_files()
    assert post(alice, caption="x" * size).status_code == status
    assert nothing_was_stored(before) == (status != 201)


@pytest.mark.attack("E7")
def test_fields_of_more_than_a_mebibyte_are_refused(alice, settings):
    before = stored_files()
    answer = post(alice, caption="x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")
    assert nothing_was_stored(before)


def everything() -> list[int]:
    return [model.objects.count() for model in (SealedImage, Rendition, Statement, Grant, Notice)]


# ---- names -----------------------------------------------------------------------------------


def body_of(name: str | bytes) -> bytes:
    """A form with one file; its name is percent-encoded (RFC 5987), so it may hold anything."""
    disposition = f"form-data; name=\"images\"; filename*=UTF-8''{quote(name, safe='')}"
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n"
    others = f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="recipients"\r\n\r\nbob'
    return head.encode() + jpeg() + others.encode() + f"\r\n--{BOUNDARY}--\r\n".encode()


def send(client, body: bytes):
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    return client.generic("POST", ADDRESS, body, content_type=content_type, headers=JSON)


@pytest.mark.attack("B7", "E1", "E11")
@names
def test_a_file_name_is_a_short_text_for_its_owner_and_nothing_for_others(alice, bob, name):
    before, status = stored_files(), REFUSED.get(name, 201)
    answer = send(alice.sign_in(), body_of(name))
    assert answer.status_code == status
    if status != 201:
        assert nothing_was_stored(before)
        return
    address = answer.json()["images"][0]["url"]
    shown = alice.client.get(address, headers=JSON).json()["name"]
    assert shown.isprintable()
    assert 0 < len(shown.strip()) <= 200
    assert not set(shown) & set("/\\")
    assert is_without_markup(alice.client.get(address))
    assert bob.sign_in().get(address, headers=JSON).json()["name"] == name_of(address)
    assert is_kept_under_a_name_of_ours(bob.client.get(f"{address}original"))
    assert is_kept_under_a_name_of_ours(alice.client.get(f"{address}original"))
    assert all(re.fullmatch("[0-9a-f]{2}/[0-9a-f]{32}", new) for new in stored_files() - before)


@pytest.mark.attack("E1", "E11")
@names
def test_a_caption_is_text_and_names_a_saved_file_by_letters_alone(alice, bob, name):
    before = stored_files()
    answer = post(alice, caption=name, recipients=["bob"])
    if b"\0" in as_bytes(name) or len(name) > 500:
        assert answer.status_code == 422
        assert nothing_was_stored(before)
        return
    assert answer.status_code == 201
    address = answer.json()["images"][0]["url"]
    for client in (alice.client, bob.sign_in()):
        for page in ("/images/", "/images/mine/", "/activity/", address):
            assert is_without_markup(client.get(page))
        saved = client.get(f"{address}original")
        saved_as = saved["Content-Disposition"]
        assert (saved.status_code, "X-Evil" in saved) == (200, False)
        assert NEUTRAL.fullmatch(saved_as) or FROM_CAPTION.fullmatch(saved_as)


def as_bytes(name: str | bytes) -> bytes:
    return name if isinstance(name, bytes) else name.encode()


def name_of(address: str) -> str:
    return f"image-{address.split('/')[2][:8]}.jpg"


def is_without_markup(answer) -> bool:
    page = answer.content.decode()
    return not any(mark in page for mark in ("<script>alert", "<img src=x", ">49<"))


def is_kept_under_a_name_of_ours(answer) -> bool:
    assert answer.status_code == 200
    return bool(NEUTRAL.fullmatch(answer["Content-Disposition"])) and "X-Evil" not in answer
