"""A list asks the databases as often for forty rows as for three."""

from django.conf import settings
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import WrappedKeyCheck
from tests.conftest import jpeg
from tests.gallery.test_uploading import file, post

FEW, MANY = 3, 40


def test_no_list_asks_more_often_for_forty_rows_than_for_three(alice, bob, staff):
    owner, reader, locked = alice.sign_in(), bob.sign_in(), Client()
    locked.cookies = reader.cookies.copy()
    locked.cookies.pop(settings.UNLOCK_COOKIE_NAME)
    pages = [
        (owner, "/images/mine/"),
        (reader, "/images/"),
        (reader, "/activity/"),
        (locked, "/images/"),
        (staff, "/admin/gallery/sealedimage/"),
        (staff, "/admin/gallery/notice/"),
    ]
    upload(alice, bob, FEW)
    few = [queries(client, address) for client, address in pages]
    upload(alice, bob, MANY - FEW)
    assert [queries(client, address) for client, address in pages] == few


def upload(alice, bob, amount: int) -> None:
    files = [file(jpeg(), f"{number}.jpg") for number in range(amount)]
    answer = post(alice, files, recipients=[bob.username])
    assert len(answer.json()["images"]) == amount


def queries(client: Client, address: str) -> tuple[str, int, int]:
    """Return how often a page asks each database, once a first visit wrote what it alone does, and
    the round of checks of their own wrapped keys, which takes some pages, is over."""
    client.get(address)
    WrappedKeyCheck.objects.update(done_at=timezone.now())
    with (
        CaptureQueriesContext(connections["default"]) as business,
        CaptureQueriesContext(connections["audit"]) as trail,
    ):
        answer = client.get(address)
    assert answer.status_code == 200
    return address, len(business), len(trail)
