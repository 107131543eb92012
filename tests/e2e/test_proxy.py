"""The documented proxy, run as it is documented: the line holds, and slow ends wait there."""

import json
import os
from collections.abc import Iterator

import pytest

from tests.conftest import jpeg
from tests.e2e.http_client import HttpClient, multipart
from tests.e2e.proxy import Proxy, behind_nginx, needs_nginx, trusting_anybody
from tests.e2e.slow_clients import SLOW, UPLOAD, answer_of, connected, slow_clients

pytestmark = needs_nginx
PASSWORD = "correct horse battery"
TLS = trusting_anybody()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with behind_nginx(tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def alice(proxy: Proxy) -> HttpClient:
    client = HttpClient(proxy.address, TLS)
    client.register("alice", "Alice Ardent", PASSWORD)
    return client


def test_an_image_goes_up_and_comes_down_through_it(proxy, alice):
    lake = jpeg("teal", size=(3000, 2000))
    answer = alice.upload([("lake.jpg", lake)], keep_details="1")
    assert answer.status == 201
    image = answer.json()["images"][0]["id"]
    assert alice.get(f"/images/{image}/original").body == lake


@pytest.mark.attack("F45", "F46")
def test_an_upload_that_breaks_off_before_or_behind_it_stores_nothing(proxy, alice):
    content_type, body = multipart([("lake.jpg", jpeg() + bytes(100_000))], {"rights": "view"})
    kind, upload = f"Content-Type: {content_type}", "/images/upload/"
    before = alice.get("/images/mine/").json()["total"]
    head = alice.head_of_post(upload, kind, f"Content-Length: {len(body)}")
    for cut in (100, len(body) // 2, len(body) - 30, len(body) - 1):
        with connected(proxy.port, TLS) as client:
            client.sendall(head + body[:cut])  # and gone
    shorter = body[:-40]  # cut by somebody in between, with a matching length
    head = alice.head_of_post(upload, kind, f"Content-Length: {len(shorter)}")
    assert refused(proxy, head + shorter) == (400, "cut_short")
    head = alice.head_of_post(upload, kind, "Transfer-Encoding: chunked")
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    assert refused(proxy, head + chunks) == (411, "length_required")
    assert alice.upload([("hill.jpg", jpeg("olive"))]).status == 201
    assert alice.get("/images/mine/").json()["total"] == before + 1


def refused(proxy: Proxy, sent: bytes) -> tuple[int, str]:
    with connected(proxy.port, TLS) as client:
        client.sendall(sent)
        head, _, body = answer_of(client).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["code"]


@pytest.mark.attack("F59")
@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_slow_clients_before_it_hold_nobody_up(proxy, sent):
    with slow_clients(proxy.port, sent, TLS):
        client = HttpClient(proxy.address, TLS)
        assert all(client.get("/healthz").json()["alive"] for _ in range(8))


@pytest.mark.attack("F61")
def test_an_upload_that_stalls_before_it_is_given_up_by_the_server(tmp_path):
    content_type, body = multipart([("lake.jpg", bytes(2_000_000))], {})
    with behind_nginx(tmp_path, SLOW_CLIENT_SECONDS="1") as proxy:
        alice = HttpClient(proxy.address, TLS)
        alice.register("alice", "Alice Ardent", PASSWORD)
        ask = (f"Content-Type: {content_type}", f"Content-Length: {len(body)}", "Connection: close")
        with connected(proxy.port, TLS) as client:
            client.sendall(alice.head_of_post("/images/upload/", *ask) + body[:1000])
            assert b" 201 " not in answer_of(client)  # within seconds: nginx waits for a minute
        assert proxy.server.log.read_text().count("A client was too slow and was cut off.") == 1
        assert alice.get("/images/mine/").json()["images"] == []


@pytest.mark.attack("F59", "F60")
def test_a_large_body_of_a_stranger_is_refused_before_it_is_sent(proxy):
    with connected(proxy.port, TLS) as client:
        ask = b"Content-Length: 50000000\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
        client.sendall(UPLOAD + ask + bytes(20_000))
        head, _, body = answer_of(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 401 ")
    assert json.loads(body)["code"] == "signed_out"


@pytest.mark.attack("F55")
def test_each_has_the_standing_of_their_own_network(proxy, alice):
    form = "username=alice&password=wrong"
    for _ in range(11):
        status = posted(proxy, "/accounts/login/", form, source="127.0.9.1")
    assert status == 429
    # What a client writes of itself, the proxy takes away.
    lie = "X-Forwarded-For: 198.51.100.1\r\n"
    assert posted(proxy, "/accounts/login/", form, lie, source="127.0.9.1") == 429
    assert posted(proxy, "/accounts/login/", form, source="127.0.8.1") == 422


def posted(proxy: Proxy, path: str, form: str, more: str = "", *, source: str) -> int:
    """Post a form as a script would, from an address of its own; return the status."""
    token = "a" * 32
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nReferer: {proxy.address}/\r\n{more}"
        f"Cookie: __Host-csrftoken={token}\r\nX-CSRFToken: {token}\r\nConnection: close\r\n"
        f"Accept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(form)}\r\n\r\n"
    )
    with connected(proxy.port, TLS, source) as client:
        client.sendall(f"{head}{form}".encode())
        return int(answer_of(client)[9:12])


@pytest.mark.attack("A1")
def test_nothing_that_passes_is_written_to_a_disk(proxy, alice):
    folders = [proxy.folder / name for name in ("bodies", "proxy")]
    before = [folder.stat().st_mtime_ns for folder in folders]
    noise = os.urandom(8_000_000)
    lake = jpeg("teal") + noise  # what follows an image is kept with keep_details
    answer = alice.upload([("lake.jpg", lake)], keep_details="1")
    image = answer.json()["images"][0]["id"]
    assert alice.get(f"/images/{image}/original").body == lake
    assert alice.post("/accounts/theme/", {"x": "y" * 60_000}).status == 404
    assert [folder.stat().st_mtime_ns for folder in folders] == before
    assert [list(folder.iterdir()) for folder in folders] == [[], []]


@pytest.mark.attack("E14")
def test_no_token_is_in_its_log(proxy, alice):
    for path in (
        "/accounts/invite/a-token/",
        "/invitations/a-token/",
        "/healthz",
        f"/accounts/reset/{'0' * 36}/a-token/",
    ):
        alice.get(path)
    log = (proxy.folder / "access.log").read_text()
    assert "/healthz" in log
    assert "a-token" not in log
