"""An upload sent again: the same one is done once, another one changes nothing and says so."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.keys.certificates import NoKeys
from accounts.models import KeyPair
from gallery.errors import OwnKeyRefused
from gallery.models import Grant, Notice, SealedImage, Statement
from gallery.services import batches
from gallery.storage import StorageAway
from tests.conftest import jpeg
from tests.gallery.test_uploading import ADDRESS, file, post

IN_A_WEEK = (timezone.now() + timedelta(days=7)).replace(microsecond=0).isoformat()
FIRST = {"recipients": ["bob"], "caption": "At the lake", "rights": "view", "ends_at": IN_A_WEEK}
OTHERWISE = {
    "nobody": {"recipients": []},
    "another": {"recipients": ["carol"]},
    "one more": {"recipients": ["bob", "carol"]},
    "another caption": {"caption": "At home"},
    "no caption": {"caption": ""},
    "more rights": {"rights": "download"},
    "no end": {"ends_at": ""},
    "an earlier end": {"ends_at": (timezone.now() + timedelta(days=1)).isoformat()},
}


def everything() -> list[object]:
    terms = Grant.objects.order_by("pk").values_list("reader", "rights", "ends_at", "ended_at")
    counts = [model.objects.count() for model in (SealedImage, Statement, Notice)]
    return [*counts, *terms]


@pytest.mark.attack("F48")
def test_the_same_upload_again_is_done_once(alice, bob):
    upload_id = str(uuid.uuid4())
    first = post(alice, upload_id=upload_id, **FIRST)
    before = everything()
    again = post(alice, upload_id=upload_id, **{**FIRST, "recipients": [" BOB", "alice", "bob"]})
    assert again.status_code == first.status_code == 201
    assert again.json() == first.json()
    assert everything() == before


@pytest.mark.attack("F48")
@pytest.mark.parametrize("changed", OTHERWISE.values(), ids=OTHERWISE.keys())
def test_asked_otherwise_it_changes_nothing_and_says_so(alice, bob, carol, changed):
    upload_id = str(uuid.uuid4())
    post(alice, upload_id=upload_id, **FIRST)
    before = everything()
    answer = post(alice, upload_id=upload_id, **{**FIRST, **changed})
    assert answer.status_code == 422
    assert answer.json()["images"] == []
    assert answer.json()["errors"]["0"][0]["code"] == "stored_before"
    assert everything() == before


@pytest.mark.attack("F48")
def test_another_name_is_another_upload(alice):
    upload_id = str(uuid.uuid4())
    post(alice, upload_id=upload_id)
    answer = post(alice, [file(jpeg(), "other.jpg")], upload_id=upload_id)
    assert answer.json()["errors"]["0"][0]["code"] == "stored_before"


@pytest.mark.attack("F48")
def test_what_the_owner_changed_since_is_not_said_to_be_as_it_was(alice, bob, carol):
    upload_id = str(uuid.uuid4())
    image = post(alice, upload_id=upload_id, **FIRST).json()["images"][0]
    alice.client.post(f"{image['url']}revoke/", {"recipient": "bob"})
    before = everything()
    answer = post(alice, upload_id=upload_id, **FIRST)
    assert answer.json()["errors"]["0"][0]["code"] == "stored_before"
    assert everything() == before


@pytest.mark.attack("F48")
def test_a_row_that_says_otherwise_than_the_owner_signed_does_not_count(alice, bob):
    upload_id = str(uuid.uuid4())
    post(alice, upload_id=upload_id, **FIRST)
    Grant.objects.filter(reader=bob.user).update(rights="download", ends_at=None)
    asked = {**FIRST, "rights": "download", "ends_at": ""}
    answer = post(alice, upload_id=upload_id, **asked)
    assert answer.status_code == 422


@pytest.mark.attack("F48")
def test_the_page_never_says_shared_of_what_is_not(alice, bob):
    upload_id = str(uuid.uuid4())
    post(alice, upload_id=upload_id)
    page = alice.client.post(
        ADDRESS, {"images": [file(jpeg())], "recipients": ["bob"], "upload_id": upload_id}
    )
    assert page.status_code == 422
    assert b"was already uploaded, with other people, permissions or caption." in page.content
    assert b"signed and shared" not in page.content
    assert b'value="bob"' in page.content  # the form is kept


@pytest.mark.attack("F48")
@pytest.mark.parametrize("address", [ADDRESS, f"{ADDRESS}check/"])
def test_a_retry_whose_form_is_refused_stays_a_retry(alice, bob, address):
    """The first answer was lost; meanwhile the end is over, or somebody's key changed."""
    upload_id = str(uuid.uuid4())
    post(alice, upload_id=upload_id, **FIRST)
    over = {**FIRST, "ends_at": "2020-01-01T00:00", "upload_id": upload_id}
    page = alice.client.post(address, over)
    assert page.status_code == 422
    assert f'name="upload_id" value="{upload_id}"'.encode() in page.content
    assert post(alice, upload_id=upload_id, **FIRST).status_code == 201
    assert SealedImage.objects.count() == 1


@pytest.mark.attack("F48")
def test_a_retry_stores_what_the_first_try_did_not_come_to(alice, bob):
    upload_id, three = str(uuid.uuid4()), [jpeg("teal"), jpeg("navy"), jpeg("olive")]
    first = post(alice, [file(data) for data in three[:2]], upload_id=upload_id, **FIRST)
    again = post(alice, [file(data) for data in three], upload_id=upload_id, **FIRST)
    assert again.json()["images"][:2] == first.json()["images"]
    assert SealedImage.objects.count() == 3


# ---- something happens in the middle ---------------------------------------------------------


@pytest.mark.attack("F49")
@pytest.mark.parametrize("error", [NoKeys, OwnKeyRefused, StorageAway])
def test_what_fails_in_the_middle_is_said_of_the_rest_alone(alice, bob, monkeypatch, error):
    """Somebody's keys change, or a part of the server fails, while the first image is sealed."""
    sealed = batches.upload_image

    def once(**asked):
        monkeypatch.setattr(batches, "upload_image", fail)
        return sealed(**asked)

    def fail(**asked):
        raise error("meanwhile")

    monkeypatch.setattr(batches, "upload_image", once)
    answer = post(alice, [file(jpeg()), file(jpeg("navy"))], recipients=["bob"])
    assert answer.status_code == 201
    assert len(answer.json()["images"]) == 1
    assert answer.json()["errors"]["1"][0]["code"] == "not_stored"
    assert SealedImage.objects.count() == 1


@pytest.mark.attack("F49")
def test_keys_that_change_before_the_first_image_leave_nothing(alice, bob, monkeypatch):
    def replaced(**asked):
        KeyPair.objects.filter(user=bob.user, purpose="encryption").update(state="open-only")
        return seal(**asked)

    seal = batches.upload_image
    monkeypatch.setattr(batches, "upload_image", replaced)
    answer = post(alice, [file(jpeg()), file(jpeg("navy"))], recipients=["bob"])
    assert answer.status_code == 422
    assert answer.json()["errors"]["recipients"][0]["code"] == "no_keys"
    assert not SealedImage.objects.exists()
