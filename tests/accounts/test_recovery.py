"""Recovery codes: made, typed back, used up."""

import pytest
from django.test import Client

from accounts.custody import DoesNotOpen, Keyring
from accounts.models import KeySlot, User
from accounts.services.ways_back import recovery
from audit.models import AuditEntry
from cryptocore import recovery_code
from tests.conftest import PASSWORD
from tests.trail import outcomes_of

JSON = {"accept": "application/json"}
CODE, RECOVER = "/accounts/recovery-code/", "/accounts/recover/"
NEW = "an entirely new one 42"


def recover(person, code, client=None, **changed):
    form = {
        "username": person.username,
        "recovery_code": code,
        "new_password1": NEW,
        "new_password2": NEW,
        **changed,
    }
    return (client or Client()).post(RECOVER, form, headers=JSON)


@pytest.mark.parametrize(
    "code", ["", "AAAAA", "A" * 30, "U" * 30, "🦊" * 30, "0" * 30, "x" * 10_000, "\x00" * 30]
)
def test_a_code_that_is_not_the_persons_changes_nothing(alice, code):
    answer = recover(alice, code)
    assert answer.status_code == 422
    assert alice.sign_in()


def test_somebody_elses_code_changes_nothing(alice, bob):
    assert recover(alice, bob.recovery_code).status_code == 422
    assert alice.sign_in()


def test_an_unknown_name_reads_like_a_wrong_code(alice):
    wrong = recover(alice, "A" * 30)
    nobody = recover(alice, alice.recovery_code, username="nobody-here")
    assert wrong.json() == nobody.json()


def test_codes_are_throttled_like_passwords(alice, settings):
    for _ in range(settings.SIGN_IN_TRIES):
        recover(alice, "A" * 30)
    assert recover(alice, alice.recovery_code).status_code == 429


def test_a_weak_new_password_leaves_the_code_unused(alice):
    answer = recover(alice, alice.recovery_code, new_password1="short", new_password2="short")
    assert answer.status_code == 422
    assert recover(alice, alice.recovery_code).status_code == 200


def test_recovering_keeps_the_keys_and_ends_every_other_session(alice):
    elsewhere = alice.sign_in()
    before = alice.user.key_pairs.values_list("fingerprint", flat=True)
    here = Client()
    assert recover(alice, alice.recovery_code, here).status_code == 200
    assert here.get("/images/upload/").status_code == 200
    assert elsewhere.get("/images/").status_code == 302
    assert set(alice.user.key_pairs.values_list("fingerprint", flat=True)) == set(before)
    old = {"username": "alice", "password": PASSWORD}
    assert Client().post("/accounts/login/", old).status_code == 422


def test_a_used_code_is_used_up_and_the_next_one_works(alice):
    next_code = recover(alice, alice.recovery_code).json()["recovery_code"]
    assert recover(alice, alice.recovery_code).status_code == 422
    assert recover(alice, next_code).status_code == 200


def test_a_code_is_read_with_small_letters_spaces_and_look_alikes(alice):
    typed = " ".join(recovery_code.groups(alice.recovery_code)).lower()
    typed = typed.replace("0", "o").replace("1", "l")
    assert recover(alice, typed).status_code == 200


def test_the_code_is_shown_once_and_typed_back(make_person):
    person = make_person("dora", with_code=False)
    client = person.sign_in()
    shown = client.post(CODE, headers=JSON).json()
    groups = shown["recovery_code"].split("-")
    assert [len(group) for group in groups] == [5] * 6
    first, second = shown["confirm"]
    assert groups[0].encode() not in client.get(CODE).content

    wrong = client.post(CODE, {"confirm_1": "AAAAA", "confirm_2": "AAAAA"}, headers=JSON)
    assert wrong.status_code == 422
    assert KeySlot.objects.get(user=person.user, kind="recovery-code").confirmed_at is None

    typed = {"confirm_1": groups[first - 1].lower(), "confirm_2": f" {groups[second - 1]} "}
    assert client.post(CODE, typed, headers=JSON).json() == {"confirmed": True}
    assert KeySlot.objects.get(user=person.user, kind="recovery-code").confirmed_at
    # Once: the wrong symbols confirmed nothing.
    me = person.user.pk
    assert outcomes_of("recovery-code:confirmed", actor=me, subject=me) == ["intended", "done"]


def test_a_confirmed_code_is_replaced_only_with_the_password(make_person):
    person = make_person("dora", with_code=False)
    client = person.sign_in()
    shown = client.post(CODE, headers=JSON).json()
    groups = shown["recovery_code"].split("-")
    first, second = shown["confirm"]
    client.post(CODE, {"confirm_1": groups[first - 1], "confirm_2": groups[second - 1]})
    assert client.post(CODE, headers=JSON).status_code == 422
    assert client.post(CODE, {"password": "wrong password"}, headers=JSON).status_code == 422
    replaced = client.post(CODE, {"password": PASSWORD}, headers=JSON)
    assert replaced.json()["recovery_code"] != shown["recovery_code"]
    assert recover(person, shown["recovery_code"]).status_code == 422


def test_without_a_code_there_is_no_upload(make_person):
    person = make_person("dora", with_code=False)
    client = person.sign_in()
    assert client.get("/images/upload/").url == CODE
    answer = client.post("/images/upload/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "recovery_code_needed")


def test_while_locked_no_code_is_made(alice):
    client = alice.sign_in()
    client.post("/accounts/lock/")
    assert client.post(CODE, headers=JSON).status_code == 401


def test_the_database_holds_nothing_of_the_code(alice):
    slot = KeySlot.objects.get(user=alice.user, kind="recovery-code")
    held = b"".join(
        bytes(value) for value in (slot.wrapped_master_key, slot.wrapped_confirmation, slot.salt)
    )
    for group in recovery_code.groups(alice.recovery_code):
        assert group.encode() not in held


def test_there_is_a_reminder_until_the_code_was_typed_back(alice):
    assert b"/accounts/recovery-code/" in alice.sign_in().get("/images/").content
    KeySlot.objects.filter(kind="recovery-code").update(confirmed_at="2026-01-01T00:00:00Z")
    assert User.objects.count() == 1


def test_a_code_used_meanwhile_does_not_work_a_second_time(alice, monkeypatch):
    """Another request recovers between the look at the slot and the commit of this one."""
    made = Keyring.recovery_slot

    def used_meanwhile(keyring, new_code):
        monkeypatch.setattr(Keyring, "recovery_slot", made)
        recovery.recover(user=alice.user, code=alice.recovery_code, new_password="the first one 42")
        return made(keyring, new_code)

    monkeypatch.setattr(Keyring, "recovery_slot", used_meanwhile)
    with pytest.raises(DoesNotOpen):
        recovery.recover(
            user=alice.user, code=alice.recovery_code, new_password="the second one 42"
        )
    user = User.objects.get(pk=alice.user.pk)
    assert user.check_password("the first one 42")
    outcomes = AuditEntry.objects.filter(event="account:recovered").order_by("sequence")
    assert [entry.outcome for entry in outcomes] == ["intended", "done", "intended", "failed"]
