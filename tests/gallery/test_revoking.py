"""Revoking changes the lock: what a former reader kept opens nothing any more."""

import json
import threading
from contextlib import suppress

import pytest
from django.core.files.storage import storages
from django.db import connections

from accounts.models import User, WrappedKey
from audit.models import AuditEntry
from cryptocore import content
from cryptocore.errors import CryptoError
from gallery.access import access_to
from gallery.models import Grant, Notice, Rendition, SealedImage, Statement
from gallery.opening import Opener
from gallery.services.revoking import revoke
from tests.gallery.test_sharing import opens, share
from tests.stored import holds

JSON = {"accept": "application/json"}


def post_revoke(person, image, recipient="bob"):
    address = f"/images/{image.pk}/revoke/"
    return person.sign_in().post(address, {"recipient": recipient}, headers=JSON)


def test_somebody_without_access_and_the_owner_cannot_be_revoked(shared_image, alice, mallory):
    for name in ("mallory", "nobody-here", "alice", ""):
        answer = post_revoke(alice, shared_image, name)
        assert answer.status_code == 422, name
        assert answer.json()["errors"]["recipient"]
    assert SealedImage.objects.get().lock == 1


def test_a_former_recipient_gets_a_reason_and_a_stranger_does_not(
    shared_image, alice, bob, mallory
):
    opens(bob, shared_image)
    receipt = post_revoke(alice, shared_image).json()
    assert (receipt["recipient"], receipt["opened"], receipt["downloaded"]) == ("bob", 1, 0)
    for what in ("", "original", "preview", "thumbnail"):
        answer = bob.sign_in().get(f"/images/{shared_image.pk}/{what}", headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (410, "access_ended")
        assert "Alice Ardent" in answer.json()["message"]
    assert opens(mallory, shared_image) == 404
    assert bob.client.get("/images/", headers=JSON).json()["images"] == []


def test_those_who_remain_open_the_same_picture(upload, alice, bob, carol, picture):
    image = upload(to=(bob, carol), data=picture, keep_details="1", caption="At the lake")
    post_revoke(alice, image)
    for person in (alice, carol):
        browser = person.sign_in()
        assert browser.get(f"/images/{image.pk}/original").getvalue() == picture
        page = browser.get(f"/images/{image.pk}/", headers=JSON).json()
        assert page["caption"] == "At the lake"


@pytest.mark.attack("C12")
def test_everything_of_the_old_lock_is_gone(shared_image, alice, bob):
    opens(bob, shared_image)
    old_names = set(Rendition.objects.values_list("storage_name", flat=True))
    old_keys = [bytes(key.oaep_bytes) for key in WrappedKey.objects.all()]
    old_keys += [bytes(key.quick_key) for key in WrappedKey.objects.exclude(quick_key=None)]
    assert all(map(holds, old_keys))
    post_revoke(alice, shared_image)
    assert not any(storages["sealed"].exists(name) for name in old_names)
    assert WrappedKey.objects.get().lock == 2
    assert len(old_keys) == 4
    assert not any(map(holds, old_keys))


@pytest.mark.attack("C12", "D3")
def test_restored_old_rows_open_nothing(shared_image, alice, bob):
    grant = Grant.objects.get(reader=bob.user)
    key = WrappedKey.objects.get(pk=grant.wrapped_key_id)
    share_body = Statement.objects.get(kind="share")
    post_revoke(alice, shared_image)
    key.save(force_insert=True)
    Grant.objects.filter(pk=grant.pk).update(ended_at=None, ended_reason="", wrapped_key=key)
    assert opens(bob, shared_image) == 409
    # The old share statement put back as the newest, under its own number or the next.
    newest = Statement.objects.filter(kind="share").order_by("-sequence").first()
    Statement.objects.filter(pk=newest.pk).update(
        body=bytes(share_body.body), signature=bytes(share_body.signature)
    )
    assert opens(bob, shared_image) == 409
    Statement.objects.filter(pk=newest.pk).delete()
    WrappedKey.objects.filter(pk=key.pk).update(lock=2)
    assert opens(bob, shared_image) == 409


@pytest.mark.attack("D1")
def test_revoking_twice_gives_the_same_answer_and_one_notice(shared_image, alice, bob):
    first, again = post_revoke(alice, shared_image), post_revoke(alice, shared_image)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert SealedImage.objects.get().lock == 2
    assert Notice.objects.filter(person=bob.user).count() == 2


def test_two_tabs_revoking_two_people_at_once_revoke_both(upload, alice, bob, carol):
    image = upload(to=(bob, carol))
    failures: list[Exception] = []

    def tab(person) -> None:
        try:
            revoke(keyring=alice.keyring, image_id=image.pk, recipient=person.user)
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    tabs = [threading.Thread(target=tab, args=[person]) for person in (bob, carol)]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join()
    assert failures == []
    assert SealedImage.objects.get().lock == 3
    assert opens(alice, image) == 200
    assert opens(bob, image) == opens(carol, image) == 410
    stored = set(Rendition.objects.values_list("storage_name", flat=True))
    assert len(stored) == 4


def test_shared_again_after_revoking_opens_again(shared_image, alice, bob):
    post_revoke(alice, shared_image)
    assert share(alice, shared_image, bob).json()["added"] == ["bob"]
    assert opens(bob, shared_image) == 200


def test_a_disabled_readers_missing_key_does_not_keep_from_revoking(upload, alice, bob, carol):
    image = upload(to=(bob, carol))
    carol.user.key_pairs.filter(purpose="encryption").update(state="compromised")
    assert post_revoke(alice, image).status_code == 200
    waiting = carol.sign_in().get(f"/images/{image.pk}/preview", headers=JSON)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "waiting")


