"""What an answer opens, and what it never does."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import custody
from accounts.custody import DoesNotOpen, OpeningKeys
from accounts.keys.keysets import keyset_digest
from accounts.models import KeyOrder, KeySlot, User, WrappedKey
from accounts.organisation import offline
from accounts.organisation.exchange import Request, open_request
from accounts.services.organisation import recovery as organisation_recovery
from audit.models import AuditEntry
from cryptocore.errors import CryptoError
from tests.accounts.organisation.steps import JSON, NEW, recover, run, upload_as

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.attack("A7")
def test_the_slot_holds_no_signing_key_and_no_master_key(private_half, bob, ask):
    bob.sign_in()
    request = Request.parse(ask(bob).read_bytes())
    answer, code = open_request(request, offline.read_private_key(private_half))
    slot = KeySlot(
        id=answer.answer,
        user=bob.user,
        kind="answer",
        master_key_version=1,
        wrapped_master_key=answer.wrapped,
        salt=answer.salt,
        ends_at=timezone.now() + timedelta(days=1),
    )
    keys = custody.open_with_answer(slot, code)
    assert isinstance(keys, OpeningKeys)
    pairs = {pair.purpose: pair for pair in bob.user.key_pairs.all()}
    assert keys._private_key(pairs["encryption"])
    with pytest.raises(CryptoError):
        keys.prove(pairs["signing"])
    powers = {"sign", "wrap_private_key", "password_slot", "recovery_slot", "organisation_slot"}
    assert powers <= set(dir(custody.Keyring))
    assert not (powers | {"custody_row", "tag_pins"}) & set(dir(keys))


def test_a_whole_recovery(upload, alice, bob, pin, ask, open_it):
    """Bob lost password and code: with the answer he opens everything again, and signs with a new
    key."""
    shared = upload(to=(bob,), caption="At the lake")
    private_half = pin()
    elsewhere = bob.sign_in()
    bob.sign_in()
    mine = upload_as(bob, to=alice)
    before = User.objects.get(pk=bob.user.pk)
    old_signing = bob.user.key_pairs.get(purpose="signing")
    answer, code = open_it(ask(bob), private_half)
    run("recover_account", "import", answer)

    here = Client()
    shown = recover(bob, code, here)
    assert shown.status_code == 200

    after = User.objects.get(pk=bob.user.pk)
    assert after.master_key_version == before.master_key_version + 1
    assert elsewhere.get("/images/").status_code == 302
    for image in (shared, mine):
        assert here.get(f"/images/{image}/original").status_code == 200
    assert WrappedKey.objects.filter(key_pair__user=after).exclude(quick_key=None).count() == 2
    assert alice.sign_in().get(f"/images/{mine}/original").status_code == 200

    signing = after.key_pairs.get(purpose="signing", state="primary")
    assert signing.fingerprint != old_signing.fingerprint
    assert signing.endorsement is None
    entry = AuditEntry.objects.get(event="keys:replaced", outcome="done", subject=bob.user.pk)
    assert entry.parsed().facts["signing"] == signing.fingerprint
    old_signing.refresh_from_db()
    assert (old_signing.state, old_signing.wrapped_private_key) == ("open-only", None)
    # Everything is wrapped for the new reading key by now, and the earlier one is destroyed.
    earlier = after.key_pairs.get(purpose="encryption", epoch=1)
    assert (earlier.state, earlier.wrapped_private_key) == ("destroyed", None)
    assert not KeyOrder.objects.filter(user=after, done_at=None).exists()
    kinds = set(after.key_slots.values_list("kind", flat=True))
    assert kinds == {"password", "recovery-code", "organisation"}

    assert b"recovered by the organisation" in here.get("/images/").content
    next_code = shown.json()["recovery_code"]
    assert recover(bob, next_code).status_code == 200


def test_who_was_recovered_shares_and_revokes_under_the_new_signature(
    upload, alice, bob, carol, pin, ask, open_it
):
    private_half = pin()
    bob.sign_in()
    bob.sign_in()
    mine = upload_as(bob, to=alice)
    answer, code = open_it(ask(bob), private_half)
    run("recover_account", "import", answer)
    here = Client()
    recover(bob, code, here)
    shared = here.post(f"/images/{mine}/share/", {"recipients": ["carol"]}, headers=JSON)
    assert shared.json()["added"] == ["carol"]
    revoked = here.post(f"/images/{mine}/revoke/", {"recipient": "alice"}, headers=JSON)
    assert revoked.status_code == 200
    assert carol.sign_in().get(f"/images/{mine}/original").status_code == 200
    assert alice.sign_in().get(f"/images/{mine}/original").status_code == 410


def test_a_recovery_is_in_the_trail_and_shown_to_its_person(answered, bob):
    answer, code = answered
    run("recover_account", "import", answer)
    page = bob.sign_in().get("/images/").content
    assert b"has begun to recover your account" in page
    recover(bob, code)
    events = AuditEntry.objects.filter(subject=bob.user.pk).order_by("sequence")
    told = [(entry.event, entry.outcome) for entry in events]
    for step in (
        ("organisation:request-made", "done"),
        ("organisation:answer-taken", "done"),
        ("keys:replaced", "done"),
    ):
        assert step in told
    replaced = events.filter(event="keys:replaced", outcome="done").get().parsed()
    assert replaced.facts["reason"] == "organisation"


def test_each_step_is_mailed_to_people_who_gave_an_address(answered, ask, bob, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    User.objects.filter(pk=bob.user.pk).update(email="bob@example.org")
    ask(bob, "another.json")
    run("recover_account", "import", answered[0])
    recover(bob, answered[1])
    assert [message.to for message in mail.outbox] == 3 * [["bob@example.org"]]
    subjects = [message.subject for message in mail.outbox]
    assert subjects == [
        "The recovery of your account has begun",
        "Your account can be recovered with a one-time code",
        "Your account was recovered",
    ]
    assert not any(answered[1] in message.body for message in mail.outbox)


def test_who_gave_no_address_is_recovered_without_a_mail(answered, bob, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    run("recover_account", "import", answered[0])
    assert recover(bob, answered[1]).status_code == 200
    assert mail.outbox == []


def test_a_mail_server_that_is_away_stops_no_recovery(answered, ask, bob, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    User.objects.filter(pk=bob.user.pk).update(email="bob@example.org")
    assert ask(bob, "another.json").exists()
    run("recover_account", "import", answered[0])
    assert recover(bob, answered[1]).status_code == 200


def test_the_keys_are_as_the_trail_last_saw_them(answered, bob):
    answer, code = answered
    run("recover_account", "import", answer)
    taken = AuditEntry.objects.filter(event="organisation:answer-taken", outcome="done").get()
    assert taken.parsed().facts["keyset"] == keyset_digest(bob.user.pk)
    recover(bob, code)
    facts = [entry.parsed().facts for entry in AuditEntry.objects.order_by("sequence")]
    newest = [fact["keyset"] for fact in facts if "keyset" in fact][-1]
    assert newest == keyset_digest(bob.user.pk)


def test_two_recoveries_at_once_make_one(answered, bob, monkeypatch):
    """Another request recovers between opening the answer and the commit of this one."""
    answer, code = answered
    run("recover_account", "import", answer)
    make = organisation_recovery.make_master_key

    def used_meanwhile(**wanted):
        monkeypatch.setattr(organisation_recovery, "make_master_key", make)
        user = User.objects.get(pk=bob.user.pk)
        organisation_recovery.recover(user=user, code=code, new_password="the first one 42")
        return make(**wanted)

    monkeypatch.setattr(organisation_recovery, "make_master_key", used_meanwhile)
    user = User.objects.get(pk=bob.user.pk)
    with pytest.raises(DoesNotOpen):
        organisation_recovery.recover(user=user, code=code, new_password="the second one 42")
    user = User.objects.get(pk=bob.user.pk)
    assert user.check_password("the first one 42")
    assert user.master_key_version == 2


def test_a_vanished_answer_is_refused_at_the_last_moment(answered, bob, monkeypatch):
    answer, code = answered
    run("recover_account", "import", answer)
    make = organisation_recovery.make_master_key

    def ended_meanwhile(**wanted):
        KeySlot.objects.filter(kind="answer").delete()
        return make(**wanted)

    monkeypatch.setattr(organisation_recovery, "make_master_key", ended_meanwhile)
    with pytest.raises(DoesNotOpen):
        organisation_recovery.recover(user=bob.user, code=code, new_password=NEW)
    assert User.objects.get(pk=bob.user.pk).master_key_version == 1


def test_after_a_theft_the_answer_is_a_proof(upload, bob, pin, ask, open_it):
    """Bob lost password and code, and his keys may be known to somebody else."""
    shared = upload(to=(bob,))
    private_half = pin()
    bob.sign_in()
    bob.sign_in()
    run("rotate_keys", "bob", "--compromised")
    answer, code = open_it(ask(bob), private_half)
    run("recover_account", "import", answer)
    form = {"username": "bob", "code": code, "new_password1": NEW, "new_password2": NEW}
    here = Client()
    assert here.post("/accounts/replace-keys/", form, headers=JSON).status_code == 200
    assert here.get(f"/images/{shared.pk}/original").status_code == 200
    assert Client().post("/accounts/replace-keys/", form, headers=JSON).status_code == 422
