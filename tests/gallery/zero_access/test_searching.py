"""The search for ways in: it finds none, and it finds every one that is put there by hand."""

import base64
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections

from accounts import custody
from accounts.keys import mac_keys
from accounts.keys.content_keys import content_key_label
from accounts.models import Custody, Invite, KeyPair, KeySlot, MacKey, User, WrappedKey
from accounts.organisation import offline
from accounts.organisation.exchange import open_request
from accounts.services.organisation import recovery as organisation_recovery
from audit.events import Event, record
from audit.models import AuditEntry
from cryptocore import content, keypair
from cryptocore.context import context
from cryptocore.kdf import derive_key
from cryptocore.keywrap import wrap_key
from cryptocore.wrapping import wrap
from gallery.management.commands import prove_zero_access
from gallery.models import Rendition
from gallery.zero_access import places
from gallery.zero_access.locked import locked
from gallery.zero_access.openers import Kind
from gallery.zero_access.places import collect
from gallery.zero_access.search import Search
from gallery.zero_access.strings import Strings
from tests import postgres, worlds
from tests.accounts.test_new_start import FOREIGN, make_new_start
from tests.conftest import PASSWORD
from tests.e2e.without_encryption import leave_key, leave_plain, length_of_plain
from tests.environment import DATA_DIR
from tests.triggers import drop_triggers, install_triggers

ROOT = Path(__file__).resolve().parents[3]
COOKIE = "unlock"
# PostgreSQL keeps its rows in files of a server of its own, which the search does not look at.
only_sqlite_files = pytest.mark.skipif(bool(postgres.SERVER), reason="looks at SQLite's files")


@pytest.fixture(autouse=True)
def nothing_left_of_other_tests(emptied_storage):
    """What a whole run leaves at rest is a hundred times what one test makes, and all is tried.

    People are made anew for each test: what an earlier one hid in the trail on purpose stays in
    the file of its journal, and opens the keys of those whom a kept fixture brings back.
    """
    worlds.fixtures.end()
    for path in (DATA_DIR / "images").glob("*/*"):
        path.unlink()
    if settings.AUDIT_FILE.exists():
        os.truncate(settings.AUDIT_FILE, 0)
    for alias in () if postgres.SERVER else connections:
        with connections[alias].cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def search(**wanted) -> Search:
    found = Search(locked(people=0, **wanted), collect())
    found.run()
    return found


def kinds(found: Search) -> set[str]:
    return {way.kind for way in found.ways}


# ---- nothing ---------------------------------------------------------------------------------


@pytest.mark.attack("A1", "A2", "A3", "A6")
def test_in_the_middle_of_a_live_session_there_is_no_way_in(shared_image, bob):
    bob.sign_in().get(f"/images/{shared_image.pk}/")
    assert Custody.objects.count() == 2
    assert WrappedKey.objects.exclude(quick_key=None).count() == 2
    found = search()
    assert found.ways == []
    assert found.opened(Kind.MAC) == set(MacKey.objects.values_list("pk", flat=True))
    assert found.strings.count > 500


def test_the_key_file_is_what_opens_mac_keys_and_it_opens_nothing_else(shared_image):
    opened = [(one.kind, one.by) for one in search().found]
    assert {kind for kind, _by in opened} == {Kind.MAC}
    assert all(str(settings.KEY_FILE.name) in by for _kind, by in opened)


