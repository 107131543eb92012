"""A form arrives whole, or does nothing: at every address, however it is sent."""

from io import BytesIO
from urllib.parse import urlencode

import pytest

from accounts.models import User
from audit.models import AuditEntry
from gallery.models import Grant, SealedImage
from tests.conftest import jpeg
from tests.e2e.http_client import multipart
from tests.gallery.test_uploading import ADDRESS, nothing_was_stored, stored_files
from tests.imageshare.test_every_address import CHANGES, FORMS, address

JSON = {"accept": "application/json"}
URL_ENCODED = "application/x-www-form-urlencoded"


class Closing(BytesIO):
    """What a client sends that closes the connection early; `raises`, or what it sent so far."""

    def __init__(self, sent: bytes, *, breaks: bool = False) -> None:
        super().__init__(sent)
        self.breaks = breaks

    def read(self, size: int = -1, /) -> bytes:
        data = super().read(size)
        if self.breaks and not data:
            raise ConnectionResetError
        return data


def send(client, path, sent: bytes, content_type: str, *, length: int | None = None, **environ):
    """Post bytes as they are, and say that they are as many as `length`."""
    stated = {"CONTENT_LENGTH": str(len(sent) if length is None else length)}
    body = {"wsgi.input": Closing(sent), "CONTENT_TYPE": content_type}
    return client.generic("POST", path, headers=JSON, **{**body, **stated, **environ})


def upload_form() -> tuple[str, bytes]:
    """Fields before and after the files: whatever is cut off, something meant is missing."""
    content_type, body = multipart(
        [("lake.jpg", jpeg())], {"recipients": ["bob"], "caption": "At the lake"}
    )
    boundary = content_type.partition("boundary=")[2]
    last = f'--{boundary}\r\nContent-Disposition: form-data; name="rights"\r\n\r\nview\r\n'
    closing = f"--{boundary}--\r\n".encode()
    return content_type, body.removesuffix(closing) + last.encode() + closing


# ---- cut off ---------------------------------------------------------------------------------


@pytest.mark.attack("F45")
@pytest.mark.parametrize("restated", [False, True], ids=["shorter than stated", "length restated"])
def test_an_upload_cut_off_anywhere_stores_nothing(alice, bob, restated):
    client, before = alice.sign_in(), stored_files()
    content_type, body = upload_form()
    cuts = [*range(0, len(body) - 2, 23), *range(len(body) - 50, len(body) - 2, 3)]
    for cut in cuts:
        length = cut if restated else len(body)
        answer = send(client, ADDRESS, body[:cut], content_type, length=length)
        assert (answer.status_code, answer.json()["code"]) == (400, "cut_short"), body[:cut][-40:]
    assert nothing_was_stored(before)
    assert not AuditEntry.objects.filter(event__startswith="image:").exists()
    assert send(client, ADDRESS, body, content_type).status_code == 201
    assert set(Grant.objects.values_list("reader__username", "rights")) == {
        ("alice", "download"),
        ("bob", "view"),
    }


@pytest.mark.attack("F45")
@pytest.mark.parametrize("missing", [1, 2])
def test_an_upload_without_its_last_bytes_is_shorter_than_stated(alice, missing):
    content_type, body = upload_form()
    answer = send(alice.sign_in(), ADDRESS, body[:-missing], content_type, length=len(body))
    assert answer.status_code == 400
    assert not SealedImage.objects.exists()


@pytest.mark.attack("F45")
@pytest.mark.parametrize("route", sorted(FORMS | CHANGES | {"admin/"}))
def test_no_form_takes_what_is_shorter_than_stated(shared_image, alice, route):
    fields = {"recipients": "bob", "recipient": "bob", "username": "ivan", "theme": "dark"}
    encoded = urlencode(fields).encode()
    content_type, parts = multipart([], fields)
    client, entries = alice.sign_in(), AuditEntry.objects.count()
    for sent, kind in ((encoded, URL_ENCODED), (parts, content_type)):
        answer = send(client, address(route, shared_image), sent[:-3], kind, length=len(sent))
        assert (answer.status_code, answer.json()["code"]) == (400, "cut_short")
    assert AuditEntry.objects.count() == entries
    assert "theme" not in client.cookies


@pytest.mark.attack("F45")
def test_a_connection_that_breaks_is_no_fault_of_ours(alice):
    content_type, body = upload_form()
    client = alice.sign_in()
    for sent in (body[:300], body[:-5]):
        stream = {"wsgi.input": Closing(sent, breaks=True)}
        answer = send(client, ADDRESS, b"", content_type, length=len(body), **stream)
        assert answer.status_code == 400
    assert not SealedImage.objects.exists()


# ---- no length, no form ----------------------------------------------------------------------


@pytest.mark.attack("F46")
@pytest.mark.parametrize("route", sorted(FORMS | CHANGES))
def test_a_body_of_unknown_length_is_refused(shared_image, alice, route):
    client = alice.sign_in()
    path, chunked = address(route, shared_image), {"HTTP_TRANSFER_ENCODING": "chunked"}
    answer = send(client, path, b"password=x", URL_ENCODED, length=0, **chunked)
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


@pytest.mark.attack("F46")
@pytest.mark.parametrize(
    "kind",
    [
        "",
        "application/json",
        "text/plain",
        "multipart/mixed; boundary=b",
        "multipart/form-data; boundary=b; charset=utf-16",
        f"{URL_ENCODED}; charset=hex",
        f"{URL_ENCODED}; charset=latin-1",
    ],
)
def test_what_is_no_form_is_not_taken_for_an_empty_one(alice, kind):
    client = alice.sign_in()
    answer = send(client, "/accounts/recovery-code/", b'{"confirm_1": "ABCDE"}', kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "not_a_form")
    assert User.objects.get(pk=alice.user.pk).present_slots.count() == 2


@pytest.mark.attack("F46")
@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=é"])
def test_parts_without_a_boundary_are_refused(alice, kind):
    answer = send(alice.sign_in(), ADDRESS, upload_form()[1], kind)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.attack("F45")
def test_refusing_them_logs_a_line_and_no_traceback(alice, caplog):
    content_type, body = upload_form()
    for sent in (body[:300], body.replace(b"; name=", b"; x=", 1)):
        assert send(alice.sign_in(), ADDRESS, sent, content_type).status_code == 400
    records = [record for record in caplog.records if record.name.startswith("django")]
    assert records
    assert not any(record.exc_info for record in records)


def test_an_act_without_fields_needs_no_body(alice):
    client = alice.sign_in()
    assert send(client, "/accounts/lock/", b"", "").json() == {"unlocked": False}
