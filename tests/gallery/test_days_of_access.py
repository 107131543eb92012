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
    ("default", "most", "begins", "offered"),
    [
        (0, 0, "none", ["none", "7", "30", "90", "date"]),
        (14, 0, "14", ["none", "7", "14", "30", "90", "date"]),
        (7, 30, "7", ["7", "30", "date"]),
        (0, 31, "31", ["7", "30", "31", "date"]),
        (0, 1, "1", ["1", "date"]),
    ],
)
def test_the_page_begins_with_the_default_and_offers_nothing_longer_than_the_maximum(
    alice, settings, default, most, begins, offered
):
    settings.DEFAULT_ACCESS_DAYS, settings.MAX_ACCESS_DAYS = default, most
    page = alice.sign_in().get("/images/upload/")
    choices = page.context["form"]["ends"]
    assert [value for value, _label in choices.field.choices] == offered
    assert f'<option value="{begins}" selected>' in page.content.decode()
    assert ("from now." in page.content.decode()) == bool(most)


@pytest.mark.parametrize("days", [7, 30, 90])
def test_a_number_of_days_counts_from_now_whatever_date_is_left_in_the_form(alice, bob, days):
    assert post(alice, recipients=["bob"], ends=days, ends_at=in_days(1)).status_code == 201
    ends_at = Grant.objects.get(reader=bob.user).ends_at
    assert timedelta(0) <= timezone.now() + timedelta(days=days) - ends_at < timedelta(minutes=5)


def test_never_is_never_whatever_date_is_left_in_the_form(alice, bob):
    assert post(alice, recipients=["bob"], ends="none", ends_at=in_days(1)).status_code == 201
    assert Grant.objects.get(reader=bob.user).ends_at is None


@pytest.mark.parametrize("ends", ["8", "-7", "0", "never", "7 ", "99999999999999999999"])
def test_an_end_that_is_not_offered_is_refused(alice, bob, ends):
    answer = post(alice, recipients=["bob"], ends=ends)
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]["ends"]] == ["invalid_choice"]
    assert not Grant.objects.exists()


def test_on_a_date_needs_one(alice, bob):
    answer = post(alice, recipients=["bob"], ends="date")
    assert (answer.status_code, codes(answer)) == (422, ["no_date"])


@pytest.mark.usefixtures("at_most_thirty")
@pytest.mark.parametrize("ends", ["none", "90"])
def test_a_choice_beyond_the_maximum_is_refused(alice, bob, ends):
    assert post(alice, recipients=["bob"], ends=ends).status_code == 422
    assert not Grant.objects.exists()


def test_the_check_sends_on_the_end_it_showed(alice, bob, shared_image):
    address = f"/images/{shared_image.pk}/share/"
    asked = {"recipients": ["bob"], "rights": "view", "ends": "7", "confirmed": "0"}
    page = alice.sign_in().post(address, asked)
    sent = dict(page.context["fields"])
    assert (sent["ends"], len(sent["ends_at"])) == ("date", len("2026-12-08T09:00:00"))
    assert alice.client.post(address, {**sent, "confirmed": "1"}).status_code == 302
    ends_at = Grant.objects.get(reader=bob.user, ended_at=None).ends_at
    assert f"{timezone.localtime(ends_at):%Y-%m-%dT%H:%M:%S}" == sent["ends_at"]


@pytest.mark.parametrize(("default", "most"), [(-1, 0), (0, -1), (31, 30)])
def test_days_that_do_not_fit_together_stop_the_start(settings, default, most):
    settings.DEFAULT_ACCESS_DAYS, settings.MAX_ACCESS_DAYS = default, most
    assert "gallery.E002" in [found.id for found in run_checks()]


@pytest.mark.parametrize(("default", "most"), [(0, 0), (7, 0), (7, 30), (30, 30), (0, 30)])
def test_days_that_fit_are_not_complained_about(settings, default, most):
    settings.DEFAULT_ACCESS_DAYS, settings.MAX_ACCESS_DAYS = default, most
    assert "gallery.E002" not in [found.id for found in run_checks()]
