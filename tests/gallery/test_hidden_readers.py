"""A reader's row, hidden or copied while access is taken back, keeps nobody in."""

import uuid

import pytest
from django.db import connection
from django.utils import timezone

from gallery.models import Grant, SealedImage
from gallery.opening import Opener
from gallery.services import revoking
from tests.gallery.test_revoking import post_revoke
from tests.gallery.test_sharing import opens, share


@pytest.fixture
def image(upload, bob, carol) -> SealedImage:
    return upload(to=(bob, carol))


def row_of(person, image):
    return Grant.objects.get(image=image, reader=person.user)


@pytest.mark.attack("F90")
def test_a_row_that_says_it_ended_while_access_is_taken_back_no_longer_opens(image, alice, bob):
    row = Grant.objects.filter(pk=row_of(bob, image).pk)
    row.update(ended_at=timezone.now(), ended_reason="revoked")
    assert post_revoke(alice, image).status_code == 200
    row.update(ended_at=None, ended_reason="")
    assert opens(bob, image) == 409


@pytest.mark.attack("F90")
def test_nor_does_one_that_was_away_or_named_somebody_else(upload, alice, bob, mallory):
    for hide in ("delete", "rename"):
        image = upload(to=(bob,))
        row = row_of(bob, image)
        key = row.wrapped_key
        if hide == "delete":
            Grant.objects.filter(pk=row.pk).delete()
        else:
            Grant.objects.filter(pk=row.pk).update(reader=mallory.user)
        assert post_revoke(alice, image).status_code == 422
        key.save()
        row.save()
        assert opens(bob, image) == 409


@pytest.mark.attack("F90")
def test_taking_a_person_off_a_whole_list_twice_costs_no_new_lock(image, alice, mallory):
    for name in ("bob", "bob", "mallory"):
        post_revoke(alice, image, name)
    assert SealedImage.objects.get(pk=image.pk).lock == 2


@pytest.fixture
def copied_row(image, bob):
    """Beside bob's row another that says the same: somebody who has the file can drop its
    indexes."""
    (only_one,) = Grant._meta.constraints
    with connection.schema_editor() as editor:
        editor.remove_constraint(Grant, only_one)
    row = row_of(bob, image)
    row.pk, row.wrapped_key = uuid.uuid4(), None
    row.save(force_insert=True)
    yield row
    Grant.objects.filter(pk=row.pk).delete()
    with connection.schema_editor() as editor:
        editor.add_constraint(Grant, only_one)


@pytest.mark.attack("F90")
def test_a_copied_row_keeps_no_reader_in(image, alice, bob, carol, copied_row):
    assert post_revoke(alice, image).status_code == 200
    assert not Grant.objects.filter(image=image, reader=bob.user, ended_at=None).exists()
    assert opens(bob, image) == 410
    assert opens(carol, image) == 200


@pytest.mark.attack("F90")
def test_a_copied_row_keeps_no_right(image, alice, bob, copied_row):
    """The owner sees that the list is altered; nothing is signed upon it."""
    assert share(alice, image, bob, rights="view").status_code == 409
    assert post_revoke(alice, image).status_code == 200
    assert share(alice, image, bob, rights="view").status_code == 200
    assert opens(bob, image) == 200
    assert opens(bob, image, "original") == 403


@pytest.mark.attack("F90")
def test_rows_that_change_places_meanwhile_end_whose_access_was_taken_back(
    image, alice, bob, carol, monkeypatch
):
    real, rows = revoking._relock, {}

    def swapped(*arguments, **options):
        for person, other in ((bob, carol), (carol, bob)):
            rows[row_of(other, image).pk] = row_of(person, image)
        Grant.objects.filter(pk__in=rows).update(ended_at=timezone.now(), wrapped_key=None)
        for pk, row in rows.items():
            row.pk = pk
            row.save()
        return real(*arguments, **options)

    monkeypatch.setattr(revoking, "_relock", swapped)
    post_revoke(alice, image)
    assert opens(bob, image) != 200
    assert opens(carol, image) == 200


@pytest.mark.attack("F91")
def test_a_right_counts_only_with_the_row_that_is_verified(upload, bob, monkeypatch):
    """Somebody changes the row between two looks at it, and back."""
    image = upload(to=(bob,), rights="view")
    row = row_of(bob, image)
    Grant.objects.filter(pk=row.pk).update(rights="download", salt=bytes(32))
    real = Opener.check_entry

    def put_back(*arguments):
        row.save()
        return real(*arguments)

    monkeypatch.setattr(Opener, "check_entry", put_back)
    assert opens(bob, image, "original") == 403
