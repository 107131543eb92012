"""The public half is pinned: any other is refused, and people are notified before it counts."""

from pathlib import Path

import pytest
from django.core import checks
from django.core.management import CommandError
from django.utils import timezone

from accounts.checks import check_recovery_key
from accounts.keys.keysets import keyset_digest
from accounts.models import KeySlot, User
from accounts.organisation import pin as organisation
from accounts.services.organisation import slots as organisation_slots
from audit.models import AuditEntry
from tests.accounts.organisation.steps import NEW, outcomes, recover, run, slot_of
from tests.conftest import PASSWORD
from tests.stored import holds

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.attack("B9")
def test_a_swapped_public_key_is_refused_everywhere(private_half, alice, settings, tmp_path, pin):
    fingerprint = settings.RECOVERY_KEY_FINGERPRINT
    pin("mallorys")
    settings.RECOVERY_KEY_FINGERPRINT = fingerprint
    assert [error.id for error in check_recovery_key(None)] == ["accounts.E006"]
    alice.sign_in()
    assert slot_of(alice) is None
    assert outcomes("organisation-slot:made") == ["refused"]
    with pytest.raises(CommandError, match="not the one that RECOVERY_KEY_FINGERPRINT names"):
        run("recover_account", "request", "alice", tmp_path / "request.json")
    assert not (tmp_path / "request.json").exists()


@pytest.mark.parametrize("content", [None, b"", b"no key", "a private key"])
def test_a_file_that_is_no_public_key_stops_the_start(private_half, settings, content):
    settings.RECOVERY_KEY_FILE.unlink()
    if content is not None:
        data = private_half.read_bytes() if isinstance(content, str) else content
        settings.RECOVERY_KEY_FILE.write_bytes(data)
    assert [error.id for error in check_recovery_key(None)] == ["accounts.E006"]
    with pytest.raises(organisation.NotTheKey):
        organisation.public_key()


def test_a_public_key_without_a_pin_counts_for_nothing(private_half, settings, alice, tmp_path):
    settings.RECOVERY_KEY_FINGERPRINT = ""
    alice.sign_in()
    assert slot_of(alice) is None
    assert check_recovery_key(None) == []
    with pytest.raises(organisation.NotTheKey):
        organisation.public_key()
    with pytest.raises(CommandError, match="No recovery key is set up"):
        run("recover_account", "request", "alice", tmp_path / "request.json")


def test_the_check_is_registered():
    assert check_recovery_key in checks.registry.registry.registered_checks


def test_people_already_here_are_notified_first_and_have_the_slot_at_the_next_unlock(
    bob, pin, settings, client
):
    pin()
    browser = bob.sign_in()
    assert slot_of(bob) is None
    assert b"has set up a recovery key" in browser.get("/images/").content
    browser.post("/accounts/lock/")
    browser.post("/accounts/unlock/", {"password": PASSWORD})
    assert slot_of(bob).organisation_key == settings.RECOVERY_KEY_FINGERPRINT
    assert b"can now recover your account" in browser.get("/images/").content
    assert (
        b"It has been able to recover your account since"
        in browser.get("/accounts/security/").content
    )


def test_an_organisation_that_stopped_is_no_way_back(private_half, bob, settings):
    browser = bob.sign_in()
    page = browser.get("/accounts/security/").content
    assert b"3 ways" in page
    assert b"It has been able to recover your account since" in page
    settings.RECOVERY_KEY_FINGERPRINT = ""
    page = browser.get("/accounts/security/").content
    assert b"2 ways" in page
    assert b"It has been able to recover your account since" not in page
    assert b"has stopped doing so" in page


def test_a_recovery_code_is_the_only_way_back_where_the_organisation_is_none(make_person, pin):
    page, only = "/accounts/recovery-code/", b"the only way back to your images"
    dora = make_person("dora", with_code=False)
    browser = dora.sign_in()
    shown = browser.get(page).content
    assert only in shown
    assert b"you lose your images for good" in browser.get("/images/").content
    pin()
    dora.sign_in()  # is told, and has no slot yet
    assert only in browser.get(page).content
    dora.sign_in()
    shown, reminder = browser.get(page).content, browser.get("/images/").content
    assert only not in shown
    assert b"Otherwise only your organisation can give you a way back." in shown
    assert b"you lose your images for good" not in reminder
    assert b"only your organisation can give you a way back." in reminder
    code = browser.post(page).content
    assert only not in code
    assert b"Otherwise only your organisation can give you a way back." in code


def test_the_organisation_alone_is_said_to_be_the_only_way_back(private_half, make_person):
    dora = make_person("dora", with_code=False)
    dora.sign_in()
    dora.user.set_password(NEW)
    dora.user.save()
    dora.password = NEW
    page = dora.sign_in().get("/accounts/security/").content
    assert b"1 way<" in page
    assert b"Only your organisation can give you a way back." in page


