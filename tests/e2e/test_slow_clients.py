"""Slow clients hold nobody up; one that is too slow is cut off; early refusals say that they
close."""

import http.client
import io
import json
import os
import socket
from contextlib import ExitStack, closing, suppress
from urllib.parse import urlencode
from zipfile import ZipFile

import pytest
from PIL import Image

from tests.e2e.http_client import Answer, HttpClient, multipart
from tests.e2e.server import Server, running
from tests.e2e.slow_clients import (
    ANSWERS_WITHIN,
    HOST,
    POST,
    SLOW,
    UPLOAD,
    answer_of,
    connected,
    slow_clients,
)

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory) -> Server:
    """A server that waits for a slow client one second; one process, so that each has met it."""
    folder = tmp_path_factory.mktemp("impatient") / "data"
    with running(folder, SLOW_CLIENT_SECONDS="1", WORKERS="1") as server:
        yield server


def is_alive(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN)) as asked:
        asked.request("GET", "/healthz")
        return bool(json.loads(asked.getresponse().read())["alive"])


# ---- nobody waits for them -------------------------------------------------------------------


@pytest.mark.attack("F58")
@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_a_hundred_and_twenty_slow_clients_hold_nobody_up(server, sent):
    with slow_clients(server.port, sent):
        assert all(is_alive(server.port) for _ in range(8))  # both processes


@pytest.mark.attack("F62")
def test_one_address_cannot_take_every_connection(impatient):
    home = "127.0.0.1"
    with ExitStack() as stack:
        for _ in range(5):  # 600 of them, more than a process has altogether
            stack.enter_context(slow_clients(impatient.port, b"GET /hea", source=home))
        assert is_alive(impatient.port)


@pytest.mark.attack("F58")
def test_one_who_is_unlocked_holds_up_nobody_else(server):
    mallory = HttpClient(server.address)
    mallory.register("molly", "Molly Mist", PASSWORD)
    kind = "Content-Type: application/x-www-form-urlencoded"
    large = mallory.head_of_post("/accounts/security/", kind, "Content-Length: 900000") + b"a=b"
    with slow_clients(server.port, large):
        assert all(is_alive(server.port) for _ in range(8))


@pytest.mark.attack("F77")
def test_who_does_not_read_large_pictures_holds_room_of_their_own_and_no_thread(impatient):
    mia, noor = HttpClient(impatient.address), HttpClient(impatient.address)
    mia.register("mia", "Mia Mist", PASSWORD)
    noor.register("noor", "Noor North", PASSWORD)
    picture = noise()
    image = mia.upload([("lake.jpg", picture)], keep_details="1").json()["images"][0]["id"]
    theirs = noor.upload([("hill.jpg", picture)], keep_details="1").json()["images"][0]["id"]
    original = f"/images/{image}/original"
    head = f"GET {original} HTTP/1.1\r\nCookie: {mia.cookie_header()}\r\n".encode()
    with slow_clients(impatient.port, head + b"Host: 127.0.0.1\r\n\r\n"):
        assert all(is_alive(impatient.port) for _ in range(8))
        refused = mia.get(original)
        assert (refused.status, refused.json()["code"]) == (503, "busy")
        assert refused.headers["Retry-After"] == "10"
        assert mia.get(f"/images/{image}/thumbnail").status == 200
        assert noor.get(f"/images/{theirs}/original").body == picture
    answers = (mia.get(original) for _ in range(200))  # refused until it is seen that they went
    assert next(answer.body for answer in answers if answer.status == 200) == picture
    assert "Traceback" not in impatient.log.read_text()


@pytest.mark.attack("F96")
def test_who_does_not_read_zips_holds_one_thread_and_nobody_elses_turn(impatient):
    zoe, yuki = HttpClient(impatient.address), HttpClient(impatient.address)
    zoe.register("zoe", "Zoe Zest", PASSWORD)
    yuki.register("yuki", "Yuki Yew", PASSWORD)
    pictures = [noise() for _ in range(3)]
    theirs = uploaded(zoe, pictures)
    ids = {"images": theirs}
    body = urlencode(ids, doseq=True)
    kind = "Content-Type: application/x-www-form-urlencoded"
    asked = zoe.head_of_post("/images/zip/", kind, f"Content-Length: {len(body)}") + body.encode()
    with slow_clients(impatient.port, asked):
        assert all(is_alive(impatient.port) for _ in range(8))
        refused = zoe.post("/images/zip/", ids)
        assert (refused.status, refused.json()["code"]) == (503, "busy")
        assert refused.headers["Retry-After"] == "10"
        assert zoe.get(f"/images/{theirs[0]}/thumbnail").status == 200
        assert in_zip(yuki.post("/images/zip/", {"images": uploaded(yuki, pictures)})) == pictures
    # Refused until it is seen that they went.
    answers = (zoe.post("/images/zip/", ids) for _ in range(200))
    assert in_zip(next(answer for answer in answers if answer.status == 200)) == pictures
    assert "Traceback" not in impatient.log.read_text()


def test_a_zip_is_sent_in_chunks_and_the_connection_is_kept(impatient):
    xena = HttpClient(impatient.address)
    xena.register("xena", "Xena Xylo", PASSWORD)
    body = urlencode({"images": uploaded(xena, [noise()] * 2)}, doseq=True)
    headers = {"Cookie": xena.cookie_header(), **xena._token()}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    with closing(
        http.client.HTTPConnection("127.0.0.1", impatient.port, timeout=ANSWERS_WITHIN)
    ) as kept:
        for _ in range(3):
            kept.request("POST", "/images/zip/", body, headers)
            answer = kept.getresponse()
            assert (answer.status, answer.headers["Transfer-Encoding"]) == (200, "chunked")
            assert ZipFile(io.BytesIO(answer.read())).testzip() is None


