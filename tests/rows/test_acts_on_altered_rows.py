"""Whatever is in a row of the main database: each act is done, or refused in a sentence."""

import pytest

from accounts.models import KeyPair
from gallery.models import InvitedGrant
from tests import worlds
from tests.postgres import only_sqlite
from tests.rows import acts
from tests.rows.acts import Actor
from tests.rows.flips import ALL, Flip, columns_of, key_as_stored


@pytest.mark.attack("F32")
def test_no_act_fails_on_an_altered_row(world, emptied_storage):
    actor = Actor(world, looks_everywhere=ALL)
    for model in Actor.TABLES:
        for flips in columns_of(model, world.altered_keys(model)):
            next((flip for flip in flips if actor.walk(flip)), None)
    assert actor.tried > 50
    assert actor.wrong == []


@only_sqlite
@pytest.mark.attack("F32")
def test_acts_that_met_an_altered_row_once_are_refused_in_a_sentence(world):
    """Each of these answered 500, or 503 for good, where others of its kind did not."""
    alice, before = world.people["alice"].user, worlds.World.now()
    carried = InvitedGrant.objects.filter(image=world.images["first"]).last()
    signing = KeyPair.objects.get(user=alice, purpose="signing")
    for row, column, what, act, status in (
        (world.images["first"], "deleted_at", "text", acts.delete, 409),
        (world.images["first"], "deleted_at", "long past", acts.share, 409),
        (signing, "state", "empty", acts.revoke, 409),
        (signing, "state", "bytes", acts.share, 409),
        (world.people["bob"].user, "id", "text", acts.sign_in, 422),
        (carried, "circle_id", "text", acts.revoke, 409),
        (carried, "circle_id", "text", acts.follow, 201),
        (carried, "image_id", "bytes", acts.follow, 201),
    ):
        assert Flip(type(row), key_as_stored(row), column, what).make()
        assert act(world).status_code == status, (column, what)
        before.put_back()
