"""A page is in the language somebody chose, a mail in that of whoever gets it."""

from datetime import UTC, datetime

import pytest
from django.core import mail
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy

from accounts.mail import tell
from accounts.models import User
from tests.conftest import PASSWORD

DAY = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _mailbox(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def choose(client, language: str, address: str = "/"):
    return client.post("/preferences/language/", {"language": language, "next": address})


def test_a_chosen_language_is_kept_in_a_cookie_and_leads_back_here_only(client):
    answer = choose(client, "de", "/about/protection/")
    assert answer.url == "/about/protection/"
    assert answer.cookies["language"]["httponly"]
    assert b'<html lang="de"' in client.get("/").content
    assert choose(client, "en", "//evil.example").url == "/"
    assert b'<html lang="en"' in client.get("/").content


@pytest.mark.parametrize("language", ["", "xx", "../de", "<b>"])
def test_an_unknown_language_changes_nothing(alice, language):
    choose(alice.sign_in(), "de")
    answer = choose(alice.client, language)
    assert "language" not in answer.cookies
    assert User.objects.get(pk=alice.user.pk).language == "de"


def test_without_a_choice_a_page_is_in_the_language_of_the_browser(client):
    answer = client.get("/", headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})
    assert b'<html lang="de"' in answer.content
    assert "Accept-Language" in answer["Vary"]


def sign_in(client, username: str = "alice"):
    return client.post("/accounts/login/", {"username": username, "password": PASSWORD})


def test_the_next_browser_a_person_signs_in_with_has_their_language(alice, client):
    choose(alice.sign_in(), "de")
    assert sign_in(client).cookies["language"].value == "de"


def test_who_makes_an_account_keeps_the_language_they_read_then(client, db):
    form = {"username": "greta", "display_name": "Greta", "email": ""}
    form |= {"password1": PASSWORD, "password2": PASSWORD}
    answer = client.post("/accounts/register/", form, headers={"accept-language": "fr"})
    assert answer.status_code == 302, answer.content.decode()
    assert answer.cookies["language"].value == "fr"
    assert User.objects.get(username="greta").language == "fr"


def test_somebody_made_by_a_command_gets_the_language_of_their_browser(alice, client):
    answer = sign_in(client)
    assert "language" not in answer.cookies


def test_what_was_chosen_in_this_browser_wins_over_the_persons_language(alice, client):
    choose(alice.sign_in(), "de")
    choose(client, "en")
    assert "language" not in sign_in(client).cookies


@pytest.mark.parametrize("written", ["xx", "../../etc", ""])
def test_an_altered_language_is_the_sites(alice, client, written):
    User.objects.filter(pk=alice.user.pk).update(language=written, email="alice@example.org")
    assert "language" not in sign_in(client).cookies
    assert tell(User.objects.get(pk=alice.user.pk), "subject", gettext_lazy("Yes"))
    assert mail.outbox[0].body == "Yes"


def test_a_mail_is_in_the_language_of_the_person_who_gets_it(alice):
    User.objects.filter(pk=alice.user.pk).update(language="de", email="alice@example.org")
    with translation.override("en"):
        tell(User.objects.get(pk=alice.user.pk), "subject", gettext_lazy("Yes"))
    assert mail.outbox[0].body == "Ja"  # as Django's own catalogue has it


@pytest.mark.parametrize(("language", "shown"), [("en", "3 Mar 2026"), ("de", "3. Mär 2026")])
def test_times_are_written_as_the_language_does(language, shown):
    with translation.override(language):
        assert f">{shown}, 14:05</time>" in render_to_string("includes/time.html", {"at": DAY})


def test_a_page_in_a_right_to_left_language_says_so(client, settings):
    settings.LANGUAGES = [("en", "English"), ("he", "עברית")]
    answer = client.get("/", headers={"accept-language": "he"})
    assert b'<html lang="he" dir="rtl"' in answer.content
    assert b'dir="ltr"' in client.get("/").content
