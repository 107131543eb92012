"""Anybody who is signed in fills no trail by being refused, and the trail says what they tried."""

import uuid
from collections.abc import Callable

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.folding import MOST_KINDS, Kind, write_ended
from accounts.models import FoldedRefusals, KeyPair
from audit.events import Event
from audit.models import AuditEntry
from audit.verification import verify
from gallery.models import SealedImage, Statement
from tests.accounts.test_folding import end_windows, facts
from tests.conftest import Person

JSON = {"accept": "application/json"}
TRIES = 25


def entries(event: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(event=event).order_by("sequence"))


def recorded(event: str) -> int:
    """How many of these the trail has, as entries and counts."""
    end_windows()
    write_ended()
    return sum(facts(entry).get("repeats", 1) for entry in entries(event))


def upload_nothing(person: Person, image: SealedImage) -> int:
    return person.client.post("/images/upload/", {}, headers=JSON).status_code


def check_wrong_time(person: Person, image: SealedImage) -> int:
    wrong = {"ends_at": "2001-01-01T00:00"}
    return person.client.post("/images/upload/check/", wrong, headers=JSON).status_code


def upload_no_image(person: Person, image: SealedImage) -> int:
    files = [SimpleUploadedFile("a.jpg", b"no image")]
    return person.client.post("/images/upload/", {"images": files}, headers=JSON).status_code


def share_with_nobody(person: Person, image: SealedImage) -> int:
    return person.client.post(f"/images/{image.pk}/share/", {}, headers=JSON).status_code


def open_not_theirs(person: Person, image: SealedImage) -> int:
    return person.client.get(f"/images/{uuid.UUID(int=7)}/", headers=JSON).status_code


def open_altered(person: Person, image: SealedImage) -> int:
    Statement.objects.filter(subject=image.pk, kind="manifest").delete()
    return person.client.get(f"/images/{image.pk}/preview", headers=JSON).status_code


def send_another_cookie(person: Person, image: SealedImage) -> int:
    person.client.cookies[settings.UNLOCK_COOKIE_NAME] = "A" * 43
    return person.client.get("/images/upload/", headers=JSON).status_code


def look_at_own_damaged_key(person: Person, image: SealedImage) -> int:
    KeyPair.objects.filter(user=person.user, purpose="signing").update(certificate=b"")
    return person.client.get(f"/people/{person.username}/", headers=JSON).status_code


REFUSED = [
    (upload_nothing, "image:upload-refused", 422),
    (check_wrong_time, "image:upload-refused", 422),
    (upload_no_image, "image:upload-refused", 422),
    (share_with_nobody, "image:share-refused", 422),
    (open_not_theirs, "image:refused", 404),
    (open_altered, "image:altered", 409),
    (send_another_cookie, "custody:refused", 401),
    (look_at_own_damaged_key, "key:refused", 404),
]


@pytest.mark.attack("F78")
@pytest.mark.parametrize(("refused", "event", "status"), REFUSED)
def test_the_same_refusal_again_and_again_is_one_entry_and_one_count(
    alice, shared_image, refused: Callable, event, status
):
    alice.sign_in()
    for _ in range(TRIES):
        assert refused(alice, shared_image) == status
    (first,) = entries(event)
    assert recorded(event) == TRIES
    first, counted = entries(event)
    assert facts(counted) == {**facts(first), "repeats": TRIES - 1, "of": first.request}
    said = [(entry.actor, entry.subject, entry.outcome) for entry in (first, counted)]
    assert said[0] == said[1]
    assert list(verify()) == []


