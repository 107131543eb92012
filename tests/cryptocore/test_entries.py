import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from cryptocore.entries import Entry, encode_entry, entry_digest, new_salt, parse_entry
from tests.cryptocore.bodies import READER, as_json
from tests.cryptocore.refusals import assert_refused, flipped

END = datetime(2026, 12, 24, 18, 0, 0, tzinfo=UTC)
FULL = {"holder": READER, "rights": "view", "ends_at": END, "opens": 3, "watermark": True}
ENTRY = encode_entry(**FULL)
PLAIN = {
    "person": str(READER),
    "rights": "view",
    "ends_at": "2026-12-24T18:00:00Z",
    "opens": 3,
    "watermark": True,
}
SALT = bytes(range(32))

WRONG = [
    *(("person", other) for other in (str(READER).upper(), READER.hex, "", None, 1)),
    *(("rights", other) for other in ("own", "View", "", None, 1, ["view"], {})),
    *(("ends_at", other) for other in ("2026-12-24", "2026-12-24T18:00:00+00:00", "", 0, False)),
    *(("opens", other) for other in (0, -1, True, False, "3", [], 2**53)),
    *(("watermark", other) for other in (0, 1, None, "true")),
    ("note", "hello"),
]


@pytest.mark.parametrize(("name", "other"), WRONG)
def test_a_field_of_another_form_is_refused(name, other):
    assert_refused(parse_entry, as_json({**PLAIN, name: other}))


@pytest.mark.parametrize("name", PLAIN)
def test_a_missing_field_is_refused(name):
    assert_refused(parse_entry, as_json({key: PLAIN[key] for key in PLAIN if key != name}))


@pytest.mark.parametrize(
    "data", [b"", b"[]", ENTRY + b"\n", ENTRY.replace(b":", b": ", 1), b'{"opens":3,' + ENTRY[1:]]
)
def test_another_spelling_is_refused(data):
    assert_refused(parse_entry, data)


def test_a_long_entry_is_refused():
    assert_refused(parse_entry, as_json({**PLAIN, "rights": "x" * 1000}))


@pytest.mark.parametrize(
    "changes",
    [
        {"holder": "x"},
        {"kind": "everybody"},
        {"rights": "own"},
        {"ends_at": datetime(2026, 12, 24)},  # noqa: DTZ001
        {"opens": 0},
        {"opens": 2**53},
        {"watermark": 1},
    ],
    ids=str,
)
def test_encode_refuses_what_parse_refuses(changes):
    with pytest.raises(ValueError):  # noqa: PT011
        encode_entry(**{**FULL, **changes})


def test_an_entry_comes_back_as_it_was():
    assert parse_entry(ENTRY) == Entry(kind="person", **FULL)
    assert as_json(PLAIN) == ENTRY


def test_the_least_an_entry_says():
    entry = parse_entry(encode_entry(holder=READER, rights="download"))
    assert entry == Entry("person", READER, "download", None, None, False)


def test_an_end_anywhere_is_kept_in_utc():
    end = datetime(2026, 12, 24, 19, 0, 0, 1, timezone(timedelta(hours=1)))
    assert parse_entry(encode_entry(holder=READER, rights="view", ends_at=end)).ends_at == END


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_salt_of_another_size_is_refused(size):
    assert_refused(entry_digest, ENTRY, bytes(size))


def test_the_digest_is_over_context_salt_and_entry():
    expected = hashlib.sha256(b"imageshare/v1/share-entry\x00" + SALT + ENTRY).hexdigest()
    assert entry_digest(ENTRY, SALT) == expected


def test_another_entry_or_salt_has_another_digest():
    digests = {entry_digest(flipped(ENTRY, bit), SALT) for bit in range(8 * len(ENTRY))}
    digests |= {entry_digest(ENTRY, flipped(SALT, bit)) for bit in range(8 * len(SALT))}
    assert entry_digest(ENTRY, SALT) not in digests
    assert len(digests) == 8 * (len(ENTRY) + len(SALT))


def test_salts_are_thirty_two_bytes_and_differ():
    salts = {new_salt() for _ in range(100)}
    assert len(salts) == 100
    assert {len(salt) for salt in salts} == {32}
