"""Fifty uploads at once: each kept exactly, none twice, and the trail holds together."""

import io
import itertools
import uuid
from collections import Counter

import pytest
from django.core.files.storage import storages

from audit.models import AuditEntry
from audit.verification import verify
from gallery.models import Grant, Notice, Rendition, SealedImage
from tests.concurrency import JSON, at_once, same_browser
from tests.conftest import jpeg

UPLOADS = 50


def upload(client, data: bytes, **fields: object):
    file = io.BytesIO(data)
    file.name = "holiday.jpg"
    form = {"images": [file], "recipients": ["bob"], "keep_details": "1", **fields}
    return client.post("/images/upload/", form, headers=JSON)


def upload_until_taken(client, data: bytes, **fields: object):
    """One person has few places at the decoder; a browser that is asked to comes again."""
    while (answer := upload(client, data, **fields)).status_code == 503:
        assert answer["Retry-After"]
    return answer


def stored_files() -> set[str]:
    sealed = storages["sealed"]
    folders, _ = sealed.listdir("")
    return {f"{folder}/{name}" for folder in folders for name in sealed.listdir(folder)[1]}


@pytest.mark.attack("E12")
def test_fifty_at_once_are_all_kept_exactly(alice, carol, mallory, bob, emptied_storage):
    before = stored_files()
    browsers = itertools.cycle([owner.sign_in() for owner in (alice, carol, mallory)])
    sent = [(same_browser(next(browsers)), jpeg(f"#{n:02x}8000")) for n in range(UPLOADS)]
    answers = at_once(lambda one: upload_until_taken(*one), sent)
    assert Counter(answer.status_code for answer in answers) == {201: UPLOADS}
    ids = [answer.json()["images"][0]["id"] for answer in answers]
    assert_bob_opens(bob, dict(zip(ids, [picture for _, picture in sent], strict=True)))
    assert_nothing_is_missing_or_left_over(stored_files() - before)
    assert_notices_are_numbered_without_gap_or_repeat(bob)
    assert_one_chain_with_two_entries_each()


def assert_bob_opens(bob, pictures: dict[str, bytes]) -> None:
    assert len(pictures) == UPLOADS
    reader = bob.sign_in()
    for image_id, picture in pictures.items():
        assert reader.get(f"/images/{image_id}/original").getvalue() == picture


def assert_nothing_is_missing_or_left_over(stored: set[str]) -> None:
    assert SealedImage.objects.count() == UPLOADS
    assert Grant.objects.count() == 2 * UPLOADS
    assert stored == set(Rendition.objects.values_list("storage_name", flat=True))
    assert len(stored) == 4 * UPLOADS


def assert_notices_are_numbered_without_gap_or_repeat(bob) -> None:
    numbers = Notice.objects.filter(person=bob.user).values_list("sequence", flat=True)
    assert sorted(numbers) == list(range(1, UPLOADS + 1))
    shown = bob.client.get("/activity/", headers=JSON).json()["notices"]
    assert {notice["state"] for notice in shown} == {"genuine"}


def assert_one_chain_with_two_entries_each() -> None:
    uploaded = AuditEntry.objects.filter(event="image:uploaded")
    outcomes = Counter(uploaded.values_list("outcome", flat=True))
    assert outcomes == {"intended": UPLOADS, "done": UPLOADS}
    numbers = AuditEntry.objects.order_by("sequence").values_list("sequence", flat=True)
    assert list(numbers) == list(range(1, len(numbers) + 1))
    assert list(verify()) == []


def test_one_upload_sent_many_times_at_once_makes_one_image(alice, bob):
    upload_id, picture = str(uuid.uuid4()), jpeg()
    before = stored_files()
    browser = alice.sign_in()
    tabs = [same_browser(browser) for _ in range(20)]
    answers = at_once(lambda tab: upload_until_taken(tab, picture, upload_id=upload_id), tabs)
    assert Counter(answer.status_code for answer in answers) == {201: 20}
    assert len({answer.json()["images"][0]["id"] for answer in answers}) == 1
    assert SealedImage.objects.count() == 1
    assert Notice.objects.count() == 1
    assert len(stored_files() - before) == 4
