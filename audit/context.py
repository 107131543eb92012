"""Where a request came from: kept while it is served, so that every record of it can say."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from django.conf import settings
from django.http import HttpRequest

from audit import addresses

AGENT_CHARACTERS = 200

# Control characters and lone surrogates: PostgreSQL stores no NUL, UTF-8 has no surrogates, and an
# escape sequence must not reach the terminal of somebody who reads the trail.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What is known of the request being served; `address` is a network, never one machine.

    `known_as` is the username of the person whose browser or session it proved to be; "" for a
    stranger.
    """

    request_id: str
    address: str
    agent: str
    known_as: str = ""


current_request: ContextVar[RequestContext | None] = ContextVar("current_request", default=None)


def request_id() -> str:
    """Return the id of the request being served, "" outside of one: what a person quotes."""
    context = current_request.get()
    return context.request_id if context else ""


def recognise(who: str) -> None:
    """Remember that the request being served comes from somebody known."""
    if context := current_request.get():
        current_request.set(replace(context, known_as=who))


@contextmanager
def outside_of_requests() -> Iterator[None]:
    """Let what is recorded meanwhile name no request: the one being served has no part in it."""
    token = current_request.set(None)
    try:
        yield
    finally:
        current_request.reset(token)


def client_address(request: HttpRequest) -> str:
    """Return the address the request came from, "" if none is known.

    `X-Forwarded-For` counts only where TRUSTED_PROXIES of ours stand in front, and there nothing
    else does: a request whose proxy does not say is refused (imageshare/middleware.py).
    """
    if settings.TRUSTED_PROXIES > 0:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        return addresses.forwarded_by(forwarded, proxies=settings.TRUSTED_PROXIES)
    return addresses.parse(request.META.get("REMOTE_ADDR", ""))  # a Unix socket has none


def client_network(request: HttpRequest) -> str:
    """Return the network the request came from, /24 or /48; "" if none is known."""
    return addresses.network_of(client_address(request))


def printable(text: str, limit: int) -> str:
    """Return the first `limit` characters, U+FFFD in place of each that does not print."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text[:limit])
