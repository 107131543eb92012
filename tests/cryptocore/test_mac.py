import hmac
from uuid import UUID

import pytest

from cryptocore import content
from cryptocore.mac import check_mac, mac, new_mac_key
from tests.cryptocore.refusals import assert_refused, flipped

KEY = bytes(range(32))
TAG = mac(b"a notice", KEY)


def test_each_single_flipped_bit_of_a_tag_is_refused():
    for bit in range(8 * len(TAG)):
        assert_refused(check_mac, b"a notice", flipped(TAG, bit), KEY)


@pytest.mark.parametrize("tag", [b"", TAG[:-1], TAG + b"\x00", TAG[:16], bytes(32)])
def test_a_tag_of_another_length_or_of_zeros_is_refused(tag):
    assert_refused(check_mac, b"a notice", tag, KEY)


def test_another_message_or_key_is_refused():
    assert_refused(check_mac, b"a notice.", TAG, KEY)
    assert_refused(check_mac, b"a notice", TAG, KEY[::-1])


def test_everybodys_key_is_a_programmers_mistake():
    with pytest.raises(ValueError, match="empty"):
        mac(b"a notice", b"")
    with pytest.raises(ValueError, match="empty"):
        check_mac(b"a notice", TAG, b"")


def test_the_right_tag_is_taken():
    check_mac(b"a notice", TAG, KEY)


def test_tags_and_commitments_are_compared_in_constant_time(monkeypatch):
    """Unlike `==`, though no outcome shows the difference: so the comparison itself is watched."""
    compared, real = [], hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda *two: compared.append(two) or real(*two))
    check_mac(b"a notice", TAG, KEY)
    ids = {"image_id": UUID(int=1), "owner_id": UUID(int=2), "lock": 1}
    commitment = content.key_commitment(KEY, **ids)
    content.check_key_commitment(KEY, commitment, **ids)
    assert compared == [(TAG, TAG), (commitment, commitment)]


def test_new_keys_are_thirty_two_bytes_and_differ():
    keys = {new_mac_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {32}
