"""What a request may hold in memory, and of whom."""

import pytest
from django.test import Client

from gallery.uploads import MemoryUploadHandler
from imageshare import middleware
from tests.conftest import jpeg
from tests.gallery.test_uploading import ADDRESS, JSON, file, post

LARGE = b"x" * 1_500_000


@pytest.fixture
def kept(monkeypatch):
    """The sizes of the files that were kept in memory."""
    sizes = []
    completed = MemoryUploadHandler.file_complete

    def watched(self, file_size):
        sizes.append(len(self.kept.getvalue()))
        return completed(self, file_size)

    monkeypatch.setattr(MemoryUploadHandler, "file_complete", watched)
    return sizes


def test_of_an_unlocked_person_a_file_is_kept(alice, kept):
    data = jpeg()
    post(alice, [file(data)])
    assert kept == [len(data)]


@pytest.mark.attack("E7")
def test_of_a_stranger_and_of_a_locked_person_nothing_is_kept(alice, kept):
    """The search for the CSRF token reads the whole body, before any view can refuse it."""
    stranger = Client(enforce_csrf_checks=True)
    stranger.get("/accounts/login/")
    stranger.post(ADDRESS, {"images": [file(jpeg())]})
    client = alice.sign_in()
    client.get("/accounts/security/")
    client.post("/accounts/lock/")
    client.handler.enforce_csrf_checks = True
    client.post(ADDRESS, {"images": [file(jpeg())]})
    assert kept == [0, 0]


def test_at_any_other_address_nothing_is_kept(alice, kept):
    alice.sign_in().post("/accounts/password/", {"old_password": file(jpeg())})
    assert kept == [0]


@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/password/", "/admin/"])
def test_only_an_upload_may_be_large(alice, address):
    answer = alice.sign_in().post(address, {"x": file(LARGE)}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


def test_large_uploads_take_turns_and_the_next_is_asked_to_come_back(alice, monkeypatch):
    one_at_a_time = middleware.Turns(at_once=1, waiting=0, wait_seconds=0)
    monkeypatch.setattr(middleware, "UPLOAD_TURNS", one_at_a_time)
    client = alice.sign_in()
    client.raise_request_exception = False
    with one_at_a_time.turn():
        answer = client.post(ADDRESS, {"images": [file(LARGE)]}, headers=JSON)
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
        assert post(alice).status_code == 201  # a small one waits for nobody
    assert client.post(ADDRESS, {"images": [file(LARGE)]}, headers=JSON).status_code == 422
