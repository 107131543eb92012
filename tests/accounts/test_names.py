"""Names of people: certified, carried along, changed by the person, given once."""

import io

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from accounts.keys.certificates import Names, certify_signing_key, names_in
from accounts.keys.certified import name_id, record_certified
from accounts.keys.names import certified_name, newest_signing_pairs, prefetch_names
from accounts.keys.verification import Kind, Verifier
from accounts.models import KeyPair, User
from accounts.services.deserving import accept_rows
from accounts.services.key_making import make_keys_at_first_sign_in
from accounts.services.people import registration
from accounts.services.people.naming import (
    NameRefused,
    certify_people_already_here,
    change_display_name,
)
from audit.models import AuditEntry
from cryptocore import statements
from imageshare import start
from tests.accounts.test_new_start import make_new_start
from tests.accounts.test_replacing import replace
from tests.accounts.test_rotate_keys import code_of, run
from tests.accounts.test_rotate_server_keys import key_file  # noqa: F401
from tests.accounts.test_rotate_server_keys import run as rotate_server_keys
from tests.accounts.test_rotation import finish, order
from tests.conftest import PASSWORD
from tests.gallery.test_names_shown import swap
from tests.trail import outcomes_of
from tests.triggers import drop_triggers, install_triggers

JSON = {"accept": "application/json"}


def pair_of(person) -> KeyPair:
    return newest_signing_pairs([person.user.pk])[person.user.pk]


def fresh(person) -> User:
    return User.objects.get(pk=person.user.pk)


def name_of(person):
    return certified_name(fresh(person))


def kinds():
    return {finding.kind for finding in Verifier().run()}


def put_back(person, pair: KeyPair, display_name: str) -> None:
    """Put an older genuine certificate, and the name of that time, back into the rows."""
    KeyPair.objects.filter(pk=pair.pk).update(
        certificate=pair.certificate, certificate_signature=pair.certificate_signature
    )
    User.objects.filter(pk=person.user.pk).update(display_name=display_name)


def without_names(*people) -> None:
    """As an installation was before names were certified: nothing in certificates and trail."""
    for person in people:
        pair = pair_of(person)
        pair.certificate = b"{}"
        certify_signing_key(pair)
        assert names_in(pair) is None
        pair.save()
    drop_triggers()
    with connections["audit"].cursor() as cursor:
        cursor.execute(
            "DELETE FROM audit_auditentry WHERE event IN ('key:certified', 'name:given')"
        )
    install_triggers()
    for person in people:  # those rows were the remembered ones
        accept_rows(person.user)


# ---- certified -------------------------------------------------------------------------------


def test_a_name_is_certified_with_the_first_key(alice):
    assert names_in(pair_of(alice)) == Names("alice", "Alice Ardent")
    assert name_of(alice).in_full == "Alice Ardent (@alice)"
    assert kinds() == set()
    given = outcomes_of("name:given", actor=alice.user.pk, subject=name_id("alice"))
    assert given == ["done"]


def test_sixty_people_take_as_many_queries_as_one(alice, bob, django_assert_num_queries):
    people = [fresh(alice) for _ in range(30)] + [fresh(bob) for _ in range(30)]
    with django_assert_num_queries(1):
        prefetch_names(people)
        assert {str(certified_name(person)) for person in people} == {"Alice Ardent", "Bob Brook"}


@pytest.mark.attack("F10")
@pytest.mark.parametrize("column", ["username", "display_name"])
def test_the_sweep_finds_swapped_names(alice, bob, column):
    swap(column, alice, bob)
    assert [finding.kind for finding in Verifier().run()] == [Kind.NAME, Kind.NAME]


# ---- changed ---------------------------------------------------------------------------------


def test_changing_a_name_is_an_act_with_a_new_certificate_of_the_same_key(alice, bob):
    before = pair_of(alice)
    client = alice.sign_in()
    answer = client.post("/accounts/name/", {"display_name": "Alice Bold"}, headers=JSON)
    assert answer.json() == {"display_name": "Alice Bold"}
    after = pair_of(alice)
    assert after.fingerprint == before.fingerprint
    assert name_of(alice).in_full == "Alice Bold (@alice)"
    first, second = (statements.parse("key", bytes(p.certificate)) for p in (before, after))
    assert second["sequence"] == first["sequence"] + 1
    assert second["previous"] == statements.digest(bytes(before.certificate))
    entry = AuditEntry.objects.filter(event="key:certified", outcome="done").last()
    assert entry.parsed().facts["certificate"] == statements.digest(bytes(after.certificate))
    assert kinds() == set()
    assert b"Your name was certified with your key" in client.get("/accounts/security/").content


