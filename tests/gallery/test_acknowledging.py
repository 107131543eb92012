"""A recipient signs once that they have received an image; nothing else is shown as that."""

from dataclasses import dataclass

import pytest
from django.conf import settings
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import KeyPair
from accounts.services.holding import changing_keys
from accounts.services.rotating.ordering import order_after_theft
from audit import events
from audit.events import AuditUnavailable, Event, record
from audit.models import AuditEntry
from cryptocore import statements
from cryptocore.errors import CryptoError
from cryptocore.picture import check_picture_tag
from gallery import acknowledgements, storage
from gallery.access import access_to
from gallery.models import Acknowledgement, Notice, Rendition, SealedImage
from gallery.opening import Opener
from gallery.services import acknowledging, revoking
from gallery.services.uploading import what_is_beside
from gallery.verification.findings import Kind
from gallery.verification.images import ImageCheck
from tests.conftest import jpeg
from tests.gallery.test_notices import shown
from tests.gallery.test_revoking import post_revoke

JSON = {"accept": "application/json"}


def acknowledge(person, image):
    return person.sign_in().post(f"/images/{image.pk}/acknowledge/", headers=JSON)


def seen_by_owner(alice, image, username="bob"):
    people = alice.sign_in().get(f"/images/{image.pk}/", headers=JSON).json()["people"]
    return next(one["acknowledged"] for one in people if one["username"] == username)


def state_of(alice, image, username="bob"):
    return (seen_by_owner(alice, image, username) or {}).get("state")


def is_found(image) -> bool:
    found = ImageCheck([image.pk], reads_bytes=False).check(image.pk)
    return Kind.ACKNOWLEDGEMENT in [finding.kind for finding in found]


# ---- who may not -----------------------------------------------------------------------------


def test_the_owner_has_nothing_to_acknowledge(shared_image, alice):
    answer = acknowledge(alice, shared_image)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_who_may_not_open_it_may_not_acknowledge_it(shared_image, alice, bob, mallory, client):
    address = f"/images/{shared_image.pk}/acknowledge/"
    assert client.post(address, headers=JSON).status_code == 401
    assert acknowledge(mallory, shared_image).status_code == 404
    bob.sign_in().post("/accounts/lock/")
    assert bob.client.post(address, headers=JSON).json()["code"] == "locked"
    assert bob.client.post(address).url.startswith("/accounts/unlock/")
    post_revoke(alice, shared_image)
    assert acknowledge(bob, shared_image).status_code == 410
    assert not Acknowledgement.objects.exists()
    assert not AuditEntry.objects.filter(event="image:acknowledged").exists()


@pytest.mark.parametrize("name", ["original", "description"])
def test_a_damaged_image_cannot_be_acknowledged(shared_image, bob, name):
    storage.discard([Rendition.objects.get(image=shared_image, name=name).storage_name])
    answer = acknowledge(bob, shared_image)
    assert (answer.status_code, answer.json()["code"]) == (409, "altered")
    assert not Acknowledgement.objects.exists()


def test_without_the_trail_nothing_is_signed(shared_image, bob, monkeypatch):
    def away(*arguments, **named):
        raise AuditUnavailable

    monkeypatch.setattr(acknowledging.events, "recorded", away)
    bob.client.raise_request_exception = False
    assert acknowledge(bob, shared_image).status_code == 503
    assert not Acknowledgement.objects.exists()


# ---- what it does ----------------------------------------------------------------------------


def test_a_recipient_acknowledges_once_and_both_see_it(shared_image, alice, bob, carol):
    first, second = acknowledge(bob, shared_image), acknowledge(bob, shared_image)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert first.json()["acknowledged"]["state"] == "genuine"
    assert Acknowledgement.objects.count() == 1
    own = bob.client.get(f"/images/{shared_image.pk}/", headers=JSON).json()["acknowledged"]
    assert own == seen_by_owner(alice, shared_image) == first.json()["acknowledged"]
    done = AuditEntry.objects.filter(event="image:acknowledged").order_by("sequence")
    assert [(entry.actor, entry.outcome) for entry in done] == [
        (bob.user.pk, "intended"),
        (bob.user.pk, "done"),
    ]
    assert not is_found(shared_image)


