"""Rows changed behind the owner's back become true at no later act of theirs."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError, transaction
from django.utils import timezone

from accounts.models import MacKey, User
from audit import events
from audit.events import AuditUnavailable
from audit.models import AuditEntry
from cryptocore import statements
from gallery.models import Grant, Statement
from gallery.sealing import set_entry
from gallery.services import revoking
from gallery.views import image as image_views
from tests.gallery.test_revoking import JSON, post_revoke
from tests.gallery.test_sharing import opens, share


def forge_grant(image, person):
    """A plain INSERT, for which no key is needed."""
    grant = Grant(image=image, owner=image.owner, reader=person.user, granted_at=timezone.now())
    set_entry(grant, rights="download", ends_at=None)
    grant.save()
    return grant


def download(person, image) -> int:
    return person.sign_in().get(f"/images/{image.pk}/original", headers=JSON).status_code


# ---- forged grants ---------------------------------------------------------------------------


@pytest.mark.attack("F240")
def test_a_grant_whose_row_names_another_owner_is_altered_on_whichever_list(upload, alice, bob):
    image = upload(to=(bob,))
    Grant.objects.filter(image=image, reader=bob.user).update(owner=bob.user)
    assert download(bob, image) == 409
    assert bob.client.get("/images/", headers=JSON).json()["images"] == []
    (card,) = bob.client.get("/images/mine/", headers=JSON).json()["images"]
    assert (card["state"], card["caption"]) == ("altered", "")
    assert download(alice, image) == 200
    with pytest.raises(CommandError):
        call_command("verify_images")


def test_a_forged_grant_is_ended_and_not_signed_at_the_next_revoking(
    upload, alice, bob, carol, mallory
):
    image = upload(to=(bob, carol))
    grant = forge_grant(image, mallory)
    assert download(mallory, image) == 409
    assert post_revoke(alice, image, "carol").status_code == 200
    assert download(mallory, image) == 410
    grant.refresh_from_db()
    assert grant.wrapped_key is None
    assert download(bob, image) == 200
    assert AuditEntry.objects.filter(event="image:altered", actor=alice.user.pk).exists()


def test_nobody_is_added_to_a_list_that_holds_a_forged_grant(upload, alice, bob, carol, mallory):
    image = upload(to=(bob,))
    forge_grant(image, mallory)
    assert share(alice, image, carol).status_code == 409
    page = alice.client.get(f"/images/{image.pk}/")
    assert b"added people to this list without you" in page.content
    people = alice.client.get(f"/images/{image.pk}/", headers=JSON).json()["people"]
    assert [person["username"] for person in people] == ["bob"]
    assert download(mallory, image) == 409


@pytest.mark.parametrize(
    "change", [{"rights": "download"}, {"ends_at": timezone.now() + timedelta(days=999)}]
)
def test_changed_terms_are_not_signed_at_the_next_revoking(upload, alice, bob, carol, change):
    ends_at = (timezone.now() + timedelta(days=1)).isoformat()
    image = upload(to=(bob, carol), rights="view", ends_at=ends_at)
    Grant.objects.filter(reader=bob.user).update(**change)
    assert opens(bob, image) == 409
    assert post_revoke(alice, image, "carol").status_code == 200
    assert download(bob, image) != 200
    assert opens(bob, image) == 410


def test_a_revoked_grant_set_back_stays_revoked(upload, alice, bob, carol):
    image = upload(to=(bob, carol))
    post_revoke(alice, image, "carol")
    Grant.objects.filter(reader=carol.user).update(ended_at=None, ended_reason="")
    assert opens(carol, image) == 409
    post_revoke(alice, image, "bob")
    assert opens(carol, image) == 410


def test_nothing_is_signed_after_a_share_statement_that_does_not_verify(
    shared_image, alice, bob, carol
):
    Statement.objects.filter(kind="share").update(signature=bytes(384))
    assert share(alice, shared_image, carol).status_code == 409
    assert post_revoke(alice, shared_image).status_code == 409
    assert Statement.objects.filter(kind="share").count() == 1


# ---- one person's trouble does not keep another's access alive -------------------------------


def test_a_disabled_reader_does_not_keep_the_owner_from_revoking(upload, alice, bob, carol):
    image = upload(to=(bob, carol))
    User.objects.filter(pk=carol.user.pk).update(is_active=False)
    assert post_revoke(alice, image).status_code == 200
    assert opens(bob, image) == 410
    User.objects.filter(pk=carol.user.pk).update(is_active=True)
    answer = carol.sign_in().get(f"/images/{image.pk}/preview", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "waiting")
    assert share(alice, image, carol).status_code == 200
    assert opens(carol, image) == 200


def test_a_mac_key_that_does_not_open_keeps_nobody_from_revoking_or_deleting(
    upload, alice, bob, carol
):
    image = upload(to=(bob, carol))
    MacKey.objects.filter(user=bob.user).update(wrapped_key=bytes(40))
    assert post_revoke(alice, image).status_code == 200
    assert opens(bob, image) == 410
    failed = AuditEntry.objects.get(event="notice:sent", outcome="failed")
    assert failed.parsed().facts["people"] == [str(bob.user.pk)]
    assert alice.client.post(f"/images/{image.pk}/delete/", headers=JSON).status_code == 200
    assert opens(carol, image) == 410


def test_more_people_than_a_statement_lists_are_refused_in_a_sentence(
    upload, alice, bob, carol, monkeypatch
):
    image = upload(to=(bob,))
    monkeypatch.setattr(statements, "MAX_ENTRIES", 2)
    answer = share(alice, image, carol)
    assert answer.status_code == 422
    assert answer.json()["errors"]["recipients"][0]["code"] == "too_many_recipients"
    assert opens(bob, image) == 200


# ---- answers that got lost -------------------------------------------------------------------


def test_stored_bytes_stay_when_only_the_answer_to_the_commit_was_lost(
    upload, alice, bob, carol, monkeypatch
):
    image = upload(to=(bob, carol))
    alice.sign_in().raise_request_exception = False

    class LosingTheAnswer(transaction.Atomic):
        def __exit__(self, *error):
            super().__exit__(*error)
            raise OperationalError("the server closed the connection")

    losing = SimpleNamespace(atomic=lambda: LosingTheAnswer(None, True, False))
    monkeypatch.setattr(revoking, "transaction", losing)
    assert post_revoke(alice, image).status_code == 503
    monkeypatch.undo()
    assert opens(carol, image) == 200
    assert opens(alice, image) == 200


def test_stored_bytes_go_when_the_commit_failed(upload, alice, bob, monkeypatch):
    image = upload(to=(bob,))
    before = stored_files()

    def fail(*arguments):
        raise DatabaseError

    monkeypatch.setattr(revoking, "_exchange", fail)
    alice.client.raise_request_exception = False
    assert post_revoke(alice, image).status_code == 500
    assert stored_files() == before
    assert opens(bob, image) == 200


def stored_files() -> set[str]:
    sealed = storages["sealed"]
    folders, _ = sealed.listdir("")
    return {f"{folder}/{name}" for folder in folders for name in sealed.listdir(folder)[1]}


def test_what_is_done_is_not_called_undone_because_the_trail_went_away(
    shared_image, alice, bob, monkeypatch
):
    """Both copies of the trail go away between `intended` and `done`."""
    record = events.record

    def record_and_break(*arguments, **facts):
        record(*arguments, **facts)
        monkeypatch.setattr(events, "record", unavailable)

    def unavailable(*arguments, **facts):
        raise AuditUnavailable

    monkeypatch.setattr(events, "record", record_and_break)
    answer = post_revoke(alice, shared_image)
    assert answer.status_code == 200
    monkeypatch.undo()
    assert opens(bob, shared_image) == 410


def test_an_owner_revokes_though_nobody_can_say_who_opened_it(
    shared_image, alice, bob, monkeypatch
):
    def away(self, image_id):
        raise OperationalError

    monkeypatch.setattr("gallery.ledger.Ledger._entries", away)
    assert post_revoke(alice, shared_image).json()["opened"] is None
    assert alice.client.get(f"/images/{shared_image.pk}/").status_code == 200
    assert opens(bob, shared_image) == 410


# ---- an act between two reads ----------------------------------------------------------------


def test_a_reader_sees_nothing_altered_while_another_is_revoked(
    upload, alice, bob, carol, monkeypatch
):
    image = upload(to=(bob, carol))
    carol.sign_in()
    access_to = image_views.access_to

    def revoked_after_reading(*arguments, **options):
        access = access_to(*arguments, **options)
        monkeypatch.setattr(image_views, "access_to", access_to)
        revoking.revoke(keyring=alice.keyring, image_id=image.pk, recipient=bob.user)
        return access

    monkeypatch.setattr(image_views, "access_to", revoked_after_reading)
    assert carol.client.get(f"/images/{image.pk}/preview").status_code == 200
    assert not AuditEntry.objects.filter(event="image:altered").exists()
