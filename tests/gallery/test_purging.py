"""What is left behind is removed; what belongs to an image never is."""

import os
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

from audit.models import AuditEntry
from gallery import storage
from gallery.models import Rendition
from tests.gallery.test_uploading import stored_files

ORPHAN = "ab/" + 32 * "0"


@pytest.fixture
def no_grace(settings):
    settings.PURGE_GRACE = timedelta(seconds=-1)


def leave_behind(name: str) -> None:
    path = storages["sealed"].path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(b"left")


@pytest.mark.parametrize("name", [ORPHAN, f"ab/{storage.UNFINISHED}x", f"{storage.UNFINISHED}x"])
def test_what_no_row_names_is_removed_and_images_stay(shared_image, no_grace, name):
    leave_behind(name)
    call_command("purge")
    assert not storages["sealed"].exists(name)
    assert stored_files() == set(Rendition.objects.values_list("storage_name", flat=True))
    entry = AuditEntry.objects.get(event="storage:purged")
    assert entry.parsed().facts["orphans"] >= 1


def test_a_dry_run_removes_nothing(no_grace):
    leave_behind(ORPHAN)
    call_command("purge", dry_run=True)
    assert storages["sealed"].exists(ORPHAN)
    storage.discard([ORPHAN])


def test_what_is_younger_than_the_grace_period_may_be_an_upload_under_way():
    leave_behind(ORPHAN)
    call_command("purge")
    assert storages["sealed"].exists(ORPHAN)
    storage.discard([ORPHAN])


def test_what_vanishes_meanwhile_is_no_error(no_grace, monkeypatch):
    leave_behind(ORPHAN)
    listed = storages["sealed"].get_modified_time

    def vanishing(name):
        storage.discard([name])
        return listed(name)

    monkeypatch.setattr(storages["sealed"], "get_modified_time", vanishing)
    call_command("purge")


def test_missing_bytes_are_reported_by_image_and_exit_status(shared_image, capsys):
    storage.discard([Rendition.objects.get(image=shared_image, name="preview").storage_name])
    with pytest.raises(SystemExit):
        call_command("purge")
    assert f"image {shared_image.pk}: its preview is missing" in capsys.readouterr().err


def test_a_storage_that_is_away_loses_nothing(settings, tmp_path, shared_image):
    """An empty folder is what is left of a volume that is not mounted."""
    settings.STORAGES = {
        **settings.STORAGES,
        "sealed": {**settings.STORAGES["sealed"], "OPTIONS": {"location": tmp_path}},
    }
    with pytest.raises(CommandError, match="unavailable"):
        call_command("purge")
    with pytest.raises(storage.StorageAway):
        storage.read(ORPHAN, at_most=1)
    with pytest.raises(storage.StorageAway):
        storage.put(b"x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../server-keys.json", "/etc/passwd", "ab/" + 32 * "0" + "/../x", "", "ab/cd"]
)
def test_an_altered_row_names_no_file_of_somebody_elses(name):
    assert storage.read(name, at_most=100) is None
    assert not storage.exists(name)
    storage.discard([name, "../server-keys.json"])
    from tests.environment import DATA_DIR

    assert (DATA_DIR / "server-keys.json").exists()
