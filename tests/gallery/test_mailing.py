"""Mails about notices: one for many, nothing in them, and none twice."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry
from gallery.models import Notice, NoticeChoice, SealedImage
from gallery.services.mailing import choose, send_mails
from tests.concurrency import at_once
from tests.gallery.test_sharing import share
from tests.gallery.test_uploading import post

JSON = {"accept": "application/json"}


@pytest.fixture(autouse=True)
def _mailbox(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def news(alice, bob):
    """Bob, who has an address, was given three images eleven minutes ago."""
    User.objects.filter(pk=bob.user.pk).update(email="bob@example.org")
    for number in range(3):
        post(alice, recipients=["bob"], caption=f"Secret caption {number}")
    wait(minutes=11)


def wait(**time) -> None:
    """Let all notices be so much older."""
    for notice in Notice.objects.all():
        Notice.objects.filter(pk=notice.pk).update(created_at=notice.created_at - timedelta(**time))


def texts() -> list[str]:
    return [message.subject + "\n" + message.body for message in mail.outbox]


def test_one_mail_tells_of_many_and_is_sent_once(news, alice, bob):
    assert vars(send_mails()) == {"sent": 1, "failed": 0}
    assert vars(send_mails()) == {"sent": 0, "failed": 0}
    (message,) = mail.outbox
    assert message.to == ["bob@example.org"]
    assert message.subject == "3 new notices are waiting"
    entry = AuditEntry.objects.get(event="notices:mailed").parsed()
    assert (entry.facts, entry.subject) == ({"sent": 1, "failed": 0}, None)


@pytest.mark.attack("F133")
@pytest.mark.parametrize("names", [False, True])
def test_a_mail_holds_nothing_of_an_image_and_names_only_if_the_operator_says_so(
    news, settings, names
):
    settings.MAIL_NAMES = names
    send_mails()
    (text,) = texts()
    assert ("Alice Ardent" in text) is names
    for secret in ("caption", "holiday", "/images/", ".jpg"):
        assert secret not in text.lower()
    assert f"{settings.SITE_URL}/activity/" in text


def test_what_was_read_is_not_mailed(news, bob):
    bob.sign_in().get("/activity/")
    assert send_mails().sent == 0


def test_who_chose_never_has_no_address_or_is_disabled_gets_none(news, bob):
    choose(person=bob.user, how="off", first_openings=False)
    assert send_mails().sent == 0
    NoticeChoice.objects.all().delete()
    for changes in ({"email": ""}, {"email": "bob@example.org", "is_active": False}):
        User.objects.filter(pk=bob.user.pk).update(**changes)
        assert send_mails().sent == 0
    assert mail.outbox == []


@pytest.mark.parametrize(("how", "minutes", "hours"), [("soon", 9, 0), ("daily", 0, 23)])
def test_a_mail_waits_for_more_and_takes_what_came_meanwhile(alice, bob, how, minutes, hours):
    User.objects.filter(pk=bob.user.pk).update(email="bob@example.org")
    choose(person=bob.user, how=how, first_openings=False)
    post(alice, recipients=["bob"])
    wait(minutes=minutes, hours=hours)
    assert send_mails().sent == 0
    post(alice, recipients=["bob"])
    wait(minutes=2 if how == "soon" else 61)
    assert send_mails().sent == 1
    assert mail.outbox[0].subject == "2 new notices are waiting"


def test_an_old_notice_is_no_news(news, bob):
    wait(days=7)
    assert send_mails().sent == 0


@pytest.mark.attack("F133")
def test_nobody_makes_us_mail_by_rows_of_their_own(news, bob):
    Notice.objects.update(tag=bytes(32))
    assert vars(send_mails()) == {"sent": 0, "failed": 0}
    assert mail.outbox == []


def test_a_mail_that_no_server_took_is_tried_again_later(news, bob, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(SystemExit):
        call_command("send_mails")
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send_mails().sent == 0  # not at once
    NoticeChoice.objects.update(lease_ends_at=timezone.now())
    assert send_mails().sent == 1


def test_several_at_a_time_send_one_mail(news):
    sent = at_once(lambda _: send_mails().sent, range(4))
    assert sum(sent) == len(mail.outbox) == 1


def test_without_a_mail_server_the_command_says_so(news, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    with pytest.raises(CommandError, match="EMAIL_URL"):
        call_command("send_mails")


# ---- the choice ------------------------------------------------------------------------------


def test_a_person_chooses_on_a_page(news, alice, bob, client):
    assert client.post("/activity/mails/", {"how": "off"}, headers=JSON).status_code == 401
    browser = bob.sign_in()
    chosen = {"how": "soon", "first_openings": False}
    assert browser.get("/activity/mails/", headers=JSON).json() == chosen
    assert browser.post("/activity/mails/", {"how": "hourly"}, headers=JSON).status_code == 422
    answer = browser.post("/activity/mails/", {"how": "daily"}, headers=JSON)
    assert answer.json() == {**chosen, "how": "daily"}
    assert 'value="daily" checked' in browser.get("/activity/mails/").content.decode()
    assert send_mails().sent == 0  # what was there before the choice is not mailed
    share(alice, post_image(alice), bob)
    wait(days=1)
    assert send_mails().sent == 1


def post_image(person) -> SealedImage:
    post(person)
    return SealedImage.objects.latest("sealed_at")
