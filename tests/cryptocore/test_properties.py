"""Whatever comes in: nothing but CryptoError comes out, and nothing has two encodings."""

import pytest

hypothesis = pytest.importorskip("hypothesis", reason="pip install -r requirements-dev.txt")

from hypothesis import example, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from cryptocore import (  # noqa: E402
    canonical,
    content,
    entries,
    keypair,
    keywrap,
    mac,
    recovery_code,
    signature,
    statements,
    wrapping,
)
from cryptocore.errors import MESSAGE, CryptoError  # noqa: E402
from tests.cryptocore import bodies  # noqa: E402
from tests.cryptocore.ders import pkcs8  # noqa: E402
from tests.cryptocore.refusals import assert_refused, flipped  # noqa: E402
from tests.keys import load_pair, pair_der  # noqa: E402

KEY = load_pair(1)
PUBLIC_DER = keypair.public_der(KEY)
SECRET = bytes(range(32))
WRAPPED = wrapping.wrap(SECRET, KEY, label=b"label")
UNDER_KEK = keywrap.wrap_key(pair_der(1), SECRET)
STORED = content.encrypt(b"a picture" * 50, SECRET)
KINDS = st.sampled_from(sorted(statements.KINDS))
BODIES = {kind: bodies.compose(kind) for kind in statements.KINDS}
ENTRY = entries.encode_entry(holder=bodies.READER, rights="view", opens=1)

many = settings(derandomize=True, max_examples=200, deadline=None, database=None)
few = settings(derandomize=True, max_examples=50, deadline=None, database=None)

KEY_NAMES = st.sampled_from(["a", "b", "kind", "suite", "ä", "", "\U0001f5bc", "\x00"]) | st.text()
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8"))
)


def nested(depth):
    if depth == 0:
        return LEAVES
    inner = nested(depth - 1)
    keys = st.text(st.characters(codec="utf-8"), max_size=8)
    return LEAVES | st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)


OBJECTS = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), nested(3), max_size=4)


def mutated(data):
    """Bytes near `data`: some replaced, cut out or put in."""
    places = st.integers(0, len(data))
    return st.tuples(places, places, st.binary(max_size=8)).map(
        lambda cut: data[: min(cut[:2])] + cut[2] + data[max(cut[:2]) :]
    ) | st.tuples(places, st.binary(min_size=1, max_size=4)).map(
        lambda over: data[: over[0]] + over[1] + data[over[0] + len(over[1]) :]
    )


def only_refuses(call, *arguments, **options):
    """Return what the call returns, or None if it refused as it should."""
    try:
        return call(*arguments, **options)
    except CryptoError as error:
        refusal = error
    assert type(refusal) is CryptoError
    assert refusal.args == (MESSAGE,)
    assert refusal.__cause__ is None
    return None


# Canonical JSON


@many
@given(OBJECTS)
def test_what_is_encoded_decodes_to_the_same(value):
    data = canonical.encode(value)
    assert canonical.decode(data) == value
    assert canonical.encode(canonical.decode(data)) == data


@many
@given(st.binary() | st.text().map(str.encode) | OBJECTS.map(bodies.as_json).flatmap(mutated))
@example(b"\xff\xfe{\x00}\x00")
def test_whatever_decodes_has_that_one_encoding(data):
    value = only_refuses(canonical.decode, data)
    assert value is None or canonical.encode(value) == data


ODD = st.recursive(
    LEAVES | st.floats() | st.integers() | st.binary() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEY_NAMES | st.integers(), inner),
)


@few
@given(ODD)
def test_encode_makes_nothing_that_decode_refuses(value):
    try:
        data = canonical.encode({"a": value})
    except (ValueError, TypeError):
        return
    assert canonical.decode(data) == {"a": value}


# Statements and entries


@many
@given(KINDS, st.data())
def test_parsing_a_statement_only_refuses(kind, data):
    body = data.draw(mutated(BODIES[kind]) | st.binary())
    value = only_refuses(statements.parse, kind, body)
    assert value is None or canonical.encode(value) == body


