"""The bytes an entry commits to, and what may stand in them."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from audit.leaf import Leaf, Personal
from cryptocore.errors import CryptoError
from tests.audit.conftest import ALICE, IMAGE

NOON = datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC)


def leaf(**changes) -> Leaf:
    told = {
        "time": NOON,
        "event": "image:opened",
        "actor": ALICE,
        "subject": IMAGE,
        "outcome": "done",
        "request": None,
        "facts": {},
        "personal": None,
    }
    return Leaf(**{**told, **changes})


@pytest.mark.parametrize(
    "fact", [1.5, True, None, b"bytes", uuid.UUID(int=1), {"a": "b"}, ["a", 1], [["a"]], ("a",)]
)
def test_a_fact_of_another_type_is_refused(fact):
    with pytest.raises(TypeError):
        leaf(facts={"fact": fact}).encode()


@pytest.mark.parametrize("name", ["", "Count", "1st", "a b", "a-b", "é", "a" * 33])
def test_a_facts_name_is_a_short_lower_case_word(name):
    with pytest.raises(ValueError, match="name"):
        leaf(facts={name: "x"}).encode()


def test_an_entry_over_two_kibibytes_is_refused():
    with pytest.raises(ValueError, match="2048 bytes"):
        leaf(facts={"text": "x" * 2048}).encode()


def test_one_list_of_a_hundred_images_is_taken_and_one_more_is_not():
    images = [str(uuid.uuid4()) for _ in range(101)]
    assert len(leaf(facts={"images": images[:100]}).encode()) > 2048
    with pytest.raises(ValueError, match="at most 100"):
        leaf(facts={"images": images}).encode()


@pytest.mark.parametrize(
    "images", ["one", ["holiday.jpg"], [str(uuid.uuid4()).upper()], [uuid.uuid4().hex]]
)
def test_images_are_uuids_and_no_way_around_the_limit(images):
    with pytest.raises(ValueError, match=r"images|UUID"):
        leaf(facts={"images": images}).encode()


def test_a_fact_that_utf8_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="surrogates"):
        leaf(facts={"text": "\ud800"}).encode()


@pytest.mark.attack("E5")
@pytest.mark.parametrize(
    "altered",
    [
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":1,"w":1'),
        (b'"facts":{}', b'"facts":{"a":1.0}'),
        (b'"facts":{}', b'"facts":{"a":true}'),
        (b'"facts":{}', b'"facts":[]'),
        (b'"actor":"', b'"actor":"x'),
        (b'"actor":"', b'"actor": "'),
        (b'"personal":null,', b""),
        (b"12:00:00.000005Z", b"12:00:00Z"),
        (b'"v":1}', b'"v":1'),
    ],
)
def test_bytes_we_would_not_have_written_do_not_parse(altered):
    old, new = altered
    assert old in leaf().encode()
    with pytest.raises(CryptoError):
        Leaf.parse(leaf().encode().replace(old, new))


def test_a_leaf_says_these_bytes():
    told = leaf(request="ab" * 16, facts={"count": 2, "names": ["b", "a"]}, personal="cd" * 32)
    assert told.encode() == (
        b'{"actor":"00000000-0000-4000-8000-00000000000a","event":"image:opened",'
        b'"facts":{"count":2,"names":["b","a"]},"outcome":"done",'
        b'"personal":"' + b"cd" * 32 + b'","request":"' + b"ab" * 16 + b'",'
        b'"subject":"00000000-0000-4000-8000-0000000000f1",'
        b'"time":"2026-11-23T12:00:00.000005Z","v":1}'
    )
    assert Leaf.parse(told.encode()) == told


def test_time_is_in_utc():
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    assert leaf(time=east).encode() == leaf().encode()


def test_the_personal_digest_depends_on_salt_address_and_agent():
    salt, other_salt = bytes(32), bytes([1]) * 32
    facts = [
        Personal(salt, "192.0.2.0/24", "agent"),
        Personal(other_salt, "192.0.2.0/24", "agent"),
        Personal(salt, "192.0.3.0/24", "agent"),
        Personal(salt, "192.0.2.0/24", "other"),
    ]
    assert len({personal.digest() for personal in facts}) == 4


def test_two_visits_from_one_place_share_no_salt():
    first, second = (Personal.with_new_salt("192.0.2.0/24", "agent") for _ in range(2))
    assert first.digest() != second.digest()
