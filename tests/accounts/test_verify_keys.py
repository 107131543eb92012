"""Every column of every key row, changed behind the application's back, is refused or found."""

import io
import uuid
from datetime import timedelta
from itertools import product

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, models, transaction
from django.utils import timezone

from accounts.keys.keyset_trail import KeysetTrail
from accounts.keys.keysets import KEY_ROWS, keyset_digest
from accounts.keys.verification import Kind, Verifier
from accounts.models import KeyPair, KeySlot, MacKey, Pins, User, WrappedKey
from accounts.services.ways_back import passwords, recovery
from audit.events import Event, Outcome, record
from audit.models import AuditEntry
from cryptocore import statements
from tests.accounts.test_person_page import compare
from tests.conftest import PASSWORD
from tests.triggers import drop_triggers, install_triggers

JSON = {"accept": "application/json"}
NEW = "an entirely new one 42"


def findings():
    return list(Verifier().run())


def kinds():
    return {finding.kind for finding in findings()}


def flipped(field, value, other):
    """Another value that the column can hold."""
    if isinstance(field, models.ForeignKey):
        return other.pk
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.DateTimeField):
        return (value or timezone.now()) + timedelta(microseconds=1)
    if isinstance(field, models.IntegerField):
        return (value or 0) + 1
    if isinstance(field, models.CharField):
        return f"{value[:-1]}{'1' if value.endswith('0') else '0'}" if value else "0" * 64
    middle = len(value or b"") // 2
    return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :] if value else b"\1"


def every_flip(*people):
    """Yield (model, pk, field name, value before, value after) of every column of every row."""
    users = [person.user for person in people]
    for model, (user, other) in product(KEY_ROWS, [users, users[::-1]]):
        for row in model.objects.filter(user=user):
            for field in row._meta.concrete_fields:
                before = getattr(row, field.attname)
                yield model, row.pk, field.attname, before, flipped(field, before, other)


def write(model, pk, column, value):
    """Write one column; the key of a row, too. False if the database itself refuses it."""
    try:
        with transaction.atomic():
            assert model.objects.filter(pk=pk).update(**{column: value}) == 1
    except IntegrityError:
        return False
    return True


def test_what_was_made_is_as_made(alice, bob, staff):
    assert findings() == []


def test_every_flipped_column_is_found(alice, bob, record_property):
    tried, by_database, missed, restored_badly = 0, 0, [], []
    for model, pk, column, before, after in every_flip(alice, bob):
        tried += 1
        if not write(model, pk, column, after):
            by_database += 1
            continue
        if not findings():
            missed.append((model.__name__, column))
        write(model, after if column == "id" else pk, column, before)
    if findings():
        restored_badly = findings()
    record_property("flips", f"{tried} tried, {by_database} refused by the database")
    print(f"\nflipped columns: {tried} tried, {by_database} by the database, {len(missed)} missed")
    assert (missed, restored_badly) == ([], [])
    assert tried > 120


def test_the_flips_are_found_row_by_row_and_not_only_by_the_digest(alice, bob, monkeypatch):
    """The trail is one net; what can be found without it must not depend on it."""
    monkeypatch.setattr(Verifier, "_check_trail", lambda self, person: iter(()))
    told = {
        (model.__name__, column)
        for model, pk, column, before, after in every_flip(alice, bob)
        if write(model, pk, column, after)
        and (findings(), write(model, after if column == "id" else pk, column, before))[0]
    }
    of_pairs = {column for name, column in told if name == "KeyPair"}
    assert of_pairs >= {
        "id", "purpose", "epoch", "state", "public_key", "fingerprint",
        "certificate", "certificate_signature", "endorsement", "compromised_at",
        "master_key_version",
    }  # fmt: skip
    assert {column for name, column in told if name == "MacKey"} >= {
        "epoch", "wrapped_key", "notice_key_id",
    }  # fmt: skip
    assert {column for name, column in told if name == "KeySlot"} >= {
        "kind", "master_key_version", "organisation_key", "ends_at", "confirm_second",
    }  # fmt: skip


