import uuid

import pytest

from cryptocore import circles
from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.kdf import derive_key
from tests.cryptocore.bodies import IMAGE, INSTANCE, OWNER
from tests.cryptocore.refusals import assert_refused, flipped

ALBUM = uuid.UUID("2b7f0c1e-95d4-4a8e-8f10-5c6d7e8f9a0b")
KEY, CONTENT_KEY = bytes(range(32)), bytes(range(32, 64))
PLACE = {"instance": INSTANCE, "circle": ALBUM, "epoch": 3, "subject": IMAGE, "lock": 7}
OTHERS = {"instance": OWNER, "circle": OWNER, "epoch": 4, "subject": OWNER, "lock": 8}
OF = {"circle": ALBUM, "owner": OWNER, "epoch": 3}
DETAILS = {"instance": INSTANCE, "circle": ALBUM, "epoch": 3}
WRAPPED = circles.wrap_content_key(CONTENT_KEY, KEY, **PLACE)


def test_a_content_key_comes_back_as_it_was():
    assert circles.unwrap_content_key(WRAPPED, KEY, **PLACE) == CONTENT_KEY
    assert len(WRAPPED) == 40


@pytest.mark.parametrize("name", OTHERS)
def test_a_content_key_opens_in_its_own_place_alone(name):
    place = {**PLACE, name: OTHERS[name]}
    assert_refused(lambda: circles.unwrap_content_key(WRAPPED, KEY, **place))


def test_a_content_key_changed_anywhere_is_refused():
    for bit in range(8 * len(WRAPPED)):
        changed = flipped(WRAPPED, bit)
        assert_refused(lambda: circles.unwrap_content_key(changed, KEY, **PLACE))  # noqa: B023


def test_another_circles_key_is_refused():
    assert_refused(lambda: circles.unwrap_content_key(WRAPPED, CONTENT_KEY, **PLACE))


IN_TEAM = {"instance": INSTANCE, "team": OWNER, "team_epoch": 2, "circle": ALBUM, "epoch": 3}
ELSEWHERE = {"instance": OWNER, "team": ALBUM, "team_epoch": 3, "circle": OWNER, "epoch": 2}
UNDER_TEAM = circles.wrap_circle_key(KEY, CONTENT_KEY, **IN_TEAM)


def test_an_albums_key_comes_back_as_it_was():
    assert circles.unwrap_circle_key(UNDER_TEAM, CONTENT_KEY, **IN_TEAM) == KEY
    assert len(UNDER_TEAM) == 40


@pytest.mark.parametrize("name", ELSEWHERE)
def test_an_albums_key_opens_in_its_own_place_alone(name):
    place = {**IN_TEAM, name: ELSEWHERE[name]}
    assert_refused(lambda: circles.unwrap_circle_key(UNDER_TEAM, CONTENT_KEY, **place))


def test_an_albums_key_changed_anywhere_is_refused():
    for bit in range(8 * len(UNDER_TEAM)):
        changed = flipped(UNDER_TEAM, bit)
        assert_refused(lambda: circles.unwrap_circle_key(changed, CONTENT_KEY, **IN_TEAM))  # noqa: B023


def test_another_teams_key_is_refused():
    assert_refused(lambda: circles.unwrap_circle_key(UNDER_TEAM, KEY, **IN_TEAM))


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_circle_key_of_another_size_is_refused(size):
    key = bytes(size)
    assert_refused(lambda: circles.commitment(key, **OF))
    assert_refused(lambda: circles.wrap_content_key(CONTENT_KEY, key, **PLACE))
    assert_refused(lambda: circles.unwrap_content_key(WRAPPED, key, **PLACE))
    assert_refused(lambda: circles.encrypt_details(b"title", key, **DETAILS))
    assert_refused(lambda: circles.wrap_circle_key(KEY, key, **IN_TEAM))


def test_a_commitment_is_the_specified_one():
    info = context("circle-commitment", ALBUM, OWNER, 3)
    assert circles.commitment(KEY, **OF) == derive_key(KEY, info)
    circles.check_commitment(KEY, derive_key(KEY, info), **OF)


@pytest.mark.parametrize(("name", "other"), [("circle", OWNER), ("owner", ALBUM), ("epoch", 4)])
def test_a_commitment_to_anything_else_is_refused(name, other):
    signed = circles.commitment(KEY, **OF)
    with pytest.raises(CryptoError):
        circles.check_commitment(KEY, signed, **{**OF, name: other})
    with pytest.raises(CryptoError):
        circles.check_commitment(CONTENT_KEY, signed, **OF)
    with pytest.raises(CryptoError):
        circles.check_commitment(KEY, signed[:31], **OF)


def test_details_come_back_and_never_look_the_same():
    stored = circles.encrypt_details(b"title", KEY, **DETAILS)
    assert circles.decrypt_details(stored, KEY, **DETAILS) == b"title"
    assert stored != circles.encrypt_details(b"title", KEY, **DETAILS)


@pytest.mark.parametrize("name", DETAILS)
def test_details_of_another_place_have_another_key(name):
    derived = derive_key(KEY, context("circle-details", *DETAILS.values()))
    other = derive_key(KEY, context("circle-details", *{**DETAILS, name: OTHERS[name]}.values()))
    assert derived != other
