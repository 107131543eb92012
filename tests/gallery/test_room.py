"""Room in memory for large pictures: each person has a share, and it comes back."""

import uuid
from types import SimpleNamespace

import pytest

from accounts.turns import Busy, Turns
from audit.context import RequestContext, current_request
from gallery import room as rooms
from gallery.errors import NoRoom, NoStream
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


# ---- threads that wait -----------------------------------------------------------------------


@pytest.fixture
def ask(monkeypatch):
    """Ask for a ZIP in somebody's name; what comes back is their connection."""
    monkeypatch.setattr(rooms, "ROOM", Room(most=10**9, each=rooms.MOST_UNSENT_BYTES))
    streams = Turns(at_once=2, waiting=0, wait_seconds=0, each=1)
    monkeypatch.setattr(rooms, "STREAMS", streams)

    def take(person: uuid.UUID) -> SimpleNamespace:
        client = SimpleNamespace(most_unsent=None, when_answered=None)
        request = SimpleNamespace(user=SimpleNamespace(pk=person), META={"gunicorn.socket": client})
        token = current_request.set(RequestContext("1", "192.0.2.0/24", "", str(person)))
        try:
            rooms.take_stream(request)
        finally:
            current_request.reset(token)
        return client

    return take


@pytest.mark.attack("F96")
def test_a_zip_at_a_time_for_one_person_and_few_for_all(ask):
    theirs = ask(MALLORY)
    with pytest.raises(NoStream):
        ask(MALLORY)
    alices = ask(ALICE)
    with pytest.raises(NoStream):
        ask(BOB)
    assert alices.when_answered
    theirs.when_answered()
    assert ask(BOB).most_unsent == rooms.MOST_UNSENT_BYTES


@pytest.mark.attack("F96")
def test_a_zip_takes_room_for_what_is_on_its_way_and_gives_it_back(ask):
    theirs = ask(MALLORY)
    with pytest.raises(NoRoom):
        rooms.ROOM.take(MALLORY, 1)
    theirs.when_answered()
    rooms.ROOM.take(MALLORY, 1)()


@pytest.mark.attack("F96")
def test_slow_uploads_and_slow_zips_together_leave_a_quarter_of_the_threads(ask, monkeypatch):
    uploads = Turns(at_once=1, waiting=0, wait_seconds=0)
    monkeypatch.setattr(rooms, "CLIENT_TURNS", uploads)
    with uploads.turn(), pytest.raises(NoStream):
        ask(ALICE)
    alices = ask(ALICE)
    with pytest.raises(Busy), uploads.turn():
        pass
    alices.when_answered()
    assert uploads.is_free()


def test_without_room_no_turn_is_kept(ask):
    give_back = rooms.ROOM.take(ALICE, 1)
    with pytest.raises(NoRoom):
        ask(ALICE)
    give_back()
    ask(ALICE)


def test_another_server_than_ours_waits_by_itself():
    rooms.take_stream(SimpleNamespace(user=SimpleNamespace(pk=ALICE), META={}))