def test_what_a_name_must_not_be_is_refused(alice):
    client = alice.sign_in()
    for name in ("", "  ", "a\u202eb", "x" * 81):
        answer = client.post("/accounts/name/", {"display_name": name}, headers=JSON)
        assert answer.status_code == 422
    assert client.get("/accounts/name/").status_code == 200
    assert name_of(alice).display_name == "Alice Ardent"


def test_a_name_that_was_altered_is_healed_by_its_person(alice):
    User.objects.filter(pk=alice.user.pk).update(display_name="Mallory Mist")
    client = alice.sign_in()
    assert b"Not verified" in client.get("/accounts/security/").content
    client.post("/accounts/name/", {"display_name": "Alice Ardent"})
    assert name_of(alice).is_certified
    assert kinds() == set()


@pytest.mark.attack("F11")
def test_an_older_certificate_with_an_earlier_name_is_refused_and_found(alice, bob):
    older = pair_of(alice)
    change_display_name(keyring=alice.keyring, display_name="Alice Bold")
    put_back(alice, older, "Alice Ardent")
    assert not name_of(alice).is_certified
    assert Kind.OLDER_CERTIFICATE in kinds()
    with pytest.raises(NameRefused):
        change_display_name(keyring=alice.keyring, display_name="Alice Calm")
    assert bob.sign_in().get("/people/alice/", headers=JSON).status_code == 404


@pytest.mark.attack("F11")
def test_an_older_key_made_the_newest_row_brings_no_earlier_name_back(alice):
    order(alice, "signing")
    finish(alice)
    assert name_of(alice).is_certified
    change_display_name(keyring=alice.keyring, display_name="Alice Bold")
    pair_of(alice).delete()
    KeyPair.objects.filter(user=alice.user, purpose="signing").update(state="primary")
    User.objects.filter(pk=alice.user.pk).update(display_name="Alice Ardent")
    assert not name_of(alice).is_certified
    assert Kind.OLDER_CERTIFICATE in kinds()


# ---- carried along ---------------------------------------------------------------------------


@pytest.mark.attack("F18")
def test_new_keys_carry_the_certified_name_and_not_the_row(alice, bob):
    """Swapped while new keys are made: the swap is not certified with them."""
    swap("username", alice, bob)
    swap("display_name", alice, bob)
    order(alice, "signing")
    finish(alice)
    assert names_in(pair_of(alice)) == Names("alice", "Alice Ardent")
    assert not name_of(alice).is_certified


@pytest.mark.attack("F18")
def test_an_older_certificate_put_back_before_a_rotation_is_not_carried(alice):
    older = pair_of(alice)
    change_display_name(keyring=alice.keyring, display_name="Alice Bold")
    put_back(alice, older, "Alice Ardent")
    order(alice, "signing")
    finish(alice)
    assert names_in(pair_of(alice)) is None
    assert not name_of(alice).is_certified
    change_display_name(keyring=alice.keyring, display_name="Alice Bold")
    assert name_of(alice).is_certified


def test_names_survive_rotation_theft_and_a_new_start(alice, bob, carol):
    order(alice, "signing")
    finish(alice)
    code = code_of(run("bob", "--compromised"))
    assert name_of(bob).is_certified  # while they wait for new keys, too
    replace(code, bob.client, password=bob.password)
    make_new_start(carol)
    for person, epoch in ((alice, 2), (bob, 2), (carol, 2)):
        assert (pair_of(person).epoch, name_of(person).username) == (epoch, person.username)
    assert Kind.NAME not in kinds()
    assert Kind.OLDER_CERTIFICATE not in kinds()


def test_names_survive_the_theft_of_the_key_file(key_file, make_person):  # noqa: F811
    dora, ella = make_person("dora"), make_person("ella")
    change_display_name(keyring=dora.keyring, display_name="Dora Dusk")
    moment = timezone.now()
    change_display_name(keyring=ella.keyring, display_name="Ella Elm")
    said, named = rotate_server_keys("--compromised", "--since", moment.isoformat())
    assert "2 signing keys certified again" in said
    assert name_of(dora).in_full == "Dora Dusk (@dora)"
    assert not name_of(ella).is_certified  # with the key file the thief could have written it
    assert f"the name of person {ella.user.pk}" in named
    ella.sign_in().post("/accounts/name/", {"display_name": "Ella Elm"})
    assert name_of(ella).is_certified


