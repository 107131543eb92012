"""A fault in the middle of a form full of secrets: none of them in the page, the log, the trail.

Real faults: a table that is not there, a storage that was not mounted, a trail that takes no entry.
"""

import base64
import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.db import connections
from django.test import Client
from django.views.debug import ExceptionReporter

from accounts.turns import Busy
from audit.models import AuditEntry
from imageshare.logs import OneLine
from tests.conftest import PASSWORD, jpeg
from tests.gallery.test_uploading import file

NEW = "an entirely new one 42"
NEWS = {"new_password1": NEW, "new_password2": NEW}
NEWCOMER = {"username": "dora", "display_name": "D", "password1": NEW, "password2": NEW}
CAPTION, FILE_NAME = "Kanarienfels im Nebel", "geheim-1997.jpg"
OURS = ("Traceback", "/site-packages/", "SELECT", "no such table", "does not exist", "not mounted")


# ---- what goes wrong -------------------------------------------------------------------------


@contextmanager
def without_table(name: str, alias: str = "default") -> Iterator[None]:
    with connections[alias].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO {name}_gone")
    try:
        yield
    finally:
        with connections[alias].cursor() as cursor:
            cursor.execute(f"ALTER TABLE {name}_gone RENAME TO {name}")


def unmount(settings: Any, place: Any) -> None:
    ours = {
        "BACKEND": "gallery.storage.AtomicFileStorage",
        "OPTIONS": {"location": place / "not mounted"},
    }
    settings.STORAGES = {**settings.STORAGES, "sealed": ours}


# ---- what must not be said -------------------------------------------------------------------


class Heard:
    """The log while a request fails, and Django's reports of it, which nothing here sends.

    An operator may add a handler that does; they show the form and each frame's local variables.
    """

    def __init__(self) -> None:
        self.log = io.StringIO()
        self.reports: list[str] = []

    def note(self, sender, request, **kwargs) -> None:
        report = ExceptionReporter(request, *sys.exc_info())
        self.reports += [report.get_traceback_text(), report.get_traceback_html()]


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    (console,) = [
        handler
        for handler in logging.getLogger("django").handlers
        if type(handler) is logging.StreamHandler
    ]
    terminal = console.setStream(heard.log)
    got_request_exception.connect(heard.note)
    yield heard
    got_request_exception.disconnect(heard.note)
    console.setStream(terminal)


def spellings(secret: bytes) -> set[str]:
    return {secret.hex(), repr(secret)[2:-1], base64.urlsafe_b64encode(secret).decode().rstrip("=")}


def secrets_of(person) -> set[str]:
    """What opens something: passwords, codes, keys."""
    master_key = person.keyring._master_key
    return {PASSWORD, NEW, person.recovery_code, *spellings(master_key)}


def cookies_of(person) -> set[str]:
    jar = person.client.cookies
    return {jar[name].value for name in ("sessionid", "unlock", "known") if name in jar}


def says_nothing(answer, heard: Heard, settings: Any, person) -> None:
    assert answer.status_code in (500, 503)
    secrets = secrets_of(person)
    told = {
        "page": answer.content.decode() + str(answer.headers) + str(answer.cookies),
        "log": heard.log.getvalue(),
        "trail": settings.AUDIT_FILE.read_text() if settings.AUDIT_FILE.is_file() else "",
        "leaves": str([bytes(leaf) for leaf in AuditEntry.objects.values_list("leaf", flat=True)]),
    }
    for place, text in told.items():
        hidden = secrets | cookies_of(person) | {CAPTION, FILE_NAME}
        assert [one for one in hidden if one in text] == [], place
    assert [word for word in OURS if word in told["page"]] == []
    assert answer.wsgi_request.path in told["log"]
    assert heard.reports
    hidden = secrets | cookies_of(person)
    assert [one for one in hidden if any(one in report for report in heard.reports)] == []


