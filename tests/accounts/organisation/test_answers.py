"""An answer is taken once, for whom it was asked for, and opens once."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts import custody
from accounts.custody import DoesNotOpen
from accounts.keys.keysets import keyset_digest
from accounts.models import KeySlot, User
from accounts.organisation.exchange import Answer
from accounts.services.deserving import accept_rows
from accounts.services.organisation import recovery as organisation_recovery
from accounts.services.organisation import trail as organisation_trail
from accounts.services.organisation.answers import destroy_ended_answers
from accounts.services.ways_back import passwords, recovery
from accounts.services.ways_back.locked_keys import bring_back
from audit.models import AuditEntry
from tests.accounts.organisation.steps import JSON, NEW, outcomes, recover, run, slot_of
from tests.conftest import PASSWORD
from tests.triggers import drop_triggers, install_triggers

ROOT = Path(__file__).resolve().parents[3]
ASKED = "organisation:request-made"
BEGUN = b"has begun to recover your account"


def test_an_answer_is_taken_once(answered, bob):
    answer, _code = answered
    run("recover_account", "import", answer)
    with pytest.raises(CommandError, match="imported before"):
        run("recover_account", "import", answer)
    assert outcomes("organisation:answer-taken") == ["intended", "done"]


def test_an_answer_opens_once(answered, bob):
    answer, code = answered
    run("recover_account", "import", answer)
    assert recover(bob, code).status_code == 200
    assert recover(bob, code).status_code == 422
    with pytest.raises(CommandError, match="imported before"):
        run("recover_account", "import", answer)


def test_an_answer_ends(answered, bob):
    answer, code = answered
    run("recover_account", "import", answer)
    KeySlot.objects.filter(kind="answer").update(ends_at=timezone.now())
    assert recover(bob, code).status_code == 422
    with pytest.raises(DoesNotOpen):
        custody.open_with_answer(slot_of(bob, "answer"), code)
    with pytest.raises(DoesNotOpen):
        organisation_recovery.recover(user=bob.user, code=code, new_password=NEW)


@pytest.mark.parametrize("version", [1, 0])
def test_an_ended_answer_is_destroyed_at_the_next_unlock(answered, bob, version):
    """A copy of the row made later holds nothing that the one-time code would open."""
    run("recover_account", "import", answered[0])
    over = {"ends_at": timezone.now(), "master_key_version": version}
    KeySlot.objects.filter(kind="answer").update(**over)
    accept_rows(bob.user)  # as if a week had passed, and nobody had written it
    bob.sign_in()
    assert slot_of(bob, "answer") is None
    assert outcomes("organisation:answer-destroyed") == ["intended", "done"]
    destroyed = AuditEntry.objects.filter(event="organisation:answer-destroyed").last().parsed()
    assert destroyed.subject == bob.user.pk
    assert destroyed.facts["keyset"] == keyset_digest(bob.user.pk)


def test_everybodys_ended_answers_are_destroyed_and_no_others(answered, bob):
    run("recover_account", "import", answered[0])
    assert destroy_ended_answers() == 0
    assert slot_of(bob, "answer")
    KeySlot.objects.filter(kind="answer").update(ends_at=timezone.now())
    assert destroy_ended_answers() == 1
    assert slot_of(bob, "answer") is None


def test_an_answer_lasts_seven_days(answered, bob):
    run("recover_account", "import", answered[0])
    left = slot_of(bob, "answer").ends_at - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


def test_somebody_elses_answer_opens_nothing(answered, bob, carol):
    answer, code = answered
    run("recover_account", "import", answer)
    assert recover(carol, code).status_code == 422
    moved = slot_of(bob, "answer")
    KeySlot.objects.filter(pk=moved.pk).update(user=carol.user)
    assert recover(carol, code).status_code == 422


def test_an_answer_for_somebody_who_was_not_asked_for_is_refused(answered, carol, tmp_path):
    answer = Answer.parse(answered[0].read_bytes())
    forged = Answer(**{**vars(answer), "person": carol.user.pk})
    (tmp_path / "forged").write_bytes(forged.encode())
    with pytest.raises(CommandError, match="No such answer was asked for"):
        run("recover_account", "import", tmp_path / "forged")


def test_an_answer_nobody_asked_for_is_refused(private_half, bob, open_it, tmp_path):
    """A request made up from a copy of the database: the trail knows of none."""
    bob.sign_in()
    request = organisation_recovery._request(bob.user, slot_of(bob))
    (tmp_path / "made-up").write_bytes(request.encode())
    answer, _code = open_it(tmp_path / "made-up", private_half)
    with pytest.raises(CommandError, match="No such answer was asked for"):
        run("recover_account", "import", answer)


def test_a_request_written_into_the_trail_by_hand_is_none(answered, bob, tmp_path):
    """Only an entry that the audit key vouches for counts as a request."""
    answer = Answer.parse(answered[0].read_bytes())
    entry = AuditEntry.objects.get(event="organisation:request-made")
    forged = bytes(entry.leaf).replace(str(answer.answer).encode(), str(bob.user.pk).encode())
    AuditEntry(
        sequence=entry.sequence + 1000,
        leaf=forged,
        leaf_hash=b"h" * 32,
        previous=b"p" * 32,
        chain=b"c" * 32,
        key_id=entry.key_id,
        time=entry.time,
        event=entry.event,
        subject=entry.subject,
        outcome=entry.outcome,
    ).save(using="audit")
    made_up = Answer(**{**vars(answer), "answer": bob.user.pk})
    (tmp_path / "made-up").write_bytes(made_up.encode())
    with pytest.raises(CommandError, match="No such answer was asked for"):
        run("recover_account", "import", tmp_path / "made-up")


def test_an_altered_answer_opens_nothing_and_changes_nothing(answered, bob):
    path, code = answered
    answer = Answer.parse(path.read_bytes())
    damaged = bytearray(answer.wrapped)
    damaged[-1] ^= 1
    altered = Answer(**{**vars(answer), "wrapped": bytes(damaged)})
    path.write_bytes(altered.encode())
    run("recover_account", "import", path)
    before = keyset_digest(bob.user.pk)
    assert recover(bob, code).status_code == 422
    assert keyset_digest(bob.user.pk) == before
    assert bob.sign_in()


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"kind":"recovery-request"}'])
def test_what_is_no_answer_is_refused(private_half, tmp_path, content):
    (tmp_path / "answer").write_bytes(content)
    with pytest.raises(CommandError, match="is not an answer"):
        run("recover_account", "import", tmp_path / "answer")


def test_an_answer_older_than_new_keys_is_refused(answered, bob):
    User.objects.filter(pk=bob.user.pk).update(master_key_version=2)
    with pytest.raises(CommandError, match="new keys since"):
        run("recover_account", "import", answered[0])
    assert outcomes("organisation:answer-taken") == ["intended", "failed"]


def test_another_installations_answer_is_refused(answered, tmp_path, carol):
    answer = Answer.parse(answered[0].read_bytes())
    foreign = Answer(**{**vars(answer), "instance": carol.user.pk})
    (tmp_path / "foreign").write_bytes(foreign.encode())
    with pytest.raises(CommandError, match="another installation"):
        run("recover_account", "import", tmp_path / "foreign")


def test_changing_the_password_ends_a_recovery_that_was_begun(answered, bob):
    answer, code = answered
    run("recover_account", "import", answer)
    passwords.change_password(user=bob.user, old_password=PASSWORD, new_password=NEW)
    assert slot_of(bob, "answer") is None
    assert recover(bob, code).status_code == 422


def change_password(bob):
    passwords.change_password(user=bob.user, old_password=PASSWORD, new_password=NEW)


def use_the_code(bob):
    recovery.recover(user=bob.user, code=bob.recovery_code, new_password=NEW)


def bring_keys_back(bob):
    bob.user.set_password(NEW)
    bob.user.save()
    bring_back(user=bob.user, old_password=PASSWORD, password=NEW)


@pytest.mark.parametrize("end", [change_password, use_the_code, bring_keys_back])
def test_what_shows_a_way_in_of_ones_own_ends_a_request_too(answered, bob, end):
    end(bob)
    with pytest.raises(CommandError, match="changed their password, or brought their keys back"):
        run("recover_account", "import", answered[0])
    assert slot_of(bob, "answer") is None
    bob.password = NEW
    assert BEGUN not in bob.sign_in().get("/images/").content


def test_a_request_from_after_a_change_of_the_password_is_taken(private_half, bob, ask, open_it):
    bob.sign_in()
    change_password(bob)
    answer, code = open_it(ask(bob), private_half)
    run("recover_account", "import", answer)
    assert recover(bob, code).status_code == 200


def test_a_change_of_the_password_at_the_same_moment_ends_it(answered, bob, monkeypatch):
    """It commits after the trail was asked and before the answer is stored."""
    stands = organisation_trail.stands

    def changed_meanwhile(person, request):
        standing = stands(person, request)
        change_password(bob)
        return standing

    monkeypatch.setattr(organisation_trail, "stands", changed_meanwhile)
    with pytest.raises(CommandError, match="keys changed just now"):
        run("recover_account", "import", answered[0])
    assert slot_of(bob, "answer") is None


def test_the_person_is_notified_from_the_request_on(private_half, bob, carol, ask):
    assert BEGUN not in bob.sign_in().get("/images/").content
    ask(bob)
    assert BEGUN in bob.sign_in().get("/images/").content
    assert BEGUN not in carol.sign_in().get("/images/").content


def test_a_recovered_person_is_not_notified_that_it_has_begun(answered, bob):
    here = Client()
    run("recover_account", "import", answered[0])
    assert recover(bob, answered[1], here).status_code == 200
    assert BEGUN not in here.get("/images/").content


def test_a_wrong_code_is_throttled_and_recorded_like_any_other(answered, bob, settings):
    run("recover_account", "import", answered[0])
    assert recover(bob, "A" * 30).status_code == 422
    assert outcomes("account:recovery-refused") == ["refused"]
    for _ in range(settings.SIGN_IN_TRIES):
        recover(bob, "A" * 30)
    assert recover(bob, answered[1]).status_code == 429


def test_somebody_without_a_slot_cannot_be_recovered(private_half, bob, tmp_path):
    with pytest.raises(CommandError, match="has no slot"):
        run("recover_account", "request", "bob", tmp_path / "request.json")
    with pytest.raises(CommandError, match="No such user"):
        run("recover_account", "request", "nobody-here", tmp_path / "request.json")


def test_an_answer_that_was_asked_for_too_long_ago_is_refused(answered, monkeypatch):
    monkeypatch.setattr(organisation_trail, "LASTS", timedelta(0))
    with pytest.raises(CommandError, match="No such answer was asked for"):
        run("recover_account", "import", answered[0])


def test_its_code_is_not_ones_own(answered, bob):
    """The page that tests the recovery code says what is true: this opens once, not for good."""
    answer, code = answered
    run("recover_account", "import", answer)
    before = keyset_digest(bob.user.pk)
    address = "/accounts/recovery-code/test/"
    tried = bob.sign_in().post(address, {"recovery_code": code}, headers=JSON)
    assert tried.status_code == 422
    assert keyset_digest(bob.user.pk) == before


def test_whose_keys_are_back_has_no_answer_waiting_any_more(answered, bob):
    answer, code = answered
    run("recover_account", "import", answer)
    bob.user.set_password(NEW)
    bob.user.save()
    bring_back(user=bob.user, old_password=PASSWORD, password=NEW)
    assert slot_of(bob, "answer") is None
    bob.password = NEW
    assert b"has begun to recover your account" not in bob.sign_in().get("/images/").content
    assert recover(bob, code).status_code == 422


@pytest.mark.parametrize("leaf", [b"", b"garbled", b"\x00\xff", b'{"v":1}'])
def test_a_garbled_entry_beside_it_hides_no_request(answered, ask, bob, leaf):
    """Anybody who writes to the trail's table must not keep a person from being recovered."""
    ask(bob, "another.json")
    drop_triggers()
    with connections["audit"].cursor() as cursor:
        garble = "UPDATE audit_auditentry SET leaf = %s WHERE sequence = (SELECT MAX(sequence) "
        cursor.execute(garble + "FROM audit_auditentry WHERE event = %s)", [leaf, ASKED])
        assert cursor.rowcount == 1
    install_triggers()
    run("recover_account", "import", answered[0])
    assert slot_of(bob, "answer")


def test_purge_destroys_what_nobody_used_in_time(answered, bob):
    run("recover_account", "import", answered[0])
    run("purge")
    assert slot_of(bob, "answer")
    KeySlot.objects.filter(kind="answer").update(ends_at=timezone.now())
    accept_rows(bob.user)  # as if a week had passed, and nobody had written it
    run("purge")
    assert slot_of(bob, "answer") is None
    destroyed = AuditEntry.objects.get(event="organisation:answer-destroyed", outcome="done")
    assert destroyed.parsed().facts["keyset"] == keyset_digest(bob.user.pk)
