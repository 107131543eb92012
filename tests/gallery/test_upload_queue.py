"""An upload whose files come one by one: each is known by its place, and lists have it there."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import ThrottleWindow
from gallery.models import SealedImage
from tests.conftest import jpeg
from tests.gallery.test_uploading import JSON, file, post


def one_by_one(person, places, **fields):
    """Upload a file for each place, in this order, and return the id of the upload."""
    upload_id = str(uuid.uuid4())
    for place in places:
        files = [file(jpeg(), f"{place}.jpg")]
        answer = post(person, files, upload_id=upload_id, upload_index=place, **fields)
        assert answer.status_code == 201
    return upload_id


def listed(person, address):
    images = person.client.get(address, headers=JSON).json()["images"]
    places = dict(SealedImage.objects.values_list("pk", "upload_index"))
    return [places[uuid.UUID(image["id"])] for image in images]


@pytest.mark.attack("F260")
def test_a_file_sent_again_in_its_place_is_stored_once(alice, bob):
    fields = {"upload_id": str(uuid.uuid4()), "recipients": ["bob"]}
    first = post(alice, upload_index=7, **fields).json()
    assert post(alice, upload_index=7, **fields).json() == first
    assert SealedImage.objects.get().upload_index == 7
    other = post(alice, [file(jpeg("navy"))], upload_index=7, **fields)
    assert other.json()["errors"]["0"][0]["code"] == "upload_id_used"
    assert post(alice, upload_index=8, **fields).json()["images"] != first["images"]
    assert SealedImage.objects.count() == 2


@pytest.mark.attack("F260")
@pytest.mark.parametrize("place", ["-1", "1000000", "x"])
def test_a_place_that_is_none_stores_nothing(alice, place):
    answer = post(alice, upload_id=str(uuid.uuid4()), upload_index=place)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["upload_index"])
    assert not SealedImage.objects.exists()


def test_lists_have_them_in_the_order_they_were_chosen_whichever_came_first(alice, bob):
    upload_id = one_by_one(alice, [0, 3, 1, 2], recipients=["bob"])
    assert listed(alice, f"/images/upload/{upload_id}/") == [0, 1, 2, 3]
    assert listed(alice, "/images/mine/") == [0, 1, 2, 3]
    bob.unlocked()
    assert listed(bob, "/images/") == [0, 1, 2, 3]


def captions(person):
    person.unlocked()
    return [
        one["caption"] for one in person.client.get("/images/mine/", headers=JSON).json()["images"]
    ]


def test_one_caption_for_several_gets_their_numbers_in_the_order_they_were_chosen(alice, bob):
    one_by_one(alice, [2, 0, 1], caption="Skin check", upload_count=3, recipients=["bob"])
    assert captions(alice) == ["Skin check (1)", "Skin check (2)", "Skin check (3)"]
    seen = bob.sign_in().get("/images/", headers=JSON).json()["images"]
    assert [one["caption"] for one in seen] == captions(alice)


def test_several_files_of_one_request_are_numbered_and_one_alone_is_not(alice):
    files = [file(jpeg(colour)) for colour in ("navy", "teal")]
    post(alice, files, caption="x" * 500, upload_id=str(uuid.uuid4()))
    assert captions(alice) == ["x" * 500 + " (1)", "x" * 500 + " (2)"]
    post(alice, caption="Alone", upload_count=1)
    assert captions(alice)[0] == "Alone"


def test_without_a_caption_there_is_no_number(alice):
    post(alice, [file(jpeg(colour)) for colour in ("navy", "teal")])
    assert captions(alice) == ["", ""]


@pytest.mark.attack("F260")
def test_a_numbered_file_sent_again_is_stored_once(alice):
    fields = {"upload_id": str(uuid.uuid4()), "caption": "Skin check", "upload_count": 3}
    first = post(alice, upload_index=2, **fields).json()
    assert post(alice, upload_index=2, **fields).json() == first
    assert captions(alice) == ["Skin check (3)"]


def test_a_later_upload_comes_before_and_a_late_file_counts_as_new(alice):
    upload_id = one_by_one(alice, [0, 1])
    SealedImage.objects.update(sealed_at=timezone.now() - timedelta(days=2))
    post(alice, upload_id=upload_id, upload_index=2)
    newest = SealedImage.objects.order_by("-sealed_at").first()
    assert newest.upload_index == 2
    assert timezone.now() - newest.sealed_at < timedelta(hours=1)


@pytest.mark.attack("F261")
def test_what_became_of_an_upload_is_for_its_owner(alice, bob, carol):
    upload_id = one_by_one(alice, [0, 1], recipients=["bob"])
    page = alice.client.get(f"/images/upload/{upload_id}/").content.decode()
    assert "2 images are encrypted, signed and shared" in page
    assert "Only Bob Brook and you can open what you uploaded." in page
    for other in (bob, carol):
        other.unlocked()
        answer = other.client.get(f"/images/upload/{upload_id}/", headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    alice.client.post("/accounts/lock/")
    locked = alice.client.get(f"/images/upload/{upload_id}/", headers=JSON)
    assert (locked.status_code, locked.json()["code"]) == (401, "locked")


@pytest.mark.attack("F261")
def test_it_says_what_is_true_now_and_not_what_was_asked_for(alice, bob, carol):
    upload_id = one_by_one(alice, [0, 1], recipients=["bob", "carol"])
    image = SealedImage.objects.get(upload_index=0)
    alice.client.post(f"/images/{image.pk}/revoke/", {"recipient": "carol"})
    page = alice.client.get(f"/images/upload/{upload_id}/").content.decode()
    assert "Besides you, they can be opened by:" in page
    assert "Carol Clay (1 image)" in page
    assert "Bob Brook (2 images)" in page
    alice.client.post(f"/images/{image.pk}/delete/", {"confirmed": "1"})
    assert listed(alice, f"/images/upload/{upload_id}/") == [1]


@pytest.mark.attack("F50")
def test_who_received_something_before_is_not_counted_with_every_file(alice, bob, settings):
    settings.NAME_LOOKUPS_PER_HOUR = 2
    one_by_one(alice, range(4), recipients=["bob"])
    assert ThrottleWindow.objects.get(scope="names").count == 1
    assert post(alice, recipients=["bob", "nobody-1"]).status_code == 422
    assert post(alice, recipients=["bob", "nobody-2"]).status_code == 429


def test_the_answer_says_what_was_removed(alice):
    (image,) = post(alice).json()["images"]
    assert image["removed"] == []