def test_somebody_who_may_only_view_acknowledges_too(upload, alice, bob):
    image = upload(to=(bob,), rights="view")
    assert acknowledge(bob, image).status_code == 200
    assert bob.client.get(f"/images/{image.pk}/original", headers=JSON).status_code == 403
    assert not AuditEntry.objects.filter(event="image:downloaded").exists()
    assert state_of(alice, image) == "genuine"


def test_the_pages_say_it_without_a_script(shared_image, alice, bob):
    page = f"/images/{shared_image.pk}/"
    assert "I have received this" in bob.sign_in().get(page).content.decode()
    after = bob.client.post(f"{page}acknowledge/", follow=True).content.decode()
    assert "You confirmed on" in after
    assert "I have received this" not in after
    owners = alice.sign_in().get(page).content.decode()
    assert "Receipt confirmed" in owners
    assert "I have received this" not in owners


def test_the_owner_gets_one_notice_and_several_images_are_one_line(upload, alice, bob):
    images = [upload(to=(bob,)) for _ in range(3)]
    for image in images:
        acknowledge(bob, image)
        acknowledge(bob, image)
    notices = shown(alice)
    assert [(one["kind"], one["state"]) for one in notices] == [("acknowledged", "genuine")] * 3
    assert "Bob Brook (@bob) confirmed" in notices[0]["sentence"]
    page = alice.client.get("/activity/").content.decode()
    assert "Bob Brook (@bob) confirmed that they have received 3 images." in page
    assert Notice.objects.filter(person=bob.user).count() == 3  # of the shares alone


@pytest.mark.attack("F112")
def test_it_says_which_picture_under_any_later_lock(upload, alice, bob, carol):
    picture = jpeg("navy")
    image = upload(to=(bob, carol), data=picture, keep_details="1")
    acknowledge(bob, image)
    body = statements.parse("acknowledgement", bytes(Acknowledgement.objects.get().body))
    post_revoke(alice, image, recipient="carol")
    image.refresh_from_db()
    assert image.lock == 2
    opener, access = Opener(alice.keyring), access_to(image.pk, reader=alice.user)
    assert opener.newest("manifest", image).digest != body["manifest"]
    key = bytes.fromhex(opener.description(access)["picture_key"])
    tag = bytes.fromhex(body["picture"])
    check_picture_tag(key, tag, opener.open(access, "original").chunks())
    with pytest.raises(CryptoError):
        check_picture_tag(key, tag, [jpeg("navy", (65, 48))])
    assert state_of(alice, image) == "genuine"


def test_an_image_without_a_picture_key_is_acknowledged_by_its_manifest(
    upload, alice, bob, monkeypatch
):
    def as_before(*arguments, **named):
        plain = what_is_beside(*arguments, **named)
        described = plain["description"]
        (data,) = described.pieces
        data = data.replace(b'"picture_key"', b'"unknown_key"')
        return plain | {"description": type(described)([data], described.media_type)}

    monkeypatch.setattr("gallery.services.uploading.what_is_beside", as_before)
    image = upload(to=(bob,))
    assert acknowledge(bob, image).status_code == 200
    body = statements.parse("acknowledgement", bytes(Acknowledgement.objects.get().body))
    assert body["manifest"] == Opener(bob.keyring).newest("manifest", image).digest
    assert "picture" not in body
    assert state_of(alice, image) == "genuine"


