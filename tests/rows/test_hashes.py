"""What stands in a password's column is a hash within our costs, or opens nothing."""

import pytest
from django.contrib.auth.hashers import check_password

from accounts.models import User
from tests.conftest import PASSWORD

JSON = {"accept": "application/json"}
HASH = "$argon2id$v=19$m={memory},t={time},p={lanes}$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43


@pytest.mark.attack("F34")
@pytest.mark.parametrize(
    "kept",
    [
        "argon2" + HASH.format(memory=2**31, time=2, lanes=8),
        "argon2" + HASH.format(memory=64, time=2**31, lanes=1),
        "argon2" + HASH.format(memory=2**24, time=1, lanes=2**20),
        "argon2$argon2id$",
        "argon2$",
        "argon2$argon2id$v=19$m=x,t=1,p=1$a$b",
        "pbkdf2_sha256$1$a$b",
        "",
    ],
)
def test_a_row_without_a_possible_hash_refuses_as_a_wrong_password_does(alice, kept):
    User.objects.filter(pk=alice.user.pk).update(password=kept)
    assert not check_password(PASSWORD, kept)
    form = {"username": "alice", "password": f"not {PASSWORD}"}
    answer = alice.client.post("/accounts/login/", form, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"]["__all__"][0]["code"] == "invalid_login"
    # The right one opens its slot, and that is the stronger proof.
    form["password"] = PASSWORD
    assert alice.client.post("/accounts/login/", form, headers=JSON).status_code == 200
