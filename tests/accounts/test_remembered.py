"""Older rows of accounts and invites put back: the trail remembers what they deny."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.keys.remembered import standing_of
from accounts.keys.signing_keys import SigningKeys
from accounts.models import Custody, Invite, KeyOrder, KeyPair, User, token_digest
from accounts.services.people import invites, oversight
from accounts.services.rotating.ordering import order_pairs
from audit.events import AuditUnavailable
from audit.vouched import RECENT
from gallery.ledger import saw_before
from gallery.models import Grant, Statement
from tests.accounts.test_invites import FORM
from tests.accounts.test_replacing import NEW, replace
from tests.accounts.test_rotate_keys import code_of, run
from tests.gallery.test_sharing import opens, share
from tests.gallery.test_stolen_keys import forged_share

JSON = {"accept": "application/json"}


@pytest.fixture
def overseer(staff) -> User:
    return User.objects.get(username="overseer")


def signs_in(person) -> bool:
    form = {"username": person.username, "password": person.password}
    answer = Client().post("/accounts/login/", form, headers=JSON)
    return answer.status_code == 200 and answer.json().get("unlocked", True)


# ---- invites ---------------------------------------------------------------------------------


def make_account(token) -> int:
    return Client().post(f"/accounts/invite/{token}/", FORM, headers=JSON).status_code


@pytest.mark.attack("F6")
def test_an_invite_taken_back_or_used_no_longer_opens_whatever_its_row_says(overseer):
    new = invites.make_invite(display_name="Dora Dune", email="", by=overseer)
    invites.take_back_invite(invite=new.invite, by=overseer, reason="a mistake")
    Invite.objects.update(taken_back_at=None)
    assert make_account(new.token) == 404
    other = invites.make_invite(display_name="Dora Dune", email="", by=overseer)
    assert make_account(other.token) == 201
    Invite.objects.update(used_at=None)
    assert Client().get(f"/accounts/invite/{other.token}/").status_code == 404


@pytest.mark.attack("F92")
def test_an_open_invite_with_a_token_of_ones_own_makes_no_account(overseer):
    new = invites.make_invite(display_name="Dora Dune", email="", by=overseer)
    Invite.objects.update(token_digest=token_digest("x" * 43))
    assert make_account("x" * 43) == 404
    Invite.objects.update(token_digest=token_digest(new.token))
    assert make_account(new.token) == 201


@pytest.mark.attack("F92")
def test_an_invite_older_than_the_trails_tokens_makes_an_account(overseer, monkeypatch):
    real = invites.account_act

    def untold(event, subject, *, by, **facts):
        return real(event, subject, by=by)

    monkeypatch.setattr(invites, "account_act", untold)
    new = invites.make_invite(display_name="Dora Dune", email="", by=overseer)
    assert make_account(new.token) == 201


@pytest.mark.attack("F6")
def test_an_invite_lives_no_longer_and_is_made_by_nobody_but_staff(overseer, monkeypatch):
    new = invites.make_invite(display_name="Dora Dune", email="", by=overseer)
    Invite.objects.update(ends_at=timezone.now() + timedelta(days=99))
    row = Invite.objects.get()
    row.pk, row.token_digest = overseer.pk, "0" * 64
    row.save(force_insert=True)
    assert not invites.is_open(row)
    assert invites.is_open(new.invite)
    later = timezone.now() + timedelta(days=8)
    monkeypatch.setattr("accounts.keys.remembered.timezone.now", lambda: later)
    assert make_account(new.token) == 404


def test_an_invite_waits_while_the_trail_is_away(overseer, monkeypatch):
    new = invites.make_invite(display_name="Dora Dune", email="", by=overseer)

    def away(*arguments, **options):
        raise AuditUnavailable

    monkeypatch.setattr("accounts.keys.remembered.vouched", away)
    client = Client(raise_request_exception=False)
    assert client.get(f"/accounts/invite/{new.token}/").status_code == 503


# ---- disabled accounts -----------------------------------------------------------------------


@pytest.mark.attack("F7")
def test_an_account_that_was_disabled_cannot_sign_in_whatever_its_row_says(alice, overseer):
    assert signs_in(alice)
    oversight.disable_person(person=alice.user, by=overseer, reason="left")
    User.objects.filter(pk=alice.user.pk).update(is_active=True)
    assert not signs_in(alice)
    oversight.enable_person(person=alice.user, by=overseer, reason="back")
    assert signs_in(alice)


def order_keys_often(person) -> None:
    """As each run of `rotate_keys` does for somebody whose order was taken out of its table."""
    for _ in range(RECENT + 1):
        KeyOrder.objects.filter(user=person.user).delete()
        order_pairs(person.user, ["encryption"])


@pytest.mark.attack("F210")
def test_who_was_disabled_stays_so_however_often_new_keys_are_ordered(alice, overseer):
    oversight.disable_person(person=alice.user, by=overseer, reason="left")
    order_keys_often(alice)
    User.objects.filter(pk=alice.user.pk).update(is_active=True)
    assert standing_of(alice.user.pk).is_disabled
    assert not signs_in(alice)


@pytest.mark.attack("F210")
def test_a_theft_stays_one_however_often_new_keys_are_ordered(alice):
    run("alice", "--compromised")
    order_keys_often(alice)
    take_marks_out(alice)
    assert standing_of(alice.user.pk).open_theft
    assert not signs_in(alice)


# ---- stolen keys -----------------------------------------------------------------------------


def take_marks_out(person) -> None:
    pairs = KeyPair.objects.filter(user=person.user)
    pairs.update(compromised_at=None, state="primary")
    KeyOrder.objects.filter(user=person.user).delete()


@pytest.mark.attack("F8")
def test_stolen_keys_sign_nothing_and_nobody_in_though_their_marks_were_taken_out(
    shared_image, alice, bob
):
    forged = alice.keyring
    run("alice", "--compromised")
    take_marks_out(alice)
    assert not signs_in(alice)
    assert opens(bob, shared_image) == 200
    forged_share(shared_image, forged, through_the_site=True)
    assert opens(bob, shared_image) == 409
    Statement.objects.latest("pk").delete()


@pytest.mark.attack("F8")
def test_nothing_is_wrapped_to_stolen_keys_though_their_marks_were_taken_out(upload, alice, bob):
    run("bob", "--compromised")
    take_marks_out(bob)
    image = upload()
    answer = share(alice, image, bob)
    assert answer.status_code in (422, 503)
    assert not Grant.objects.filter(image=image, reader=bob.user).exists()


@pytest.mark.attack("F8")
def test_after_the_replacement_all_is_as_it_was(shared_image, alice, bob):
    code = code_of(run("alice", "--compromised"))
    take_marks_out(alice)
    assert not signs_in(alice)
    code = code_of(run("alice", "--compromised"))
    assert replace(code, username="alice", password=alice.password).status_code == 200
    alice.password = NEW
    assert signs_in(alice)
    assert opens(bob, shared_image) == 200


# ---- rows put back around a sign-in ----------------------------------------------------------


@pytest.mark.attack("F6")
def test_who_was_disabled_opens_nothing_with_all_their_rows_put_back(overseer, shared_image, bob):
    browser, address = bob.sign_in(), f"/images/{shared_image.pk}/original"
    rows = [*User.objects.filter(pk=bob.user.pk), *Session.objects.all(), *Custody.objects.all()]
    oversight.disable_person(person=bob.user, by=overseer, reason="left us")
    for row in rows:
        row.save()
    assert browser.get(address, headers=JSON).status_code == 401
    assert not Custody.objects.filter(user=bob.user).exists()


@pytest.mark.attack("F6")
def test_a_pair_put_beside_stolen_ones_or_these_taken_away_sign_nobody_in(bob):
    run("bob", "--compromised")
    KeyOrder.objects.all().delete()
    beside = KeyPair.objects.get(user=bob.user, purpose="signing")
    beside.pk, beside.epoch, beside.fingerprint = uuid.uuid4(), 9, "ab" * 32
    beside.save(force_insert=True)
    assert not signs_in(bob)
    KeyPair.objects.filter(user=bob.user, purpose="signing").delete()
    assert not signs_in(bob)


@pytest.mark.attack("F6")
def test_a_theft_put_off_in_the_row_lets_no_stolen_key_sign(shared_image, alice, bob):
    run("alice", "--compromised")
    head = Statement.objects.get(kind="share", subject=shared_image.pk)
    later = timezone.now() + timedelta(days=3000)
    KeyPair.objects.filter(user=alice.user).update(state="primary", compromised_at=later)
    (pair,) = KeyPair.objects.filter(user=alice.user, purpose="signing")
    since = SigningKeys().stolen_since(pair.user_id, pair.fingerprint)
    assert since is not None
    assert since < timezone.now()
    assert saw_before(since, head, shared_image)  # what it signed before still counts
    assert opens(bob, shared_image)