@only_sqlite_files
def test_a_backup_opens_nothing(shared_image, tmp_path):
    copy_everything(tmp_path)
    answer = prove_on_copy(tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "2 people and 1 images: 0 ways in" in answer.stdout


@only_sqlite_files
@pytest.mark.parametrize("end", ["", "-wal"])
@pytest.mark.parametrize("written", [bytes, bytes.hex], ids=["raw", "hex"])
def test_what_a_database_elsewhere_deleted_is_found(
    alice, tmp_path, tmp_path_factory, end, written
):
    copy_everything(tmp_path)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "images.db"
    shutil.move(tmp_path / "imageshare.sqlite3", elsewhere)
    with closing(sqlite3.connect(elsewhere, isolation_level=None)) as database:
        database.execute(f"PRAGMA journal_mode={'WAL' if end else 'DELETE'}")
        database.execute("PRAGMA secure_delete=OFF")
        database.execute("CREATE TABLE left (name TEXT, key)")
        database.execute("INSERT INTO left VALUES ('x', ?)", [written(master_key_of(alice))])
        database.execute("DROP TABLE left")
        answer = prove_on_copy(tmp_path, DATABASE_URL=f"sqlite:///{elsewhere}")
    assert answer.returncode == 1
    assert f"master key of {alice.user.pk}: by file: images.db{end}" in answer.stderr


def copy_everything(folder: Path) -> None:
    for alias, name in (("default", "imageshare.sqlite3"), ("audit", "audit.sqlite3")):
        copy_database(alias, folder / name)
    for name in ("images", "server-keys.json", "audit.jsonl"):
        copy = shutil.copytree if (DATA_DIR / name).is_dir() else shutil.copy
        copy(DATA_DIR / name, folder / name)


def prove_on_copy(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "prove_zero_access"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
    )


def copy_database(alias: str, target: Path) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(target)])


# ---- encryption switched off by hand ---------------------------------------------------------


def test_pictures_stored_as_they_are_are_found(upload, monkeypatch):
    monkeypatch.setattr(content, "_encrypted", leave_plain)
    monkeypatch.setattr(content, "plaintext_length", length_of_plain)
    image = upload(caption="At the lake")
    monkeypatch.undo()
    found = search()
    assert found.opened(Kind.PLAINTEXT) == {image.pk}
    plain = {way.by.removeprefix("storage: ") for way in found.ways}
    assert plain == set(Rendition.objects.values_list("storage_name", flat=True))


@pytest.fixture
def keys_left_plain(monkeypatch):
    """Wrap no key from here on; call what is returned to wrap again."""
    for module in (custody, mac_keys):
        monkeypatch.setattr(module, "wrap_key", leave_key)
        monkeypatch.setattr(module, "unwrap_key", leave_key)
    return monkeypatch.undo


def test_keys_stored_as_they_are_are_found(keys_left_plain, upload, bob):
    image = upload(to=(bob,))
    keys_left_plain()
    found = search()
    assert found.opened(Kind.PRIVATE) == set(KeyPair.objects.values_list("pk", flat=True))
    assert found.opened(Kind.CONTENT) == found.opened(Kind.PLAINTEXT) == {image.pk}


# ---- one way in, put there by hand -----------------------------------------------------------


def hide(text: str) -> None:
    """Put a string where a mistake could leave one."""
    Invite.objects.create(token_digest="x", display_name=text[:80], ends_at="2026-01-01T00:00Z")


def master_key_of(person) -> bytes:
    return person.keyring._master_key


def content_key_of(person, image) -> bytes:
    wrapped = WrappedKey.objects.get(key_pair__user=person.user, subject=image.pk)
    label = content_key_label(wrapped.key_pair, subject=image.pk, lock=1)
    return person.keyring.unwrap_content_key(wrapped, label=label)


def branch_of(person, name: str) -> bytes:
    return derive_key(master_key_of(person), context(name, person.user.pk, 1))


def test_a_master_key_in_the_environment_is_found(shared_image, alice, monkeypatch):
    monkeypatch.setenv("LEFT_HERE", master_key_of(alice).hex())
    found = search()
    assert {Kind.MASTER, Kind.PRIVATE, Kind.CONTENT, Kind.PLAINTEXT} <= kinds(found)
    assert found.opened(Kind.MASTER) == {alice.user.pk}
    assert {way.by for way in found.ways} == {"environment: LEFT_HERE"}


@pytest.mark.parametrize("branch", ["opening", "signing"])
def test_a_branch_is_found(shared_image, alice, branch):
    hide(branch_of(alice, branch).hex())
    found = search()
    assert {f"{branch} branch", Kind.PRIVATE} <= kinds(found)
    assert (Kind.PLAINTEXT in kinds(found)) == (branch == "opening")