def test_a_storage_that_fails_revokes_nothing_and_loses_nothing(
    shared_image, alice, bob, monkeypatch
):
    def failing(path, data):
        raise OSError(28, "No space left on device")

    client = alice.sign_in()
    client.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr("gallery.storage._write_and_sync", failing)
        answer = client.post(
            f"/images/{shared_image.pk}/revoke/", {"recipient": "bob"}, headers=JSON
        )
    assert answer.status_code == 503
    assert opens(alice, shared_image) == opens(bob, shared_image) == 200
    assert AuditEntry.objects.filter(event="image:revoked", outcome="failed").exists()


def test_the_old_content_key_is_not_the_committed_one_and_opens_none_of_the_new_bytes(
    shared_image, alice, bob
):
    old = Opener(bob.keyring).content_key_for(access_to(shared_image.pk, reader=bob.user))
    post_revoke(alice, shared_image)
    manifest = Statement.objects.filter(kind="manifest").order_by("-sequence").first()
    commitment = bytes.fromhex(json.loads(bytes(manifest.body))["key_commitment"])
    ids = {"image_id": shared_image.pk, "owner_id": alice.user.pk, "lock": 2}
    with pytest.raises(CryptoError):
        content.check_key_commitment(old, commitment, **ids)
    with storages["sealed"].open(Rendition.objects.get(name="original").storage_name) as file:
        stored = file.read()
    with suppress(CryptoError):  # CBC opens under any key: to noise, or to a refused padding
        assert not content.decrypt(stored, old).startswith(b"\xff\xd8")


def test_deleting_empties_everything_and_notifies_those_who_had_it(shared_image, alice, bob):
    names = list(Rendition.objects.values_list("storage_name", flat=True))
    answer = alice.sign_in().post(f"/images/{shared_image.pk}/delete/", headers=JSON)
    assert answer.json() == {"deleted": str(shared_image.pk)}
    assert not any(storages["sealed"].exists(name) for name in names)
    assert not WrappedKey.objects.exists()
    told = bob.sign_in().get(f"/images/{shared_image.pk}/", headers=JSON)
    assert (told.status_code, told.json()["code"]) == (410, "access_ended")
    again = alice.client.post(f"/images/{shared_image.pk}/delete/", headers=JSON)
    assert again.status_code == 410
    assert alice.client.get("/images/mine/", headers=JSON).json()["images"] == []
    assert User.objects.count() == 2
