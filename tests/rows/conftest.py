import pytest

from tests.rows.world import World, made


@pytest.fixture
def world(make_person, upload, alice, bob, carol, mallory, staff) -> World:
    return made(make_person, [alice, bob, carol, mallory], staff, upload)
