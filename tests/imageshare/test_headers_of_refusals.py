"""Refusals carry the headers every answer carries, whichever layer said no."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from gallery.models import Grant, Statement
from tests.conftest import PASSWORD, jpeg
from tests.gallery.test_uploading import file

JSON, PAGE = {"accept": "application/json"}, {"accept": "text/html"}
NO_IMAGE = "/images/00000000-0000-4000-8000-000000000000/"


class World:
    """The people who ask, and what for: alice owns an image that bob may see."""

    def __init__(self, image, alice, bob, mallory, settings, tmp_path) -> None:
        self.address = f"/images/{image.pk}/"
        self.image, self.settings, self.elsewhere = image, settings, tmp_path
        self.alice, self.bob, self.mallory = alice, bob, mallory


@pytest.fixture
def world(shared_image, alice, bob, mallory, settings, tmp_path) -> World:
    for person in (alice, bob, mallory):
        person.sign_in().raise_request_exception = False
    return World(shared_image, alice, bob, mallory, settings, tmp_path)


def signed_out(world, headers):
    return Client().get(world.address, headers=headers)


def unreadable_request(world, headers):
    return Client().get("/", headers={**headers, "host": "evil.example"})


def locked(world, headers):
    world.bob.client.post("/accounts/lock/")
    return world.bob.client.get(f"{world.address}preview", headers=headers)


def without_the_token(world, headers):
    strict = Client(enforce_csrf_checks=True)
    return strict.post("/accounts/login/", {"username": "alice"}, headers=headers)


def without_the_right(world, headers):
    return world.bob.client.post(f"{world.address}delete/", headers=headers)


def not_there(world, headers):
    return world.mallory.client.get(f"{world.address}original", headers=headers)


def no_such_address(world, headers):
    return Client().get("/nothing-here/", headers=headers)


def wrong_method(world, headers):
    return world.alice.client.get(f"{world.address}revoke/", headers=headers)


def altered(world, headers):
    Statement.objects.filter(subject=world.image.pk).update(signature=bytes(384))
    return world.bob.client.get(f"{world.address}original", headers=headers)


def ended(world, headers):
    Grant.objects.filter(reader=world.bob.user).update(ends_at=timezone.now())
    return world.bob.client.get(f"{world.address}original", headers=headers)


def too_large(world, headers):
    world.settings.MAX_REQUEST_BYTES = 1000
    files = {"images": [file(jpeg() + bytes(2000))]}
    return world.alice.client.post("/images/upload/", files, headers=headers)


def too_many_files(world, headers):
    world.settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
    files = {"images": [file(jpeg()), file(jpeg())]}
    return world.alice.client.post("/images/upload/", files, headers=headers)


def wrong_form(world, headers):
    return world.alice.client.post("/images/upload/", {"caption": "no file"}, headers=headers)


def too_often(world, headers):
    world.settings.SIGN_IN_TRIES = 0
    form = {"username": "alice", "password": PASSWORD}
    return Client().post("/accounts/login/", form, headers=headers)


def storage_away(world, headers):
    world.settings.STORAGES = {
        **world.settings.STORAGES,
        "sealed": {
            "BACKEND": "gallery.storage.AtomicFileStorage",
            "OPTIONS": {"location": world.elsewhere / "not mounted"},
        },
    }
    return world.bob.client.get(f"{world.address}original", headers=headers)


REFUSALS: list[tuple[int, Callable]] = [
    (400, unreadable_request),
    (401, locked),
    (403, without_the_token),
    (403, without_the_right),
    (404, not_there),
    (404, no_such_address),
    (405, wrong_method),
    (409, altered),
    (410, ended),
    (413, too_large),
    (413, too_many_files),
    (422, wrong_form),
    (429, too_often),
    (503, storage_away),
]
each_refusal = pytest.mark.parametrize(
    ("status", "refuse"), REFUSALS, ids=[f"{status} {do.__name__}" for status, do in REFUSALS]
)


@pytest.mark.attack("E10")
@each_refusal
@pytest.mark.parametrize("headers", [JSON, PAGE], ids=["JSON", "page"])
def test_a_refusal_is_guarded_by_headers(world, status, refuse, headers):
    answer = refuse(world, headers)
    assert answer.status_code == status
    assert is_guarded(answer)
    assert answer["Content-Type"].split(";")[0] == headers["accept"]
    assert ("Retry-After" in answer) == (status in (429, 503))


@pytest.mark.attack("E10")
def test_a_redirect_and_a_401_to_people_signed_out_are_guarded_too(world):
    page, bytes_alone = signed_out(world, PAGE), signed_out(world, JSON)
    assert (page.status_code, bytes_alone.status_code) == (302, 401)
    assert is_guarded(page)
    assert is_guarded(bytes_alone)
    world.bob.client.post("/accounts/lock/")
    to_unlock = world.bob.client.get(world.address)
    assert to_unlock.status_code == 302
    assert is_guarded(to_unlock)


def is_guarded(answer) -> bool:
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy  # what X-Frame-Options is to older browsers
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.get("X-Frame-Options", "DENY") == "DENY"
    return bool(answer["X-Request-ID"])