# ---- forms -----------------------------------------------------------------------------------


@pytest.mark.attack("A3", "E4", "E14")
@pytest.mark.parametrize(
    ("table", "address", "fields"),
    [
        ("accounts_keyslot", "/accounts/login/", {"username": "alice", "password": PASSWORD}),
        ("accounts_custody", "/accounts/login/", {"username": "alice", "password": PASSWORD}),
        ("accounts_keypair", "/accounts/register/", NEWCOMER),
        ("accounts_mackey", "/accounts/register/", NEWCOMER),
        ("accounts_keyslot", "/accounts/recover/", {"username": "alice", **NEWS}),
        ("accounts_custody", "/accounts/recover/", {"username": "alice", **NEWS}),
        ("accounts_keyslot", "/accounts/unlock/", {"password": PASSWORD}),
        ("accounts_custody", "/accounts/unlock/", {"password": PASSWORD}),
        ("accounts_keyslot", "/accounts/password/", {"old_password": PASSWORD, **NEWS}),
        ("accounts_custody", "/accounts/password/", {"old_password": PASSWORD, **NEWS}),
        ("gallery_statement", "/images/upload/", {"caption": CAPTION}),
        ("accounts_wrappedkey", "/images/upload/", {"caption": CAPTION}),
        ("gallery_rendition", "/images/upload/", {"caption": CAPTION}),
    ],
)
def test_a_table_that_is_gone(alice, heard, settings, table, address, fields):
    form = dict(fields)
    if address == "/accounts/recover/":
        form["recovery_code"] = alice.recovery_code
    if address == "/images/upload/":
        form["images"] = file(jpeg(), FILE_NAME)
    alice.sign_in()
    signs_in = address in ("/accounts/login/", "/accounts/register/", "/accounts/recover/")
    browser = Client() if signs_in else alice.client
    browser.raise_request_exception = False
    with without_table(table):
        answer = browser.post(address, form)
    says_nothing(answer, heard, settings, alice)


# ---- pictures --------------------------------------------------------------------------------


@pytest.mark.attack("A3", "E4")
@pytest.mark.parametrize("what", ["", "original", "preview", "thumbnail"])
def test_a_storage_that_is_gone_while_a_picture_is_opened(
    upload, bob, heard, settings, tmp_path, what
):
    image = upload(to=(bob,), caption=CAPTION)
    bob.sign_in().raise_request_exception = False
    unmount(settings, tmp_path)
    answer = bob.client.get(f"/images/{image.pk}/{what}")
    says_nothing(answer, heard, settings, bob)


@pytest.mark.attack("A3", "E4")
def test_a_storage_that_is_gone_while_a_picture_is_sealed(alice, heard, settings, tmp_path):
    alice.sign_in().raise_request_exception = False
    unmount(settings, tmp_path)
    form = {"images": file(jpeg(), FILE_NAME), "caption": CAPTION}
    says_nothing(alice.client.post("/images/upload/", form), heard, settings, alice)


@pytest.mark.attack("A3", "E4")
@pytest.mark.parametrize("what", ["", "original", "preview"])
def test_a_trail_that_takes_no_entry(upload, bob, heard, settings, tmp_path, what):
    image = upload(to=(bob,), caption=CAPTION)
    bob.sign_in().raise_request_exception = False
    settings.AUDIT_FILE = tmp_path
    with without_table("audit_auditentry", "audit"):
        answer = bob.client.get(f"/images/{image.pk}/{what}")
    says_nothing(answer, heard, settings, bob)


def test_a_place_that_is_taken_is_one_line_of_the_log():
    """A person with many forms at once would write a page of it each time."""
    for error, is_one_line in ((Busy(), True), (OSError(), False)):
        record = logging.LogRecord("", 40, "", 1, "%s", ("/images/upload/",), (0, error, None))
        record.status_code = 503
        OneLine().filter(record)
        assert (record.exc_info is None) is is_one_line
