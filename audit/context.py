"""Where a request came from: kept while it is served, so that every record of it can say."""

import ipaddress
import re
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

AGENT_CHARACTERS = 200
KEPT_BITS = {4: 24, 6: 48}  # enough to tell a strange network, too little to name a household

# Control characters and lone surrogates: PostgreSQL stores no NUL, UTF-8 has no surrogates, and
# an escape sequence must not reach the terminal of whoever reads the trail.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What is known of the request being served; `address` is a network, never one machine."""

    request_id: str
    address: str
    agent: str


current_request: ContextVar[RequestContext | None] = ContextVar("current_request", default=None)


def request_id() -> str:
    """Return the id of the request being served, "" outside of one: what a person quotes."""
    context = current_request.get()
    return context.request_id if context else ""


def client_address(request: HttpRequest) -> str:
    """Return the address the request came from, "" if there is none (a Unix socket).

    `X-Forwarded-For` counts only where TRUSTED_PROXIES of ours stand in front. Each appends the
    address it saw, so the client is that many hops from the right; everything left of it is
    whatever the client wrote.
    """
    seen = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES > 0:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(hops) >= settings.TRUSTED_PROXIES:
            return _parsed(hops[-settings.TRUSTED_PROXIES]) or _parsed(seen)
    return _parsed(seen)


def _parsed(text: str) -> str:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return ""
    # A dual-stack socket shows 192.0.2.1 as ::ffff:192.0.2.1, which /48 would cut to nothing.
    return str(getattr(address, "ipv4_mapped", None) or address)


def truncate_address(address: str) -> str:
    """Return the network of `address`: /24 of IPv4, /48 of IPv6; "" if it is no address."""
    try:
        kept = KEPT_BITS[ipaddress.ip_address(address).version]
        return str(ipaddress.ip_network((address, kept), strict=False))
    except ValueError:
        return ""


def printable(text: str, limit: int) -> str:
    """Return the first `limit` characters, U+FFFD in place of each that does not print."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text[:limit])