def test_a_re_lock_that_comes_between_makes_it_start_anew(shared_image, alice, bob, monkeypatch):
    sign, relocked = acknowledging.sign_statement, []

    def then_relocked(*arguments, **named):
        signed = sign(*arguments, **named)
        if not relocked:
            relocked.append(revoking.relock(keyring=alice.keyring, image_id=shared_image.pk))
        return signed

    monkeypatch.setattr(acknowledging, "sign_statement", then_relocked)
    assert acknowledge(bob, shared_image).status_code == 200
    body = statements.parse("acknowledgement", bytes(Acknowledgement.objects.get().body))
    shared_image.refresh_from_db()
    assert shared_image.lock == 2
    assert body["manifest"] == Opener(bob.keyring).newest("manifest", shared_image).digest
    assert state_of(alice, shared_image) == "genuine"


# ---- rows that somebody else wrote -----------------------------------------------------------


@pytest.mark.attack("F110")
@pytest.mark.parametrize("column", ["body", "signature"])
@pytest.mark.parametrize("place", [0, 20, -1])
def test_a_row_changed_in_any_way_is_not_shown_as_genuine(shared_image, alice, bob, column, place):
    acknowledge(bob, shared_image)
    row = Acknowledgement.objects.get()
    damaged = bytearray(bytes(getattr(row, column)))
    damaged[place] ^= 1
    Acknowledgement.objects.update(**{column: bytes(damaged)})
    assert seen_by_owner(alice, shared_image) == {"state": "altered", "at": None}
    page = alice.client.get(f"/images/{shared_image.pk}/").content.decode()
    assert "does not verify" in page
    assert "Receipt confirmed" not in page
    assert (
        "missing here or was changed"
        in bob.client.get(f"/images/{shared_image.pk}/").content.decode()
    )
    assert acknowledge(bob, shared_image).json()["acknowledged"]["state"] == "altered"
    assert is_found(shared_image)


def signed_by(person, image, *, signer=None, subject=None):
    """A statement by this person's own key, put into the table behind everybody's back."""
    pair = KeyPair.objects.get(user=person.user, purpose="signing")
    body = statements.compose(
        "acknowledgement",
        instance=settings.SERVER_KEYS.instance_id,
        subject=subject or image.pk,
        sequence=1,
        previous=None,
        time=timezone.now(),
        signer=(signer or person).user.pk,
        key=pair.fingerprint,
        manifest="00" * 32,
    )
    return body, person.keyring.sign(pair, "acknowledgement", body)


@pytest.mark.attack("F110")
def test_a_row_that_mallory_signed_for_bob_is_none(shared_image, alice, bob, mallory):
    body, signature = signed_by(mallory, shared_image, signer=bob)
    Acknowledgement.objects.create(
        image=shared_image, reader=bob.user, body=body, signature=signature
    )
    assert state_of(alice, shared_image) == "altered"


@pytest.mark.attack("F110")
def test_what_the_trail_has_not_is_no_confirmation_though_the_reader_signed_it(
    shared_image, alice, bob
):
    """As a thief of bob's key makes one who writes to the database alone."""
    body, signature = signed_by(bob, shared_image)
    Acknowledgement.objects.create(
        image=shared_image, reader=bob.user, body=body, signature=signature
    )
    assert state_of(alice, shared_image) == "altered"
    assert is_found(shared_image)


@pytest.mark.attack("F110")
@pytest.mark.parametrize("other", ["subject", "signer"])
def test_what_is_signed_about_something_else_is_none_though_the_trail_should_name_it(
    shared_image, alice, bob, carol, other
):
    said = {"subject": carol.user.pk} if other == "subject" else {"signer": carol}
    body, signature = signed_by(bob, shared_image, **said)
    Acknowledgement.objects.create(
        image=shared_image, reader=bob.user, body=body, signature=signature
    )
    facts = {"actor": bob.user.pk, "subject": shared_image.pk}
    record(Event.IMAGE_ACKNOWLEDGED, **facts, acknowledgement=statements.digest(body))
    assert state_of(alice, shared_image) == "altered"


