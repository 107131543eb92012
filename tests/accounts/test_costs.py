"""A key derivation that was cheap when its slot was made becomes as costly as the settings ask."""

import pytest
from django.db import OperationalError
from django.test import override_settings

from accounts import checks
from accounts.custody import DoesNotOpen, open_with_password
from accounts.keys.keysets import keyset_digest
from accounts.models import KeySlot, User
from accounts.services.ways_back import costs
from accounts.services.ways_back.passwords import change_password
from audit.models import AuditEntry
from tests.accounts.test_rotation import recorded_keyset
from tests.conftest import PASSWORD
from tests.stored import holds


@pytest.fixture
def costlier(settings):
    settings.KDF_TIME_COST, settings.KDF_MEMORY_KIB = 2, 128


def cost_of(person):
    slot = KeySlot.objects.get(user=person.user, kind="password")
    return slot.time_cost, slot.memory_kib


def test_a_wrong_password_raises_nothing(alice, costlier):
    alice.client.post("/accounts/login/", {"username": "alice", "password": "wrong one 42 42"})
    assert cost_of(alice) == (1, 64)


def test_at_the_current_cost_nothing_is_made_again(alice):
    before = keyset_digest(alice.user.pk)
    alice.sign_in()
    assert keyset_digest(alice.user.pk) == before


def test_a_lower_cost_in_the_settings_makes_no_slot_cheaper(alice, settings, costlier):
    alice.sign_in()
    settings.KDF_TIME_COST, settings.KDF_MEMORY_KIB = 1, 64
    alice.sign_in()
    assert cost_of(alice) == (2, 128)


def test_a_variable_that_is_gone_names_its_successor(monkeypatch):
    assert checks.check_no_setting_is_gone(None) == []
    for name in checks.SETTINGS_GONE:
        monkeypatch.setenv(name, "1")
    said = checks.check_no_setting_is_gone(None)
    assert [warning.msg.split()[0] for warning in said] == list(checks.SETTINGS_GONE)
    assert "KDF_MEMORY_KIB" in said[2].hint


def sign_in(person):
    person.sign_in()


def unlock(person):
    """With a slot that became cheap since the sign-in."""
    person.sign_in()
    with override_settings(KDF_TIME_COST=1, KDF_MEMORY_KIB=64):
        slot = person.keyring.password_slot(PASSWORD)
    KeySlot.objects.filter(user=person.user, kind=slot.kind).delete()
    slot.save()
    person.client.post("/accounts/lock/")
    assert person.client.post("/accounts/unlock/", {"password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("come_in", [sign_in, unlock])
def test_the_slot_is_made_again_and_the_same_password_opens(alice, costlier, come_in):
    come_in(alice)
    assert cost_of(alice) == (2, 128)
    assert open_with_password(User.objects.get(pk=alice.user.pk), PASSWORD)
    assert recorded_keyset(alice) == keyset_digest(alice.user.pk)
    entry = AuditEntry.objects.filter(event="keys:cost-raised", outcome="done").latest("sequence")
    facts = entry.parsed().facts
    assert (facts["time_cost"], facts["memory_kib"]) == (2, 128)


def test_the_cheap_slot_is_in_neither_the_database_file_nor_its_log(alice, costlier):
    wrapped = bytes(KeySlot.objects.get(user=alice.user, kind="password").wrapped_master_key)
    assert holds(wrapped)
    alice.sign_in()
    assert not holds(wrapped)


def test_nobody_is_kept_out_because_it_cannot_be_done_now(alice, costlier, monkeypatch):
    def away(*arguments):
        raise OperationalError

    monkeypatch.setattr(costs, "_replace", away)
    assert alice.sign_in().get("/images/upload/").status_code == 200
    assert cost_of(alice) == (1, 64)


def test_a_password_changed_meanwhile_keeps_its_own_slot(alice, costlier, monkeypatch):
    real = costs._replace

    def late(*arguments):
        user = User.objects.get(pk=alice.user.pk)
        change_password(user=user, old_password=PASSWORD, new_password="changed meanwhile 42")
        real(*arguments)

    monkeypatch.setattr(costs, "_replace", late)
    alice.client.post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    user = User.objects.get(pk=alice.user.pk)
    assert open_with_password(user, "changed meanwhile 42")
    with pytest.raises(DoesNotOpen):
        open_with_password(user, PASSWORD)
