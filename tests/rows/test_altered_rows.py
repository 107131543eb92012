"""Whatever is in a row of the main database: that one thing is lost, and everything else goes on.

Every column of every table is altered once, in one of many ways, and people look; they act in
test_acts_on_altered_rows.py. `FLIP_ALL=1` tries every row and every way that most likely breaks
something, and looks at every page: hours.
"""

import pytest
from django.db import connection

from accounts.models import Custody, WrappedKey
from gallery.models import Grant
from tests.postgres import only_sqlite
from tests.rows.flips import ALL, Flip, Snapshot, columns_of, key_as_stored, tables
from tests.rows.walks import Walker
from tests.rows.world import JSON

OF_BOB = [
    (WrappedKey, {"grant__reader__username": "bob"}, "key_pair_id", "UUID of nothing"),
    (WrappedKey, {"grant__reader__username": "bob"}, "lock", "zero"),
    (Grant, {"reader__username": "bob"}, "salt", "empty"),
    (Grant, {"reader__username": "bob"}, "ends_at", "no day"),
    (Grant, {"reader__username": "bob"}, "ended_at", "text"),
]


@pytest.mark.attack("F31")
def test_one_image_is_altered_at_its_address_and_in_the_list(world):
    image, bob, snapshot = world.images["first"], world.clients["bob"], Snapshot()
    for model, of, column, what in OF_BOB:
        about = {"subject": image.pk} if model is WrappedKey else {"image": image}
        flip = Flip(model, key_as_stored(model.objects.get(**about, **of)), column, what)
        if not flip.make():
            assert connection.vendor != "sqlite"
            continue
        for name in ("", "original", "preview", "thumbnail"):
            answer = bob.get(world.place("first", name), headers=JSON)
            assert (answer.status_code, answer.json()["code"]) == (409, "altered"), flip
        cards = bob.get("/images/", headers=JSON).json()["images"]
        states = {card["id"]: card["state"] for card in cards}
        assert states.pop(str(image.pk), "altered") == "altered"
        assert set(states.values()) == {"verified"}
        assert world.clients["alice"].get("/images/upload/").status_code == 200
        assert world.clients["carol"].get(world.place("first")).status_code == 200
        snapshot.restore()


@only_sqlite
@pytest.mark.attack("F31")
def test_a_time_that_is_none_in_a_custody_row_locks_that_browser_and_no_other(world):
    row = Custody.objects.get(user=world.people["bob"].user)
    assert Flip(Custody, key_as_stored(row), "idle_ends_at", "text").make()
    answer = world.clients["bob"].get(world.place("first"), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (401, "locked")
    assert world.clients["bob"].get("/images/").status_code == 200
    assert world.clients["carol"].get(world.place("first")).status_code == 200


@pytest.mark.attack("F31")
def test_an_altered_row_costs_what_it_is_part_of_and_nothing_beside(world):
    walker = Walker(world, looks_everywhere=ALL)
    for model in tables():
        for flips in columns_of(model, world.altered_keys(model)):
            next((flip for flip in flips if walker.walk(flip)), None)
    assert walker.tried > 80
    assert walker.wrong == []
