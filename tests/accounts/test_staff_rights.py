"""Staff rights are believed only with the act that gave them."""

import io

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from accounts.keys.verification import Kind, Verifier
from accounts.models import KeySlot, User
from accounts.services.master_keys import make_master_key
from accounts.services.people import oversight
from accounts.staff_rights import Rights, rights_of
from audit.events import Event
from audit.models import AuditEntry
from imageshare import start
from tests.conftest import PASSWORD
from tests.triggers import drop_triggers, install_triggers

JSON = {"accept": "application/json"}
INDEX, PEOPLE = "/admin/", "/admin/accounts/user/"
SENTENCE = b"Marked as staff, but nothing on record made them so:"


def write_rights(person, *, staff=True, superuser=False) -> None:
    """What somebody who can write to the database does."""
    User.objects.filter(pk=person.user.pk).update(is_staff=staff, is_superuser=superuser)


def refusals() -> list:
    found = AuditEntry.objects.filter(event=Event.ACCOUNT_STAFF_REFUSED, outcome="refused")
    return [entry.parsed().subject for entry in found]


@pytest.fixture
def overseer(staff) -> User:
    return User.objects.get(username="overseer")


# ---- somebody else in their row ---------------------------------------------------------------


@pytest.mark.attack("F76")
def test_a_password_written_into_the_row_of_staff_opens_no_staff_page(staff, overseer, mallory):
    """The hash alone signs in, locked; with a key slot and keys of their own it opens, but those
    were not made for this person."""
    hashed = User.objects.get(pk=mallory.user.pk).password
    User.objects.filter(pk=overseer.pk).update(password=hashed)
    intruder = Client()
    form = {"username": "overseer", "password": PASSWORD}
    KeySlot.objects.filter(user=overseer).delete()
    assert intruder.post("/accounts/login/", form, headers=JSON).json()["unlocked"] is False
    for address in (INDEX, PEOPLE):
        assert intruder.get(address).status_code == 302, address
        assert intruder.get(address, headers=JSON).status_code in (401, 409), address
    assert intruder.post(f"{PEOPLE}{mallory.user.pk}/quota/", {"reason": "more"}).status_code == 302