def test_a_password_in_the_environment_is_found(shared_image, monkeypatch):
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    assert Kind.PLAINTEXT in kinds(search())


def test_a_recovery_code_in_the_trail_is_found(shared_image, bob):
    record(Event.REQUEST_FAILED, actor=None, error=f"no such code: {bob.recovery_code}")
    found = search()
    assert found.opened(Kind.MASTER) == {bob.user.pk}
    assert found.opened(Kind.PLAINTEXT) == {shared_image.pk}


def test_a_cookie_in_a_session_is_found(shared_image, alice):
    session = alice.client.session
    session["left_here"] = alice.client.cookies[COOKIE].value
    session.save()
    found = search()
    assert found.opened(Kind.MASTER) == {alice.user.pk}
    assert Kind.PLAINTEXT in kinds(found)


def test_what_a_cookie_opens_is_found_when_its_wrapping_key_lies_about(shared_image, alice):
    row = Custody.objects.get(user=alice.user)
    secret = base64.urlsafe_b64decode(alice.client.cookies[COOKIE].value + "==")
    unlock_key = settings.UNLOCK_KEYS.get(row.unlock_key)
    info = context("custody", row.pk, alice.user.pk)
    hide(derive_key(secret, info, salt=unlock_key).hex())
    assert search().opened(Kind.MASTER) == {alice.user.pk}


def test_what_argon2_made_of_a_password_is_found(shared_image, alice):
    slot = KeySlot.objects.get(user=alice.user, kind="password")
    hide(custody._password_kek(slot, PASSWORD).hex())
    assert search().opened(Kind.MASTER) == {alice.user.pk}


def test_a_private_key_in_a_file_is_found(shared_image, bob):
    pair = bob.user.key_pairs.get(purpose="encryption")
    path = DATA_DIR / "tmp" / "left.der"
    path.write_bytes(keypair.private_der(bob.keyring._private_key(pair)).hex().encode())
    try:
        found = search()
    finally:
        path.unlink()
    assert found.opened(Kind.PRIVATE) == {pair.pk}
    assert found.opened(Kind.PLAINTEXT) == {shared_image.pk}


KEY_FILES = {
    "raw": bytes,
    "hex": lambda key: key.hex().encode(),
    "named": lambda key: b"key=" + key.hex().encode() + b"\n",
}


@pytest.mark.parametrize(
    ("place", "written"),
    [("left", "raw"), ("ab/left", "hex"), ("ab/left", "named"), ("deep/er/left.key", "raw")],
)
def test_a_master_key_left_among_the_stored_images_is_found(alice, place, written):
    left = DATA_DIR / "images" / place
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(KEY_FILES[written](master_key_of(alice)))
    try:
        found = search()
    finally:
        left.unlink()
        shutil.rmtree(DATA_DIR / "images" / "deep", ignore_errors=True)
    assert found.opened(Kind.MASTER) == {alice.user.pk}
    assert {way.by for way in found.ways} == {f"storage: {place}"}


def test_a_key_put_in_the_place_of_a_stored_image_is_found(shared_image, alice):
    thumbnail = Rendition.objects.get(image=shared_image, name="thumbnail")
    (DATA_DIR / "images" / thumbnail.storage_name).write_bytes(master_key_of(alice))
    assert search().opened(Kind.MASTER) == {alice.user.pk}


def test_stored_images_are_no_strings_to_try(shared_image):
    strings = Strings()
    places.collect_stored(strings)
    named = Rendition.objects.values_list("storage_name", flat=True)
    assert not strings.keys
    assert strings.count <= 1 + len([name for name in named if places._is_small(name)])


def test_a_private_key_under_a_key_that_lies_about_is_found(shared_image, bob):
    pair = bob.user.key_pairs.get(purpose="encryption")
    key = bytes(range(32))
    pair.wrapped_private_key = wrap_key(keypair.private_der(bob.keyring._private_key(pair)), key)
    pair.save()
    hide(key.hex())
    assert search().opened(Kind.PLAINTEXT) == {shared_image.pk}


