"""Room in memory for large pictures: each person has a share, and it comes back."""

import uuid

import pytest

from gallery.errors import NoRoom
from gallery.room import Room

ALICE, BOB, MALLORY = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


@pytest.fixture
def room() -> Room:
    return Room(most=40, each=10)


@pytest.mark.attack("F77")
def test_one_person_has_a_share_and_others_have_theirs(room):
    room.take(MALLORY, 6)
    room.take(MALLORY, 4)
    with pytest.raises(NoRoom):
        room.take(MALLORY, 1)
    room.take(ALICE, 10)


@pytest.mark.attack("F77")
def test_all_people_together_have_no_more_than_there_is(room):
    for _ in range(4):
        room.take(uuid.uuid4(), 10)
    with pytest.raises(NoRoom):
        room.take(ALICE, 1)


def test_what_is_given_back_can_be_taken_again(room):
    give_back = room.take(ALICE, 10)
    give_back()
    room.take(ALICE, 10)


def test_a_picture_larger_than_a_share_is_had_alone(room):
    room.take(ALICE, 11)
    with pytest.raises(NoRoom):
        room.take(ALICE, 1)
