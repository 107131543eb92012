"""Keys that were handed over before successors of one album could be named stay handed over."""

import uuid

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

BEFORE = [("gallery", "0016_successors_of_circles")]
NOW = [("gallery", "0017_successors_of_one_album")]


def migrate(to):
    executor = MigrationExecutor(connection)
    executor.migrate(to)
    loader = MigrationExecutor(connection).loader
    people = [node for node in loader.graph.leaf_nodes() if node[0] == "accounts"]
    return loader.project_state([*people, *to]).apps


@pytest.fixture
def newest_again(transactional_db):
    """Whatever comes after this needs the tables of now, not of then."""
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.mark.usefixtures("newest_again")
@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
def test_each_key_that_was_handed_over_is_there_after_the_migration():
    apps = migrate(BEFORE)
    owner = apps.get_model("accounts", "User").objects.create(username="alice", password="")
    made = {"owner": owner, "details": b"", "made_at": timezone.now()}
    circles = apps.get_model("gallery", "Circle").objects
    team, *albums = (
        circles.create(id=uuid.uuid4(), kind=kind, **made)
        for kind in ("successors", "album", "album")
    )
    keys = apps.get_model("gallery", "SuccessorCircleKey").objects
    for number, album in enumerate(albums, start=1):
        keys.create(circle=album, team=team, epoch=number, team_epoch=7, wrapped=b"w" * number)
    kept = migrate(NOW).get_model("gallery", "SuccessorCircleKey").objects.all()
    rows = {(row.circle_id, row.team_id, row.epoch, row.team_epoch, row.wrapped) for row in kept}
    assert rows == {
        (album.pk, team.pk, number, 7, b"w" * number)
        for number, album in enumerate(albums, start=1)
    }
