"""A form that another tab's sign-in left behind says so, and leads on to where its person was."""

import re

import pytest
from django.test import Client

from tests.conftest import PASSWORD

LEADS_TO = re.compile(r'<a class="button primary" href="([^"]*)">')
SITE = "http://testserver"


@pytest.fixture
def browser(alice) -> Client:
    """Two tabs of alice's: the sign-in page stayed open in one, she signed in in the other."""
    return Client(enforce_csrf_checks=True)


def token(browser, address="/accounts/login/"):
    return re.search(r'csrfmiddlewaretoken" value="(\w+)"', browser.get(address).content.decode())[
        1
    ]


def sign_in(browser, old_token, **more):
    form = {"username": "alice", "password": PASSWORD, "csrfmiddlewaretoken": old_token, **more}
    return browser.post("/accounts/login/", form)


def test_a_sign_in_left_open_leads_to_where_it_was_going(browser):
    old = token(browser)
    assert sign_in(browser, token(browser)).status_code == 302
    answer = sign_in(browser, old, next="/images/mine/?page=2")
    assert answer.status_code == 403
    assert "You signed in in another tab meanwhile" in answer.content.decode()
    assert LEADS_TO.findall(answer.content.decode()) == ["/images/mine/?page=2"]


def test_it_leads_to_no_other_site(browser):
    old = token(browser)
    sign_in(browser, token(browser))
    answer = sign_in(browser, old, next="https://evil.example/")
    assert LEADS_TO.findall(answer.content.decode()) == ["/images/"]


def test_another_form_leads_back_to_its_page(browser):
    sign_in(browser, token(browser))
    old = token(browser, "/images/upload/")
    sign_in(browser, token(browser))
    for referer, page in (
        (f"{SITE}/images/upload/", f"{SITE}/images/upload/"),
        ("https://evil.example/", "/"),
        ("", "/"),
    ):
        answer = browser.post(
            "/images/upload/", {"csrfmiddlewaretoken": old}, headers={"referer": referer}
        )
        assert answer.status_code == 403
        said = answer.content.decode()
        assert "signed in or out in this browser" in said
        assert LEADS_TO.findall(said) == [page]


def test_unlocking_keeps_where_one_was(browser):
    sign_in(browser, token(browser))
    browser.post("/accounts/lock/", headers={"x-csrftoken": token(browser)})
    old = token(browser, "/accounts/unlock/?next=/activity/")
    sign_in(browser, token(browser))
    form = {"password": PASSWORD, "csrfmiddlewaretoken": old, "next": "/activity/"}
    answer = browser.post(
        "/accounts/unlock/", form, headers={"referer": f"{SITE}/accounts/unlock/"}
    )
    assert LEADS_TO.findall(answer.content.decode()) == ["/accounts/unlock/?next=%2Factivity%2F"]


def test_a_browser_without_cookies_reads_that(browser):
    answer = browser.post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 403
    assert "Allow cookies for this site" in answer.content.decode()