def test_a_quick_key_under_a_key_that_lies_about_is_found(shared_image, alice):
    key = bytes(range(32))
    quick_key = wrap_key(content_key_of(alice, shared_image), key)
    WrappedKey.objects.filter(key_pair__user=alice.user).update(quick_key=quick_key)
    hide(key.hex())
    assert search().opened(Kind.PLAINTEXT) == {shared_image.pk}


def test_a_content_key_in_a_row_of_the_gallery_is_found(shared_image, alice):
    key = content_key_of(alice, shared_image)
    shared_image.grants.update(salt=key)
    found = search()
    assert kinds(found) == {Kind.CONTENT, Kind.PLAINTEXT}
    assert {way.by for way in found.ways} == {"column: gallery_grant.salt"}


def test_content_keys_wrapped_to_a_key_of_the_key_file_are_found(shared_image, alice):
    wrapped = alice.user.key_pairs.get(purpose="encryption").wrapped_keys.get()
    label = content_key_label(wrapped.key_pair, subject=shared_image.pk, lock=1)
    key = content_key_of(alice, shared_image)
    public = settings.SERVER_KEYS.signing_key.public_key()
    WrappedKey.objects.filter(pk=wrapped.pk).update(oaep_bytes=wrap(key, public, label=label))
    assert search().opened(Kind.PLAINTEXT) == {shared_image.pk}


@only_sqlite_files
def test_what_was_deleted_but_not_overwritten_is_found(shared_image, alice):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete=OFF")
        hide(f"key {master_key_of(alice).hex()} left")
        Invite.objects.all().delete()
        cursor.execute("PRAGMA secure_delete=ON")
    found = search()
    assert found.opened(Kind.MASTER) == {alice.user.pk}
    assert {way.by.partition(":")[0] for way in found.ways} == {"file"}


# ---- the organisation's key ------------------------------------------------------------------


@pytest.fixture
def organisation_key(settings, tmp_path) -> Path:
    """Pin a key of the organisation's, made before anybody registers; return its private half."""
    fingerprint, settings.RECOVERY_KEY_FILE = offline.create(tmp_path / "recovery.key")
    settings.RECOVERY_KEY_FINGERPRINT = fingerprint
    return tmp_path / "recovery.key"


def test_with_an_organisations_slot_there_is_no_way_in(organisation_key, shared_image):
    assert KeySlot.objects.filter(kind="organisation").exists()
    assert search().ways == []


def test_the_organisations_private_half_left_on_the_server_is_found(
    organisation_key, shared_image, alice
):
    left = DATA_DIR / "tmp" / "recovery.key"
    shutil.copy(organisation_key, left)
    try:
        found = search()
    finally:
        left.unlink()
    assert found.opened(Kind.OPENING) == {alice.user.pk}
    assert found.opened(Kind.PLAINTEXT) == {shared_image.pk}
    assert not found.opened(Kind.MASTER)
    assert not found.opened(Kind.SIGNING)


def test_a_one_time_code_left_on_the_server_is_found(organisation_key, shared_image, alice):
    request = organisation_recovery.make_request(user=alice.user)
    answer, code = open_request(request, offline.read_private_key(organisation_key))
    organisation_recovery.take_answer(answer=answer)
    assert search().ways == []
    hide(f"the code is {code}")
    assert search().opened(Kind.PLAINTEXT) == {shared_image.pk}


# ---- positive control: what one secret opens -------------------------------------------------


def prove(capsys, **options) -> str:
    call_command("prove_zero_access", people=0, **options)
    return capsys.readouterr().out


@pytest.fixture
def answer(monkeypatch):
    """Type this when asked for a secret."""

    def typed(secret: str) -> None:
        monkeypatch.setattr(prove_zero_access, "getpass", lambda prompt: secret)

    return typed


def test_one_password_opens_exactly_that_persons_images(
    shared_image, upload, alice, bob, answer, capsys
):
    upload()
    answer(PASSWORD)
    assert "1 images open, 1 of the 1 that bob can open, 0 that are not for them" in prove(
        capsys, with_password="bob"
    )
    assert "2 images open, 2 of the 2 that alice can open, 0 that are not for them" in prove(
        capsys, with_password="alice"
    )


