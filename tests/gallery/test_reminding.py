"""Before access ends its reader and its owner are reminded, once, of an end that was signed."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from gallery.models import Grant, Notice
from gallery.services import reminding
from tests.gallery.test_notices import shown
from tests.gallery.test_revoking import post_revoke
from tests.gallery.test_sharing import share

KINDS = {"ends-soon", "readers-end-soon"}


def in_days(days: float) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


def reminders(person) -> list[str]:
    """What is genuine of a person's notices, and a reminder."""
    return [one["kind"] for one in shown(person) if one["kind"] in KINDS]


def reminders_stored() -> int:
    bodies = [bytes(notice.body) for notice in Notice.objects.all()]
    return sum(any(kind.encode() in body for kind in KINDS) for body in bodies)


@pytest.fixture
def image(upload, bob):
    return upload(to=(bob,), ends_at=in_days(10))


def test_both_are_reminded_once_by_purge(image, alice, bob, days_later):
    days_later(6)
    call_command("purge")
    assert reminders_stored() == 0
    days_later(8)
    call_command("purge", dry_run=True)
    assert reminders_stored() == 0
    for _ in range(3):
        call_command("purge")
    assert reminders(bob) == ["ends-soon"]
    assert reminders(alice) == ["readers-end-soon"]
    assert {one["state"] for one in shown(bob) + shown(alice)} == {"genuine"}
    assert "Your access to an image of Alice Ardent (@alice) ends on" in shown(bob)[0]["sentence"]


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_without_cron_the_next_page_of_either_reminds_both(image, alice, bob, days_later, who):
    days_later(8)
    person = {"alice": alice, "bob": bob}[who]
    person.sign_in().get("/images/")
    assert reminders_stored() == 2
    for one in (alice, bob):
        one.sign_in().get("/images/")
    assert reminders_stored() == 2


def test_a_page_of_somebody_else_or_of_somebody_locked_reminds_nobody(
    image, alice, bob, carol, days_later
):
    bob.sign_in().post("/accounts/lock/")
    carol.sign_in()
    days_later(8)
    carol.client.get("/images/")
    bob.client.get("/images/")
    assert reminders_stored() == 0


def test_an_end_that_was_moved_is_another_one(image, alice, bob, days_later):
    days_later(8)
    call_command("purge")
    share(alice, image, bob, ends_at=in_days(10))
    call_command("purge")
    assert reminders_stored() == 2
    days_later(16)
    call_command("purge")
    assert reminders(bob) == ["ends-soon"] * 2


def test_nobody_is_reminded_of_what_was_given_for_less_or_has_ended(
    upload, alice, bob, carol, days_later
):
    upload(to=(bob,), ends_at=in_days(2))
    revoked, deleted = (upload(to=(bob, carol), ends_at=in_days(10)) for _ in range(2))
    for person in ("bob", "carol"):
        post_revoke(alice, revoked, recipient=person)
    alice.client.post(f"/images/{deleted.pk}/delete/")
    days_later(1)
    call_command("purge")
    days_later(8)
    call_command("purge")
    assert reminders_stored() == 0


def test_nobody_is_reminded_where_the_installation_does_not_want_it(image, days_later, settings):
    settings.REMIND_DAYS_BEFORE_END = 0
    days_later(8)
    call_command("purge")
    assert reminders_stored() == 0


@pytest.mark.attack("F114")
def test_nobody_is_reminded_of_an_end_that_the_owner_did_not_sign(upload, alice, bob, days_later):
    upload(to=(bob,), ends_at=in_days(100))
    Grant.objects.filter(reader=bob.user).update(ends_at=timezone.now() + timedelta(days=10))
    days_later(8)
    call_command("purge")
    bob.sign_in().get("/images/")
    assert reminders_stored() == 0


@pytest.mark.attack("F114")
def test_two_that_come_at_once_remind_once(image, bob, days_later):
    days_later(8)
    rows = reminding.due_reminders().select_related("image__owner", "reader")
    first, second = list(rows), list(rows)
    reminding._send(first)
    reminding._send(second)
    assert reminders_stored() == 2


def test_an_owner_is_reminded_once_of_an_image_and_many_images_are_one_line(
    upload, alice, bob, carol, days_later
):
    for _ in range(2):
        upload(to=(bob, carol), ends_at=in_days(10))
    days_later(8)
    call_command("purge")
    assert reminders(alice) == ["readers-end-soon"] * 2
    page = alice.client.get("/activity/").content.decode()
    assert "Access that you gave to 2 images ends soon." in page
    page = carol.sign_in().get("/activity/").content.decode()
    assert "Your access to 2 images of Alice Ardent (@alice) ends soon." in page
