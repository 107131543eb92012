"""A real connection that breaks, a length that is missing: nothing is done, with or without a
proxy."""

import json
import socket

import pytest

from tests.conftest import jpeg
from tests.e2e.http_client import HttpClient, multipart
from tests.e2e.server import Server

PASSWORD = "correct horse battery"
AT_ONCE = 64 * 1024


@pytest.fixture(scope="module")
def iris(server: Server) -> HttpClient:
    client = HttpClient(server.address)
    client.register("iris", "Iris Ink", PASSWORD)
    return client


def answer_to(port: int, sent: bytes) -> tuple[int, str] | None:
    """Send this and nothing more, as a broken connection does; return status and code, or None if
    nobody answers: a small body is collected before our code sees it."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(AT_ONCE), b""))
    if not received:
        return None
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["code"]


def upload_form() -> tuple[str, bytes]:
    """A form so large that a thread reads it from the connection."""
    fields = {"caption": "At the lake", "rights": "view"}
    return multipart([("lake.jpg", jpeg() + bytes(100_000))], fields)


def drafts(client: HttpClient) -> int:
    return client.get("/images/mine/").json()["total"]


@pytest.mark.attack("F45")
def test_an_upload_that_breaks_off_stores_nothing(server, iris):
    content_type, body = upload_form()
    lines = (f"Content-Type: {content_type}", f"Content-Length: {len(body)}")
    head, before = iris.head_of_post("/images/upload/", *lines), drafts(iris)
    for cut in (0, 100, len(body) // 2, len(body) - 30, len(body) - 3, len(body) - 1):
        assert answer_to(server.port, head + body[:cut]) == (400, "cut_short"), cut
    assert drafts(iris) == before


@pytest.mark.attack("F45")
def test_a_form_that_breaks_off_changes_nothing(server, iris):
    body = f"old_password={PASSWORD}&new_password1=another one 42&new_password2=another one 42"
    lines = ("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body) + 1}")
    head = iris.head_of_post("/accounts/password/", *lines)
    assert answer_to(server.port, head + body.encode()) in (None, (400, "cut_short"))
    assert (
        HttpClient(server.address)
        .post("/accounts/login/", {"username": "iris", "password": PASSWORD})
        .status
        == 200
    )


@pytest.mark.attack("F46")
def test_an_upload_in_chunks_is_asked_for_its_length(server, iris):
    content_type, body = upload_form()
    lines = (f"Content-Type: {content_type}", "Transfer-Encoding: chunked")
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head, before = iris.head_of_post("/images/upload/", *lines), drafts(iris)
    assert answer_to(server.port, head + chunks) == (411, "length_required")
    assert drafts(iris) == before


@pytest.mark.attack("F46")
def test_an_encoding_that_is_none_of_text_ends_in_no_traceback(server, iris):
    lines = ("Content-Type: application/x-www-form-urlencoded; charset=hex", "Content-Length: 3")
    head = iris.head_of_post("/accounts/login/?next=%ff", *lines)
    assert answer_to(server.port, head + b"a=b") == (415, "not_a_form")
    assert b"Traceback" not in server.log.read_bytes()


def test_the_whole_of_it_is_stored(iris):
    before = drafts(iris)
    assert iris.upload([("lake.jpg", jpeg())]).status == 201
    assert drafts(iris) == before + 1