def test_one_live_cookie_opens_exactly_that_persons_images(
    shared_image, upload, alice, answer, capsys
):
    answer(alice.client.cookies[COOKIE].value)
    assert "1 images open, 1 of the 1 that alice" in prove(capsys, with_cookie="alice")


def test_after_a_new_start_the_present_password_opens_what_came_since(
    shared_image, upload, bob, answer, capsys
):
    make_new_start(bob)
    upload(to=(bob,))
    answer(FOREIGN)
    assert "1 images open, 1 of the 1 that bob can open" in prove(capsys, with_password="bob")


def test_a_wrong_password_is_no_control(shared_image, answer, capsys):
    answer("something else entirely")
    with pytest.raises(CommandError, match="0 images open, 0 of the 1"):
        prove(capsys, with_password="alice")


def test_a_control_that_opens_more_than_it_should_fails(
    shared_image, upload, alice, bob, answer, capsys, monkeypatch
):
    private = upload()
    monkeypatch.setenv("LEFT_HERE", content_key_of(alice, private).hex())
    answer(PASSWORD)
    with pytest.raises(CommandError, match="1 of the 1 that bob can open, 1 that are not"):
        prove(capsys, with_password="bob")


def test_somebody_unknown_is_no_control(capsys):
    with pytest.raises(CommandError, match="No such user"):
        prove(capsys, with_password="nobody-here")


# ---- the result ------------------------------------------------------------------------------


def facts() -> dict:
    return AuditEntry.objects.filter(event=Event.ZERO_ACCESS_PROVEN).last().parsed().facts


def test_the_result_is_recorded_and_shown_to_people(shared_image, client, capsys):
    page = "/about/protection/"
    assert b"opened something" not in client.get(page).content
    assert "2 people and 1 images: 0 ways in. The key file opens 2 keys" in prove(capsys)
    assert facts() == {**facts(), "people_tried": 2, "images_tried": 1, "mac_keys": 2, "ways": 0}
    shown = f"we tried {facts()['strings']:,} stored values as keys; 0 opened something."
    assert shown.encode() in client.get(page).content
    assert "tried on everybody’s keys".encode() in client.get(page).content


def test_a_way_in_is_named_without_its_string_and_fails_the_command(
    shared_image, alice, client, capsys, monkeypatch
):
    left = master_key_of(alice).hex()
    monkeypatch.setenv("LEFT_HERE", left)
    with pytest.raises(CommandError, match="ways in"):
        prove(capsys)
    told = capsys.readouterr().err
    assert f"master key of {alice.user.pk}: by environment: LEFT_HERE" in told
    assert left not in told
    assert facts()["ways"] > 0
    shown = client.get("/about/protection/").content
    assert f"{facts()['ways']} opened something".encode() in shown


def test_a_control_is_not_shown_on_the_page(shared_image, client, answer, capsys):
    answer(PASSWORD)
    prove(capsys, with_password="alice")
    assert b"opened something" not in client.get("/about/protection/").content


def test_a_result_nobody_vouches_for_is_not_shown(shared_image, client, capsys):
    prove(capsys)
    newest = AuditEntry.objects.filter(event=Event.ZERO_ACCESS_PROVEN).last()
    drop_triggers()
    with connections["audit"].cursor() as cursor:
        cursor.execute(
            "UPDATE audit_auditentry SET chain = %s WHERE sequence = %s",
            [bytes(32), newest.sequence],
        )
    install_triggers()
    assert b"opened something" not in client.get("/about/protection/").content


def test_only_some_people_are_tried_when_asked_so(shared_image, make_person, client, capsys):
    for name in ("dora", "emil", "fred"):
        make_person(name)
    call_command("prove_zero_access", people=2)
    assert "2 people" in capsys.readouterr().out
    assert User.objects.count() == 5
    assert facts() == {**facts(), "people_tried": 2, "everybody": "no"}
    shown = b"tried on the keys of 2 people, chosen at random"
    assert shown in client.get("/about/protection/").content
