"""After a theft of keys owners are asked to re-lock, and one click does it for everybody."""

from datetime import timedelta

import pytest
from django.db.models import F

from accounts.models import KeyPair, WrappedKey
from audit.models import AuditEntry
from gallery.models import SealedImage
from tests.accounts.test_rotate_keys import code_of, run

JSON = {"accept": "application/json"}
ADDRESS = "/images/relock/"
NEW = "an entirely new one 42"


def replace_stolen(person) -> None:
    code_of(run(person.username, "--compromised"))
    form = {"username": person.username, "code": person.recovery_code}
    form |= {"new_password1": NEW, "new_password2": NEW}
    assert person.client.post("/accounts/replace-keys/", form, headers=JSON).status_code == 200


def asked(owner):
    return owner.sign_in().get(ADDRESS, headers=JSON).json()["relock"]


def relock(owner):
    return owner.sign_in().post(ADDRESS, headers=JSON)


def test_nobody_is_asked_while_nothing_was_stolen(shared_image, alice):
    assert asked(alice) == []
    assert relock(alice).json() == {"relocked": 0, "left": 0, "closed": 0}


def test_the_owner_sees_whose_and_how_many(shared_image, upload, alice, bob, carol):
    upload(to=(bob, carol))
    upload(to=(carol,))
    replace_stolen(bob)
    (reader,) = asked(alice)
    assert (reader["username"], reader["images"]) == ("bob", 2)
    assert "may be known to somebody else" in alice.client.get("/images/mine/").content.decode()


def test_one_press_changes_the_lock_and_ends_nobodys_access(upload, alice, bob, carol):
    image = upload(to=(bob, carol))
    before = set(WrappedKey.objects.values_list("pk", flat=True))
    replace_stolen(bob)
    assert relock(alice).json() == {"relocked": 1, "left": 0, "closed": 0}
    assert SealedImage.objects.get(pk=image.pk).lock == 2
    assert not WrappedKey.objects.filter(pk__in=before).exists()
    for client in (alice.client, bob.client, carol.sign_in()):
        assert client.get(f"/images/{image.pk}/original").status_code == 200
    # Statements have only seconds: the theft was in the second of the new lock, or before it.
    earlier = F("compromised_at") - timedelta(seconds=1)
    KeyPair.objects.exclude(compromised_at=None).update(compromised_at=earlier)
    assert asked(alice) == []
    done = AuditEntry.objects.get(event="image:relocked", outcome="done")
    assert done.subject == image.pk


def test_an_owners_own_stolen_keys_count_too(shared_image, alice):
    replace_stolen(alice)
    assert [
        one["username"] for one in alice.client.get(ADDRESS, headers=JSON).json()["relock"]
    ] == ["alice"]
    assert "<strong>You</strong>" in "".join(alice.client.get(ADDRESS).content.decode().split())
    assert alice.client.post(ADDRESS, headers=JSON).json()["relocked"] == 1
    assert alice.client.get(f"/images/{shared_image.pk}/original").status_code == 200


@pytest.mark.parametrize("who", ["bob", "mallory"])
def test_only_the_owner_is_asked(shared_image, alice, bob, carol, mallory, who):
    replace_stolen(bob)
    person = {"bob": bob, "mallory": mallory}[who]
    client = person.client if who == "bob" else person.sign_in()
    assert client.get(ADDRESS, headers=JSON).json()["relock"] == []
    assert client.post(ADDRESS, headers=JSON).json()["relocked"] == 0
    assert SealedImage.objects.get(pk=shared_image.pk).lock == 1


def test_what_does_not_verify_is_left_and_counted(shared_image, alice, bob):
    replace_stolen(bob)
    shared_image.renditions.filter(name="preview").update(storage_name="aa/" + "0" * 40)
    assert relock(alice).json() == {"relocked": 0, "left": 0, "closed": 1}
    assert SealedImage.objects.get(pk=shared_image.pk).lock == 1


def test_a_locked_owner_unlocks_first(shared_image, alice, bob):
    replace_stolen(bob)
    alice.sign_in().post("/accounts/lock/")
    assert alice.client.post(ADDRESS, headers=JSON).status_code == 401
