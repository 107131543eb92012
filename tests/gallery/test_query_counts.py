"""A list asks the databases as often for forty rows as for three."""

from collections.abc import Callable

from django.conf import settings
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import WrappedKeyCheck
from gallery.models import SealedImage
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


def test_no_page_before_an_act_on_many_asks_more_often_for_forty_than_for_thirteen(
    alice, bob, carol
):
    alice.sign_in()
    upload(alice, bob, MANY)
    images = [str(pk) for pk in SealedImage.objects.values_list("pk", flat=True)]
    pages = [("share", {}), ("share", {"recipients": "carol"}), ("revoke", {}), ("delete", {})]

    def asked(amount: int) -> list[tuple[str, int, int]]:
        return [
            queries_of(
                lambda address=f"/images/selected/{act}/", form=form: alice.client.post(
                    address, {"images": images[:amount], **form}
                ),
                act,
            )
            for act, form in pages
        ]

    assert asked(MANY) == asked(13)  # the first twelve are shown as pictures


def test_the_thumbnails_of_a_page_ask_as_often_for_twelve_as_for_three(alice, bob):
    reader = bob.sign_in()
    upload(alice, bob, 12)
    images = [str(pk) for pk in SealedImage.objects.values_list("pk", flat=True)]

    def asked(amount: int) -> tuple[str, int, int]:
        form = {"images": images[:amount]}
        return queries_of(lambda: _read(reader.post("/images/thumbnails/", form)), "thumbnails")

    assert asked(12) == asked(3)


def test_an_upload_asks_as_often_for_five_people_as_for_two(alice, make_person):
    people = [make_person(name).username for name in ("ben", "cleo", "dana", "emil", "finn")]

    def asked(amount: int) -> tuple[str, int, int]:
        def send() -> HttpResponse:
            return post(alice, [file(jpeg())], recipients=people[:amount])

        return queries_of(send, "upload", status=201)

    assert asked(5) == asked(2)


def test_a_thumbnail_by_itself_asks_no_more_often_than_it_did(alice, bob):
    """Of the session, the person, their unlock, their access; who certified the reader's key, who
    signed, both statements, which keys were compared, where it is stored. Of the trail: about the
    person, the owner, stolen keys, the image, the compared keys, and the page it was on."""
    reader = bob.sign_in()
    upload(alice, bob, 1)
    address = f"/images/{SealedImage.objects.get().pk}/thumbnail"
    assert queries_of(lambda: _read(reader.get(address)), "thumbnail") == ("thumbnail", 10, 6)


def _read(answer: HttpResponse) -> HttpResponse:
    assert b"".join(answer)
    return answer


def upload(alice, bob, amount: int) -> None:
    files = [file(jpeg(), f"{number}.jpg") for number in range(amount)]
    answer = post(alice, files, recipients=[bob.username])
    assert len(answer.json()["images"]) == amount


def queries(client: Client, address: str) -> tuple[str, int, int]:
    """Return how often a page asks each database, once a first visit wrote what it alone does, and
    the round of checks of their own wrapped keys, which takes some pages, is over."""
    return queries_of(lambda: client.get(address), address)


def queries_of(
    visit: Callable[[], HttpResponse], name: str, *, status: int = 200
) -> tuple[str, int, int]:
    visit()
    WrappedKeyCheck.objects.update(done_at=timezone.now())
    with (
        CaptureQueriesContext(connections["default"]) as business,
        CaptureQueriesContext(connections["audit"]) as trail,
    ):
        answer = visit()
    assert answer.status_code == status
    return name, len(business), len(trail)