@pytest.mark.parametrize("model", KEY_ROWS)
def test_two_peoples_rows_exchanged_are_found(alice, bob, model):
    alices, bobs = (list(model.objects.filter(user=p.user)) for p in (alice, bob))
    model.objects.filter(pk__in=[row.pk for row in [*alices, *bobs]]).delete()
    for row, owner in [(row, bob) for row in alices] + [(row, alice) for row in bobs]:
        row.user_id = owner.user.pk
        row.save(force_insert=True)
    assert {finding.person for finding in findings()} == {alice.user.pk, bob.user.pk}


def content(row):
    return {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}


@pytest.mark.parametrize(
    ("model", "which", "columns"),
    [
        (KeyPair, {"purpose": "signing"}, ["wrapped_private_key"]),
        (KeyPair, {"purpose": "encryption"}, ["wrapped_private_key"]),
        (KeyPair, {"purpose": "signing"}, ["certificate", "certificate_signature"]),
        (KeyPair, {"purpose": "encryption"}, ["certificate", "certificate_signature"]),
        (KeySlot, {"kind": "password"}, ["wrapped_master_key"]),
        (KeySlot, {"kind": "password"}, ["wrapped_master_key", "salt"]),
        (KeySlot, {"kind": "recovery-code"}, ["wrapped_master_key", "salt"]),
        (KeySlot, {"kind": "recovery-code"}, ["wrapped_confirmation"]),
        (MacKey, {}, ["wrapped_key"]),
        (MacKey, {}, ["wrapped_key", "notice_key_id"]),
    ],
)
def test_two_peoples_keys_exchanged_are_found(alice, bob, model, which, columns):
    rows = [model.objects.get(user=person.user, **which) for person in (alice, bob)]
    for row, other in (rows, rows[::-1]):
        model.objects.filter(pk=row.pk).update(**{c: content(other)[c] for c in columns})
    assert {finding.person for finding in findings()} == {alice.user.pk, bob.user.pk}


def put_back(rows_before, person):
    """Bring the database back to earlier key rows, as a restored backup would."""
    for model in KEY_ROWS:
        model.objects.filter(user=person.user).delete()
    for row in rows_before:
        row.save(force_insert=True)


def rows_of(person):
    return [row for model in KEY_ROWS for row in model.objects.filter(user=person.user)]


def change_password(person):
    passwords.change_password(user=person.user, old_password=PASSWORD, new_password=NEW)


def new_code(person):
    recovery.make_recovery_code(keyring=person.keyring)


def recover(person):
    recovery.recover(user=person.user, code=person.recovery_code, new_password=NEW)


@pytest.mark.parametrize("act", [change_password, new_code, recover])
def test_old_rows_put_back_are_found(alice, bob, act):
    before, password_before = rows_of(alice), User.objects.get(pk=alice.user.pk).password
    act(alice)
    assert findings() == []
    put_back(before, alice)
    User.objects.filter(pk=alice.user.pk).update(password=password_before)
    assert [(f.kind, f.person) for f in findings()] == [(Kind.ALTERED, alice.user.pk)]


def test_a_flipped_slot_refuses_with_the_sentence_of_a_wrong_password(alice, settings):
    """One outside message, whatever was flipped."""
    settings.SIGN_IN_TRIES = settings.SIGN_IN_TRIES_PER_PERSON = 1000
    client = alice.sign_in()

    def unlock(password):
        answer = client.post("/accounts/unlock/", {"password": password}, headers=JSON)
        return answer.status_code, answer.content

    slot = alice.user.key_slots.get(kind="password")
    wrong, answers = unlock("a wrong password"), []
    for model, pk, column, before, after in every_flip(alice, alice):
        if pk == slot.pk and write(model, pk, column, after):
            answers.append(unlock(PASSWORD))
            write(model, after if column == "id" else pk, column, before)
    refused = [answer for answer in answers if answer[0] != 200]
    assert len(refused) >= 8
    assert set(refused) == {wrong}