def uploaded(person: HttpClient, pictures: list[bytes]) -> list[str]:
    files = [(f"{number}.jpg", data) for number, data in enumerate(pictures)]
    return [one["id"] for one in person.upload(files, keep_details="1").json()["images"]]


def in_zip(answer: Answer) -> list[bytes]:
    archive = ZipFile(io.BytesIO(answer.body))
    return [archive.read(name) for name in archive.namelist()]


def noise() -> bytes:
    """A picture of five megabytes: more than a kernel keeps for a client that does not read."""
    file, size = io.BytesIO(), (2400, 2000)
    Image.frombytes("RGB", size, os.urandom(3 * size[0] * size[1])).save(file, "JPEG", quality=95)
    return file.getvalue()


# ---- they are cut off ------------------------------------------------------------------------


@pytest.mark.attack("F61")
@pytest.mark.parametrize(
    "sent", ["nothing", "half a head", "half a small body", "a request, and half the next"]
)
def test_a_request_that_does_not_come_is_given_up(impatient, sent):
    with connected(impatient.port) as client:
        client.sendall(SLOW[sent])
        answer = answer_of(client)
    assert answer.count(b"HTTP/1.1 ") == (sent == "a request, and half the next")


@pytest.mark.attack("F61")
def test_an_upload_that_stalls_is_given_up_though_its_sender_is_unlocked(impatient):
    alice = HttpClient(impatient.address)
    alice.register("alice", "Alice Ardent", PASSWORD)
    content_type, body = multipart([("lake.jpg", bytes(2_000_000))], {})
    head = (
        f"POST /images/upload/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {alice.cookie_header()}\r\n"
    )
    head += f"X-CSRFToken: {alice._token()['X-CSRFToken']}\r\nContent-Type: {content_type}\r\n"
    with connected(impatient.port) as client:
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:1000])
        assert answer_of(client) == b""
    assert impatient.log.read_text().count("A client was too slow and was cut off.") == 1
    assert "Traceback" not in impatient.log.read_text()
    assert alice.get("/images/mine/").json()["images"] == []


def test_a_head_without_end_is_given_up(server):
    with connected(server.port) as client:
        with suppress(ConnectionError):
            client.sendall(POST + b"".join(b"X-%d: %s\r\n" % (n, bytes(4000)) for n in range(90)))
        with pytest.raises(ConnectionError):
            answer_of(client)
    assert is_alive(server.port)


# ---- what is refused before it is read -------------------------------------------------------


@pytest.mark.attack("F60")
@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (UPLOAD + b"Content-Length: 200000000\r\n", 413, "request_too_large"),
        (POST + b"Content-Length: 5000000\r\n", 413, "request_too_large"),
        (UPLOAD + b"Content-Length: 50000000\r\n", 401, "signed_out"),
        (POST + b"Content-Length: 65537\r\n", 401, "signed_out"),
        (POST + b"Transfer-Encoding: chunked\r\n", 411, "length_required"),
    ],
)
def test_an_early_refusal_says_that_the_connection_closes_and_logs_a_line(
    server, sent, status, code
):
    before = len(server.log.read_text().splitlines())
    with connected(server.port) as client:
        client.sendall(sent + b"Accept: application/json\r\n\r\n" + b"x" * 10_000)
        head, _, body = answer_of(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nConnection: close" in head
    assert json.loads(body)["code"] == code
    lines = server.log.read_text().splitlines()[before:]
    assert [line.split()[2] for line in lines] == ["WARNING"], lines


@pytest.mark.attack("F60")
def test_who_goes_on_sending_still_gets_the_refusal(server):
    with connected(server.port) as client:
        client.sendall(UPLOAD + b"Content-Length: 50000000\r\nAccept: application/json\r\n\r\n")
        for _ in range(80):
            client.sendall(bytes(100_000))
        assert b'"signed_out"' in answer_of_open(client)


def answer_of_open(client: socket.socket) -> bytes:
    client.shutdown(socket.SHUT_WR)
    return answer_of(client)


def test_a_connection_whose_body_was_read_is_kept(server):
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"csrftoken={'a' * 32}",
    }
    with closing(
        http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWERS_WITHIN)
    ) as kept:
        for _ in range(3):
            kept.request("POST", "/accounts/login/", "username=nobody", headers)
            answer = kept.getresponse()
            answer.read()
            assert (answer.status, answer.headers["Connection"]) == (403, "keep-alive")


# ---- requests that come in odd pieces --------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_requests_in_pieces_and_one_after_another_are_each_answered(server, size):
    form = b"username=a&csrfmiddlewaretoken=b"
    stream = b"".join(
        (
            b"\r\n\r\nGET /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
            POST + b"Content-Length: %d\r\n\r\n" % len(form) + form,
            POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(form) + form,
            b"GET /nothing/ HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
        )
    )
    with connected(server.port) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(stream), size):
            client.sendall(stream[start : start + size])
        answer = answer_of(client)
    assert b"HTTP/1.1 100 Continue" in answer
    statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert [status for status in statuses if status != 100] == [200, 403, 403, 404]
