"""Bytes changed at random: a picture or a refusal in a sentence, whatever they provoke."""

import random

import pytest

from gallery import containers
from gallery.intake import Limits, PictureRejected, take_in
from tests.gallery.picture_files import (
    FORMATS,
    animated_avif,
    corners,
    encoded,
    gif,
    phone_heic,
    png,
    profile,
    webp,
    with_canaries,
)
from tests.gallery.test_intake_cases import CASES

LIMITS = Limits(max_bytes=60_000_000, max_pixels=4_000_000, max_frames=500)
ROUNDS = 6  # of every sample; thousands were run by hand
SAMPLES = {path.name: path.read_bytes() for path in sorted(CASES.iterdir())}
SAMPLES |= {kind: with_canaries(kind, orientation=6) for kind in FORMATS}
SAMPLES |= {
    "GIF animated": gif(),
    "PNG animated": png(animated_too=True),
    "WEBP animated": webp(animated_too=True),
    "AVIF animated": animated_avif(),
    "HEIC of a phone": phone_heic(),
    "JPEG progressive": encoded(corners(), "JPEG", progressive=True, icc_profile=profile()),
}
NUMBERS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\0\0\xff\xff")


def changed(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes with one to eight changes, most near the start, where lengths are."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        reach = min(len(changed), chance.choice((64, 400, 2_000, len(data))))
        at = chance.randrange(max(1, reach))
        match chance.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                changed[at : at + 4] = chance.choice(NUMBERS)
            case 2:
                del changed[at : at + chance.choice((1, 2, 4, 30, 500))]
            case 3:
                changed[at:at] = chance.randbytes(chance.choice((1, 2, 4, 30)))
            case 4:
                other = chance.randrange(max(1, len(changed)))
                changed[at:at] = changed[other : other + chance.choice((4, 20, 200))]
            case _:
                del changed[chance.randrange(max(1, len(changed))) :]
    return bytes(changed)


@pytest.mark.attack("F74")
@pytest.mark.parametrize("name", SAMPLES)
def test_changed_bytes_are_a_picture_or_a_refusal(name):
    chance = random.Random(name)
    for turn in range(ROUNDS):
        data = changed(SAMPLES[name], chance)
        try:
            picture = take_in(data, keep_details=bool(turn % 2), limits=LIMITS)
        except PictureRejected:
            continue
        assert picture.preview
        assert containers.clean(data).format == picture.format


@pytest.mark.attack("F74")
@pytest.mark.parametrize("name", SAMPLES)
def test_the_walk_itself_raises_nothing_but_its_refusals(name):
    chance = random.Random(name)
    for _ in range(10 * ROUNDS):
        try:
            containers.clean(changed(SAMPLES[name], chance))
        except containers.Malformed:
            continue