def test_a_flipped_public_key_refuses_with_one_sentence(upload, alice, bob):
    image = upload()
    pairs = KeyPair.objects.filter(user=bob.user)
    answers = []
    for model, pk, column, before, after in every_flip(bob, alice):
        if pairs.filter(pk=pk).exists() and write(model, pk, column, after):
            share = {"recipients": ["bob"]}
            answer = alice.client.post(f"/images/{image.pk}/share/", share, headers=JSON)
            answers.append((answer.status_code, answer.content))
            write(model, after if column == "id" else pk, column, before)
            if answer.status_code == 200:
                revoke = {"recipient": "bob"}
                alice.client.post(f"/images/{image.pk}/revoke/", revoke, headers=JSON)
    refused = {answer for answer in answers if answer[0] != 200}
    assert len(answers) > 20
    assert len(refused) == 1
    assert b"no_keys" in refused.pop()[1]


def test_an_act_that_was_never_finished_is_named_as_that(alice):
    """A crash between changing the rows and recording it."""
    record(
        Event.RECOVERY_CODE_MADE,
        actor=alice.user.pk,
        subject=alice.user.pk,
        outcome=Outcome.INTENDED,
    )
    assert findings() == []  # nothing was changed yet
    alice.user.key_slots.filter(kind="recovery-code").update(confirmed_at=timezone.now())
    assert kinds() == {Kind.UNFINISHED}
    new_code(alice)
    assert findings() == []


def test_the_digest_of_an_act_that_overlapped_counts_too(alice):
    """Two acts at once: the order of their entries does not show which committed last."""
    person = {"actor": alice.user.pk, "subject": alice.user.pk}
    newest = KeysetTrail().of(alice.user.pk).keysets
    record(Event.KEYS_ROTATED, **person, outcome=Outcome.INTENDED)
    record(Event.RECOVERY_CODE_MADE, **person, keyset=list(newest.values())[-1])
    record(Event.KEYS_ROTATED, **person, keyset="0" * 64)
    assert findings() == []
    record(Event.KEYS_ROTATED, **person, keyset="1" * 64)
    assert kinds() == {Kind.ALTERED}


def test_an_entry_nobody_vouches_for_says_nothing(alice):
    before = rows_of(alice)
    change_password(alice)
    (remembered,) = KeysetTrail().of(alice.user.pk).keysets.values()
    put_back(before, alice)
    newest = next(e for e in AuditEntry.objects.all() if remembered.encode() in e.leaf)
    forged = newest.leaf.replace(remembered.encode(), keyset_digest(alice.user.pk).encode())
    row = {f.attname: getattr(newest, f.attname) for f in newest._meta.concrete_fields}
    row |= {"sequence": newest.sequence + 1, "leaf": forged, "previous": b"p", "chain": b"c"}
    AuditEntry(**row).save()
    assert kinds() == {Kind.ALTERED}


def test_a_search_column_or_head_set_back_hides_nothing(alice):
    change_password(alice)
    rows = rows_of(alice)
    new_code(alice)
    drop_triggers()
    with connections["audit"].cursor() as cursor:
        cursor.execute("UPDATE audit_auditentry SET event = 'x', subject = NULL")
        cursor.execute("UPDATE audit_audithead SET sequence = 1")
    install_triggers()
    put_back(rows, alice)
    assert Kind.ALTERED in kinds()


def test_keys_put_in_or_taken_away_are_found(alice, bob):
    for model in KEY_ROWS:
        model.objects.filter(user=bob.user).delete()
    User.objects.filter(pk=bob.user.pk).update(master_key_version=0)
    assert {(f.kind, f.person) for f in findings()} == {(Kind.GONE, bob.user.pk)}
    eve = User.objects.create_user("evelyn")
    KeySlot.objects.filter(user=alice.user, kind="password").update(user=eve)
    found = {(f.kind, f.person) for f in findings()}
    assert (Kind.NOT_IN_TRAIL, eve.pk) in found
    User.objects.filter(pk=bob.user.pk).delete()
    assert (Kind.GONE, bob.user.pk) in {(f.kind, f.person) for f in findings()}


# ---- wrapped keys and compared contacts ------------------------------------------------------


