"""One's own wrapped keys are looked over at unlocked pages, and mended while they can be."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import WrappedKey, WrappedKeyCheck
from accounts.services.rotating.mending import EVERY
from accounts.services.rotating.ordering import order_pairs
from audit.models import AuditEntry
from gallery.models import Statement
from gallery.services import own_keys
from tests.conftest import jpeg

JSON = {"accept": "application/json"}


def wrapped_for(person) -> WrappedKey:
    return WrappedKey.objects.get(key_pair__user=person.user)


def damage(wrapped: WrappedKey) -> bytes:
    """Flip a bit; return the bytes from then on."""
    flipped = bytes([*wrapped.oaep_bytes[:-1], wrapped.oaep_bytes[-1] ^ 1])
    WrappedKey.objects.filter(pk=wrapped.pk).update(oaep_bytes=flipped)
    return flipped


def told(event: str) -> list[tuple]:
    entries = AuditEntry.objects.filter(event=event).order_by("sequence")
    return [(entry.outcome, entry.parsed().subject, entry.parsed().facts) for entry in entries]


def begin_again(person) -> None:
    WrappedKeyCheck.objects.filter(user=person.user).update(done_at=timezone.now() - EVERY)


@pytest.fixture
def opened(shared_image, bob):
    """Bob has a quick key, and a round that found nothing wrong."""
    client = bob.sign_in()
    assert client.get(f"/images/{shared_image.pk}/preview").status_code == 200
    client.get("/images/")
    assert WrappedKeyCheck.objects.get(user=bob.user).checked == 1
    begin_again(bob)
    return shared_image


@pytest.mark.attack("F26")
def test_a_damaged_wrapped_key_is_wrapped_again_from_its_quick_key(opened, bob):
    damaged = damage(wrapped_for(bob))
    assert bob.client.get("/images/").status_code == 200
    mended = wrapped_for(bob)
    assert bytes(mended.oaep_bytes) != damaged
    assert [outcome for outcome, _about, _facts in told("wrapped-key:mended")] == [
        "intended",
        "done",
    ]
    assert told("wrapped-key:mended")[1][2] == {"image": str(opened.pk)}
    WrappedKey.objects.filter(pk=mended.pk).update(quick_key=None)
    assert bob.client.get(f"/images/{opened.pk}/preview").status_code == 200
    assert WrappedKeyCheck.objects.get(user=bob.user).damaged == 0


@pytest.mark.attack("F26")
@pytest.mark.parametrize("quick", ["none", "foreign"])
def test_one_that_no_way_opens_is_on_record_and_shown(opened, bob, quick):
    damaged = damage(wrapped_for(bob))
    quick_key = None
    if quick == "foreign":  # opens, and is not what the owner committed to
        place = {"subject": opened.pk, "lock": opened.lock}
        quick_key = bob.keyring.wrap_quick_key(bytes(32), **place)
    WrappedKey.objects.filter(key_pair__user=bob.user).update(quick_key=quick_key)
    bob.client.get("/images/")
    assert bytes(wrapped_for(bob).oaep_bytes) == damaged
    assert told("wrapped-key:damaged") == [("failed", opened.pk, {})]
    page = bob.client.get("/accounts/security/").content.decode()
    assert "checked 1 of 1" in page
    assert "1 does not open" in page
    assert len(told("wrapped-key:damaged")) == 1  # once a round


def test_a_mended_key_is_wrapped_to_the_pair_in_use(opened, bob):
    order_pairs(bob.user, ["encryption"])
    bob.client.get("/images/")  # makes the next pair; wrapping again is for the pages to come
    wrapped = wrapped_for(bob)
    assert (wrapped.key_pair.epoch, wrapped.key_pair.state) == (1, "open-only")
    damage(wrapped)
    begin_again(bob)
    bob.client.get("/images/")
    pair = wrapped_for(bob).key_pair
    assert (pair.epoch, pair.state) == (2, "primary")
    assert bob.client.get(f"/images/{opened.pk}/preview").status_code == 200


def test_an_altered_manifest_is_not_taken_for_a_damaged_key(opened, bob):
    Statement.objects.filter(subject=opened.pk, kind="manifest").update(signature=b"")
    bob.client.get("/images/")
    assert told("wrapped-key:damaged") == []


def test_a_round_goes_on_where_the_page_before_stopped(upload, bob, monkeypatch):
    monkeypatch.setattr(own_keys, "SECONDS", 0.000001)  # one piece for each page
    monkeypatch.setattr(own_keys, "CHUNK", 2)
    for _number in range(3):
        upload(to=(bob,), data=jpeg())
    client = bob.sign_in()
    counts = []
    for _page in range(4):
        client.get("/images/")
        check = WrappedKeyCheck.objects.get(user=bob.user)
        counts.append((check.checked, check.done_at is not None))
    assert counts[-1] == (3, True)
    assert counts == sorted(counts)
    page = client.get("/accounts/security/").content.decode()
    assert "checked 3 of 3" in page


def test_between_two_rounds_nothing_is_looked_at(opened, bob):
    WrappedKeyCheck.objects.filter(user=bob.user).update(
        done_at=timezone.now() - EVERY + timedelta(hours=1)
    )
    damaged = damage(wrapped_for(bob))
    bob.client.get("/images/")
    assert bytes(wrapped_for(bob).oaep_bytes) == damaged


def test_a_locked_page_looks_at_nothing(shared_image, bob):
    client = bob.sign_in()
    client.post("/accounts/lock/")
    WrappedKeyCheck.objects.filter(user=bob.user).delete()
    client.get("/images/")
    assert not WrappedKeyCheck.objects.filter(user=bob.user).exists()
