"""What holds for every answer: headers, refusals, health, preferences."""

import pytest
from django.db import OperationalError
from django.test import Client

from audit.models import AuditEntry

JSON = {"accept": "application/json"}
PAGES = ["/", "/about/protection/", "/accounts/login/", "/accounts/register/", "/nothing-here/"]
MEMBERS_PAGES = [
    "/images/",
    "/images/mine/",
    "/images/upload/",
    "/activity/",
    "/accounts/security/",
    "/accounts/password/",
    "/accounts/recovery-code/",
]


def is_guarded(answer):
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Request-ID"]


@pytest.mark.attack("E10")
@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_guarded_by_headers(client, address):
    is_guarded(client.get(address))


@pytest.mark.parametrize("address", MEMBERS_PAGES)
def test_every_members_page_is_shown_and_guarded(alice, address):
    answer = alice.sign_in().get(address)
    assert answer.status_code == 200
    is_guarded(answer)


@pytest.mark.attack("F44")
@pytest.mark.parametrize("place", ["/static", "/static/accounts"])
def test_a_private_page_is_private_wherever_somebody_says_it_is(alice, place):
    is_guarded(alice.sign_in().get("/images/", SCRIPT_NAME=place))


@pytest.mark.attack("F44")
def test_what_is_not_there_among_static_files_is_kept_by_no_cache(client):
    is_guarded(client.get("/static/nothing-here.css"))


def test_static_files_may_be_kept(client):
    answer = client.get("/static/css/site.css")
    answer.close()
    assert "public" in answer["Cache-Control"]


@pytest.mark.attack("E10")
def test_staff_pages_are_guarded_too(staff):
    answer = staff.get("/admin/")
    assert answer.status_code == 200
    is_guarded(answer)


def test_the_landing_page_leads_members_to_their_images(client, alice):
    assert client.get("/").status_code == 200
    assert alice.sign_in().get("/").url == "/images/"


def test_a_post_without_the_token_or_from_elsewhere_is_refused(alice):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/accounts/login/", {"username": "alice"}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert AuditEntry.objects.filter(event="request:refused").exists()
    page = strict.post("/accounts/login/", {"username": "alice"})
    assert page.status_code == 403
    strict.get("/accounts/login/")
    token = strict.cookies["csrftoken"].value
    foreign = strict.post(
        "/accounts/login/",
        {"username": "alice", "csrfmiddlewaretoken": token},
        headers={"origin": "https://evil.example", **JSON},
    )
    assert foreign.status_code == 403


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [("/nothing-here/", 404, "not_found"), ("/images/not-a-uuid/", 404, "not_found")],
)
def test_refusals_are_json_when_asked_for_and_a_page_otherwise(client, address, status, code):
    answer = client.get(address, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert b"<h1" in client.get(address).content


def test_an_address_that_only_takes_a_form_says_so(alice):
    client = alice.sign_in()
    page = client.get("/accounts/logout/")
    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert b"be used that way" in page.content
    is_guarded(page)
    assert client.get("/accounts/lock/", headers=JSON).json()["code"] == "wrong_method"
    assert client.put("/images/", headers=JSON).status_code == 405


@pytest.mark.attack("E4")
def test_a_database_that_is_away_is_503_and_a_fault_of_ours_500(client, monkeypatch):
    client.raise_request_exception = False
    for error, status in ((OperationalError("database is locked"), 503), (KeyError("x"), 500)):

        def fail(*arguments, raised=error):
            raise raised

        monkeypatch.setattr("imageshare.views.render", fail)
        answer = client.get("/about/protection/")
        assert answer.status_code == status
        assert b"Traceback" not in answer.content
        assert b"locked" not in answer.content
        assert ("Retry-After" in answer) == (status == 503)


def test_an_unknown_host_is_refused_and_guarded(client):
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    is_guarded(answer)


def test_a_request_that_is_too_large_is_refused_and_guarded(client):
    answer = client.post("/accounts/login/", "x" * (2**20 + 1), "application/x-www-form-urlencoded")
    assert answer.status_code == 413
    is_guarded(answer)


def test_health_addresses_say_nothing_else(client):
    assert client.get("/healthz").json() == {"alive": True}
    ready = client.get("/readyz").json()
    parts = {"database", "audit_database", "audit_file", "storage"}
    assert ready == {"ready": True, "parts": dict.fromkeys(parts, True)}


def test_a_part_that_is_away_makes_it_not_ready(client, settings, tmp_path):
    settings.AUDIT_FILE = tmp_path
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["audit_file"] is False
    assert "Retry-After" in answer


def test_the_theme_is_kept_in_a_cookie_and_leads_back_here_only(client):
    answer = client.post("/preferences/theme/", {"theme": "dark", "next": "/about/protection/"})
    assert answer.url == "/about/protection/"
    assert b'data-theme="dark"' in client.get("/").content
    answer = client.post("/preferences/theme/", {"theme": "<b>", "next": "//evil.example"})
    assert answer.url == "/"
    assert client.cookies["theme"].value == "system"


def test_well_known_addresses(client, settings):
    assert client.get("/.well-known/change-password").url == "/accounts/password/"
    assert client.get("/.well-known/security.txt").status_code == 404
    settings.SECURITY_CONTACT = "mailto:security@example.org"
    assert b"Contact: mailto:" in client.get("/.well-known/security.txt").content


def test_staff_sign_in_where_everybody_does(client):
    assert client.get("/admin/login/?next=/admin/").url == "/accounts/login/?next=/admin/"
    assert client.get("/admin/").status_code == 302


def test_the_key_file_and_the_databases_are_not_served(client):
    for name in ("server-keys.json", ".env", "secrets.env", "imageshare.sqlite3", ".git/config"):
        for prefix in ("/", "/static/", "/media/", "/static/../"):
            assert client.get(prefix + name).status_code in (301, 404), prefix + name