SPOILT = {
    "zeros": lambda wrapped: bytes(len(wrapped)),
    "ones": lambda wrapped: b"\xff" * len(wrapped),
    "nothing": lambda wrapped: b"",
    "shortened": lambda wrapped: wrapped[:-1],
    "of a larger pair": lambda wrapped: wrapped + bytes(128),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_wrapped_key_that_can_be_none_is_named(shared_image, bob, spoilt):
    assert findings() == []
    row = WrappedKey.objects.get(key_pair__user=bob.user)
    WrappedKey.objects.filter(pk=row.pk).update(oaep_bytes=SPOILT[spoilt](row.oaep_bytes))
    (found,) = findings()
    assert (found.kind, found.person) == (Kind.WRAPPED_KEY, bob.user.pk)
    assert found.row == f"image {shared_image.pk} to encryption pair 1"


def test_wrapped_keys_are_counted(shared_image):
    verifier = Verifier()
    assert list(verifier.run()) == []
    assert verifier.rows == 10 + WrappedKey.objects.count()


@pytest.fixture
def lists(alice, bob):
    """Two lists of alice's, as she stored them one after the other; the second is there."""
    client, stored = alice.sign_in(), []
    for _ in range(2):
        compare(client, "bob")
        stored.append(Pins.objects.get())
    assert findings() == []
    return stored


def test_a_deleted_list_of_contacts_is_named_until_a_new_one_is_started(alice, lists):
    Pins.objects.all().delete()
    assert [(f.kind, f.person) for f in findings()] == [(Kind.CONTACTS_GONE, alice.user.pk)]
    alice.client.post("/accounts/contacts/anew/", headers=JSON)
    assert findings() == []


def test_an_older_list_of_contacts_put_back_is_named(alice, lists):
    lists[0].save()
    assert [(f.kind, f.person) for f in findings()] == [(Kind.CONTACTS_ALTERED, alice.user.pk)]


def test_the_list_before_a_new_one_was_started_is_named(alice, lists):
    alice.client.post("/accounts/contacts/anew/", headers=JSON)
    lists[1].save()
    assert kinds() == {Kind.CONTACTS_ALTERED}


def test_a_list_the_trail_never_heard_of_is_named(bob, lists):
    Pins(user=bob.user, body=lists[1].body, tag=lists[1].tag).save()
    assert [(f.kind, f.person) for f in findings()] == [(Kind.CONTACTS_ALTERED, bob.user.pk)]


def test_a_list_that_was_intended_may_stand_and_may_not(alice, lists):
    """A crash before or after it was stored: either is as it was made."""
    body = lists[1].body + b" "
    facts = {"pins": statements.digest(body), "number": 3}
    person = {"actor": alice.user.pk, "subject": alice.user.pk}
    record(Event.CONTACT_COMPARED, **person, outcome=Outcome.INTENDED, **facts)
    assert findings() == []
    Pins.objects.update(body=body)
    assert findings() == []
    Pins.objects.all().delete()
    assert kinds() == {Kind.CONTACTS_GONE}


def test_a_search_column_set_back_hides_no_list(lists):
    drop_triggers()
    with connections["audit"].cursor() as cursor:
        cursor.execute("UPDATE audit_auditentry SET event = 'x', actor = NULL")
    install_triggers()
    lists[0].save()
    assert Kind.CONTACTS_ALTERED in kinds()


def test_a_cost_below_the_floor_is_named(alice, settings):
    settings.KDF_FLOOR_MEMORY_KIB = 128
    assert kinds() == {Kind.COST}


def test_text_where_no_text_can_be_is_named(alice):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps types")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_keypair SET created_at = 'yesterday'")
    assert Kind.UNREADABLE in kinds()


def test_the_command_says_how_it_went(alice, bob):
    out, err = io.StringIO(), io.StringIO()
    call_command("verify_keys", stdout=out, stderr=err)
    assert out.getvalue() == "Keys: 2 people, 10 rows, all as made.\n"
    MacKey.objects.filter(user=bob.user).update(epoch=2)
    with pytest.raises(CommandError, match="findings"):
        call_command("verify_keys", stdout=out, stderr=err)
    assert f"{Kind.MAC_KEY}: person {bob.user.pk}, MAC key 2" in err.getvalue()
    entries = AuditEntry.objects.filter(event=Event.KEYS_VERIFIED).order_by("sequence")
    assert [entry.outcome for entry in entries] == [Outcome.DONE, Outcome.FAILED]
    assert entries[1].parsed().facts["people"] == 2