@few
@given(KINDS, OBJECTS)
def test_parsing_a_statement_of_strange_fields_only_refuses(kind, fields):
    good = canonical.decode(BODIES[kind])
    assert only_refuses(statements.parse, kind, canonical.encode(fields)) is None
    for name in good:
        swapped = {**good, name: fields}
        assert only_refuses(statements.parse, kind, canonical.encode(swapped, max_depth=5)) is None


@many
@given(KINDS, st.data(), nested(2))
def test_one_strange_value_in_a_statement_only_refuses(kind, data, value):
    good = canonical.decode(BODIES[kind])
    name = data.draw(st.sampled_from(sorted(good)))
    body = canonical.encode({**good, name: value})
    parsed = only_refuses(statements.parse, kind, body)
    assert parsed is None or canonical.encode(parsed) == body


@many
@given(st.text(), st.data())
def test_verifying_a_statement_of_any_kind_only_refuses(kind, data):
    body = data.draw(st.binary() | mutated(BODIES["share"]))
    signed = data.draw(st.binary() | st.binary(min_size=384, max_size=384))
    assert only_refuses(statements.verify_statement, kind, body, signed, KEY) is None


@many
@given(mutated(ENTRY) | st.binary() | OBJECTS.map(canonical.encode))
def test_parsing_an_entry_only_refuses(data):
    entry = only_refuses(entries.parse_entry, data)
    if entry is not None:
        fields = {name: getattr(entry, name) for name in entries.TERMS | {"kind", "holder"}}
        assert entries.encode_entry(**fields) == data


@many
@given(st.binary(max_size=64))
def test_a_digest_of_any_salt_only_refuses(salt):
    digest = only_refuses(entries.entry_digest, ENTRY, salt)
    assert (digest is not None) == (len(salt) == 32)


# Keys


@many
@given(mutated(PUBLIC_DER) | st.binary() | mutated(pair_der(1)))
@example(b"")
def test_loading_a_public_key_only_refuses(der):
    key = only_refuses(keypair.load_public_key, der)
    assert key is None or keypair.public_der(key) == der


@many
@given(mutated(pair_der(1)) | st.binary())
@example(b"")
def test_loading_a_private_key_only_refuses(der):
    key = only_refuses(keypair.load_private_key, der, public_der=PUBLIC_DER)
    assert key is None or (key.n, key.e, key.d) == (KEY.n, KEY.e, KEY.d)


@many
@given(mutated(PUBLIC_DER) | st.binary())
def test_loading_a_private_key_beside_any_public_one_only_refuses(public_der):
    key = only_refuses(keypair.load_private_key, pair_der(1), public_der=public_der)
    assert key is None or public_der == PUBLIC_DER


@few
@given(mutated(pair_der(1)) | st.binary())
def test_checking_a_private_key_only_refuses(der):
    key = only_refuses(keypair.check_private_key, der)
    assert key is None or keypair.private_der(key) == der


NUMBERS = st.integers(-2, 3) | st.sampled_from([KEY.n, KEY.d, KEY.p, KEY.q, KEY.p - 1, KEY.n - 1])


@many
@given(st.lists(NUMBERS, min_size=6, max_size=6))
def test_any_numbers_in_a_private_key_only_refuse(numbers):
    der = pkcs8(0, KEY.n, KEY.e, *numbers)
    key = only_refuses(keypair.load_private_key, der, public_der=PUBLIC_DER)
    assert key is None or signature.verify(b"", signature.sign(b"", key), KEY) is None


@many
@given(mutated(WRAPPED) | st.binary() | st.binary(min_size=384, max_size=384))
def test_unwrapping_only_refuses(wrapped):
    secret = only_refuses(wrapping.unwrap, wrapped, KEY, label=b"label")
    assert secret is None or wrapped == WRAPPED


@many
@given(st.binary(max_size=80))
def test_unwrapping_under_another_label_only_refuses(label):
    secret = only_refuses(wrapping.unwrap, WRAPPED, KEY, label=label)
    assert secret is None or label == b"label"


@many
@given(mutated(UNDER_KEK[:40]) | mutated(keywrap.wrap_key(SECRET, SECRET)) | st.binary())
def test_unwrapping_under_a_kek_only_refuses(wrapped):
    key = only_refuses(keywrap.unwrap_key, wrapped, SECRET)
    assert key is None or keywrap.wrap_key(key, SECRET) == wrapped


