"""New keys in the key file: routine, and after the file was stolen."""

import io
import json
import os
import stat
import threading
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.custody import Keyring
from accounts.keys.certificates import (
    certify_encryption_key,
    certify_signing_key,
    verified_encryption_key,
    verified_signing_key,
)
from accounts.keys.certified import known_certificate_of
from accounts.keys.keysets import keyset_digest
from accounts.keys.mac_keys import notice_mac_key
from accounts.keys.verification import Verifier
from accounts.models import KeyPair, MacKey
from accounts.services.key_making import new_pair
from accounts.services.rotating import server_keys
from audit.events import Event, record
from audit.models import AuditEntry
from cryptocore.errors import CryptoError
from gallery.models import SealedImage
from imageshare import keyfile
from imageshare.keyfile import RINGS, LiveServerKeys
from tests.accounts.test_new_start import make_new_start
from tests.accounts.test_pins import newest, replace_signing
from tests.accounts.test_replacing import replace
from tests.accounts.test_rotate_keys import code_of
from tests.accounts.test_rotate_keys import run as rotate_keys
from tests.accounts.test_rotation import finish, order
from tests.conftest import PASSWORD, jpeg

JSON = {"accept": "application/json"}


@pytest.fixture(autouse=True)
def key_file(tmp_path, settings):
    """A key file of the test's own: others go on with theirs."""
    path = tmp_path / "server-keys.json"
    keyfile.create(path)
    settings.SERVER_KEYS = LiveServerKeys(path)
    return path


