"""Squashed migrations make what those they replace made, which go on where they had come to."""

import subprocess
import sys
from pathlib import Path

from django.db.migrations.loader import MigrationLoader

from tests.e2e.schemas import schema_of
from tests.e2e.server import ROOT, environment_of, free_port, running


def come_halfway(data_dir: Path) -> None:
    """Leave an installation there as it was before there were squashed migrations."""
    subprocess.run(
        [sys.executable, "-m", "tests.e2e.halfway"],
        cwd=ROOT,
        env={
            **environment_of(data_dir, free_port()),
            "DJANGO_SETTINGS_MODULE": "imageshare.settings",
        },
        check=True,
    )


def test_a_new_installation_runs_none_of_the_replaced_ones():
    loader = MigrationLoader(None)
    replaced = {name for squashed in loader.replacements.values() for name in squashed.replaces}
    assert replaced
    assert replaced.isdisjoint(loader.graph.nodes)


def test_one_that_came_halfway_has_the_schema_of_a_new_one_after_its_next_start(tmp_path: Path):
    new, older = tmp_path / "new", tmp_path / "older"
    come_halfway(older)
    halfway = schema_of(older)
    with running(new), running(older):
        assert halfway != schema_of(new)
        assert schema_of(older) == schema_of(new)
