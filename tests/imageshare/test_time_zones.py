"""Times are where the browser is, and nowhere else."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone

from gallery.models import Grant
from tests.gallery.test_uploading import post

ROOT = Path(__file__).parents[2]
APPS = ("accounts", "audit", "gallery", "imageshare")
NEXT_YEAR = timezone.now().year + 1


def in_zone(person, name: str):
    client = person.unlocked()
    client.cookies["time_zone"] = name
    return client


def test_an_end_is_typed_and_shown_where_the_browser_is(alice, bob):
    in_zone(alice, "Asia/Kolkata")
    typed = {"ends": "date", "ends_at": f"{NEXT_YEAR}-07-01T14:00"}
    image_id = post(alice, recipients=["bob"], **typed).json()["images"][0]["id"]
    ends_at = Grant.objects.get(reader=bob.user).ends_at
    assert ends_at == datetime(NEXT_YEAR, 7, 1, 8, 30, tzinfo=UTC)
    assert "14:00" in alice.client.get(f"/images/{image_id}/").content.decode()
    in_zone(bob, "America/St_Johns")
    page = bob.client.get(f"/images/{image_id}/").content.decode()
    assert "06:00" in page
    assert "14:00" not in page


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "../../etc/passwd", "/etc/localtime", "localtime", "x" * 3000, "\xe9"]
)
def test_a_zone_that_is_none_is_the_sites(alice, name):
    page = in_zone(alice, name).get("/images/upload/")
    assert page.status_code == 200
    assert "Times are in UTC" in page.content.decode()


def test_the_zone_of_one_request_is_not_that_of_the_next(alice, client):
    in_zone(alice, "Asia/Kolkata").get("/images/upload/")
    assert timezone.get_current_timezone_name() == "UTC"


def test_every_time_is_written_where_its_reader_is():
    """`date_format` writes an aware time in UTC, whatever the reader's zone."""
    users = {
        str(path.relative_to(ROOT))
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"\bdate_format\b", path.read_text())
    }
    assert users == {"gallery/day_words.py", "audit/admin.py", "audit/panels.py"}