def run(*arguments):
    """Run the command; return (what it said, what it named)."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("rotate_server_keys", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return str(error), err.getvalue()
    return out.getvalue(), err.getvalue()


def signing_of(person):
    return KeyPair.objects.get(user=person.user, purpose="signing", state="primary")


# ---- the key file ----------------------------------------------------------------------------


def test_each_ring_has_a_new_key_and_keeps_the_old(key_file):
    before = json.loads(key_file.read_text())
    ids = dict.fromkeys(RINGS, django_settings.SERVER_KEYS.notice.ids)
    assert run()[1] == ""
    after = json.loads(key_file.read_text())
    for name in RINGS:
        newest_id, *rest = after[name]
        assert rest == list(before[name])
        assert after[name][rest[0]] == before[name][rest[0]]
        assert newest_id not in ids[name]
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert "rotation" not in after
    assert list(key_file.parent.iterdir()) == [key_file]
    assert django_settings.SERVER_KEYS.rotation is None


def test_a_running_process_sees_the_new_file(key_file):
    elsewhere = LiveServerKeys(key_file)
    before = elsewhere.notice.newest
    run()
    assert elsewhere.notice.newest != before
    assert elsewhere.notice.get(before[0]) == before[1]
    assert before[1].hex() not in repr(elsewhere)


def test_a_file_that_cannot_be_read_leaves_the_keys_as_they_were(key_file, caplog):
    kept = django_settings.SERVER_KEYS.audit.newest
    text = key_file.read_text()
    key_file.write_text("{")
    assert django_settings.SERVER_KEYS.audit.newest == kept
    assert "cannot be read" in caplog.text
    key_file.unlink()
    assert django_settings.SERVER_KEYS.audit.newest == kept
    key_file.write_text(text)
    assert django_settings.SERVER_KEYS.audit.newest == kept


def test_a_crash_while_writing_leaves_the_old_file(key_file, monkeypatch):
    before = key_file.read_bytes()

    def fail(descriptor):
        raise OSError

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CommandError, match="Run it again"):
        call_command("rotate_server_keys")
    assert key_file.read_bytes() == before
    assert list(key_file.parent.iterdir()) == [key_file]


def test_two_at_once_lose_no_key(key_file):
    """Each adds its own: nothing another process wrapped under a new key is left without it."""
    keys = [LiveServerKeys(key_file) for _ in range(2)]
    threads = [threading.Thread(target=k.rotate, kwargs={"stolen_since": None}) for k in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(json.loads(key_file.read_text())[name]) for name in RINGS] == [3] * 4


# ---- routine ---------------------------------------------------------------------------------


def test_notice_keys_hang_on_the_newest_and_open_as_before(alice, bob, shared_image):
    before = {row.pk: notice_mac_key(row) for row in MacKey.objects.all()}
    said, _ = run()
    assert "2 people, 2 MAC keys wrapped again, 0 made, 0 signing keys" in said
    newest_id, _ = django_settings.SERVER_KEYS.notice.newest
    for row in MacKey.objects.all():
        assert row.notice_key_id == newest_id
        assert notice_mac_key(row) == before[row.pk]
    assert list(Verifier().run()) == []
    notices = bob.sign_in().get("/activity/", headers=JSON).json()["notices"]
    assert [notice["state"] for notice in notices] == ["genuine"]
    assert bob.client.get(f"/images/{shared_image.pk}/original").status_code == 200


def test_it_records_one_event_and_one_for_each_person(alice, bob):
    run()
    entries = AuditEntry.objects.filter(event=Event.SERVER_KEYS_ROTATED).order_by("sequence")
    assert [entry.outcome for entry in entries] == ["intended", "done"]
    facts = entries[1].parsed().facts
    assert (facts["kind"], facts["people"], facts["rewrapped"]) == ("routine", 2, 2)
    people = AuditEntry.objects.filter(event=Event.MAC_KEY_ROTATED, outcome="done")
    assert {entry.subject for entry in people} == {alice.user.pk, bob.user.pk}
    assert all(entry.is_authentic() for entry in AuditEntry.objects.all())


@pytest.mark.parametrize("arguments", [(), ("--compromised",)])
def test_interrupted_it_goes_on_with_the_same_new_keys(alice, bob, monkeypatch, arguments):
    real, seen = server_keys.Carrier.carry_out, []

    def power_cut_at_the_second(self, person):
        seen.append(person)
        if len(seen) == 2:
            raise OSError
        return real(self, person)

    monkeypatch.setattr(server_keys.Carrier, "carry_out", power_cut_at_the_second)
    assert "Run it again" in run(*arguments)[0]
    ids = django_settings.SERVER_KEYS.notice.ids
    monkeypatch.setattr(server_keys.Carrier, "carry_out", real)
    assert "1 people, 1 MAC keys wrapped again" in run(*arguments)[0].splitlines()[-1]
    assert django_settings.SERVER_KEYS.notice.ids == ids
    epochs = sorted(MacKey.objects.values_list("epoch", flat=True))
    assert epochs == ([1, 1, 2, 2] if arguments else [1, 1])
    assert list(Verifier().run()) == []


def test_the_other_kind_waits_until_the_one_begun_is_finished(alice, key_file):
    django_settings.SERVER_KEYS.rotate(stolen_since=None)
    before = key_file.read_bytes()
    assert "of the other kind" in run("--compromised")[0]
    assert key_file.read_bytes() == before


def test_a_notice_key_that_does_not_open_is_named_and_the_others_are_done(alice, bob):
    MacKey.objects.filter(user=bob.user).update(wrapped_key=bytes(40))
    said, named = run()
    assert "1 people" in said
    assert named == f"a MAC key of person {bob.user.pk}: it does not open\n"


@pytest.mark.parametrize("arguments", [(), ("--compromised",)])
def test_a_dry_run_changes_nothing(alice, bob, key_file, arguments):
    rows = [*MacKey.objects.order_by("pk").values(), *KeyPair.objects.order_by("pk").values()]
    content, entries = key_file.read_bytes(), AuditEntry.objects.count()
    said, _ = run("--dry-run", *arguments)
    counts = "2 made, 2 signing" if arguments else "0 made, 0 signing"
    assert f"Would rotate server keys: 2 people, 2 MAC keys wrapped again, {counts}" in said
    assert key_file.read_bytes() == content
    now = [*MacKey.objects.order_by("pk").values(), *KeyPair.objects.order_by("pk").values()]
    assert (now, AuditEntry.objects.count()) == (rows, entries)


def test_since_needs_compromised():
    assert "goes with" in run("--since", "2026-01-01T00:00:00Z")[0]


# ---- after a theft ---------------------------------------------------------------------------


def test_everybodys_keys_are_certified_by_the_new_key_alone(alice, bob, shared_image):
    before = signing_of(alice).certificate
    said, named = run("--compromised")
    assert (said.count("\n"), named) == (1, "")
    assert "2 MAC keys wrapped again, 2 made, 2 signing keys certified again, 0 left" in said
    keys = django_settings.SERVER_KEYS
    assert set(keys.public_keys) < set(keys.all_public_keys)
    (newest_fingerprint,) = keys.public_keys
    assert newest_fingerprint.encode() in signing_of(alice).certificate
    old = signing_of(alice)
    old.certificate = before
    with pytest.raises(CryptoError):
        verified_signing_key(old)
    assert list(Verifier().run()) == []
    alice.sign_in()
    assert bob.sign_in().get(f"/images/{shared_image.pk}/original").status_code == 200
    notices = bob.client.get("/activity/", headers=JSON).json()["notices"]
    assert [notice["state"] for notice in notices] == ["genuine"]


def test_a_certificate_the_thief_makes_later_is_not_believed(alice, key_file):
    stolen = keyfile.ServerKeys.load(key_file)
    run("--compromised")
    forger = Keyring.new(alice.user)
    forged = new_pair(forger, KeyPair.Purpose.SIGNING, epoch=2)
    live, django_settings.SERVER_KEYS = django_settings.SERVER_KEYS, stolen
    certify_signing_key(forged, signing_of(alice))
    django_settings.SERVER_KEYS = live
    with pytest.raises(CryptoError):
        verified_signing_key(forged)


def test_a_key_the_thief_put_in_is_named_and_not_certified(alice, bob):
    """The thief certified a key of their own, and reading keys under it, before the rotation."""
    before_theft = timezone.now()
    forger = Keyring.new(bob.user)
    genuine = signing_of(bob)
    KeyPair.objects.filter(user=bob.user).delete()
    forged = new_pair(forger, KeyPair.Purpose.SIGNING, epoch=genuine.epoch)
    certify_signing_key(forged)
    forged.save(force_insert=True)
    reading = new_pair(forger, KeyPair.Purpose.ENCRYPTION, epoch=1)
    certify_encryption_key(reading, forger, forged)
    reading.save(force_insert=True)
    assert verified_encryption_key(reading)
    said, named = run("--compromised", "--since", before_theft.isoformat())
    assert "1 signing keys certified again, 1 left as they were" in said
    assert forged.fingerprint in named
    assert server_keys.BEFORE_THEFT in named
    with pytest.raises(CryptoError):
        verified_encryption_key(reading)


def test_a_key_made_after_the_theft_is_not_certified(alice):
    an_hour_ago = (timezone.now() - timedelta(hours=1)).isoformat()
    said, named = run("--compromised", "--since", an_hour_ago)
    assert "0 signing keys certified again, 1 left" in said
    assert server_keys.BEFORE_THEFT in named


def test_a_key_nothing_was_signed_with_is_not_certified(alice):
    KeyPair.objects.filter(user=alice.user, purpose="encryption").update(
        certificate_signature=bytes(384)
    )
    assert server_keys.NO_OWNER in run("--compromised")[1]


def test_a_key_rotated_after_the_theft_is_believed_by_the_word_of_the_one_before(
    alice, bob, upload, monkeypatch
):
    """Endorsing a successor takes the private half, which the thief of the key file has not."""
    since = timezone.now()
    monkeypatch.setattr(server_keys, "_known_before", lambda before: known)
    known = {
        person.user.pk: server_keys.Known(
            {signing_of(person).fingerprint}, known_certificate_of(person.user.pk)
        )
        for person in (alice, bob)
    }
    order(alice, "signing")
    finish(alice)
    image = upload(to=(bob,))
    said, named = run("--compromised", "--since", since.isoformat())
    assert "3 signing keys certified again, 0 left" in said, named
    assert bob.sign_in().get(f"/images/{image.pk}/original").status_code == 200
    assert alice.sign_in().get(f"/images/{upload(to=(bob,)).pk}/original").status_code == 200


def test_the_word_of_a_stolen_key_for_its_successor_is_worth_nothing(alice):
    before = signing_of(alice)
    replace_signing(alice)
    KeyPair.objects.filter(pk=before.pk).update(compromised_at=timezone.now())
    assert server_keys.BEFORE_THEFT in run("--compromised")[1]


def test_who_is_not_certified_again_signs_nothing_until_there_are_new_keys(alice):
    run("--compromised", "--since", (timezone.now() - timedelta(hours=1)).isoformat())
    client = alice.sign_in()
    answer = client.post("/images/upload/", {"images": [picture_file()]}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "own_key_refused")
    assert not SealedImage.objects.exists()
    rotate_keys("alice")
    for _ in range(3):
        client.get("/images/")
    answer = client.post("/images/upload/", {"images": [picture_file()]}, headers=JSON)
    assert client.get(answer.json()["images"][0]["url"]).status_code == 200


def picture_file() -> io.BytesIO:
    file = io.BytesIO(jpeg())
    file.name = "one.jpg"
    return file


def test_an_altered_row_is_not_certified(alice):
    KeyPair.objects.filter(user=alice.user, purpose="signing").update(epoch=3)
    assert server_keys.UNCERTIFIED in run("--compromised")[1]


def test_earlier_signing_keys_are_certified_by_what_they_endorsed(alice):
    """Their signatures must verify on: also where no reading key hangs on them any more."""
    pair = replace_signing(alice)
    about = {"actor": alice.user.pk, "subject": alice.user.pk}
    keyset = keyset_digest(alice.user.pk)
    record(Event.KEYS_ROTATED, **about, fingerprint=pair.fingerprint, keyset=keyset)
    reading = newest(alice, "encryption")
    certify_encryption_key(reading, alice.keyring, pair)
    reading.save()
    said, named = run("--compromised")
    assert "2 signing keys certified again" in said, named
    for one in KeyPair.objects.filter(user=alice.user, purpose="signing"):
        assert verified_signing_key(one)


def made_new_start(bob):
    make_new_start(bob)


def rotated(bob):
    order(bob, "signing")
    finish(bob)
    order(bob)
    finish(bob)


def replaced_after_a_theft(bob):
    assert (
        replace(code_of(rotate_keys("bob", "--compromised")), password=PASSWORD).status_code == 200
    )


@pytest.mark.parametrize("act", [made_new_start, rotated, replaced_after_a_theft])
def test_whatever_way_keys_were_made_they_are_certified_again(alice, bob, act):
    """Each act names the new signing key in the trail; and verify_keys finds all well before
    and after."""
    act(bob)
    assert list(Verifier().run()) == []
    said, named = run("--compromised")
    assert ("3 signing keys certified again" in said, named) == (True, "")
    assert list(Verifier().run()) == []
