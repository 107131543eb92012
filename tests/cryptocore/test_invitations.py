"""Invitations: a key under a link and a code, and content keys under that key."""

import hashlib
import uuid

import pytest

from cryptocore import invitations
from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.kdf import derive_key
from cryptocore.keywrap import wrap_key
from tests.cryptocore.refusals import assert_refused, flipped

INSTANCE, INVITATION, PERSON, IMAGE, OTHER = (uuid.UUID(int=number) for number in range(1, 6))
KEY, CONTENT_KEY, LINK, CODE_KEY = (bytes([number]) * 32 for number in range(1, 5))
OF = {"instance": INSTANCE, "invitation": INVITATION, "person": PERSON}
PLACE = {**OF, "subject": IMAGE, "lock": 7}
WRAPPED = invitations.wrap_content_key(CONTENT_KEY, KEY, **PLACE)
WITH_CODE = invitations.wrap_invitation_key(KEY, LINK, CODE_KEY, **OF)


def test_a_link_with_its_code_opens_the_key():
    assert invitations.unwrap_invitation_key(WITH_CODE, LINK, CODE_KEY, **OF) == KEY
    without = invitations.wrap_invitation_key(KEY, LINK, None, **OF)
    assert invitations.unwrap_invitation_key(without, LINK, None, **OF) == KEY
    kek = derive_key(LINK, context("invitation", INSTANCE, INVITATION, PERSON))
    assert without == wrap_key(KEY, kek)


@pytest.mark.parametrize(
    ("link", "code_key"),
    [(LINK, None), (LINK, KEY), (KEY, CODE_KEY), (LINK[:31], CODE_KEY), (LINK, b"")],
    ids=["no code", "another code", "another link", "a short link", "an empty code"],
)
def test_anything_but_that_link_with_that_code_opens_nothing(link, code_key):
    assert_refused(lambda: invitations.unwrap_invitation_key(WITH_CODE, link, code_key, **OF))


@pytest.mark.parametrize("name", OF)
def test_the_key_under_a_link_opens_in_its_own_place_alone(name):
    place = {**OF, name: OTHER}
    assert_refused(lambda: invitations.unwrap_invitation_key(WITH_CODE, LINK, CODE_KEY, **place))


def test_what_is_kept_of_a_link_is_not_what_opens():
    kept = bytes.fromhex(invitations.link_digest(LINK))
    assert kept == hashlib.sha256(context("invitation-token") + LINK).digest()
    assert kept != hashlib.sha256(LINK).digest()
    without = invitations.wrap_invitation_key(KEY, LINK, None, **OF)
    assert_refused(lambda: invitations.unwrap_invitation_key(without, kept, None, **OF))
    assert_refused(lambda: invitations.link_digest(LINK[:31]))


@pytest.mark.parametrize("name", PLACE)
def test_a_content_key_opens_in_its_own_place_alone(name):
    assert invitations.unwrap_content_key(WRAPPED, KEY, **PLACE) == CONTENT_KEY
    place = {**PLACE, name: 8 if name == "lock" else OTHER}
    assert_refused(lambda: invitations.unwrap_content_key(WRAPPED, KEY, **place))


def test_a_content_key_changed_anywhere_is_refused():
    for bit in range(8 * len(WRAPPED)):
        changed = flipped(WRAPPED, bit)
        assert_refused(lambda: invitations.unwrap_content_key(changed, KEY, **PLACE))  # noqa: B023


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_an_invitation_key_of_another_size_is_refused(size):
    key, about = bytes(size), {"invitation": INVITATION, "person": PERSON}
    assert_refused(lambda: invitations.commitment(key, **about))
    assert_refused(lambda: invitations.wrap_invitation_key(key, LINK, None, **OF))
    assert_refused(lambda: invitations.wrap_content_key(CONTENT_KEY, key, **PLACE))
    assert_refused(lambda: invitations.unwrap_content_key(WRAPPED, key, **PLACE))
    details = {"instance": INSTANCE, "invitation": INVITATION}
    assert_refused(lambda: invitations.encrypt_details(b"name", key, **details))


def test_a_commitment_is_to_one_key_of_one_invitation():
    about = {"invitation": INVITATION, "person": PERSON}
    recorded = invitations.commitment(KEY, **about)
    assert recorded == derive_key(KEY, context("invitation-commitment", INVITATION, PERSON))
    invitations.check_commitment(KEY, recorded, **about)
    for key, of, other in (
        (CONTENT_KEY, about, recorded),
        (KEY, {**about, "person": OTHER}, recorded),
        (KEY, {**about, "invitation": OTHER}, recorded),
        (KEY, about, recorded[:31]),
    ):
        with pytest.raises(CryptoError):
            invitations.check_commitment(key, other, **of)


def test_details_come_back_and_never_look_the_same():
    details = {"instance": INSTANCE, "invitation": INVITATION}
    stored = invitations.encrypt_details(b"name", KEY, **details)
    assert invitations.decrypt_details(stored, KEY, **details) == b"name"
    assert stored != invitations.encrypt_details(b"name", KEY, **details)


@pytest.mark.parametrize(
    "spoken", ["blue river 42", "Blue RIVER 42", "  blueriver\u00a04 2\n"], ids=["a", "b", "c"]
)
def test_case_and_spaces_of_a_spoken_code_do_not_count(spoken):
    assert invitations.normalise_code(spoken) == "blueriver42"


def test_a_spoken_code_is_the_same_from_every_keyboard():
    assert invitations.normalise_code("e\u0301toile") == invitations.normalise_code("\u00c9toile")
    assert invitations.normalise_code("blue river") != invitations.normalise_code("blue rivers")
