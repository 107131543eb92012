"""A small file may be a large picture: turns are counted in pixels, and are fair between people."""

import io
import threading
import uuid
from contextlib import nullcontext

import pytest
from PIL import Image

from accounts.models import ThrottleWindow
from accounts.turns import Busy
from gallery import intake
from gallery.decoding.turns import DECODING, DecodingTurns
from gallery.models import SealedImage
from tests.conftest import jpeg
from tests.gallery.test_uploading import file, post

ALICE, BOB, CAROL = (uuid.UUID(int=number) for number in (1, 2, 3))


class Line:
    """People who ask for the decoder while somebody holds it; who had it, in their order."""

    def __init__(self, **limits) -> None:
        usual = {"at_once": 1, "most_held_pixels": 100, "each": 30, "wait_seconds": 60}
        self.turns = DecodingTurns(**usual | limits)
        self.order: list[uuid.UUID] = []
        self.threads: list[threading.Thread] = []

    def turn(self, person, pixels, held_pixels=1, *, upload=None):
        return self.turns.turn(person, pixels, held_pixels, upload=upload or object())

    def ask(self, person, pixels, held_pixels=1) -> None:
        def decode() -> None:
            with self.turn(person, pixels, held_pixels):
                self.order.append(person)

        waiting = len(self.turns._waiting)
        self.threads.append(threading.Thread(target=decode))
        self.threads[-1].start()
        while len(self.turns._waiting) == waiting:
            self.threads[-1].join(0.01)

    def finish(self) -> list[uuid.UUID]:
        for thread in self.threads:
            thread.join(60)
        return self.order


@pytest.mark.attack("F75")
def test_one_picture_of_another_waits_for_one_of_twenty_four():
    line = Line()
    with line.turn(ALICE, 64):
        for _ in range(23):
            line.ask(ALICE, 64)
        line.ask(BOB, 12)
    assert line.finish() == [BOB, *[ALICE] * 23]


@pytest.mark.attack("F75")
def test_turns_are_shared_by_pixels_and_not_by_pictures():
    line = Line()
    with line.turn(CAROL, 1):
        for _ in range(3):
            line.ask(ALICE, 40)
        for _ in range(6):
            line.ask(BOB, 10)
    order = line.finish()
    assert order.index(BOB) == 1  # alice asked first
    # While alice's first 40 are counted, bob's four of 10 are decoded; then hers is next.
    assert order == [ALICE, BOB, BOB, BOB, BOB, ALICE, BOB, BOB, ALICE]


def test_who_was_idle_has_saved_up_nothing():
    line = Line()
    for _ in range(50):
        with line.turn(ALICE, 64):
            pass
    with line.turn(CAROL, 1):
        for _ in range(9):
            line.ask(BOB, 64)
        line.ask(ALICE, 64)
    assert line.finish().index(ALICE) == 1
    assert len(line.turns._ends) <= 3


def test_nobody_holds_more_places_than_their_own():
    line = Line(each=2)
    with line.turn(ALICE, 1):
        line.ask(ALICE, 1)
        with pytest.raises(Busy), line.turn(ALICE, 1):
            pass
        line.ask(BOB, 1)
    assert sorted(line.finish()) == [ALICE, BOB]
    assert not line.turns._uploads
    assert not line.turns._waiting


def test_the_pictures_of_one_upload_take_one_place():
    line = Line(each=1, at_once=2)
    first = line.turn(ALICE, 1, upload="first"), line.turn(ALICE, 1, upload="first")
    with first[0], first[1], pytest.raises(Busy), line.turn(ALICE, 1, upload="second"):
        pass
    with line.turn(ALICE, 1, upload="second"):
        pass


@pytest.mark.attack("F183")
def test_as_many_are_decoded_as_there_are_cores_and_no_more():
    line = Line(at_once=2, wait_seconds=0.01)
    with line.turn(ALICE, 1), line.turn(ALICE, 1), pytest.raises(Busy), line.turn(BOB, 1):
        pass
    with line.turn(ALICE, 1), line.turn(BOB, 1):
        pass


@pytest.mark.attack("F183")
def test_pictures_side_by_side_hold_no_more_than_the_largest_alone():
    line = Line(at_once=4, most_held_pixels=100, wait_seconds=0.01)
    both = line.turn(ALICE, 1, 60), line.turn(BOB, 1, 40)
    with both[0], both[1], pytest.raises(Busy), line.turn(CAROL, 1, 1):
        pass
    with line.turn(ALICE, 1, 1000), pytest.raises(Busy), line.turn(BOB, 1, 1):
        pass


@pytest.mark.attack("F183")
def test_small_pictures_never_pass_a_large_one_that_waits_for_room():
    line = Line(at_once=2, most_held_pixels=100)
    with line.turn(ALICE, 5, 50):
        line.ask(BOB, 1, 100)
        line.ask(CAROL, 9, 1)
    assert line.finish() == [BOB, CAROL]


def test_a_wait_that_is_too_long_ends_and_leaves_the_line_whole():
    line = Line(wait_seconds=0.01)
    with line.turn(ALICE, 1), pytest.raises(Busy), line.turn(BOB, 1):
        pass
    with line.turn(BOB, 1):
        pass


def test_a_picture_that_fails_gives_its_turn_back():
    line = Line()
    for _ in range(3):
        with pytest.raises(KeyError), line.turn(ALICE, 1):
            raise KeyError


# ---- through an upload -----------------------------------------------------------------------


def small_file_of(side: int) -> bytes:
    data = io.BytesIO()
    Image.new("L", (side, side)).save(data, "WEBP", lossless=True)
    return data.getvalue()


@pytest.mark.attack("F75")
def test_what_a_picture_costs_is_asked_before_it_is_decoded():
    asked = []

    def turn(pixels: int, held_pixels: int):
        asked.append((pixels, held_pixels))
        return nullcontext()

    bomb = small_file_of(2000)
    assert len(bomb) < 1000
    limits = intake.Limits(max_bytes=1000, max_pixels=5_000_000, max_frames=1)
    intake.take_in(bomb, keep_details=False, limits=limits, turn=turn)
    assert asked == [(4_000_000, 4_000_000)]


@pytest.mark.attack("F75")
def test_an_hour_takes_so_many_pixels_of_a_person_and_of_each(alice, bob, settings):
    settings.UPLOAD_MEGAPIXELS_PER_HOUR = 9
    pictures = [file(small_file_of(2000), f"{number}.webp") for number in range(4)]
    answer = post(alice, pictures).json()
    assert len(answer["images"]) == 2
    assert [errors[0]["code"] for errors in answer["errors"].values()] == ["too_much_this_hour"] * 2
    said = answer["errors"]["2"][0]["message"]
    assert "2.webp was not uploaded" in said
    assert "minutes" in said
    assert SealedImage.objects.count() == 2
    assert post(alice, [file(jpeg())]).status_code == 422
    assert post(bob, [file(jpeg())]).status_code == 201


def test_what_was_not_decoded_for_want_of_a_turn_uses_no_hour_up(alice, monkeypatch):
    monkeypatch.setattr(DECODING, "_each", 0)
    alice.client.raise_request_exception = False
    answer = post(alice)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert ThrottleWindow.objects.get(scope="pixels").count == 0
