"""When a reader's time is over their key goes, and the owner's next page changes the lock."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User, WrappedKey
from accounts.services.rotating.ordering import order_after_theft
from audit.models import AuditEntry
from gallery import opening, storage
from gallery.models import Grant, Rendition, SealedImage
from gallery.services import ended
from tests.stored import holds

JSON = {"accept": "application/json"}
pytestmark = pytest.mark.usefixtures("emptied_storage")


@pytest.fixture
def upload_for_five_minutes(upload):
    def send(*people):
        ends_at = (timezone.now() + timedelta(minutes=5)).isoformat()
        return upload(to=people, ends_at=ends_at)

    return send


@pytest.fixture
def ten_minutes_later(monkeypatch):
    """Move the clock, once called, for everything of the gallery and of the accounts."""
    real = timezone.now

    def move() -> None:
        monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=10))

    return move


def grant_of(person) -> Grant:
    return Grant.objects.get(reader=person.user)


def renditions(image) -> set[str]:
    return set(Rendition.objects.filter(image=image).values_list("storage_name", flat=True))


def lock_of(image) -> int:
    return SealedImage.objects.get(pk=image.pk).lock


@pytest.mark.attack("F38")
def test_purge_destroys_the_key_and_no_other(
    upload_for_five_minutes, upload, alice, bob, carol, ten_minutes_later
):
    upload_for_five_minutes(bob)
    upload(to=(carol,))
    key = bytes(grant_of(bob).wrapped_key.oaep_bytes)
    call_command("purge")
    assert holds(key)
    ten_minutes_later()
    call_command("purge", dry_run=True)
    assert holds(key)
    call_command("purge")
    assert not holds(key)
    assert WrappedKey.objects.filter(key_pair__user=alice.user).count() == 2
    assert WrappedKey.objects.filter(key_pair__user=carol.user).count() == 1


@pytest.mark.attack("F38")
@pytest.mark.parametrize("purged_first", [True, False])
def test_the_owners_next_page_encrypts_again(
    upload_for_five_minutes, alice, bob, ten_minutes_later, purged_first
):
    image = upload_for_five_minutes(bob)
    key, stored = bytes(grant_of(bob).wrapped_key.oaep_bytes), renditions(image)
    ten_minutes_later()
    if purged_first:
        call_command("purge")
    client = alice.sign_in()
    assert lock_of(image) == 2
    assert not holds(key)
    assert not renditions(image) & stored
    assert not any(storage.exists(name) for name in stored)
    assert client.get(f"/images/{image.pk}/original").status_code == 200
    grant = grant_of(bob)
    assert (grant.ended_reason, grant.wrapped_key) == ("ended", None)
    assert grant.ended_at == grant.ends_at
    relocked = AuditEntry.objects.filter(event="image:relocked")
    assert [entry.outcome for entry in relocked.order_by("sequence")] == ["intended", "done"]
    client.get("/images/")
    assert lock_of(image) == 2  # once


@pytest.mark.attack("F38")
def test_a_restored_row_opens_nothing_of_it(upload_for_five_minutes, alice, bob, ten_minutes_later):
    """As in an older copy of the database, put back."""
    image = upload_for_five_minutes(bob)
    grant, key = grant_of(bob), grant_of(bob).wrapped_key
    ten_minutes_later()
    alice.sign_in()
    key.save(force_insert=True)
    grant.ends_at = None
    grant.save()
    answer = bob.sign_in().get(f"/images/{image.pk}/original", headers=JSON)
    assert answer.status_code == 409


@pytest.mark.attack("F38")
def test_who_remains_keeps_their_access(
    upload_for_five_minutes, alice, bob, carol, ten_minutes_later
):
    image = upload_for_five_minutes(bob)
    share = {"recipients": ["carol"]}
    assert alice.client.post(f"/images/{image.pk}/share/", share, headers=JSON).status_code == 200
    ten_minutes_later()
    alice.sign_in()
    assert lock_of(image) == 2
    assert carol.sign_in().get(f"/images/{image.pk}/original").status_code == 200
    assert bob.sign_in().get(f"/images/{image.pk}/original").status_code == 410


@pytest.mark.attack("F38")
def test_an_end_that_a_later_share_signed_away_counts_too(
    upload_for_five_minutes, alice, bob, carol, ten_minutes_later, monkeypatch
):
    """The new list no longer names bob, and nothing was encrypted again for it."""
    image = upload_for_five_minutes(bob)
    ten_minutes_later()
    share = {"recipients": ["carol"]}
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(ended, "images_to_relock", lambda owner: [])
        answer = alice.sign_in().post(f"/images/{image.pk}/share/", share, headers=JSON)
    assert answer.status_code == 200
    assert (lock_of(image), grant_of(bob).ended_reason) == (1, "ended")
    alice.client.get("/images/")
    assert lock_of(image) == 2


@pytest.mark.attack("F38")
def test_an_answer_under_way_when_the_time_is_over_says_so(
    upload_for_five_minutes, alice, bob, monkeypatch
):
    """They were authorised, and then it was over: nothing is altered, and the trail says nothing
    so."""
    image = upload_for_five_minutes(bob)
    client = bob.sign_in()

    class Later:
        now = staticmethod(lambda: timezone.now() + timedelta(minutes=10))

    monkeypatch.setattr(opening, "timezone", Later)
    for address in ("original", "preview", "thumbnail", ""):
        answer = client.get(f"/images/{image.pk}/{address}", headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (410, "access_ended")
    assert client.get("/images/", headers=JSON).status_code == 200
    assert not AuditEntry.objects.filter(event="image:altered").exists()


@pytest.mark.attack("F38")
def test_an_end_that_nobody_signed_shuts_nobody_out_for_good(upload, alice, bob):
    """Anybody who writes to the database must not bring an owner to sign a list without a
    reader."""
    image = upload(to=(bob,))
    Grant.objects.filter(reader=bob.user).update(ends_at=timezone.now())
    alice.client.get("/images/")
    assert lock_of(image) == 1
    Grant.objects.filter(reader=bob.user).update(ends_at=None)
    assert bob.sign_in().get(f"/images/{image.pk}/original").status_code == 200


@pytest.mark.attack("F38")
def test_an_end_written_into_an_owners_own_row_costs_no_key(upload, alice):
    image = upload()
    Grant.objects.filter(reader=alice.user).update(ends_at=timezone.now())
    call_command("purge")
    alice.client.get("/images/")
    Grant.objects.filter(reader=alice.user).update(ends_at=None)
    assert alice.client.get(f"/images/{image.pk}/original").status_code == 200


def test_it_waits_where_somebody_else_would_lose_their_key(
    upload_for_five_minutes, alice, bob, carol, ten_minutes_later
):
    """Taking access back does not ask; this nobody asked for."""
    image = upload_for_five_minutes(bob)
    share = {"recipients": ["carol"]}
    alice.client.post(f"/images/{image.pk}/share/", share)
    order_after_theft(User.objects.get(pk=carol.user.pk))
    ten_minutes_later()
    alice.sign_in()
    assert lock_of(image) == 1
    assert grant_of(carol).wrapped_key
    due = SealedImage.objects.get(pk=image.pk).relock_after
    assert due > timezone.now()
    # An owner who asks for it has it done.
    answer = alice.client.post(f"/images/{image.pk}/revoke/", {"recipient": "carol"}, headers=JSON)
    assert answer.status_code == 200
    assert SealedImage.objects.get(pk=image.pk).relock_after is None


def test_what_does_not_verify_is_tried_once_an_hour_and_spoils_no_page(
    upload_for_five_minutes, alice, bob, ten_minutes_later, monkeypatch
):
    image, other = upload_for_five_minutes(bob), upload_for_five_minutes(bob)
    ten_minutes_later()
    for name in renditions(image):
        storage.discard([name])
    client = alice.sign_in()
    client.get("/images/")
    assert (lock_of(image), lock_of(other)) == (1, 2)
    tried = []
    monkeypatch.setattr(ended, "_relock_ended", lambda *arguments: tried.append(arguments))
    assert client.get("/images/").status_code == 200
    assert tried == []
    SealedImage.objects.filter(pk=image.pk).update(relock_after=timezone.now())
    client.get("/images/")
    assert len(tried) == 1


def test_what_another_page_took_on_is_left_to_it(
    upload_for_five_minutes, alice, bob, ten_minutes_later
):
    image = upload_for_five_minutes(bob)
    client = alice.sign_in()
    ten_minutes_later()
    assert ended._claim(image.pk)
    assert not ended._claim(image.pk)
    client.get("/images/")
    assert lock_of(image) == 1


def test_no_address_that_serves_bytes_does_it(
    upload_for_five_minutes, alice, bob, ten_minutes_later
):
    image = upload_for_five_minutes(bob)
    client = alice.sign_in()
    ten_minutes_later()
    SealedImage.objects.update(relock_after=None)
    for name in ("thumbnail", "preview", "original"):
        client.get(f"/images/{image.pk}/{name}")
    assert lock_of(image) == 1


def test_a_storage_that_is_away_spoils_no_page(
    upload_for_five_minutes, alice, bob, ten_minutes_later, settings, tmp_path
):
    image = upload_for_five_minutes(bob)
    client = alice.sign_in()
    ten_minutes_later()
    away = {"BACKEND": "gallery.storage.AtomicFileStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "sealed": away}
    assert client.get("/accounts/security/").status_code == 200
    assert lock_of(image) == 1


@pytest.mark.attack("F38")
def test_a_row_that_was_ended_by_another_hand_brings_no_owner_to_sign_a_list_without_it(
    shared_image, alice, bob
):
    """Due is written beside it: the lock stays, and the row put back opens as before."""
    Grant.objects.filter(reader=bob.user).update(ended_at=timezone.now())
    SealedImage.objects.update(relock_after=timezone.now())
    alice.sign_in()
    assert lock_of(shared_image) == 1
    Grant.objects.filter(reader=bob.user).update(ended_at=None)
    assert bob.sign_in().get(f"/images/{shared_image.pk}/original").status_code == 200
