"""The table of sessions: read or written by somebody else, it gives nobody a session."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db.models import Value
from django.test import Client
from django.utils import timezone

from accounts.web.sessions import SessionStore, row_key
from tests.postgres import only_sqlite

COOKIE = settings.SESSION_COOKIE_NAME
SIGNED_OUT = 302


def with_cookie(value: str) -> Client:
    client = Client()
    client.cookies[COOKIE] = value
    return client


@pytest.mark.attack("F25")
def test_what_is_in_the_table_is_no_cookie(alice):
    session_key = alice.sign_in().cookies[COOKIE].value
    row = Session.objects.get()
    assert session_key not in (row.session_key, row.session_data)
    assert with_cookie(row.session_key).get("/images/").status_code == SIGNED_OUT
    assert with_cookie(row.session_key[:32]).get("/images/").status_code == SIGNED_OUT
    assert with_cookie(session_key).get("/images/").status_code == 200


@pytest.mark.attack("F25")
def test_somebody_elses_session_data_in_ones_own_row_signs_nobody_in(alice, mallory):
    alice.sign_in()
    data = Session.objects.get().session_data
    own = mallory.sign_in()
    mallorys = Session.objects.filter(pk=row_key(own.session.session_key))
    assert mallorys.update(session_data=data) == 1
    assert own.get("/images/").status_code == SIGNED_OUT


@pytest.mark.attack("F25")
def test_a_row_called_as_django_would_call_it_is_nobodys(alice):
    """Also how sessions older than an upgrade end."""
    client = alice.sign_in()
    chosen = "a" * 32
    Session.objects.filter(pk=row_key(client.session.session_key)).update(session_key=chosen)
    assert with_cookie(chosen).get("/images/").status_code == SIGNED_OUT


def test_unlocking_moves_the_session_to_a_new_row_and_leaves_none_behind(alice):
    client = alice.sign_in()
    before = client.cookies[COOKIE].value
    client.post("/accounts/lock/")
    client.post("/accounts/unlock/", {"password": alice.password})
    after = client.cookies[COOKIE].value
    assert after != before
    assert [row.pk for row in Session.objects.all()] == [row_key(after)]
    assert with_cookie(before).get("/images/").status_code == SIGNED_OUT


def test_signing_out_deletes_the_row(alice):
    alice.sign_in().post("/accounts/logout/")
    assert not Session.objects.exists()


def test_a_session_whose_time_is_over_is_none_and_is_cleared(alice):
    client = alice.sign_in()
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/images/").status_code == SIGNED_OUT
    call_command("clearsessions")
    assert not Session.objects.exists()


@only_sqlite
def test_an_end_that_is_no_time_closes_no_page(alice):
    client = alice.sign_in()
    Session.objects.update(expire_date=Value("whenever"))
    assert client.get("/images/").status_code in (200, SIGNED_OUT)


def test_a_store_knows_its_row_by_the_key_alone():
    store = SessionStore()
    store["left"] = "here"
    store.save()
    key = store.session_key
    assert store.exists(key)
    assert SessionStore(key)["left"] == "here"
    SessionStore().delete(key)
    assert not store.exists(key)
