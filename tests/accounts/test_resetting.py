"""A password by mail signs in and opens nothing; nobody learns from it who has an account."""

import logging
import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import KeySlot, User
from accounts.services.ways_back.resetting import LinkGone, set_password_by_mail
from imageshare.logs import HideTokens
from tests.conftest import PASSWORD
from tests.trail import outcomes_of

JSON = {"accept": "application/json"}
RESET = "/accounts/reset/"
NEW = {"new_password1": "an entirely new one 42", "new_password2": "an entirely new one 42"}


@pytest.fixture(autouse=True)
def mailbox(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def mailed(alice):
    User.objects.filter(pk=alice.user.pk).update(email="alice@example.org")
    return alice


def ask(username="alice"):
    return Client().post(RESET, {"username": username}, headers=JSON)


def link() -> str:
    return re.search(r"/accounts/reset/\S+", mail.outbox[0].body).group(0)


def test_the_link_sets_a_password_that_signs_in_and_opens_nothing(mailed, shared_image):
    slots = list(KeySlot.objects.order_by("pk").values())
    ask()
    assert Client().post(link(), NEW, headers=JSON).json() == {"changed": True}
    client = Client()
    signed_in = client.post(
        "/accounts/login/",
        {"username": "alice", "password": NEW["new_password1"]},
        headers=JSON,
    )
    assert signed_in.json()["unlocked"] is False
    assert client.get(f"/images/{shared_image.pk}/original").status_code == 401
    assert list(KeySlot.objects.order_by("pk").values()) == slots


def test_it_ends_every_session(mailed):
    client = mailed.sign_in()
    ask()
    Client().post(link(), NEW)
    assert client.get("/images/", headers=JSON).status_code == 401


def test_asking_and_setting_are_on_record(mailed):
    ask()
    assert outcomes_of("account:reset-asked", actor=None, subject=mailed.user.pk) == ["done"]
    Client().post(link(), NEW)
    reset = outcomes_of("account:password-reset", actor=mailed.user.pk, subject=mailed.user.pk)
    assert reset == ["intended", "done"]


def test_a_link_works_once(mailed):
    ask()
    Client().post(link(), NEW)
    assert Client().post(link(), NEW, headers=JSON).status_code == 404


def test_a_password_changed_meanwhile_is_not_overwritten(mailed):
    ask()
    token = link().split("/")[4]
    stale = User.objects.get(pk=mailed.user.pk)
    change = {"old_password": PASSWORD, **NEW}
    assert mailed.sign_in().post("/accounts/password/", change).status_code == 302
    with pytest.raises(LinkGone):
        set_password_by_mail(user=stale, token=token, new_password="the thief's own 4242")
    assert User.objects.get(pk=mailed.user.pk).check_password(NEW["new_password1"])


def test_a_link_of_another_person_or_an_altered_one_is_none(mailed, bob):
    ask()
    parts = link().split("/")
    swapped = link().replace(parts[3], str(bob.user.pk))
    altered = link().replace(parts[4], parts[4][:-1] + ("a" if parts[4][-1] != "a" else "b"))
    for address in (swapped, altered, f"{RESET}{mailed.user.pk}/x/"):
        assert Client().post(address, NEW, headers=JSON).status_code == 404


def test_a_link_is_old_after_an_hour(mailed, settings):
    ask()
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert Client().get(link(), headers=JSON).status_code == 404


@pytest.mark.parametrize("username", ["alice", "bob", "nobody-here"])
def test_one_answer_for_every_name(mailed, bob, username):
    answer = ask(username)
    assert (answer.status_code, answer.json()) == (202, {"asked": True})
    assert len(mail.outbox) == (username == "alice")


def test_asking_is_held_after_some_times(mailed, settings):
    for _ in range(settings.SIGN_IN_TRIES):
        ask()
    assert ask().status_code == 429
    assert len(mail.outbox) == settings.SIGN_IN_TRIES


def test_a_disabled_person_gets_no_link(mailed):
    User.objects.filter(pk=mailed.user.pk).update(is_active=False)
    ask()
    assert mail.outbox == []


def test_a_site_without_mail_says_so(mailed, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert "This site sends no e-mail" in Client().get(RESET).content.decode()
    assert ask().status_code == 202


def test_the_token_is_not_in_the_log(mailed):
    ask()
    line = logging.makeLogRecord({"msg": "Not Found: %s", "args": (link(),)})
    HideTokens().filter(line)
    assert line.getMessage() == f"Not Found: {RESET}{mailed.user.pk}/…/"
