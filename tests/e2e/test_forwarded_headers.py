"""What a peer on the same machine says of the site's place and scheme counts for nothing."""

import socket

import pytest

MOUNTED = [
    b"SCRIPT_NAME: /static",
    b"Script_Name: /static",
    b"SCRIPT-NAME: /static",
    b"PATH_INFO: /static/style.css",
]


def asked(server, address: bytes, header: bytes) -> bytes:
    """Ask as no client of ours would; return the head of the answer, in lower case."""
    lines = [b"GET " + address + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", header]
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"\r\n".join([*lines, b"", b""]))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return answer.partition(b"\r\n\r\n")[0].lower()


@pytest.mark.attack("F44")
@pytest.mark.parametrize("header", MOUNTED)
def test_no_header_says_where_the_site_is_mounted(server, header):
    moved = asked(server, b"/static/accounts/login/", header)
    assert moved.startswith(b"http/1.1 404")
    assert b"no-store" in moved
    plain = asked(server, b"/accounts/login/", header)
    assert plain.startswith(b"http/1.1 200")
    assert b"no-store" in plain


@pytest.mark.attack("F44")
def test_no_header_says_that_it_is_https(server):
    """Only the settings do, by the proxies they count: here none."""
    head = asked(server, b"/images/", b"X-Forwarded-Proto: https")
    assert head.startswith(b"http/1.1 302")
    assert b"location: /accounts/login/" in head
