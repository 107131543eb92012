"""Your own page: ways back, testing the code, and what happened to your keys."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.keys.keysets import keyset_digest
from accounts.keys.timeline import key_timeline
from accounts.models import KeySlot, User
from accounts.services.ways_back.new_start import ask_for_new_start
from audit.events import Event, Outcome, record
from audit.models import AuditEntry
from tests.conftest import PASSWORD
from tests.triggers import drop_triggers, install_triggers

JSON = {"accept": "application/json"}
PAGE = "/accounts/security/"
TEST = "/accounts/recovery-code/test/"


def page(person) -> str:
    return person.sign_in().get(PAGE).content.decode()


def sentences(person) -> list[str]:
    return [one.sentence for one in key_timeline(person.user)]


# ---- ways back -------------------------------------------------------------------------------


def test_two_ways_are_counted_and_one_is_warned_of(alice, make_person):
    assert "2 ways" in page(alice)
    thin = page(make_person("dora", with_code=False))
    assert "1 way<" in thin
    assert "Only your password opens your images. If you forget it, they are lost." in thin


def test_a_slot_of_an_earlier_master_key_is_no_way_back(alice):
    KeySlot.objects.filter(user=alice.user, kind="recovery-code").update(master_key_version=0)
    assert "1 way<" in page(alice)


def page_after_password_set_elsewhere(person) -> str:
    user = User.objects.get(pk=person.user.pk)
    user.set_password("set by somebody else")
    user.save()
    client = Client()
    typed = {"username": user.username, "password": "set by somebody else"}
    client.post("/accounts/login/", typed)
    return client.get(PAGE).content.decode()


def test_a_password_that_was_set_elsewhere_is_no_way_back(alice):
    shown = page_after_password_set_elsewhere(alice)
    assert "1 way<" in shown
    assert "<li>your password</li>" not in shown
    assert "Only your recovery code opens your images." in shown
    assert "Save a recovery code" not in shown


def test_somebody_with_no_way_back_is_told_to_bring_the_keys_back_first(make_person):
    shown = page_after_password_set_elsewhere(make_person("dora", with_code=False))
    assert "0 ways<" in shown
    assert "You have no way back to your images right now. Bring your keys back first." in shown
    assert "Only your" not in shown


# ---- testing the code ------------------------------------------------------------------------


def test_the_right_code_is_confirmed_and_not_used_up(alice):
    client = alice.sign_in()
    for _ in range(2):
        assert client.post(TEST, {"recovery_code": alice.recovery_code}, headers=JSON).json() == {
            "works": True
        }
    assert KeySlot.objects.get(user=alice.user, kind="recovery-code").confirmed_at
    tested = AuditEntry.objects.filter(event="recovery-code:tested", outcome="done").last()
    assert tested.parsed().facts["keyset"] == keyset_digest(alice.user.pk)


@pytest.mark.parametrize("whose", ["bob's", "nobody's"])
def test_a_wrong_code_is_refused_and_limited_after_some_tries(alice, bob, settings, whose):
    code = bob.recovery_code if whose == "bob's" else "A" * 30
    client = alice.sign_in()
    for _ in range(settings.SIGN_IN_TRIES):
        assert client.post(TEST, {"recovery_code": code}, headers=JSON).status_code == 422
    answer = client.post(TEST, {"recovery_code": alice.recovery_code}, headers=JSON)
    assert answer.status_code == 429


def test_only_people_who_are_signed_in_test(alice):
    answer = Client().post(TEST, {"recovery_code": alice.recovery_code}, headers=JSON)
    assert answer.status_code == 401


def test_a_code_that_was_not_typed_back_is_replaced_with_the_password_only(alice):
    client, address = alice.sign_in(), "/accounts/recovery-code/"
    assert client.post(address, headers=JSON).status_code == 422
    assert client.post(address, {"password": PASSWORD}, headers=JSON).status_code == 200


# ---- what happened ---------------------------------------------------------------------------


def test_the_timeline_shows_it_newest_first(alice):
    client = alice.sign_in()
    new = {"new_password1": "another good password", "new_password2": "another good password"}
    client.post("/accounts/password/", {"old_password": PASSWORD, **new})
    assert sentences(alice) == [
        "The password was changed here.",
        "A recovery code was made. If there was one before, it stopped working.",
        "Your keys were made.",
    ]
    shown = client.get(PAGE).content.decode()
    assert "The password was changed here." in shown


def test_an_act_of_staff_names_them(alice, staff):
    overseer = User.objects.get(username="overseer")
    record(Event.ACCOUNT_ENABLED, actor=overseer.pk, subject=alice.user.pk, reason="back")
    assert key_timeline(alice.user)[0].by == "@overseer"


def test_a_wrong_code_somebody_tried_is_a_warning(alice):
    form = {
        "username": "alice",
        "recovery_code": "A" * 30,
        "new_password1": "another good password",
        "new_password2": "another good password",
    }
    Client().post("/accounts/recover/", form)
    assert key_timeline(alice.user)[0].is_warning


def test_a_strangers_wrong_tries_push_nothing_out(alice):
    ask_for_new_start(user=alice.user)
    for _ in range(40):
        about = {"actor": None, "subject": alice.user.pk, "outcome": Outcome.REFUSED}
        record(Event.ACCOUNT_RECOVERY_REFUSED, **about)
    lines = key_timeline(alice.user)
    told = [(line.sentence, line.is_repeated) for line in lines]
    assert told[0] == ("Somebody tried to get in with a wrong code.", True)
    assert told[1] == ("New keys were asked for.", False)


def test_what_happened_to_others_is_not_shown(alice, bob):
    assert len(sentences(alice)) == 2


def test_a_row_the_audit_key_does_not_vouch_for_says_nothing(alice):
    genuine = AuditEntry.objects.order_by("sequence").last()
    genuine.pk += 1000
    genuine.previous, genuine.chain = b"\x01" * 32, b"\x02" * 32
    genuine.event, genuine.subject = "new-start:done", alice.user.pk
    genuine.time = timezone.now()
    genuine._state.adding = True
    drop_triggers()
    genuine.save(force_insert=True)
    install_triggers()
    assert AuditEntry.objects.filter(event="new-start:done").exists()
    assert len(sentences(alice)) == 2
