"""A new start waits, is announced, can be stopped, keeps the earlier keys, and signs for nobody
else."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client, override_settings
from django.utils import timezone

from accounts.keys.certificates import is_endorsed, signing_pair_of, verified_signing_key
from accounts.keys.keysets import keyset_digest
from accounts.models import KeyOrder, KeyPair, KeySlot, NewStart, User
from accounts.services.deserving import accept_rows
from accounts.services.rotating.ordering import order_after_theft, order_pairs
from accounts.services.ways_back import new_start
from accounts.services.ways_back.new_start import NotDue, ask_for_new_start
from audit.models import AuditEntry
from tests.conftest import PASSWORD

JSON = {"accept": "application/json"}
ADDRESS = "/accounts/new-start/"
FOREIGN = "set by somebody else"


def sign_in_with_foreign_password(person, password=FOREIGN) -> Client:
    user = User.objects.get(pk=person.user.pk)
    user.set_password(password)
    user.save()
    client = Client()
    client.post("/accounts/login/", {"username": person.username, "password": password})
    return client


def ask(client, password=FOREIGN):
    return client.post(ADDRESS, {"password": password}, headers=JSON)


def let_the_wait_pass() -> None:
    NewStart.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def bring_back_earlier(client, secret):
    return client.post("/accounts/earlier-keys/", {"secret": secret}, headers=JSON)


def make_new_start(person) -> Client:
    """Bring `person` all the way to new keys; return their browser."""
    client = sign_in_with_foreign_password(person)
    assert ask(client).status_code == 202
    let_the_wait_pass()
    with override_settings(NEW_START_WAIT=timedelta(0)):  # the trail has when it was asked for
        answer = ask(client)
    assert answer.status_code == 200, answer.content
    assert "recovery_code" in answer.json()
    return client


# ---- what may not be -------------------------------------------------------------------------


def test_whose_password_opens_their_keys_needs_none(alice):
    answer = alice.sign_in().post(ADDRESS, {"password": PASSWORD}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_needed")
    assert not NewStart.objects.exists()


def test_it_waits_three_days(bob):
    client = sign_in_with_foreign_password(bob)
    assert ask(client).status_code == 202
    asked = NewStart.objects.get()
    assert asked.due_at - asked.asked_at >= timedelta(hours=71, minutes=59)
    assert ask(client).status_code == 202
    assert NewStart.objects.count() == 1
    assert KeyPair.objects.filter(user=bob.user).count() == 2


def test_no_keys_are_made_before_the_wait_is_over(bob):
    ask_for_new_start(user=bob.user)
    with pytest.raises(NotDue):
        new_start.start_anew(user=bob.user, password=PASSWORD)
    NewStart.objects.update(stopped_at=timezone.now(), due_at=timezone.now())
    with pytest.raises(NotDue):
        new_start.start_anew(user=bob.user, password=PASSWORD)


def test_a_wait_that_nobody_asked_for_is_over_for_nobody(bob):
    """Anybody who has the database writes a row that is due; the trail knows of no question."""
    client = sign_in_with_foreign_password(bob)
    yesterday = timezone.now() - timedelta(days=1)
    NewStart.objects.create(user=bob.user, due_at=yesterday, asked_at=yesterday)
    assert ask(client).status_code == 409
    assert KeyPair.objects.filter(user=bob.user).count() == 2


def test_asked_for_again_it_takes_no_longer(bob, settings):
    settings.NEW_START_WAIT = timedelta(0)
    client = sign_in_with_foreign_password(bob)
    assert ask(client).status_code == 202
    asked = AuditEntry.objects.filter(event="new-start:asked")
    begun = list(asked.values_list("sequence", flat=True))
    ask_for_new_start(user=bob.user)
    assert list(asked.values_list("sequence", flat=True)) == begun
    assert ask(client).status_code == 200


def test_a_theft_that_is_ordered_ends_the_wait(bob):
    """A thief of the mailbox may have asked: a person who proves nothing waits from the
    beginning."""
    client = sign_in_with_foreign_password(bob)
    ask(client)
    let_the_wait_pass()
    order_after_theft(bob.user)
    assert NewStart.objects.get().stopped_at
    assert AuditEntry.objects.filter(event="new-start:stopped").exists()
    client = sign_in_with_foreign_password(bob)
    assert ask(client).status_code == 202
    assert KeyPair.objects.filter(user=bob.user).count() == 2


def test_the_page_says_how_long_and_counts_what_opens_now(shared_image, upload, bob, settings):
    settings.NEW_START_WAIT = timedelta(hours=30)
    page = sign_in_with_foreign_password(bob).get(ADDRESS).content.decode()
    assert "a wait of 30 hours" in page
    assert "1 image that your keys open now" in page
    make_new_start(bob)
    client = sign_in_with_foreign_password(bob, "set elsewhere once more")
    assert "0 images that your keys open now" in client.get(ADDRESS).content.decode()


def test_keys_brought_back_in_another_browser_are_not_replaced(bob):
    one, other = sign_in_with_foreign_password(bob), Client()
    ask(one)
    let_the_wait_pass()
    other.post("/accounts/login/", {"username": "bob", "password": FOREIGN})
    both = {"old_password": PASSWORD, "password": FOREIGN}
    assert other.post("/accounts/locked-keys/", both, headers=JSON).status_code == 200
    answer = ask(one)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_needed")
    assert KeyPair.objects.filter(user=bob.user).count() == 2


def test_the_password_is_needed_for_both_steps(bob):
    client = sign_in_with_foreign_password(bob)
    assert ask(client, "wrong").status_code == 422
    assert not NewStart.objects.exists()
    ask(client)
    let_the_wait_pass()
    assert ask(client, "wrong").status_code == 422
    assert KeyPair.objects.filter(user=bob.user).count() == 2


def test_a_stopped_one_makes_no_keys(bob):
    client = sign_in_with_foreign_password(bob)
    ask(client)
    let_the_wait_pass()
    assert client.post(ADDRESS, {"stop": "1"}, headers=JSON).json() == {"stopped": True}
    assert ask(client).status_code == 202  # a new wait, from the beginning
    assert KeyPair.objects.filter(user=bob.user).count() == 2


# ---- telling ---------------------------------------------------------------------------------


def test_the_person_is_notified_by_mail_on_every_page_and_in_the_trail(bob, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    User.objects.filter(pk=bob.user.pk).update(email="bob@example.org")
    client = sign_in_with_foreign_password(bob)
    ask(client)
    assert [message.to for message in mail.outbox] == [["bob@example.org"]]
    assert "on, by signing in and asking again." in mail.outbox[0].body
    assert "Somebody asked for new keys in your name." in client.get("/images/").content.decode()
    asked = AuditEntry.objects.filter(event="new-start:asked", subject=bob.user.pk)
    assert {entry.outcome for entry in asked} == {"intended", "done"}


def test_a_mail_server_that_is_away_stops_nothing(bob, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    User.objects.filter(pk=bob.user.pk).update(email="bob@example.org")
    assert ask(sign_in_with_foreign_password(bob)).status_code == 202


# ---- making new keys -------------------------------------------------------------------------


def test_new_keys_are_certified_unendorsed_and_the_earlier_set_is_kept(bob):
    earlier = signing_pair_of(bob.user.pk)
    make_new_start(bob)
    pair = signing_pair_of(bob.user.pk)
    assert (pair.epoch, pair.master_key_version) == (2, 2)
    assert not is_endorsed(pair)
    earlier.refresh_from_db()
    assert earlier.state == "open-only"
    assert earlier.wrapped_private_key
    versions = KeySlot.objects.filter(user=bob.user).values_list("kind", "master_key_version")
    assert sorted(versions) == [
        ("password", 1),
        ("password", 2),
        ("recovery-code", 1),
        ("recovery-code", 2),
    ]


def test_the_trail_has_the_new_keys_and_the_digest_of_all_rows(bob):
    make_new_start(bob)
    done = AuditEntry.objects.filter(event="new-start:done", outcome="done").last().parsed().facts
    assert done["keyset"] == keyset_digest(bob.user.pk)
    assert done["signing"] == signing_pair_of(bob.user.pk).fingerprint


def test_what_was_shared_waits_and_new_shares_open(shared_image, upload, alice, bob):
    client = make_new_start(bob)
    answer = client.get(f"/images/{shared_image.pk}/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "waiting")
    assert client.get("/images/", headers=JSON).json()["images"][0]["state"] == "waiting"
    newer = upload(to=(bob,))
    assert client.get(f"/images/{newer.pk}/original").status_code == 200


def test_a_persons_own_images_stay_locked_only_for_that_person(shared_image, alice, bob):
    client = make_new_start(alice)
    answer = client.get(f"/images/{shared_image.pk}/", headers=JSON)
    assert answer.status_code == 409
    assert "earlier keys" in answer.json()["message"]
    page = client.get(f"/images/{shared_image.pk}/").content.decode()
    assert "/accounts/earlier-keys/" in page
    assert f"/images/{shared_image.pk}/delete/" in page
    assert bob.sign_in().get(f"/images/{shared_image.pk}/original").status_code == 200
    assert client.post(f"/images/{shared_image.pk}/delete/").status_code == 302


def test_every_other_session_ends(bob):
    other = sign_in_with_foreign_password(bob)
    make_new_start(bob)
    assert other.get("/images/", headers=JSON).status_code == 401


# ---- finding the keys after all --------------------------------------------------------------


@pytest.mark.parametrize("way", ["password", "recovery code"])
def test_what_opened_the_earlier_keys_brings_them_back(shared_image, bob, way):
    client = make_new_start(bob)
    secret = PASSWORD if way == "password" else bob.recovery_code
    answer = bring_back_earlier(client, secret)
    assert answer.json() == {"key_pairs": 1}
    assert client.get(f"/images/{shared_image.pk}/original").status_code == 200
    assert not bob.user.key_slots.filter(master_key_version=1).exists()
    # What they opened is wrapped for the current key by now, and they are destroyed.
    about = AuditEntry.objects.filter(subject=bob.user.pk, outcome="done").order_by("sequence")
    leaves = [entry.parsed() for entry in about]
    assert {"keys:brought-back", "key:destroyed"} < {leaf.event for leaf in leaves}
    recorded = [leaf.facts["keyset"] for leaf in leaves if "keyset" in leaf.facts]
    assert recorded[-1] == keyset_digest(bob.user.pk)


def test_a_damaged_pair_keeps_the_others_from_nobody(shared_image, bob):
    """Two earlier pairs: what is wrapped to the whole one opens, and the ways to the other stay."""
    order_pairs(bob.user, ["encryption"])
    bob.sign_in()
    damaged = KeyPair.objects.filter(user=bob.user, purpose="encryption", state="primary")
    whole = bytes(damaged.get().wrapped_private_key)
    KeyOrder.objects.update(done_at=timezone.now())  # nothing is wrapped to it again
    client = make_new_start(bob)
    damaged = KeyPair.objects.filter(user=bob.user, purpose="encryption", epoch=2)
    damaged.update(wrapped_private_key=bytes(40))
    assert bring_back_earlier(client, PASSWORD).json() == {"key_pairs": 1}
    assert client.get(f"/images/{shared_image.pk}/original").status_code == 200
    assert bob.user.key_slots.filter(master_key_version=1).count() == 2
    damaged.update(wrapped_private_key=whole)
    assert bring_back_earlier(client, bob.recovery_code).json() == {"key_pairs": 1}
    assert not bob.user.key_slots.filter(master_key_version=1).exists()


def test_a_wrong_one_brings_nothing_back_and_is_held(shared_image, bob, settings):
    client = make_new_start(bob)
    for _ in range(settings.SIGN_IN_TRIES):
        answer = bring_back_earlier(client, "wrong")
        assert answer.status_code == 422
    answer = bring_back_earlier(client, PASSWORD)
    assert answer.status_code == 429
    assert client.get(f"/images/{shared_image.pk}/original").status_code == 409


def test_another_persons_secret_opens_nothing(bob, carol):
    client = make_new_start(bob)
    answer = bring_back_earlier(client, carol.recovery_code)
    assert answer.status_code == 422


def test_a_damaged_certificate_keeps_nobody_from_new_keys_once_an_operator_looked(bob):
    client = sign_in_with_foreign_password(bob)
    ask(client)
    let_the_wait_pass()
    KeyPair.objects.filter(user=bob.user, purpose="signing").update(certificate=b"damaged")
    with override_settings(NEW_START_WAIT=timedelta(0)):
        assert ask(client).status_code == 409
        accept_rows(bob.user)
        assert ask(client).status_code == 200
    assert verified_signing_key(signing_pair_of(bob.user.pk))


@pytest.mark.attack("F24")
def test_a_wait_that_was_hidden_while_it_ran_is_over_for_nobody_who_unlocked(bob):
    """Hash and row are put back, so that bob signs in as always and sees nothing to stop."""
    password = User.objects.get(pk=bob.user.pk).password
    ask(sign_in_with_foreign_password(bob))
    hidden = NewStart.objects.get()
    hidden.delete()
    User.objects.filter(pk=bob.user.pk).update(password=password)
    bob.sign_in()
    hidden.save(force_insert=True)
    client = sign_in_with_foreign_password(bob)
    let_the_wait_pass()
    with override_settings(NEW_START_WAIT=timedelta(0)):
        assert ask(client).status_code == 409
    assert KeyPair.objects.filter(user=bob.user).count() == 2
