"""What a test changed is put back, however it did so (tests/worlds.py, tests/tables.py)."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connections
from django.db.models import F

from accounts.models import Invite, User
from gallery.models import Grant
from tests.conftest import jpeg
from tests.triggers import drop_triggers
from tests.worlds import TRAIL, World

HARD_TO_WRITE = "'\"\\ %s %% {},() \n\t NULL \\N $1 é 🌊"


def everything() -> dict[str, list[Any]]:
    return {
        model._meta.db_table: sorted(map(repr, model.objects.values_list()))
        for model in apps.get_models()
    }


def in_another_thread(act: Callable[[], Any]) -> None:
    def run() -> None:
        act()
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def add_a_row() -> None:
    Invite.objects.create(token_digest="a", ends_at="2027-01-01T00:00Z")


def add_a_row_and_take_it_away() -> None:
    add_a_row()
    Invite.objects.all().delete()


def change_a_row() -> None:
    User.objects.filter(username="alice").update(display_name="Another")


def change_nothing_in_every_row() -> None:
    User.objects.update(display_name=F("display_name"))


def take_rows_away() -> None:
    Grant.objects.all().delete()


def swap_two_values() -> None:
    """As many rows as before, with the same values among them."""
    first, second = User.objects.order_by("username")[:2]
    User.objects.filter(pk=first.pk).update(display_name=second.display_name)
    User.objects.filter(pk=second.pk).update(display_name=first.display_name)


@pytest.mark.parametrize(
    "change",
    [
        add_a_row,
        add_a_row_and_take_it_away,
        change_a_row,
        change_nothing_in_every_row,
        take_rows_away,
        swap_two_values,
    ],
)
@pytest.mark.parametrize("who", ["this connection", "another thread's"])
def test_rows_are_put_back(shared_image, change, who):
    world, before = World.now(), everything()
    change() if who == "this connection" else in_another_thread(change)
    world.put_back()
    assert everything() == before


def test_a_world_is_put_back_after_another(alice, upload):
    empty_of_images, before = World.now(), everything()
    upload(data=jpeg("red"))
    with_image, after = World.now(), everything()
    assert before != after
    for world, rows in [(empty_of_images, before), (with_image, after)] * 2:
        world.put_back()
        assert everything() == rows
    add_a_row()
    empty_of_images.put_back()
    assert everything() == before


def test_values_that_are_hard_to_write_are_put_back_as_they_were(alice, bob):
    User.objects.filter(username="alice").update(display_name=HARD_TO_WRITE)
    User.objects.filter(username="bob").update(display_name="", last_login=None)
    world, before = World.now(), everything()
    User.objects.all().update(display_name="x", last_login="2026-01-01T00:00Z")
    world.put_back()
    assert everything() == before
    assert User.objects.get(username="alice").display_name == HARD_TO_WRITE
    assert User.objects.get(username="bob").last_login is None


def test_the_trail_is_put_back_and_its_triggers(alice):
    world, before, kept = World.now(), everything(), TRAIL.read_bytes()
    drop_triggers()
    rewrite_the_trail()
    TRAIL.write_bytes(b"")
    assert everything() != before
    world.put_back()
    assert everything() == before
    assert TRAIL.read_bytes() == kept
    with pytest.raises(IntegrityError):
        rewrite_the_trail()


def rewrite_the_trail() -> None:
    with connections["audit"].cursor() as cursor:
        cursor.execute("UPDATE audit_auditentry SET event = 'x'")