# ---- given once ------------------------------------------------------------------------------


@pytest.mark.attack("F12")
@pytest.mark.parametrize("name", ["bob", "b0b"])
def test_a_name_that_a_row_was_robbed_of_is_not_given_again(alice, bob, name):
    """UPDATE frees bob's name; the next person to register under it would be certified as bob."""
    User.objects.filter(pk=bob.user.pk).update(username="zz-gone", skeleton="zz-gone")
    with pytest.raises(ValidationError, match="taken"):
        registration.register(username=name, display_name="Bob", email="", password=PASSWORD)
    User.objects.filter(pk=bob.user.pk).update(username="bob", skeleton="bob")
    assert name_of(bob).is_certified


@pytest.mark.attack("F12")
def test_an_account_put_in_by_sql_gets_no_keys_under_a_given_name(bob):
    User.objects.filter(pk=bob.user.pk).update(username="zz-gone", skeleton="zz-gone")
    forged = get_user_model().objects.create_user("bob", PASSWORD)
    assert make_keys_at_first_sign_in(user=forged, password=PASSWORD) is None
    answer = bob.client.post("/accounts/login/", {"username": "bob", "password": PASSWORD})
    assert answer.status_code == 302
    assert not KeyPair.objects.filter(user=forged).exists()


@pytest.mark.attack("F12")
def test_nobody_gets_a_second_name_by_damaging_their_own_certificate(alice, mallory):
    """Mallory, with the database: her certificate names nobody any more, her row says alice."""
    KeyPair.objects.filter(pk=pair_of(mallory).pk).update(certificate=b"damaged")
    User.objects.filter(pk=alice.user.pk).update(username="zz-gone", skeleton="zz-gone")
    User.objects.filter(pk=mallory.user.pk).update(username="alice", skeleton="allce")
    pair = pair_of(mallory)
    certify_signing_key(pair)
    pair.save()
    record_certified(pair)
    with pytest.raises(NameRefused):
        change_display_name(keyring=mallory.keyring, display_name="Alice Ardent")


# ---- operators -------------------------------------------------------------------------------


@pytest.mark.attack("F17")
def test_an_operators_code_goes_to_nobody_by_a_swapped_name(alice, mallory, tmp_path):
    swap("username", alice, mallory)
    with pytest.raises(CommandError, match="certified"):
        call_command("rotate_keys", "mallory", "--compromised", stdout=io.StringIO())
    with pytest.raises(CommandError, match="No such user"):
        call_command("recover_account", "request", "mallory", str(tmp_path / "request"))
    assert not (tmp_path / "request").exists()
    assert code_of(run(str(alice.user.pk), "--compromised"))


# ---- people already here ---------------------------------------------------------------------


def test_people_already_here_are_certified_once_and_shown_as_unverified_until_then(alice, bob):
    without_names(alice, bob)
    assert not name_of(alice).is_certified
    assert Kind.NAME in kinds()
    done = certify_people_already_here()
    assert (done.people, done.refused) == (2, [])
    assert name_of(alice).in_full == "Alice Ardent (@alice)"
    assert kinds() == set()
    assert certify_people_already_here() is None
    assert outcomes_of("names:certified", actor=None) == ["done"]
    person = AuditEntry.objects.filter(event="key:certified", subject=bob.user.pk)
    assert person.filter(outcome="done").count() == 1


def test_the_start_certifies_and_so_does_the_command(alice, capsys):
    without_names(alice)
    start.certify_names()
    assert "Certified the names of 1 people" in capsys.readouterr().out
    out = io.StringIO()
    call_command("verify_keys", "--certify-names", stdout=out)
    assert "all as made" in out.getvalue()
    assert name_of(alice).is_certified


@pytest.mark.attack("F18")
def test_an_older_certificate_is_not_named_a_second_time(alice, bob):
    """Put back from an old backup, with a swapped row beside it, before the next start."""
    without_names(alice, bob)
    nameless = pair_of(alice)
    certify_people_already_here()
    put_back(alice, nameless, "Bob Brook")
    start.certify_names()
    assert not name_of(alice).is_certified
    with pytest.raises(NameRefused):
        change_display_name(keyring=alice.keyring, display_name="Bob Brook")
