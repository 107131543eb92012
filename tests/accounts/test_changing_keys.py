"""Every act that changes somebody's keys goes the one way: accounts/services/holding.py."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.keys.keysets import keyset_digest
from accounts.models import Custody, KeySlot
from accounts.services.holding import changing_keys
from accounts.services.ways_back.passwords import replace_slot
from audit.events import Event
from audit.models import AuditEntry
from tests.stored import holds

SERVICES = Path(__file__).resolve().parents[2] / "accounts" / "services"
JSON = {"accept": "application/json"}


@pytest.mark.attack("F40")
def test_what_the_trail_records_of_key_rows_is_written_down_in_one_place():
    telling = {path.name for path in SERVICES.rglob("*.py") if '["keyset"]' in path.read_text()}
    assert telling == {"holding.py"}


@pytest.mark.attack("F40")
def test_an_act_beside_the_one_way_fails_every_test_that_walks_through_it(bob):
    """Watched in the whole suite: tests/key_rows.py."""
    with pytest.raises(AssertionError, match="outside `changing_keys`"):
        replace_slot(bob.keyring.password_slot("another password"))


@pytest.mark.attack("F40")
def test_an_act_that_verify_keys_does_not_look_for_is_none(bob):
    with (
        pytest.raises(ValueError, match="verify_keys"),
        changing_keys(Event.IMAGE_SHARED, bob.user),
    ):
        pass


@pytest.mark.attack("F40")
def test_what_is_raised_undoes_the_act_and_is_in_the_trail_as_failed(bob):
    before = keyset_digest(bob.user.pk)

    def fails_half_way():
        with changing_keys(Event.KEYS_REPLACED, bob.user):
            KeySlot.objects.filter(user=bob.user).delete()
            raise MemoryError

    with pytest.raises(MemoryError):
        fails_half_way()
    assert keyset_digest(bob.user.pk) == before
    entries = AuditEntry.objects.filter(event="keys:replaced").order_by("sequence")
    assert [entry.outcome for entry in entries] == ["intended", "failed"]


@pytest.mark.attack("F40")
def test_a_code_that_was_tested_alters_nothing_in_the_eyes_of_verify_keys(bob, capsys):
    fields = {"recovery_code": bob.recovery_code}
    answer = bob.sign_in().post("/accounts/recovery-code/test/", fields, headers=JSON)
    assert answer.status_code == 200, answer.content
    call_command("verify_keys")
    assert "wrong" not in capsys.readouterr().out


@pytest.mark.attack("F35", "F40")
@pytest.mark.parametrize("end", ["lock", "logout"])
def test_who_locks_or_signs_out_is_in_neither_the_database_file_nor_its_log(bob, end):
    client: Client = bob.sign_in()
    wrapped = bytes(Custody.objects.get().wrapped_master_key)
    assert holds(wrapped)
    client.post(f"/accounts/{end}/")
    assert not holds(wrapped)
