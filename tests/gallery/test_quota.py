"""A person's storage limit: kept by uploads at once, never in the way of taking access back."""

import threading

import pytest
from django.db import connections
from django.test import Client

from accounts.models import User
from audit.models import AuditEntry
from gallery import storage
from gallery.models import Grant, Rendition, SealedImage
from gallery.services.quota import bytes_stored_by
from tests.conftest import PASSWORD, jpeg
from tests.gallery.test_uploading import ADDRESS, JSON, file, nothing_was_stored, post, stored_files


def limit(person, quota_bytes: int | None) -> None:
    User.objects.filter(pk=person.user.pk).update(quota_bytes=quota_bytes)


def test_an_upload_over_the_limit_is_that_files_error_and_nothing_is_stored(alice):
    limit(alice, 1000)
    before = stored_files()
    answer = post(alice, [file(jpeg(), "beach.jpg")])
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]["0"]
    assert error["code"] == "over_quota"
    assert "beach.jpg takes" in error["message"]
    assert "1000\xa0bytes left" in error["message"]
    assert nothing_was_stored(before)
    refused = AuditEntry.objects.get(event="image:upload-refused")
    assert refused.parsed().facts == {"code": "over_quota"}


def test_of_several_files_those_that_fit_are_kept(alice, upload):
    one = upload().stored_bytes
    limit(alice, 2 * one)
    answer = post(alice, [file(jpeg()), file(jpeg("red")), file(jpeg("blue"))])
    assert answer.status_code == 201
    assert len(answer.json()["images"]) == 1
    assert sorted(answer.json()["errors"]) == ["1", "2"]


def test_the_sites_default_holds_where_no_other_limit_is_set(alice, settings):
    settings.DEFAULT_QUOTA_BYTES = 1000
    assert post(alice).status_code == 422
    limit(alice, 0)
    assert post(alice).status_code == 201
    settings.DEFAULT_QUOTA_BYTES = 0
    limit(alice, None)
    assert post(alice).status_code == 201


def test_uploads_at_once_keep_the_limit_together(alice, upload, monkeypatch):
    one = upload().stored_bytes
    limit(alice, 3 * one)
    statuses, together, put = [], threading.Barrier(6), storage.put
    mine = threading.local()

    def put_together(data: bytes) -> str:
        """All have sealed their image and stored it before any of them inserts a row."""
        name = put(data)
        mine.count = getattr(mine, "count", 0) + 1
        if mine.count == len(Rendition.Name):
            together.wait(timeout=30)
        return name

    def send() -> None:
        try:
            browser = Client(raise_request_exception=False)
            browser.post("/accounts/login/", {"username": "alice", "password": PASSWORD})
            answer = browser.post(ADDRESS, {"images": [file(jpeg())]}, headers=JSON)
            statuses.append(answer.status_code)
        finally:
            connections.close_all()

    monkeypatch.setattr(storage, "put", put_together)
    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 201, 422, 422, 422, 422]
    assert bytes_stored_by(alice.user.pk) == 3 * one


def test_taking_access_back_never_fails_for_want_of_room(alice, bob, shared_image):
    limit(alice, 1)
    answer = alice.client.post(f"/images/{shared_image.pk}/revoke/", {"recipient": "bob"})
    assert answer.status_code == 302
    assert SealedImage.objects.get().lock == 2
    assert not Grant.objects.filter(reader=bob.user, ended_at=None).exists()


def test_a_retry_over_the_limit_finds_what_its_first_try_made(alice):
    upload_id = "6b9f3a52-8d5e-4f4e-9a0c-0d7f6f1f7c11"
    first = post(alice, upload_id=upload_id).json()["images"]
    limit(alice, 1)
    assert post(alice, upload_id=upload_id).json()["images"] == first


def test_deleting_makes_room(alice, upload):
    image = upload()
    limit(alice, image.stored_bytes)
    assert post(alice).status_code == 422
    assert alice.client.post(f"/images/{image.pk}/delete/").status_code == 302
    assert bytes_stored_by(alice.user.pk) == 0
    assert post(alice).status_code == 201


def test_what_others_store_does_not_count(alice, bob, upload):
    image = upload(to=(bob,))
    limit(bob, image.stored_bytes)
    assert post(bob).status_code == 201


@pytest.mark.parametrize(("quota", "shown"), [(5 * 2**30, True), (0, False)])
def test_the_upload_page_says_how_much_is_used_where_there_is_a_limit(alice, upload, quota, shown):
    upload()
    limit(alice, quota)
    page = alice.client.get(ADDRESS).content.decode().replace("\xa0", " ")
    assert ("of 5.0 GB used" in page) == shown


def test_staff_see_what_each_person_stores(staff, alice, upload):
    SealedImage.objects.filter(pk=upload().pk).update(stored_bytes=3 * 2**20)
    limit(alice, 5 * 2**20)
    page = staff.get(f"/admin/accounts/user/{alice.user.pk}/change/").content.decode()
    assert "3.0\xa0MB" in page
    assert "5.0\xa0MB" in page