@pytest.mark.attack("F76")
def test_nor_do_keys_of_ones_own_in_that_row(staff, overseer, mallory):
    theirs = make_master_key(user=overseer, password="of somebody else 1", earlier=None)
    slot = theirs.keyring.password_slot("of somebody else 1")
    KeySlot.objects.filter(user=overseer, kind="password").delete()
    slot.save(force_insert=True)
    User.objects.filter(pk=overseer.pk).update(
        password=make_password("of somebody else 1"), master_key_version=slot.master_key_version
    )
    intruder = Client()
    form = {"username": "overseer", "password": "of somebody else 1"}
    assert intruder.post("/accounts/login/", form, headers=JSON).json()["unlocked"] is True
    for address in (INDEX, PEOPLE):
        answer = intruder.get(address, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (403, "staff_unproven"), address


def test_locked_staff_unlock_first_and_come_back(staff, overseer):
    staff.post("/accounts/lock/")
    answer = staff.get(PEOPLE)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/unlock/?next=%2Fadmin")
    staff.post("/accounts/unlock/", {"password": PASSWORD})
    assert staff.get(PEOPLE).status_code == 200


# ---- rights that nobody gave -----------------------------------------------------------------


@pytest.mark.attack("F22")
@pytest.mark.parametrize("columns", [(True, False), (True, True), (False, True)])
def test_rights_written_into_a_row_open_no_staff_page(mallory, columns):
    browser = mallory.sign_in()
    write_rights(mallory, staff=columns[0], superuser=columns[1])
    for address in (
        INDEX,
        PEOPLE,
        "/admin/audit/auditentry/",
        f"{PEOPLE}{mallory.user.pk}/change/",
    ):
        answer = browser.get(address, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (403, "staff_unproven"), address
        assert "confirm_staff mallory" in answer.json()["message"]
    assert refusals() == [mallory.user.pk]  # once, however often it is tried


@pytest.mark.attack("F22")
@pytest.mark.parametrize("name", ["disable", "quota", "make-staff", "remove-staff"])
def test_they_act_on_nobody_either(mallory, bob, name):
    browser = mallory.sign_in()
    write_rights(mallory, superuser=True)
    form = {"reason": "mine now", "username": "bob"}
    assert browser.post(f"{PEOPLE}{bob.user.pk}/{name}/", form).status_code == 403
    mallory.user.refresh_from_db()
    with pytest.raises(ValidationError):
        oversight.disable_person(person=bob.user, by=mallory.user, reason="mine now")
    bob.user.refresh_from_db()
    assert (bob.user.is_active, bob.user.is_staff) == (True, False)


@pytest.mark.attack("F22")
def test_staff_who_make_themselves_a_superuser_stay_staff(staff, overseer, mallory, bob):
    oversight.make_staff(person=mallory.user, by=overseer, reason="helps")
    write_rights(mallory, superuser=True)
    browser = mallory.sign_in()
    assert browser.get(PEOPLE).status_code == 200
    page = browser.get(f"{PEOPLE}{bob.user.pk}/change/").content
    assert b"make-staff" not in page
    form = {"reason": "a friend", "username": "bob"}
    assert browser.post(f"{PEOPLE}{bob.user.pk}/make-staff/", form).status_code == 422
    assert not User.objects.get(pk=bob.user.pk).is_staff


@pytest.mark.attack("F22")
def test_whose_rights_were_taken_away_does_not_get_them_back_by_a_row(overseer, mallory):
    oversight.make_staff(person=mallory.user, by=overseer, reason="helps")
    oversight.remove_staff(person=mallory.user, by=overseer, reason="helps no more")
    write_rights(mallory)
    mallory.user.refresh_from_db()
    assert rights_of(mallory.user) == Rights.NONE
    assert mallory.sign_in().get(INDEX).status_code == 403


@pytest.mark.attack("F22")
def test_an_entry_about_somebody_else_gives_nothing(overseer, mallory):
    """Also with the trail's database: what a column says of an entry its leaf does not."""
    drop_triggers()
    with connections["audit"].cursor() as cursor:
        by = (lambda pk: pk) if cursor.db.vendor == "postgresql" else (lambda pk: pk.hex)
        query = "UPDATE audit_auditentry SET subject = %s WHERE event = 'account:made-by-command'"
        cursor.execute(query, [by(mallory.user.pk)])
        assert cursor.rowcount == 2
    install_triggers()
    write_rights(mallory, superuser=True)
    mallory.user.refresh_from_db()
    assert rights_of(mallory.user) == Rights.NONE


@pytest.mark.attack("F23")
def test_groups_and_permissions_give_nothing(mallory):
    group = Group.objects.create(name="everything")
    group.permissions.set(Permission.objects.all())
    mallory.user.groups.add(group)
    mallory.user.user_permissions.set(Permission.objects.all())
    write_rights(mallory, staff=False, superuser=True)
    user = User.objects.get(pk=mallory.user.pk)
    assert not user.has_perm("accounts.view_user")
    assert not user.has_perms(["accounts.view_user"])
    assert not user.has_module_perms("accounts")


# ---- who learns of it ------------------------------------------------------------------------


@pytest.mark.attack("F22")
def test_other_staff_see_it_at_once_and_verify_keys_finds_it(staff, mallory):
    assert SENTENCE not in staff.get(INDEX).content
    write_rights(mallory)
    page = staff.get(INDEX).content
    assert SENTENCE in page
    assert f"{PEOPLE}{mallory.user.pk}/change/".encode() in page
    (finding,) = Verifier().run()
    assert (finding.kind, finding.person) == (Kind.STAFF_RIGHTS, mallory.user.pk)


def test_a_superuser_takes_away_what_nobody_gave(staff, overseer, mallory):
    write_rights(mallory, superuser=True)
    assert b"remove-staff" in staff.get(f"{PEOPLE}{mallory.user.pk}/change/").content
    oversight.remove_staff(person=mallory.user, by=overseer, reason="written into the row")
    mallory.user.refresh_from_db()
    assert (mallory.user.is_staff, mallory.user.is_superuser) == (False, False)
    assert SENTENCE not in staff.get(INDEX).content


def test_without_the_trails_table_the_staff_pages_are_away(staff, monkeypatch):
    staff.raise_request_exception = False
    with connections["audit"].cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditentry RENAME TO gone_away")
        try:
            for address in (INDEX, PEOPLE):
                assert staff.get(address).status_code == 503
            assert Client().get(INDEX).status_code == 302  # nobody is asked about who is nobody
        finally:
            cursor.execute("ALTER TABLE gone_away RENAME TO audit_auditentry")
    assert staff.get(INDEX).status_code == 200


# ---- rights that somebody gave ---------------------------------------------------------------


def test_a_superuser_made_by_the_command_is_one(staff, overseer):
    assert rights_of(overseer) == Rights.SUPERUSER
    assert staff.get(INDEX).status_code == 200
    oversight.disable_person(person=overseer, by=_second(), reason="left")
    overseer.refresh_from_db()
    assert rights_of(overseer) == Rights.NONE


def _second() -> User:
    return User.objects.create_superuser("second", PASSWORD)


def test_staff_made_by_a_superuser_are_staff(overseer, bob):
    oversight.make_staff(person=bob.user, by=overseer, reason="helps")
    bob.user.refresh_from_db()
    assert rights_of(bob.user) == Rights.STAFF
    assert bob.sign_in().get(INDEX).status_code == 200


def test_who_is_no_staff_is_led_to_signing_in_as_before(alice):
    assert alice.sign_in().get(INDEX).status_code == 302
    assert refusals() == []


@pytest.fixture
def elder(make_person):
    """A superuser older than the trail's entries about who made one."""
    person = make_person("elder")
    write_rights(person, superuser=True)
    return person


def test_an_operator_confirms_people_who_were_staff_before(elder, capsys):
    start.name_unproven_staff()
    assert "confirm_staff elder" in capsys.readouterr().out
    assert elder.sign_in().get(INDEX).status_code == 403
    out = io.StringIO()
    call_command("confirm_staff", stdout=out)
    assert "elder: superuser, but nothing on record made them so." in out.getvalue()
    call_command("confirm_staff", "Elder", stdout=out)
    assert elder.client.get(INDEX).status_code == 200
    call_command("confirm_staff", stdout=out)
    assert "All staff rights" in out.getvalue()
    start.name_unproven_staff()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("names", [["elder", "nobody"], ["elder", "alice"]])
def test_naming_one_who_is_not_staff_confirms_nobody(elder, alice, names):
    with pytest.raises(CommandError):
        call_command("confirm_staff", *names)
    assert not AuditEntry.objects.filter(event=Event.ACCOUNT_STAFF_CONFIRMED).exists()


@pytest.mark.attack("F22")
def test_staff_who_were_disabled_do_not_come_back_by_their_rows(overseer, mallory):
    oversight.make_staff(person=mallory.user, by=overseer, reason="helps")
    browser = mallory.sign_in()
    rows = [*User.objects.filter(pk=mallory.user.pk), *Session.objects.all()]
    oversight.disable_person(person=mallory.user, by=overseer, reason="left us")
    for row in rows:
        row.save()
    assert browser.get(INDEX, headers=JSON).status_code == 403
