"""A reader's chain of certificates is verified when the form is read, and with their row held."""

import pytest
from django.db import connection

from accounts.keys import certificates, pins
from accounts.keys.identities import identity_of
from accounts.models import KeyPair
from accounts.services.rotating.ordering import order_after_theft
from gallery.services import sharing
from tests.conftest import jpeg
from tests.gallery.test_sharing import opens, share
from tests.gallery.test_uploading import file, post


@pytest.fixture
def verified(bob, monkeypatch):
    """Whether a transaction was open, for each time that bob's chain was verified."""
    real, times, around = certificates._verified_by_owner, [], len(connection.atomic_blocks)

    def counted(pair, certifier):
        if pair.user_id == bob.user.pk:
            times.append(len(connection.atomic_blocks) > around)
        return real(pair, certifier)

    monkeypatch.setattr(certificates, "_verified_by_owner", counted)
    return times


@pytest.fixture
def bob_is_compared(alice, bob):
    identity = identity_of(bob.user.pk)
    pins.note_compared(keyring=alice.keyring, person=bob.user, identity=identity, matches=True)


@pytest.mark.usefixtures("bob_is_compared")
def test_sharing_with_a_compared_person(upload, alice, bob, verified):
    image = upload(to=())
    assert share(alice, image, bob).status_code == 200
    assert verified == [False, True]
    assert opens(bob, image) == 200


@pytest.mark.usefixtures("bob_is_compared")
def test_uploading_several_files_for_a_compared_person(alice, bob, verified):
    files = [file(jpeg(), "a.jpg"), file(jpeg("navy"), "b.jpg")]
    assert post(alice, files, recipients=["bob"]).status_code == 201
    assert verified == [False, True, True]  # their row is held for each image


def test_a_key_exchanged_after_the_form_was_read_is_not_wrapped_to(
    upload, alice, bob, mallory, monkeypatch
):
    """The pair is in use still by its row, and its certificate is for another key now."""
    real = sharing.hold_people

    def hold_after_an_exchange(people, *, pairs):
        mine = KeyPair.objects.get(user=mallory.user, purpose="encryption")
        bobs = KeyPair.objects.filter(user=bob.user, purpose="encryption")
        bobs.update(public_key=mine.public_key)
        return real(people, pairs=pairs)

    monkeypatch.setattr(sharing, "hold_people", hold_after_an_exchange)
    image = upload(to=())
    answer = share(alice, image, bob)
    assert answer.json()["errors"]["recipients"][0]["code"] == "no_keys"
    assert not image.grants.filter(reader=bob.user).exists()


@pytest.mark.attack("F8")
def test_a_key_stolen_after_the_form_was_read_is_not_wrapped_to_though_its_marks_were_taken_out(
    upload, alice, bob, monkeypatch
):
    """As while a batch of files is being uploaded: the form was read minutes ago."""
    real = sharing.store_shared

    def store_after_a_theft(*given, **named):
        rows = list(KeyPair.objects.filter(user=bob.user))
        order_after_theft(bob.user)
        for row in rows:
            row.save()
        return real(*given, **named)

    image = upload(to=())
    monkeypatch.setattr(sharing, "store_shared", store_after_a_theft)
    answer = share(alice, image, bob)
    assert answer.json()["errors"]["recipients"][0]["code"] == "no_keys"
    assert not image.grants.filter(reader=bob.user).exists()
