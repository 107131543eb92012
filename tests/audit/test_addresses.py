"""What proxies write of an address: every usual form is understood, and nothing else is."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.addresses import forwarded_by, network_of, parse

V4, V6 = "192.0.2.7", "2001:db8::7"


@pytest.mark.attack("F55")
@pytest.mark.parametrize(
    ("text", "address"),
    [
        (V4, V4),
        (f" \t{V4}\t ", V4),
        (f"{V4}:4711", V4),
        (f'"{V4}:4711"', V4),
        (f'"{V4}"', V4),
        (V6, V6),
        ("2001:DB8:0:0:0:0:0:7", V6),
        (f"[{V6}]", V6),
        (f"[{V6}]:4711", V6),
        (f'"[{V6}]:4711"', V6),
        ("fe80::7%eth0", "fe80::7"),
        ("fe80::7%25eth0", "fe80::7"),
        ("[fe80::7%eth0]:4711", "fe80::7"),
        (f"::ffff:{V4}", V4),
        ("::ffff:c000:207", V4),
        (f"[::ffff:{V4}]:4711", V4),
        ("2001:db8::7:4711", "2001:db8::7:4711"),  # no brackets: an address is all it can be
        (f"{V4}:0", V4),
        (f"{V4}:65535", V4),
    ],
)
def test_an_address_is_understood_however_it_is_written(text, address):
    assert parse(text) == address


@pytest.mark.attack("F55")
@pytest.mark.parametrize(
    "text",
    [
        *("", " ", '"', '""', "unknown", "_hidden", "localhost", "images.example.org"),
        *("192.0.2", "192.0.2.7.1", "192.0.2.256", "192.0.02.7", "0xc0000207", "3221225991"),
        *("192.0.2.7/24", "192.0.2.7%eth0", "192.0.2.7:", "192.0.2.7:x", "192.0.2.7:-1"),
        *("192.0.2.7:65536", "192.0.2.7:4711:1", "192.0.2.7 203.0.113.1", f"[{V4}]", ":4711"),
        *("[2001:db8::7", "2001:db8::7]", "[2001:db8::7]4711", "[2001:db8::7]:", "[]", "[]:80"),
        *("2001:db8:::7", "2001:db8::7/48", "[[2001:db8::7]]", "%eth0", "::ffff:192.0.2.256"),
        *(
            "١٩٢.٠.٢.٧",
            "192.0.2.7:٨٠",
            "192.0.2.7\r\n",
            "192.0.2.7\x00",
            "192。0。2。7",
            "ｆｅ８０::1",
        ),
        "1" * 10_000,
    ],
)
def test_what_is_no_address_is_none(text):
    assert parse(text) == ""


@given(st.text())
def test_whatever_is_written_is_an_address_or_nothing(text):
    found = parse(text)
    assert found == "" or str(ipaddress.ip_address(found)) == found


@given(st.ip_addresses(), st.integers(0, 65535), st.sampled_from(["", " ", "\t"]))
def test_every_address_comes_back_with_and_without_a_port(address, port, space):
    usual = str(getattr(address, "ipv4_mapped", None) or address)
    with_port = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    for text in (str(address), with_port, f'"{with_port}"'):
        assert parse(f"{space}{text}{space}") == usual


@pytest.mark.attack("F55")
@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, V4, V4),
        (1, f"203.0.113.9, {V4}", V4),
        (1, f"203.0.113.9,{V4}:4711", V4),
        (1, f"unknown, garbage,, {V4}", V4),  # several headers are one list, joined by commas
        (2, f"203.0.113.9 , [{V6}]:4711 , 10.0.0.1", V6),
        (3, f"{V6}, 10.0.0.2, 10.0.0.1", V6),
        (1, "", ""),
        (1, f"{V4},", ""),
        (1, f"{V4}, unknown", ""),
        (2, V4, ""),
        (2, f"{V4}, , 10.0.0.1", ""),
    ],
)
def test_the_address_our_outermost_proxy_saw_counts_and_no_other(proxies, forwarded, address):
    assert forwarded_by(forwarded, proxies=proxies) == address


@given(st.text(), st.sampled_from([V4, V6]))
def test_nothing_a_client_writes_changes_what_our_proxy_adds(written, address):
    assert forwarded_by(f"{written}, {address}", proxies=1) == address


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (V4, "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_an_address_is_cut_to_its_network(address, network):
    assert network_of(address) == network