@pytest.mark.attack("F78")
def test_a_walk_through_images_names_the_first_few_and_counts_the_rest(bob):
    bob.sign_in()
    walked = [uuid.uuid4() for _ in range(3 * MOST_KINDS)]
    for image in walked:
        assert bob.client.get(f"/images/{image}/", headers=JSON).status_code == 404
    named = [entry.subject for entry in entries("image:refused")]
    assert named == walked[: MOST_KINDS + 1]
    assert recorded("image:refused") == len(walked)
    counted = entries("image:refused")[-1]
    assert (counted.actor, counted.subject) == (bob.user.pk, None)
    assert facts(counted)["reason"] == "various"
    assert facts(counted)["repeats"] == len(walked) - MOST_KINDS - 1


@pytest.mark.attack("F78")
def test_other_codes_each_time_are_bounded_too(alice):
    alice.sign_in()
    wrong = {"ends_at": "never", "rights": "all", "caption": "x" * 501, "upload_id": "-"}
    for number in range(2 ** len(wrong)):
        some = {name: value for bit, (name, value) in enumerate(wrong.items()) if number >> bit & 1}
        some["recipients"] = "nobody-here" if number % 3 else "a b"
        assert alice.client.post("/images/upload/check/", some, headers=JSON).status_code == 422
    assert len(entries("image:upload-refused")) <= MOST_KINDS + 1
    assert recorded("image:upload-refused") == 2 ** len(wrong)


def test_each_person_each_image_and_each_cause_is_a_kind(alice, bob, upload):
    images = [upload(), upload()]
    alice.sign_in()
    bob.sign_in()
    for image in images * 2:
        assert open_altered(alice, image) == 409
        assert share_with_nobody(alice, image) == 422
        assert bob.client.get(f"/images/{image.pk}/").status_code == 404
    for event, actor in (
        ("image:altered", alice),
        ("image:share-refused", alice),
        ("image:refused", bob),
    ):
        told = [(entry.actor, entry.subject) for entry in entries(event)]
        assert told == [(actor.user.pk, image.pk) for image in images]


def test_every_altered_image_is_named_however_many(alice, upload):
    alice.sign_in()
    image = upload()
    open_altered(alice, image)
    (row,) = FoldedRefusals.objects.all()
    for number in range(2 * MOST_KINDS):
        row.pk, row.kind = None, f"another {number}"
        row.save(force_insert=True)
    others = [upload(), upload()]
    for other in others:
        open_altered(alice, other)
    named = [entry.subject for entry in entries("image:altered")]
    assert named == [one.pk for one in (image, *others)]


@pytest.mark.attack("F78")
def test_a_row_alone_keeps_no_refusal_out_of_the_trail(alice, upload):
    """Anybody who writes to the database writes rows of this table, too."""
    alice.sign_in()
    seen, hidden = upload(), upload()
    open_altered(alice, seen)
    row = FoldedRefusals.objects.get()
    step = facts(entries("image:altered")[0])
    kind = Kind(Event.IMAGE_ALTERED, row.whose, alice.user.pk, hidden.pk, step)
    row.pk, row.kind, row.about = None, kind.digest, hidden.pk
    row.save(force_insert=True)
    open_altered(alice, hidden)
    assert [entry.subject for entry in entries("image:altered")] == [seen.pk, hidden.pk]


@pytest.mark.attack("F78")
@pytest.mark.parametrize(
    "changed",
    [
        {"event": "account:staff-made"},
        {"event": "no event of ours"},
        {"facts": "[]"},
        {"facts": '{"rights": ["superuser", 1]}'},
        {"facts": "not json"},
        {"about": uuid.UUID(int=1)},
    ],
)
def test_an_altered_row_says_nothing_but_a_refusal(alice, shared_image, changed):
    alice.sign_in()
    for _ in range(2):
        share_with_nobody(alice, shared_image)
    FoldedRefusals.objects.update(**changed)
    before = AuditEntry.objects.count()
    end_windows()
    write_ended()
    added = AuditEntry.objects.order_by("sequence")[before:]
    assert {entry.event for entry in added} <= {"image:share-refused"}
    assert {entry.outcome for entry in added} <= {"refused"}
    assert not FoldedRefusals.objects.exists()
