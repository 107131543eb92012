"""Which address a request came from: pure, and strict about what it does not understand."""

import ipaddress
import re

KEPT_BITS = {4: 24, 6: 48}  # enough to recognise a strange network, too little to name a household
# An address as proxies write it: bare, with a port, an IPv6 one in brackets, all of it in quotes
# (RFC 7239 section 6, from which some took it). IPv6 with a port and no brackets is ambiguous.
BRACKETED = re.compile(r"\[([^\[\]]*)\](?::([0-9]{1,5}))?", re.ASCII)
WITH_PORT = re.compile(r"([^:]*):([0-9]{1,5})", re.ASCII)
MOST_PORTS = 65_535


def parse(text: str) -> str:
    """Return the address that `text` names, in its usual form; "" if it names none.

    An IPv6 zone ("%eth0") means something on one machine alone, and goes. A dual-stack socket
    shows 192.0.2.1 as ::ffff:192.0.2.1, which /48 would cut to nothing.
    """
    host, brackets = _host(text.strip(" \t"))
    try:
        address = ipaddress.ip_address(host.partition("%")[0] if ":" in host else host)
    except ValueError:
        return ""
    if brackets and address.version == 4:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def _host(text: str) -> tuple[str, bool]:
    """Return the host without quotes, brackets and port, and whether it stood in brackets."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    bracketed = BRACKETED.fullmatch(text)
    found = bracketed or WITH_PORT.fullmatch(text)
    if found is None:
        return text, False
    host, port = found.groups()
    return (host if int(port or 0) <= MOST_PORTS else ""), bracketed is not None


def forwarded_by(forwarded: str, *, proxies: int) -> str:
    """Return the address that the outermost of `proxies` of ours saw, "" if that is not said.

    Each appends the address it saw to `X-Forwarded-For` (several headers are one list, RFC 9110
    section 5.3), so it is that many from the right; everything left of it may be written by the
    client. Nothing else may be used instead: the proxy's own address would be everybody's.
    """
    hops = forwarded.split(",")
    return parse(hops[-proxies]) if len(hops) >= proxies else ""


def network_of(address: str) -> str:
    """Return the network of `address`: /24 of IPv4, /48 of IPv6; "" if it is no address."""
    try:
        kept = KEPT_BITS[ipaddress.ip_address(address).version]
        return str(ipaddress.ip_network((address, kept), strict=False))
    except ValueError:
        return ""
