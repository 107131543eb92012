"""A password slot with a master key of an impostor's own signs in, and vouches for nothing.

What it is used for must neither be certified nor make the rows that they wrote the remembered ones.
"""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.custody import Keyring, open_with_password
from accounts.keys.names import certified_name
from accounts.models import KeyOrder, KeyPair, KeySlot, User
from accounts.services.key_making import new_pair
from gallery.models import SealedImage
from tests.accounts.test_deserving import IMPOSTORS, due, signing_keys, take_over_the_slot
from tests.accounts.test_new_start import ask, sign_in_with_foreign_password

JSON = {"accept": "application/json"}


@pytest.fixture
def impostor(bob) -> Client:
    """Signed in as bob, with keys of their own open in the place of his."""
    take_over_the_slot(bob)
    client = Client()
    client.post("/accounts/login/", {"username": "bob", "password": IMPOSTORS})
    return client


def put_in_place(keyring: Keyring, purpose: str) -> None:
    """Store a pair of the impostor's, which nobody certified, as the one in use."""
    KeyPair.objects.filter(user=keyring.user, purpose=purpose).update(state="open-only")
    pair = new_pair(keyring, KeyPair.Purpose(purpose), epoch=2)
    pair.certificate, pair.certificate_signature = b"{}", b"none"
    pair.save(force_insert=True)
    KeyOrder.objects.create(user=keyring.user, purpose=purpose, reason="routine")


@pytest.mark.attack("F24")
def test_an_order_makes_it_no_certified_pair_and_nothing_is_wrapped_to_it(
    shared_image, alice, bob, impostor
):
    theirs = open_with_password(User.objects.get(pk=bob.user.pk), IMPOSTORS)
    put_in_place(theirs, "signing")
    put_in_place(theirs, "encryption")
    for _ in range(2):
        impostor.get("/images/")
    assert not KeyPair.objects.filter(user=bob.user, epoch=3).exists()
    SealedImage.objects.update(relock_after=timezone.now())  # and alice's image is re-locked
    alice.sign_in()
    answer = impostor.get(f"/images/{shared_image.pk}/original", headers=JSON)
    assert answer.status_code != 200


@pytest.mark.attack("F24")
@pytest.mark.parametrize("address", ["recovery-code", "password"])
def test_an_act_with_it_leads_to_no_new_start(bob, impostor, address):
    form = {"password": IMPOSTORS, "old_password": IMPOSTORS}
    form |= {"new_password1": "yet another 42", "new_password2": "yet another 42"}
    answer = impostor.post(f"/accounts/{address}/", form, headers=JSON)
    assert answer.status_code in (409, 422)
    client = sign_in_with_foreign_password(bob)
    assert ask(client).status_code == 409
    assert due(client).status_code == 409
    assert signing_keys(bob) == 1


@pytest.mark.attack("F24")
def test_neither_does_what_purge_destroys(bob):
    bob.user.key_slots.all().delete()
    KeySlot.objects.create(
        user=bob.user,
        kind="answer",
        master_key_version=1,
        salt=bytes(16),
        wrapped_master_key=bytes(40),
        ends_at=timezone.now() - timedelta(days=1),
    )
    call_command("purge")
    client = sign_in_with_foreign_password(bob)
    assert ask(client).status_code == 409
    assert due(client).status_code == 409
    assert signing_keys(bob) == 1


@pytest.mark.attack("F24")
def test_it_certifies_no_name(bob, impostor):
    form = {"display_name": "Alice Ardent"}
    assert impostor.post("/accounts/name/", form, headers=JSON).status_code == 422
    assert str(certified_name(User.objects.get(pk=bob.user.pk))) == "Bob Brook"
