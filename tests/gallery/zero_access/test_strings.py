"""What is made of a string: every spelling of a key, a code, a private key."""

import base64
import json
import zlib

import pytest
from Crypto.IO import PEM

from cryptocore import recovery_code
from gallery.zero_access.strings import Strings
from tests.keys import pair_der

KEY = bytes(range(200, 232))


def token(data: bytes) -> str:
    """As Django writes a session: compressed, base64 without padding, time and signature."""
    text = base64.urlsafe_b64encode(zlib.compress(data)).decode().rstrip("=")
    return f".{text}:1tXyZ2:{'A' * 43}"


SPELLINGS = {
    "raw": KEY,
    "hex": KEY.hex().encode(),
    "HEX": KEY.hex().upper().encode(),
    "base64": base64.b64encode(KEY),
    "base64 without padding": base64.b64encode(KEY).rstrip(b"="),
    "base64url": base64.urlsafe_b64encode(KEY),
    "after a name": b"SECRET=" + base64.b64encode(KEY),
    "in hex after a name": b"key=" + KEY.hex().encode() + b"\n",
    "in JSON": json.dumps({"key": KEY.hex()}).encode(),
    "in JSON in base64": base64.b64encode(json.dumps({"key": KEY.hex()}).encode()),
    "in a sentence": f"the key {KEY.hex()}, lost".encode(),
    "in a session": token(json.dumps({"left": KEY.hex()}).encode()).encode(),
    "among bytes": b"\x00\x17" + KEY.hex().encode() + b"\x00\xff",
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_key_is_found_in_every_spelling(spelling):
    strings = Strings()
    strings.add(spelling, "here")
    assert KEY in strings.keys


def test_what_is_too_short_or_too_long_is_no_key():
    strings = Strings()
    for data in (KEY[:31], KEY + b"x", KEY[:16], b""):
        strings.add(data, "here")
    assert strings.keys == {}


def test_what_is_proven_to_be_a_digest_is_no_key():
    strings = Strings()
    strings.no_keys.add(KEY)
    strings.add(KEY.hex().encode(), "here")
    assert strings.keys == {}


def test_an_id_as_sqlite_keeps_it_is_no_key():
    strings = Strings()
    strings.add(b"0123456789abcdef0123456789abcdef", "here")
    assert strings.keys == {}


@pytest.mark.parametrize(
    "spelling",
    [
        bytes,
        bytes.hex,
        lambda der: base64.b64encode(der).decode(),
        lambda der: f"key:\n{PEM.encode(der, 'PRIVATE KEY')}\n",
    ],
    ids=["DER", "hex", "base64", "PEM"],
)
def test_a_private_key_is_found(spelling):
    strings, der = Strings(), pair_der(1)
    text = spelling(der)
    strings.add(text if isinstance(text, bytes) else text.encode(), "here")
    assert der in strings.keys


@pytest.mark.parametrize("separator", ["-", " ", ""])
def test_a_recovery_code_is_found_however_it_is_written(separator):
    strings, code = Strings(), recovery_code.new_code()
    written = separator.join(recovery_code.groups(code)).lower()
    strings.add(f"code: {written}.".encode(), "here")
    assert set(strings.codes) == {code}


def test_a_short_text_is_a_password_and_the_same_is_taken_once():
    strings = Strings()
    for _ in range(2):
        strings.add_password("correct horse", "here")
    strings.add_password("short", "here")
    assert list(strings.passwords) == ["correct horse"]
    assert strings.count == 2
