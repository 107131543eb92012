"""An owner chooses when an image is deleted, and nobody else does."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import WrappedKey
from audit import events
from audit.events import AuditUnavailable, Event, record
from audit.models import AuditEntry
from gallery import storage
from gallery.image_trail import date_facts
from gallery.models import Rendition, SealedImage
from gallery.services import keeping
from gallery.verification.images import ImageCheck
from tests.gallery.test_image_activity import acts
from tests.gallery.test_notices import shown
from tests.gallery.test_reminding import in_days
from tests.gallery.test_sharing import opens, share
from tests.gallery.test_uploading import post

JSON = {"accept": "application/json"}
pytestmark = pytest.mark.usefixtures("emptied_storage")


def keep(person, image, until: str):
    form = {"keep_until": until}
    return person.sign_in().post(f"/images/{image.pk}/keep/", form, headers=JSON)


def row(image) -> SealedImage:
    return SealedImage.objects.get(pk=image.pk)


def is_deleted(image) -> bool:
    return row(image).deleted_at is not None


def found(image) -> list[str]:
    return [finding.what for finding in ImageCheck([image.pk], reads_bytes=True).check(image.pk)]


@pytest.fixture
def kept(shared_image, alice):
    """An image alice keeps for ten days."""
    assert keep(alice, shared_image, in_days(10)).status_code == 200
    return shared_image


# ---- who may, and what may be chosen ---------------------------------------------------------


def test_only_its_owner_chooses(shared_image, alice, bob, mallory, client):
    address, form = f"/images/{shared_image.pk}/keep/", {"keep_until": in_days(1)}
    assert client.post(address, form, headers=JSON).status_code == 401
    assert keep(mallory, shared_image, in_days(1)).status_code == 404
    assert keep(bob, shared_image, in_days(1)).status_code == 403
    alice.sign_in().post("/accounts/lock/")
    assert alice.client.post(address, form, headers=JSON).json()["code"] == "locked"
    assert row(shared_image).keep_until is None
    assert not AuditEntry.objects.filter(event="image:keep-until-set").exists()


@pytest.mark.parametrize(
    ("until", "code"),
    [("yesterday", "invalid"), (in_days(-1), "in_the_past"), (in_days(40_000), "too_far")],
    ids=["no time", "past", "far"],
)
def test_a_wrong_date_is_refused_in_a_sentence(shared_image, alice, until, code):
    answer = keep(alice, shared_image, until)
    assert answer.status_code == 422
    assert answer.json()["errors"]["keep_until"][0]["code"] == code
    page = alice.client.post(f"/images/{shared_image.pk}/keep/", {"keep_until": until})
    assert page.status_code == 422
    assert row(shared_image).keep_until is None
    assert post(alice, keep_until=until).status_code == 422


def test_without_the_trails_table_nothing_is_chosen(shared_image, alice, monkeypatch):
    def away(*arguments, **named):
        raise AuditUnavailable

    monkeypatch.setattr(keeping.events, "recorded", away)
    alice.sign_in().raise_request_exception = False
    answer = alice.client.post(f"/images/{shared_image.pk}/keep/", {"keep_until": in_days(1)})
    assert answer.status_code == 503
    assert row(shared_image).keep_until is None


# ---- what happens then -----------------------------------------------------------------------


def test_both_pages_say_when_and_the_owner_can_take_it_back(kept, alice, bob):
    page = f"/images/{kept.pk}/"
    assert (
        "This image is deleted for everybody, you too, on"
        in alice.client.get(page).content.decode()
    )
    assert (
        "The owner chose that this image is deleted on" in bob.sign_in().get(page).content.decode()
    )
    assert parse_datetime(bob.client.get(page, headers=JSON).json()["keep_until"])
    assert keep(alice, kept, "").json() == {"keep_until": None}
    assert "kept until you delete it" in alice.client.get(page).content.decode()
    assert opens(bob, kept) == 200
    assert found(kept) == []
    whats = [act["what"] for act in acts(alice, kept, what="sharing")]
    assert whats[:2] == ["keep-until", "keep-until"]
    history = alice.client.get(f"{page}activity/").content.decode()
    assert "You chose that it is kept until you delete it." in history
    assert "You chose that it is deleted on" in history


def test_readers_get_a_notice_of_the_date_and_when_it_is_taken_back(kept, alice, bob):
    keep(alice, kept, "")
    back, chosen, _shared = shown(bob)
    assert {back["state"], chosen["state"]} == {"genuine"}
    assert "chose that an image you can open is deleted on" in chosen["sentence"]
    assert back["sentence"] == "Alice Ardent (@alice) chose that an image you can open is kept."
    assert shown(alice) == []


@pytest.mark.attack("F115")
@pytest.mark.parametrize("by", ["purge", "the owner's next page"])
def test_it_is_deleted_on_its_date_and_not_before(kept, alice, bob, days_later, by):
    names = list(Rendition.objects.filter(image=kept).values_list("storage_name", flat=True))

    def delete():
        call_command("purge") if by == "purge" else alice.sign_in().get("/accounts/security/")

    days_later(9)
    delete()
    assert not is_deleted(kept)
    assert opens(bob, kept) == 200
    days_later(11)
    assert opens(bob, kept) == 410  # deleted or not
    call_command("purge", dry_run=True)
    assert not is_deleted(kept)
    delete()
    assert is_deleted(kept)
    assert not any(storage.exists(name) for name in names)
    assert not WrappedKey.objects.filter(subject=kept.pk).exists()
    assert opens(bob, kept) == opens(alice, kept) == 410
    assert shown(bob)[0]["kind"] == "deleted"
    done = AuditEntry.objects.get(event="image:deleted", outcome="done").parsed()
    assert (done.actor, done.facts["reason"]) == (alice.user.pk, "keep-until")
    assert found(kept) == []


def test_an_upload_can_have_a_date_and_a_retry_must_have_the_same(alice, bob, days_later):
    first, other = in_days(10), in_days(20)
    form = {"recipients": ["bob"], "upload_id": "6f1b0a52-3c0e-4e0b-9a43-7d5a0c1f2e11"}
    assert post(alice, keep_until=first, **form).status_code == 201
    image = SealedImage.objects.get()
    assert post(alice, keep_until=first, **form).status_code == 201
    again = post(alice, keep_until=other, **form).json()["errors"]
    assert again["0"][0]["code"] == "stored_before"
    assert opens(bob, image) == 200
    assert found(image) == []
    page = alice.client.get(f"/images/{image.pk}/activity/").content.decode()
    assert "You uploaded this image, to be deleted on" in page
    assert keep(alice, image, other).status_code == 200
    days_later(11)
    call_command("purge")
    assert not is_deleted(image)
    days_later(21)
    call_command("purge")
    assert is_deleted(image)


def test_sharing_and_ending_access_leave_the_date_as_it_is(kept, alice, bob, carol):
    until = row(kept).keep_until
    assert share(alice, kept, carol).status_code == 200
    answer = alice.client.post(f"/images/{kept.pk}/revoke/", {"recipient": "bob"}, headers=JSON)
    assert answer.status_code == 200
    assert row(kept).keep_until == until
    assert opens(carol, kept) == 200


# ---- rows that somebody else wrote -----------------------------------------------------------


@pytest.mark.attack("F115")
def test_a_date_written_into_the_row_opens_and_deletes_nothing(shared_image, alice, bob):
    SealedImage.objects.update(keep_until=timezone.now() - timedelta(days=1))
    call_command("purge")
    alice.sign_in().get("/images/")
    assert not is_deleted(shared_image)
    assert opens(bob, shared_image) == 409
    assert opens(alice, shared_image) == 409
    assert found(shared_image) == ["keep-until"]
    assert keep(alice, shared_image, "").status_code == 200  # choosing once more mends it
    assert opens(bob, shared_image) == 200


@pytest.mark.attack("F115")
@pytest.mark.parametrize("days", [None, 5, 100])
def test_a_date_taken_out_of_the_row_or_moved_keeps_nothing_unnoticed(kept, bob, days):
    moved = timezone.now() + timedelta(days=days) if days else None
    SealedImage.objects.update(keep_until=moved)
    assert opens(bob, kept) == 409
    assert found(kept) == ["keep-until"]


@pytest.mark.attack("F115")
def test_an_earlier_choice_put_back_counts_no_more(kept, alice, bob):
    before = row(kept).keep_until
    keep(alice, kept, in_days(100))
    SealedImage.objects.update(keep_until=before)
    assert opens(bob, kept) == 409
    assert found(kept) == ["keep-until"]


@pytest.mark.attack("F115")
def test_a_date_that_somebody_chose_as_its_owner_for_a_moment_deletes_nothing(
    shared_image, alice, bob, mallory
):
    """Mallory writes herself into the row, chooses, and writes alice back, or does not."""
    past = (timezone.now() - timedelta(days=1)).replace(microsecond=0)
    facts = {"actor": mallory.user.pk, "subject": shared_image.pk}
    record(Event.IMAGE_KEEP_UNTIL_SET, **facts, **date_facts(past, 1))
    for owner in (alice, mallory):
        SealedImage.objects.update(keep_until=past, owner=owner.user)
        call_command("purge")
        assert not is_deleted(shared_image)
        assert opens(bob, shared_image) == 409
    SealedImage.objects.update(keep_until=None, owner=alice.user)
    assert opens(bob, shared_image) == 200


def test_a_choice_whose_end_the_trail_lost_stands(shared_image, alice, bob, monkeypatch):
    with monkeypatch.context() as lost:
        lost.setattr(events, "record_after", lambda *arguments, **options: None)
        keep(alice, shared_image, in_days(10))
    assert opens(bob, shared_image) == 200
    keep(alice, shared_image, in_days(20))
    assert opens(bob, shared_image) == 200
    assert found(shared_image) == []


def test_a_date_that_is_moved_while_it_is_deleted_by_the_old_one_keeps_the_image(
    kept, alice, days_later
):
    days_later(11)
    due = list(keeping.due_images())
    SealedImage.objects.filter(pk=kept.pk).update(keep_until=timezone.now() + timedelta(days=5))
    for image in due:
        with pytest.raises(keeping.HeadMoved):
            keeping.delete_now(image, reason="keep-until")
    assert not is_deleted(kept)
