"""By the thousand: nothing made is ever made twice, and nothing altered ever opens."""

import random
from collections.abc import Callable, Iterator

import pytest

from cryptocore import content, entries, keypair, keywrap, mac, recovery_code, signature, wrapping
from tests.cryptocore import bodies
from tests.cryptocore.refusals import assert_refused
from tests.keys import load_pair

MANY = 10_000
SECRET, LABEL, MESSAGE = bytes(range(32)), b"label", b"a statement"
PICTURE = bytes(range(256)) * 4
PRIVATE = load_pair(1)
PUBLIC = keypair.load_public_key(keypair.public_der(PRIVATE))


def altered(data: bytes, tries: int) -> Iterator[bytes]:
    """Yield `data` with one to four bytes changed, at places that are the same in every run."""
    places = random.Random(len(data))
    for number in range(tries):
        damaged = bytearray(data)
        for place in places.sample(range(len(data)), 1 + number % 4):
            damaged[place] ^= places.randrange(1, 256)
        yield bytes(damaged)


# ---- nothing twice ---------------------------------------------------------------------------


@pytest.mark.attack("A8")
@pytest.mark.parametrize(
    "make",
    [content.new_content_key, mac.new_mac_key, entries.new_salt, recovery_code.new_code],
)
def test_no_key_salt_or_code_is_made_twice(make: Callable[[], bytes | str]):
    assert len({make() for _ in range(MANY)}) == MANY


@pytest.mark.attack("A7", "A8")
def test_the_same_picture_sealed_often_shares_no_iv_and_no_block():
    stored = [content.encrypt(PICTURE[:64], SECRET) for _ in range(MANY)]
    blocks = {one[start : start + 16] for one in stored for start in range(0, len(one), 16)}
    assert len(blocks) == sum(len(one) for one in stored) // 16 == 6 * MANY


@pytest.mark.attack("A8")
def test_the_same_key_wrapped_often_is_other_bytes_each_time():
    wrapped = {wrapping.wrap(SECRET, PUBLIC, label=LABEL) for _ in range(MANY // 10)}
    assert len(wrapped) == MANY // 10


# ---- nothing altered -------------------------------------------------------------------------


@pytest.mark.attack("B1", "B3")
def test_no_altered_ciphertext_is_the_tagged_picture():
    """CBC alone gives noise where the padding happens to fit: the signed tag refuses that too.

    The signed digest of the stored bytes, checked before either, is gallery's.
    """
    tag = content.plaintext_tag(SECRET, rendition="original", plaintext=PICTURE)

    def open_and_check(stored: bytes) -> None:
        plaintext = content.decrypt(stored, SECRET)
        content.check_plaintext_tag(SECRET, tag, rendition="original", plaintext=plaintext)

    sound = content.encrypt(PICTURE, SECRET)
    open_and_check(sound)
    for stored in altered(sound, MANY):
        assert_refused(open_and_check, stored)


@pytest.mark.attack("B1")
def test_no_altered_wrapping_of_a_key_opens():
    sound = keywrap.wrap_key(SECRET, SECRET)
    assert keywrap.unwrap_key(sound, SECRET) == SECRET
    for wrapped in altered(sound, MANY):
        assert_refused(keywrap.unwrap_key, wrapped, SECRET)


@pytest.mark.attack("B1", "B5")
def test_no_altered_wrapped_key_opens():
    sound = wrapping.wrap(SECRET, PUBLIC, label=LABEL)
    assert wrapping.unwrap(sound, PRIVATE, label=LABEL) == SECRET
    for wrapped in altered(sound, MANY // 50):  # 5 ms each
        assert_refused(wrapping.unwrap, wrapped, PRIVATE, label=LABEL)


@pytest.mark.attack("B10")
def test_no_altered_signature_verifies():
    sound = signature.sign(MESSAGE, PRIVATE)
    signature.verify(MESSAGE, sound, PUBLIC)
    for one in altered(sound, MANY // 10):
        assert_refused(signature.verify, MESSAGE, one, PUBLIC)


@pytest.mark.attack("B10")
def test_no_altered_message_has_the_signature():
    body = bodies.compose("manifest")
    sound = signature.sign(body, PRIVATE)
    for one in altered(body, MANY // 10):
        assert_refused(signature.verify, one, sound, PUBLIC)


@pytest.mark.attack("D4")
def test_no_altered_tag_is_the_messages():
    sound = mac.mac(MESSAGE, SECRET)
    mac.check_mac(MESSAGE, sound, SECRET)
    for tag in altered(sound, MANY):
        assert_refused(mac.check_mac, MESSAGE, tag, SECRET)


@pytest.mark.attack("D2", "D4")
def test_no_altered_message_has_the_tag():
    tag = mac.mac(MESSAGE, SECRET)
    for message in altered(MESSAGE, MANY):
        assert_refused(mac.check_mac, message, tag, SECRET)