@many
@given(st.binary(min_size=1, max_size=200), st.binary(min_size=32, max_size=32))
def test_any_key_under_any_kek_comes_back(key, kek):
    assert keywrap.unwrap_key(keywrap.wrap_key(key, kek), kek) == key


@many
@given(st.binary(max_size=200), st.text())
def test_any_message_verifies_only_with_its_signature(other, text):
    message, signed = b"a message", signature.sign(b"a message", KEY)
    assert_refused(signature.verify, message + text.encode("utf-8", "replace") + b".", signed, KEY)
    if other != signed:
        assert_refused(signature.verify, message, other, KEY)


# Content, tags and codes


@many
@given(st.binary(max_size=3 * 16 * 1024), st.binary(min_size=32, max_size=32))
def test_any_plaintext_comes_back(plaintext, key):
    stored = content.encrypt(plaintext, key)
    assert content.decrypt(stored, key) == plaintext
    assert content.plaintext_length(len(stored), stored[-32:], key) == len(plaintext)


@many
@given(mutated(STORED) | st.binary(), st.just(SECRET) | st.binary(max_size=40))
def test_decrypting_only_refuses(stored, key):
    plaintext = only_refuses(content.decrypt, stored, key)
    length = only_refuses(content.plaintext_length, len(stored), stored[-32:], key)
    assert length == (None if plaintext is None else len(plaintext))


@many
@given(st.binary(), st.binary(min_size=1), st.binary(max_size=64))
def test_checking_a_tag_only_refuses(message, key, tag):
    mac.check_mac(message, mac.mac(message, key), key)
    assert only_refuses(mac.check_mac, message, tag, key) is None


@many
@given(st.text() | st.text(recovery_code.ALPHABET.lower() + " -oOiIlL", min_size=28))
def test_normalising_a_code_only_refuses(text):
    code = only_refuses(recovery_code.normalise, text)
    assert code is None or recovery_code.normalise(code) == code
    assert recovery_code.fold(recovery_code.fold(text)) == recovery_code.fold(text)


# Every failure is the same


def failures():
    """Each way to be refused that an attacker has, as a call without arguments."""
    body = BODIES["share"]
    signed = statements.sign_statement("share", body, KEY)
    label, bad = b"label", content._encrypt_under_iv(b"", SECRET, bytes(16))
    return [
        lambda: canonical.decode(b"{"),
        lambda: canonical.decode(b'{"a":1.0}'),
        lambda: canonical.decode(b"[" * 100_000),
        lambda: statements.parse("share", b"{}"),
        lambda: statements.parse("key", body),
        lambda: statements.verify_statement("share", body + b" ", signed, KEY),
        lambda: statements.verify_statement("share", body, flipped(signed, 1), KEY),
        lambda: statements.verify_statement("album", body, signed, KEY),
        lambda: entries.parse_entry(b"{}"),
        lambda: entries.entry_digest(ENTRY, b""),
        lambda: keypair.load_public_key(b""),
        lambda: keypair.load_public_key(PUBLIC_DER + b"\x00"),
        lambda: keypair.load_private_key(pair_der(2), public_der=PUBLIC_DER),
        lambda: keypair.check_private_key(PUBLIC_DER),
        lambda: wrapping.unwrap(b"", KEY, label=label),
        lambda: wrapping.unwrap(flipped(WRAPPED, 9), KEY, label=label),
        lambda: wrapping.unwrap(WRAPPED, KEY, label=b"other"),
        lambda: wrapping.unwrap(WRAPPED, load_pair(2), label=label),
        lambda: keywrap.unwrap_key(b"", SECRET),
        lambda: keywrap.unwrap_key(flipped(UNDER_KEK, 0), SECRET),
        lambda: keywrap.unwrap_key(bytes(10_000), SECRET),
        lambda: signature.verify(b"", signed, KEY),
        lambda: content.decrypt(b"", SECRET),
        lambda: content.decrypt(flipped(bad, 0), SECRET),
        lambda: content.decrypt(bad, bytes(16)),
        lambda: mac.check_mac(b"", bytes(32), SECRET),
        lambda: recovery_code.normalise("U"),
    ]


def test_every_failure_reads_the_same():
    for failure in failures():
        assert_refused(failure)
