"""What kept somebody unlocked is gone when their time is over, in every copy made from then on."""

import base64
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts import custody
from accounts.custody import DoesNotOpen
from accounts.models import Custody
from imageshare.unlockkeys import UnlockKeys
from tests.stored import holds

COOKIE = "unlock"
JSON = {"accept": "application/json"}


@pytest.fixture
def unlock_keys(settings, tmp_path):
    """Unlock keys of this test's own."""
    settings.UNLOCK_KEYS_DIR = tmp_path / "unlock-keys"
    settings.UNLOCK_KEYS = UnlockKeys(
        settings.UNLOCK_KEYS_DIR, sessions_last=settings.SIGN_OUT_AFTER
    )
    return settings.UNLOCK_KEYS_DIR


def secret_of(client) -> bytes:
    return base64.urlsafe_b64decode(client.cookies[COOKIE].value + "==")


def end(row: Custody, which: str) -> None:
    Custody.objects.filter(pk=row.pk).update(**{which: timezone.now()})


def older(folder, by: timedelta) -> None:
    """Let every key be as if it had been made that much earlier."""
    for path in folder.iterdir():
        made_at, rest = path.name.split("-")
        path.rename(folder / f"{int(made_at) - int(by.total_seconds())}-{rest}")


@pytest.mark.attack("F35")
@pytest.mark.parametrize("which", ["idle_ends_at", "absolute_ends_at"])
def test_anybodys_unlock_destroys_the_rows_that_others_left(alice, bob, which):
    bob.sign_in()  # and never comes back
    left = Custody.objects.get(user=bob.user)
    end(left, which)
    alice.sign_in()
    assert [row.user for row in Custody.objects.all()] == [alice.user]
    assert not holds(bytes(left.wrapped_master_key))


@pytest.mark.attack("F35")
def test_so_does_anybodys_page_once_a_minute(alice, bob):
    client = alice.sign_in()
    bob.sign_in()
    end(Custody.objects.get(user=bob.user), "idle_ends_at")
    client.get("/images/")
    assert Custody.objects.count() == 2  # the same minute
    soon = timezone.now() + timedelta(minutes=10)
    Custody.objects.filter(user=alice.user).update(idle_ends_at=soon)
    client.get("/images/")
    assert [row.user for row in Custody.objects.all()] == [alice.user]


@pytest.mark.attack("F35")
@pytest.mark.parametrize("which", ["idle_ends_at", "absolute_ends_at"])
def test_so_does_purge(bob, which):
    bob.sign_in()
    left = Custody.objects.get()
    end(left, which)
    call_command("purge", dry_run=True)
    assert Custody.objects.exists()
    call_command("purge")
    assert not holds(bytes(left.wrapped_master_key))


@pytest.mark.attack("F36")
def test_a_row_from_a_copy_of_the_database_no_longer_opens_with_its_cookie(bob, alice, unlock_keys):
    client = bob.sign_in()
    copied, secret = Custody.objects.get(), secret_of(client)
    assert custody.open_with_cookie(bob.user, copied, secret)
    older(unlock_keys, timedelta(hours=13))
    alice.sign_in()
    with pytest.raises(DoesNotOpen):
        custody.open_with_cookie(bob.user, copied, secret)


@pytest.mark.attack("F36")
def test_nothing_but_the_three_parts_together_opens_a_row(bob, unlock_keys):
    client = bob.sign_in()
    row, secret = Custody.objects.get(), secret_of(client)
    (path,) = unlock_keys.iterdir()
    key = path.read_text()
    path.write_text("00" * 32)
    with pytest.raises(DoesNotOpen):
        custody.open_with_cookie(bob.user, row, secret)
    path.write_text(key)
    with pytest.raises(DoesNotOpen):
        custody.open_with_cookie(bob.user, row, bytes(32))
    assert custody.open_with_cookie(bob.user, row, secret)


@pytest.mark.attack("F36")
@pytest.mark.parametrize("name", ["", ".", "../secrets.env", "1790000000-00000000/", "\0", "ö"])
def test_a_name_written_into_a_row_leads_to_no_other_file(bob, unlock_keys, name):
    client = bob.sign_in()
    if "\0" not in name:  # no database keeps it
        Custody.objects.update(unlock_key=name)
        assert client.get("/images/", headers=JSON).status_code == 200
    row = Custody.objects.get()
    row.unlock_key = name
    with pytest.raises(DoesNotOpen):
        custody.open_with_cookie(bob.user, row, secret_of(client))


def test_a_session_outlives_the_hour_in_which_it_began(shared_image, bob, alice, unlock_keys):
    client = bob.sign_in()
    older(unlock_keys, timedelta(hours=11))
    (name,) = (path.name for path in unlock_keys.iterdir())
    Custody.objects.update(unlock_key=name)
    alice.sign_in()
    assert len(list(unlock_keys.iterdir())) == 2
    assert client.get(f"/images/{shared_image.pk}/preview").status_code == 200


def test_without_the_folder_everybody_is_locked_and_nobody_signed_out(
    shared_image, bob, unlock_keys
):
    client = bob.sign_in()
    for path in unlock_keys.iterdir():
        path.unlink()
    address = f"/images/{shared_image.pk}/preview"
    assert client.get(address, headers=JSON).json()["code"] == "locked"
    assert client.get("/images/", headers=JSON).status_code == 200
    client.post("/accounts/unlock/", {"password": bob.password})
    assert client.get(address).status_code == 200


def test_a_folder_that_cannot_be_written_to_is_a_part_that_is_away(bob, unlock_keys):
    unlock_keys.write_text("a file in its place")
    fields = {"username": "bob", "password": bob.password}
    bob.client.raise_request_exception = False
    assert bob.client.post("/accounts/login/", fields, headers=JSON).status_code == 503
