"""The demonstration fills an empty installation, and no other."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry
from gallery.models import Acknowledgement, Circle, Grant, Invitation, SealedImage
from imageshare.demo.clock import Clock
from imageshare.demo.story import CAST, SERIES, SINGLES

JSON = {"accept": "application/json"}


def demonstrate() -> dict[str, str]:
    """Fill, and return the passwords it printed, by user name."""
    printed = io.StringIO()
    call_command("demo", images=24, stdout=printed)
    table = printed.getvalue().partition("recovery code\n")[2]
    return {line.split()[0]: line.split()[1] for line in table.splitlines()}


@pytest.fixture
def passwords() -> dict[str, str]:
    return demonstrate()


def test_everybody_signs_in_with_what_was_printed_and_opens_what_was_shared(passwords):
    assert SealedImage.objects.count() == len(SINGLES) + len(SERIES) == 24
    by_themselves = [*SINGLES, *(series for series in SERIES if not series.in_album)]
    received = {name for one in by_themselves for name in one.to}
    for name in CAST:
        client = Client()
        answer = client.post(
            "/accounts/login/", {"username": name, "password": passwords[name]}, headers=JSON
        )
        assert answer.json()["unlocked"]
        shared = client.get("/images/", headers=JSON).json()["images"]
        assert bool(shared) == (name in received)
        assert {card["state"] for card in shared} <= {"verified"}
        for card in client.get("/images/mine/", headers=JSON).json()["images"]:
            page = client.get(f"/images/{card['id']}/").content.decode()
            assert "added people to this list" not in page
    assert User.objects.get(username="overseer").is_superuser
    assert Grant.objects.exclude(ended_at=None).count() == 1
    assert Acknowledgement.objects.count() > len(SERIES)
    assert AuditEntry.objects.filter(event="image:opened").count() > 20
    kinds = Circle.objects.values_list("kind", flat=True)
    assert sorted(kinds) == ["album"] * sum(series.in_album for series in SERIES) + ["team"]
    states = [str(invitation.state) for invitation in Invitation.objects.order_by("made_at")]
    assert states == [Invitation.State.TAKEN_BACK, Invitation.State.OPEN]


def test_three_weeks_are_told_in_order_and_every_word_of_it_verifies(passwords):
    entries = AuditEntry.objects.order_by("sequence")
    times = [entry.parsed().time for entry in entries]
    assert times == sorted(times)
    assert (timezone.now() - times[0]).days >= 20
    assert times[-1] <= timezone.now()
    days = {time.date() for time in SealedImage.objects.values_list("sealed_at", flat=True)}
    assert len(days) >= len(SERIES)
    for command in ("verify_audit", "verify_keys", "verify_images"):
        call_command(command, stdout=io.StringIO())


def test_the_clock_is_right_again_afterwards(passwords):
    assert abs(timezone.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_clock_set_back_goes_on_and_never_past_the_real_one():
    clock = Clock()
    with clock.running_from(clock.days_ago(3)):
        assert timezone.now() < clock.started - timedelta(days=2)
        clock.set_to(clock.days_ago(1))
        clock.set_to(clock.days_ago(2))
        assert timezone.now() >= clock.days_ago(1)
        clock.set_to(clock.started + timedelta(days=5))
        assert abs(timezone.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_it_never_mixes_with_people_who_are_there(alice):
    with pytest.raises(CommandError, match="Nothing was changed"):
        demonstrate()
    assert User.objects.count() == 1
    assert not SealedImage.objects.exists()
