"""What a decoder says is checked before anything of it is sealed, or shown."""

import socket

import pytest

from gallery.decoding.answers import PARTS, picture_in, pixels_in, rejection_in
from gallery.decoding.decoder import _as_sent
from gallery.decoding.wire import HEADER_BYTES, Broken, Channel
from gallery.intake import take_in
from tests.gallery.picture_files import LIMITS, plain


def answer(**changes):
    """Return a good answer, with changes; a part's name stands for its bytes."""
    header, *parts = _as_sent(take_in(plain("PNG"), keep_details=False, limits=LIMITS))
    said = {**header["picture"], **dict(zip(PARTS, parts, strict=True)), **changes}
    return {"picture": {n: v for n, v in said.items() if n not in PARTS}}, [said[n] for n in PARTS]


def taken(header, parts, limits=LIMITS):
    coming = iter(parts)
    lengths = [len(part) for part in parts]
    return picture_in(header, lengths, lambda length: iter([next(coming)]), limits, b"".join)


def test_a_good_answer_is_taken():
    picture = taken(*answer(captured_at="2026-11-30T16:20:00+01:00"))
    assert (picture.format, picture.original) == ("PNG", plain("PNG"))


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


@pytest.mark.attack("F182")
@pytest.mark.parametrize(
    "changes",
    [
        {"original": SVG},
        {"original": SVG, "format": "SVG", "media_type": "image/svg+xml"},
        {"original": plain("JPEG")},
        {"original": b""},
        {"media_type": "text/html"},
        {"media_type": ["image/png"]},
        {"format": "WEBP"},
        {"format": ["PNG"]},
        {"preview": SVG},
        {"preview": plain("PNG"), "preview_media_type": "image/png"},
        {"preview": plain("JPEG") + bytes(2**24)},
        {"thumbnail": b""},
        {"thumbnail_media_type": "text/html"},
        {"width": 0},
        {"width": -4, "height": -4},
        {"width": 1.5},
        {"width": True},
        {"width": "8"},
        {"width": 2**31, "height": 2**31},
        {"frames": LIMITS.max_frames + 1},
        {"captured_at": "<b>now</b>"},
        {"captured_at": 2026},
        {"captured_at": ["2026-11-30T16:20:00"]},
        {"removed": ["location", "what somebody else uploaded"]},
        {"removed": 3},
        {"removed": [["location"]]},
        {"more": "than asked"},
    ],
    ids=", ".join,
)
def test_an_answer_beyond_the_limits_or_of_another_kind_is_none(changes):
    with pytest.raises(Broken):
        taken(*answer(**changes))


@pytest.mark.attack("F182")
def test_an_original_over_the_limit_is_none():
    data = plain("PNG")
    limits = LIMITS.__class__(len(data) - 1, LIMITS.max_pixels, LIMITS.max_frames)
    with pytest.raises(Broken):
        taken(*answer(), limits)


@pytest.mark.attack("F182")
@pytest.mark.parametrize(
    "header",
    [{}, {"picture": None}, {"picture": []}, {"picture": {"format": "PNG"}}],
    ids=str,
)
def test_an_answer_without_its_fields_is_none(header):
    with pytest.raises(Broken):
        taken(header, [b"", b"", b""])
    with pytest.raises(Broken):
        taken(answer()[0], [b""])


@pytest.mark.attack("F182")
@pytest.mark.parametrize(
    "header",
    [
        {"rejected": "stored_before", "facts": {}},
        {"rejected": ["tiff"], "facts": {}},
        {"rejected": "tiff"},
        {"rejected": "tiff", "facts": []},
        {"rejected": "tiff", "facts": {"name": 1}},
        {"rejected": "tiff", "facts": {"size": "<b>1</b>"}},
        {"rejected": "tiff", "facts": {"size": -1}},
        {"rejected": "tiff", "facts": {"size": 10**400}},
    ],
    ids=lambda header: str(header)[:60],
)
def test_a_refusal_says_only_what_refusals_say(header):
    with pytest.raises(Broken):
        rejection_in(header)


@pytest.mark.attack("F182")
@pytest.mark.parametrize(
    "header",
    [{}, {"pixels": 0, "held_pixels": 1}, {"pixels": 1, "held_pixels": -1}, {"pixels": 2.5}],
    ids=str,
)
def test_a_picture_costs_something(header):
    with pytest.raises(Broken):
        pixels_in(header)


@pytest.mark.attack("F182")
@pytest.mark.parametrize(
    "sent",
    [
        (HEADER_BYTES + 1).to_bytes(4),
        (2).to_bytes(4) + b"[]",
        (2).to_bytes(4) + b"{}",
        (7).to_bytes(4) + b"nothing",
        (4).to_bytes(4) + b"\xff\xff\xff\xff",
        (4096).to_bytes(4) + b"[" * 4096,
        (16).to_bytes(4) + b'{"lengths":[11]}' + bytes(11),
        (18).to_bytes(4) + b'{"lengths":[-1,2]}' + bytes(1),
        (18).to_bytes(4) + b'{"lengths":["10"]}' + bytes(10),
        (15).to_bytes(4) + b'{"lengths":[9]}' + bytes(8),
    ],
    ids=lambda sent: str(sent)[:60],
)
def test_what_is_no_message_ends_the_conversation(sent):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        theirs.close()
        with pytest.raises(Broken):
            Channel(ours).receive(10)
