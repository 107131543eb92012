"""What the organisation says about how long access lasts: a default, and a maximum."""

from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.utils import timezone

from gallery.models import Grant
from tests.gallery.test_sharing import share
from tests.gallery.test_uploading import post


def in_days(days: float) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


def codes(answer) -> list[str]:
    return [error["code"] for error in answer.json()["errors"]["ends_at"]]


@pytest.fixture
def at_most_thirty(settings):
    settings.MAX_ACCESS_DAYS = 30


@pytest.mark.usefixtures("at_most_thirty")
@pytest.mark.parametrize("days", [None, 31, 36_000])
def test_longer_than_the_maximum_is_refused_and_nothing_is_stored(alice, bob, days):
    answer = post(alice, recipients=["bob"], ends_at=in_days(days) if days else "")
    assert (answer.status_code, codes(answer)) == (422, ["too_long"])
    assert not Grant.objects.exists()


@pytest.mark.usefixtures("at_most_thirty")
def test_a_page_filled_in_with_the_latest_end_is_accepted_a_while_later(alice, bob):
    assert post(alice, recipients=["bob"], ends_at=in_days(30.01)).status_code == 201
    assert post(alice, recipients=["bob"], ends_at=in_days(1)).status_code == 201


@pytest.mark.usefixtures("at_most_thirty")
def test_a_draft_needs_no_end_and_its_sharing_does(alice, bob, upload):
    image = upload()
    assert codes(share(alice, image, bob)) == ["too_long"]
    assert share(alice, image, bob, ends_at=in_days(29)).status_code == 200


def test_the_owner_keeps_an_image_without_end(alice, bob, settings, upload):
    settings.MAX_ACCESS_DAYS = 1
    image = upload(to=(bob,), ends_at=in_days(0.5))
    assert Grant.objects.get(image=image, reader=alice.user).ends_at is None


@pytest.mark.parametrize(
    ("default", "most", "days"), [(0, 0, None), (7, 0, 7), (7, 30, 7), (0, 30, 30)]
)
def test_the_page_begins_with_the_default(alice, settings, default, most, days):
    settings.DEFAULT_ACCESS_DAYS, settings.MAX_ACCESS_DAYS = default, most
    page = alice.sign_in().get("/images/upload/")
    shown = page.context["form"]["ends_at"].value()
    if days is None:
        assert shown is None
    else:
        expected = timezone.localtime(timezone.now() + timedelta(days=days)).replace(tzinfo=None)
        assert abs(shown - expected) < timedelta(minutes=5)
        assert f'value="{shown:%Y-%m-%dT%H:%M}"' in page.content.decode()
    assert (f"At most {most} days from now." in page.content.decode()) == bool(most)


@pytest.mark.parametrize(("default", "most"), [(-1, 0), (0, -1), (31, 30)])
def test_days_that_do_not_fit_together_stop_the_start(settings, default, most):
    settings.DEFAULT_ACCESS_DAYS, settings.MAX_ACCESS_DAYS = default, most
    assert "gallery.E002" in [found.id for found in run_checks()]


@pytest.mark.parametrize(("default", "most"), [(0, 0), (7, 0), (7, 30), (30, 30), (0, 30)])
def test_days_that_fit_are_not_complained_about(settings, default, most):
    settings.DEFAULT_ACCESS_DAYS, settings.MAX_ACCESS_DAYS = default, most
    assert "gallery.E002" not in [found.id for found in run_checks()]
