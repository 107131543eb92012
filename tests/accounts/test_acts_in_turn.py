"""A life with keys: in whatever order, nothing is lost and every row is as it was made."""

import pytest
from django.test import Client

from accounts.keys.verification import Verifier
from tests.accounts.organisation.steps import NEW, recover
from tests.accounts.test_new_start import make_new_start
from tests.accounts.test_rotate_keys import code_of, run
from tests.conftest import PASSWORD

JSON = {"accept": "application/json"}


def findings():
    return [str(finding) for finding in Verifier().run()]


def opens(client, image):
    return client.get(f"/images/{image.pk}/original").status_code


def sign_in(person, password):
    client = Client()
    form = {"username": person.username, "password": password}
    assert client.post("/accounts/login/", form, headers=JSON).json()["unlocked"] is True
    return client


def replace_stolen(person):
    """Order it, as an operator; replace everything by the recovery code, as that person."""
    code_of(run(person.username, "--compromised"))
    form = {"username": person.username, "code": person.recovery_code}
    form |= {"new_password1": NEW, "new_password2": NEW}
    client = Client()
    assert client.post("/accounts/replace-keys/", form, headers=JSON).status_code == 200
    return client


def test_password_code_rotation_theft_new_start_and_back(shared_image, bob):
    client = bob.sign_in()
    assert findings() == []
    run("bob")  # ordered, and carried out at the next page
    client.get("/images/")
    assert (opens(client, shared_image), findings()) == (200, [])
    client = replace_stolen(bob)
    client.get("/images/")
    assert (opens(client, shared_image), findings()) == (200, [])
    assert recover(bob, bob.recovery_code).status_code == 422  # used up by the replacement


def test_keys_of_before_a_new_start_outlive_a_theft(shared_image, upload, bob):
    """Lost everything, made a new start, then the new keys were stolen: the first are still
    kept."""
    first_code = bob.recovery_code
    client = make_new_start(bob)
    assert findings() == []
    later = upload(to=(bob,))
    bob.recovery_code = client.post(
        "/accounts/recovery-code/", {"password": "set by somebody else"}, headers=JSON
    ).json()["recovery_code"]
    client = replace_stolen(bob)
    assert (opens(client, later), opens(client, shared_image)) == (200, 409)
    assert findings() == []
    back = client.post("/accounts/earlier-keys/", {"secret": first_code}, headers=JSON)
    assert back.json() == {"key_pairs": 1}
    client.get("/images/")
    assert (opens(client, later), opens(client, shared_image)) == (200, 200)
    assert findings() == []
    client = sign_in(bob, NEW)
    assert (opens(client, later), opens(client, shared_image)) == (200, 200)


@pytest.mark.parametrize("then", ["rotate", "steal"])
def test_two_acts_on_one_persons_keys_in_a_row(shared_image, bob, then):
    run("bob")
    run("bob", "--purpose", "signing")
    run("bob", "--purpose", "mac")
    client = bob.sign_in()
    for _ in range(3):
        client.get("/images/")
    if then == "steal":
        client = replace_stolen(bob)
    else:
        run("bob")
        client = sign_in(bob, PASSWORD)
    for _ in range(3):
        client.get("/images/")
    assert (opens(client, shared_image), findings()) == (200, [])
