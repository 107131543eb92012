"""A proxy that does not say where a request comes from is found out at the first page."""

import pytest
from django.test import Client

from accounts.checks import check_a_proxy_is_trusted
from audit.models import PersonalFacts
from tests.conftest import PASSWORD

JSON = {"accept": "application/json"}
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def behind_one_proxy(settings):
    settings.TRUSTED_PROXIES = 1


def ask(path: str, forwarded: str | None, **headers: str):
    said = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return Client().get(path, headers={**said, **headers})


@pytest.mark.attack("F55")
@pytest.mark.parametrize("forwarded", [None, "", "unknown", "198.51.100.1, ", "[198.51.100.1]"])
def test_without_an_address_nothing_is_done_and_the_log_says_why(forwarded, caplog):
    answer = ask("/", forwarded, accept="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "proxy_misconfigured")
    assert "X-Forwarded-For" in answer.json()["message"]
    assert "TRUSTED_PROXIES" in caplog.text
    page = ask("/", forwarded)
    assert (page.status_code, page["Content-Type"]) == (400, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_asked_for_without_the_proxy(path):
    assert ask(path, None).status_code == 200


@pytest.mark.parametrize(
    "forwarded", ["198.51.100.1", "[2001:db8::1]:4711", "junk, 198.51.100.1:80"]
)
def test_with_an_address_the_page_is_shown(forwarded):
    assert ask("/", forwarded).status_code == 200


@pytest.mark.attack("F55")
def test_a_strangers_tries_hold_nobody_out_elsewhere_though_ports_are_written(alice, settings):
    form = {"username": "alice", "password": "wrong password"}
    for port in range(settings.SIGN_IN_TRIES + 1):
        headers = {**JSON, "x-forwarded-for": f"203.0.113.9:{4000 + port}"}
        held = Client().post(LOGIN, form, headers=headers)
    assert held.status_code == 429
    right = {**form, "password": PASSWORD}
    elsewhere = {**JSON, "x-forwarded-for": "198.51.100.1:4000"}
    assert Client().post(LOGIN, right, headers=elsewhere).status_code == 200
    named = set(PersonalFacts.objects.values_list("address", flat=True))
    assert named - {""} == {"203.0.113.0/24", "198.51.100.0/24"}


def test_https_without_a_trusted_proxy_stops_the_start(settings):
    settings.HTTPS = True
    assert check_a_proxy_is_trusted(None) == []
    settings.TRUSTED_PROXIES = 0
    assert [error.id for error in check_a_proxy_is_trusted(None)] == ["accounts.E007"]
    settings.HTTPS = False
    assert check_a_proxy_is_trusted(None) == []