@pytest.mark.parametrize(("has_slot", "is_pinned"), [(True, True), (False, True), (True, False)])
def test_who_has_no_slot_is_not_sent_to_the_organisation(
    private_half, bob, settings, has_slot, is_pinned
):
    if has_slot:
        bob.sign_in()
    bob.user.set_password(NEW)
    bob.user.save()
    bob.password = NEW
    if not is_pinned:
        settings.RECOVERY_KEY_FINGERPRINT = ""
    page = bob.sign_in().get("/accounts/locked-keys/").content
    assert b"Your keys are locked" in page
    assert (b"Your organisation" in page) is (has_slot and is_pinned)


def test_people_who_register_are_notified_before_and_have_the_slot_at_once(private_half, client):
    assert b"can recover accounts" in client.get("/accounts/register/").content
    form = {"username": "dora", "display_name": "Dora", "password1": NEW, "password2": NEW}
    assert client.post("/accounts/register/", form).status_code == 302
    dora = User.objects.get(username="dora")
    assert dora.key_slots.filter(kind="organisation").exists()
    assert (
        b"It has been able to recover your account since"
        in client.get("/accounts/security/").content
    )


def test_without_a_key_nobody_is_notified_of_one(bob, client):
    assert b"can recover accounts" not in client.get("/accounts/register/").content
    browser = bob.sign_in()
    assert b"organisation" not in browser.get("/accounts/security/").content
    assert User.objects.get(pk=bob.user.pk).organisation_told_at is None


def test_the_protection_page_says_what_holds_here(client, pin):
    page = "/about/protection/"
    assert b"nobody can open your images for you" in client.get(page).content
    pin()
    told = client.get(page).content
    assert b"keeps offline" in told
    assert b"nobody can open your images for you" not in told


def test_the_trail_has_the_slot_with_the_digest_of_all_keys(private_half, bob):
    bob.sign_in()
    made = AuditEntry.objects.filter(event="organisation-slot:made").last().parsed()
    assert made.subject == bob.user.pk
    assert made.facts["keyset"] == keyset_digest(bob.user.pk)


def test_a_replaced_key_of_the_organisation_moves_the_slots(
    private_half, bob, pin, ask, open_it, settings
):
    bob.sign_in()
    before = slot_of(bob)
    newer = pin("newer")
    bob.sign_in()
    assert KeySlot.objects.filter(user=bob.user, kind="organisation").count() == 1
    assert slot_of(bob).organisation_key == settings.RECOVERY_KEY_FINGERPRINT
    assert slot_of(bob).pk != before.pk
    answer, code = open_it(ask(bob), newer)
    run("recover_account", "import", answer)
    assert recover(bob, code).status_code == 200


@pytest.mark.attack("F40")
def test_a_slot_that_was_moved_is_in_neither_the_database_file_nor_its_log(private_half, bob, pin):
    bob.sign_in()
    before = bytes(slot_of(bob).wrapped_master_key)
    assert holds(before)
    pin("newer")
    bob.sign_in()
    assert not holds(before)


def test_a_request_is_for_the_key_of_the_slot_even_if_a_newer_one_is_pinned(
    private_half, bob, pin, ask, open_it
):
    bob.sign_in()
    pin("newer")
    _answer, code = open_it(ask(bob), private_half)
    assert len(code) == 35


def test_status_counts_whom_each_key_recovers(private_half, settings, alice, bob, carol, pin):
    alice.sign_in()
    bob.sign_in()
    earlier = settings.RECOVERY_KEY_FINGERPRINT
    pin("newer")
    bob.sign_in()
    User.objects.filter(pk=carol.user.pk).update(organisation_told_at=None)
    lines = run("recovery_key", "status").splitlines()
    assert set(lines) == {
        f"1 people: {earlier}",
        f"1 people: {settings.RECOVERY_KEY_FINGERPRINT} (pinned)",
        "1 people: none",
    }


def test_status_misses_nobody_for_the_slot_of_somebody_disabled(private_half, settings, alice, bob):
    """Their key is needed when they are enabled again, and recovers nobody else."""
    bob.sign_in()
    User.objects.filter(pk=bob.user.pk).update(is_active=False)
    assert run("recovery_key", "status").splitlines() == [
        f"1 people: {settings.RECOVERY_KEY_FINGERPRINT} (pinned)",
        "1 people: none",
    ]


def test_a_slot_for_a_master_key_that_was_replaced_meanwhile_is_not_stored(private_half, bob):
    User.objects.filter(pk=bob.user.pk).update(organisation_told_at=timezone.now())
    bob.user.refresh_from_db()
    User.objects.filter(pk=bob.user.pk).update(master_key_version=2)
    assert organisation_slots.keep_organisation_slot(keyring=bob.keyring) is None
    assert slot_of(bob) is None
    assert outcomes("organisation-slot:made") == ["intended", "failed"]