@pytest.mark.attack("F110", "F111")
def test_a_row_handed_to_another_reader_confirms_nothing(upload, alice, bob, carol):
    image = upload(to=(bob, carol))
    acknowledge(bob, image)
    Acknowledgement.objects.update(reader=carol.user)
    assert state_of(alice, image, "carol") == "altered"
    assert state_of(alice, image, "bob") == "missing"


@pytest.mark.attack("F111")
def test_one_moved_to_another_image_confirms_nothing_and_is_missing_here(upload, alice, bob):
    here, there = upload(to=(bob,)), upload(to=(bob,))
    acknowledge(bob, here)
    Acknowledgement.objects.update(image=there)
    assert state_of(alice, here) == "missing"
    assert state_of(alice, there) == "altered"
    assert is_found(here)
    assert is_found(there)


@pytest.mark.attack("F111")
def test_one_taken_away_is_said_to_be_missing(shared_image, alice, bob):
    acknowledge(bob, shared_image)
    Acknowledgement.objects.all().delete()
    assert seen_by_owner(alice, shared_image)["at"]
    assert state_of(alice, shared_image) == "missing"
    page = alice.client.get(f"/images/{shared_image.pk}/").content.decode()
    assert "but the confirmation is missing here" in page
    assert acknowledge(bob, shared_image).json()["acknowledged"]["state"] == "missing"
    assert not Acknowledgement.objects.exists()
    assert is_found(shared_image)


def mark_stolen(person, *, at):
    with changing_keys(Event.KEYS_ROTATED, person):
        KeyPair.objects.filter(user=person).update(compromised_at=at)


@pytest.mark.attack("F110")
def test_what_a_stolen_key_signs_later_is_no_confirmation(upload, alice, bob):
    before, after = upload(to=(bob,)), upload(to=(bob,))
    acknowledge(bob, before)
    a_moment_ago = timezone.now()
    acknowledge(bob, after)
    mark_stolen(bob.user, at=a_moment_ago)
    assert state_of(alice, before) == "genuine"
    assert state_of(alice, after) == "altered"


def test_one_signed_before_a_theft_still_counts(shared_image, alice, bob):
    acknowledge(bob, shared_image)
    order_after_theft(bob.user)
    assert state_of(alice, shared_image) == "genuine"


@pytest.mark.attack("F110")
def test_one_whose_end_the_trail_lost_is_genuine(shared_image, alice, bob, monkeypatch):
    with monkeypatch.context() as lost:
        lost.setattr(events, "record_after", lambda *arguments, **options: None)
        acknowledge(bob, shared_image)
    assert state_of(alice, shared_image) == "genuine"
    assert not is_found(shared_image)


def test_what_was_intended_alone_can_be_done_later(shared_image, alice, bob, monkeypatch):
    @dataclass
    class Broken(Exception):
        pass

    def breaks(*arguments):
        raise Broken

    with monkeypatch.context() as broken:
        broken.setattr(acknowledging, "send_notices", breaks)
        with pytest.raises(Broken):
            acknowledge(bob, shared_image)
    assert state_of(alice, shared_image) is None
    assert acknowledge(bob, shared_image).status_code == 200
    assert state_of(alice, shared_image) == "genuine"


def test_a_page_asks_as_often_for_many_confirmations_as_for_one(upload, make_person):
    people = [make_person(f"reader{number}") for number in range(6)]  # as many keys as tests have
    image = upload(to=tuple(people))
    acknowledge(people[0], image)
    asked = [queries_of(image)]
    for person in people[1:]:
        acknowledge(person, image)
    asked.append(queries_of(image))
    assert asked[0] == asked[1]


def queries_of(image: SealedImage) -> tuple[int, int]:
    with (
        CaptureQueriesContext(connections["default"]) as business,
        CaptureQueriesContext(connections["audit"]) as trail,
    ):
        acknowledgements.acknowledged_by(image)
    return len(business), len(trail)
