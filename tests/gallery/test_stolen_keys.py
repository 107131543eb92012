"""A key that was stolen: whom nothing is wrapped to, and which of its signatures count."""

import io
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from accounts.custody import open_with_password
from accounts.models import KeyPair, User, WrappedKey
from accounts.services.rotating.carrying_out import carry_out_orders
from accounts.services.rotating.ordering import order_after_theft
from audit.events import Event, record
from audit.models import AuditEntry
from cryptocore import statements
from gallery.image_trail import facts_of
from gallery.models import Grant, Notice, Statement
from gallery.services import sharing
from tests.accounts.test_replacing import NEW, replace
from tests.accounts.test_rotate_keys import code_of, run
from tests.accounts.test_rotation import opens, order, primary
from tests.conftest import jpeg
from tests.gallery.test_sharing import share

JSON = {"accept": "application/json"}


def page(person, image):
    return person.sign_in().get(f"/images/{image.pk}/", headers=JSON)


# ---- shared with somebody whose keys were stolen ---------------------------------------------


def test_what_is_shared_after_the_theft_waits_and_is_wrapped_to_nobody(upload, alice, bob):
    image = upload()
    code = code_of(run("bob", "--compromised"))
    before = WrappedKey.objects.filter(key_pair__user=bob.user).count()
    answer = share(alice, image, bob)
    answered = answer.json()
    assert (answered["added"], answered["waiting"]) == (["bob"], ["bob"])
    assert share(alice, image, bob).json()["unchanged"] == ["bob"]
    assert WrappedKey.objects.filter(key_pair__user=bob.user).count() == before
    assert Grant.objects.get(image=image, reader=bob.user).wrapped_key is None
    assert page(alice, image).json()["people"][0]["waiting"] is True
    assert Notice.objects.filter(person=bob.user).count() == 1
    replace(code, bob.client, password=bob.password)
    bob.password = NEW
    waits = page(bob, image)
    assert (waits.status_code, waits.json()["code"]) == (409, "waiting")
    assert bob.client.get("/images/", headers=JSON).json()["images"][0]["state"] == "waiting"
    assert share(alice, image, bob).json()["waiting"] == []
    assert opens(bob, image) == 200


def test_the_page_of_people_waiting_shares_again_once_there_are_new_keys(upload, alice, bob):
    code = code_of(run("bob", "--compromised"))
    image = upload(to=(bob,))
    ask = ("/images/waiting/", {"reader": "bob"})
    (reader,) = alice.client.get("/images/waiting/", headers=JSON).json()["waiting"]
    assert reader["can_receive"] is False
    assert alice.client.post(*ask, headers=JSON).status_code == 409
    replace(code, bob.client, password=bob.password)
    bob.password = NEW
    (reader,) = alice.client.get("/images/waiting/", headers=JSON).json()["waiting"]
    ask[1]["fingerprint"] = reader["fingerprint"]
    assert alice.client.post(*ask, headers=JSON).json()["shared_again"] == 1
    assert opens(bob, image) == 200


def test_an_upload_for_somebody_who_waits_is_accepted(upload, bob, carol):
    code = code_of(run("bob", "--compromised"))
    image = upload(to=(bob, carol))
    assert opens(carol, image) == 200
    assert Grant.objects.get(image=image, reader=bob.user).wrapped_key is None
    replace(code, bob.client, password=bob.password)
    bob.password = NEW
    assert opens(bob, image) == 409


def test_the_page_of_somebody_who_waits_says_so(alice, bob, carol):
    run("bob", "--compromised")
    answer = alice.sign_in().get("/people/bob/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_keys")
    assert "Bob Brook" in answer.json()["message"]
    form = {"verdict": "match"}
    assert alice.client.post("/people/bob/", form, headers=JSON).status_code == 409


def test_the_page_says_who_is_waiting(upload, alice, bob):
    run("bob", "--compromised")
    image = upload(to=(bob,))
    shown = alice.client.get(f"/images/{image.pk}/").content.decode()
    assert "Cannot open it yet" in shown
    again = alice.client.post(f"/images/{image.pk}/share/", {"recipients": "bob"}, follow=True)
    assert "cannot open this image yet: they need new keys first." in again.content.decode()
    assert "can open this image" not in again.content.decode()


def test_a_waiting_reader_gets_access_though_their_code_was_destroyed(upload, alice, bob):
    an_hour_ago = (timezone.now() - timedelta(hours=1)).isoformat()
    run("bob", "--compromised", "--since", an_hour_ago)
    image = upload(to=(bob,))
    assert Grant.objects.get(image=image, reader=bob.user).wrapped_key is None
    form = {"images": [picture_file()], "recipients": ["bob"]}
    page = alice.client.post("/images/upload/", form).content.decode()
    assert "Bob Brook cannot open these images yet: they need new keys first." in page
    assert "For now only you can open what you uploaded." in page
    assert "1 image is encrypted and signed</h1>" in page
    assert "is waiting for access" not in alice.client.get("/images/mine/").content.decode()


def picture_file() -> io.BytesIO:
    file = io.BytesIO(jpeg())
    file.name = "one.jpg"
    return file


def test_a_share_under_way_when_the_theft_is_ordered_is_not_signed_with_the_stolen_key(
    shared_image, alice, bob, carol, monkeypatch
):
    """Otherwise the newest list would be one that nobody believes, and the image locked for
    good."""
    sign_statement, codes = sharing.sign_statement, []

    def then_stolen(*arguments, **options):
        signed = sign_statement(*arguments, **options)
        if not codes:
            codes.append(order_after_theft(User.objects.get(pk=alice.user.pk)))
        return signed

    monkeypatch.setattr(sharing, "sign_statement", then_stolen)
    heads = set(Statement.objects.values_list("pk", flat=True))
    form = {"recipients": ["carol"]}
    answer = alice.client.post(f"/images/{shared_image.pk}/share/", form, headers=JSON)
    assert answer.status_code in (409, 422, 503)
    assert set(Statement.objects.values_list("pk", flat=True)) == heads
    assert bob.sign_in().get(f"/images/{shared_image.pk}/original").status_code == 200


def test_revoking_lets_a_reader_whose_keys_were_stolen_wait(upload, alice, bob, carol):
    image = upload(to=(bob, carol))
    run("bob", "--compromised")
    answer = alice.client.post(f"/images/{image.pk}/revoke/", {"recipient": "carol"}, headers=JSON)
    assert answer.status_code == 200
    assert Grant.objects.get(image=image, reader=bob.user, ended_at=None).wrapped_key is None
    assert opens(alice, image) == 200


# ---- a rotation beside an act of the owner ---------------------------------------------------


def test_changing_what_a_reader_may_do_while_their_keys_are_rotated_puts_no_old_key_back(
    shared_image, alice, bob, monkeypatch
):
    """The owner read the reader's wrapped key before the rotation and stores after it."""
    from gallery.services import sharing

    real = sharing.store_shared

    def late(*arguments, **named):
        order(bob)
        for _ in range(3):
            carry_out_orders(open_with_password(bob.user, bob.password))
        return real(*arguments, **named)

    monkeypatch.setattr(sharing, "store_shared", late)
    assert share(alice, shared_image, bob, rights="view").json()["changed"] == ["bob"]
    assert WrappedKey.objects.get(grant__reader=bob.user).key_pair == primary(bob)
    WrappedKey.objects.update(quick_key=None)
    assert opens(bob, shared_image) == 200


def test_what_a_reader_may_do_is_changed_while_their_key_is_on_the_old_pair(
    shared_image, alice, bob
):
    order(bob)
    carry_out_orders(bob.keyring)
    assert share(alice, shared_image, bob, rights="view").json()["changed"] == ["bob"]
    assert opens(bob, shared_image) == 200


# ---- signatures ------------------------------------------------------------------------------


def forged_share(image, keyring, *, through_the_site=False, **changed):
    """The next share statement, signed by somebody who has alice's stolen signing key.

    Through the site, where they sign in as her, it comes into the trail as well.
    """
    head = Statement.objects.filter(subject=image.pk, kind="share").latest("sequence")
    body = {**statements.parse("share", bytes(head.body)), **changed}
    common = ("kind", "suite", "instance", "subject", "sequence", "previous", "time", "signer")
    fields = {name: value for name, value in body.items() if name not in (*common, "key")}
    pair = KeyPair.objects.filter(user=keyring.user, purpose="signing").earliest("epoch")
    body = statements.compose(
        "share",
        instance=image.owner_id.__class__(body["instance"]),
        subject=image.pk,
        sequence=head.sequence + 1,
        previous=head.digest,
        time=timezone.now() - timedelta(days=30),
        signer=image.owner_id,
        key=pair.fingerprint,
        **fields,
    )
    row = Statement.objects.create(
        kind="share",
        subject=image.pk,
        sequence=head.sequence + 1,
        body=body,
        signature=keyring.sign(pair, "share", body),
    )
    if through_the_site:
        about = {"actor": image.owner_id, "subject": image.pk}
        record(Event.IMAGE_SHARED, **about, **facts_of([row]))


@pytest.fixture
def thief(alice):
    """Alice's keys as they were, in other hands."""
    keyring = open_with_password(alice.user, alice.password)
    keyring.prove(KeyPair.objects.get(user=alice.user, purpose="signing"))
    return keyring


def test_a_statement_the_trail_saw_before_the_theft_still_verifies(shared_image, alice, bob):
    assert page(bob, shared_image).json()["verdict"]["older_key"] is False
    code = code_of(run("alice", "--compromised"))
    assert page(bob, shared_image).json()["verdict"]["older_key"] is True
    assert replace(code, username="alice", password=alice.password).status_code == 200
    verdict = page(bob, shared_image).json()["verdict"]
    assert (verdict["code"], verdict["older_key"]) == ("verified", True)
    assert "Verified, older key" in bob.client.get(f"/images/{shared_image.pk}/").content.decode()


def test_a_statement_signed_after_the_theft_does_not_however_it_is_dated(
    shared_image, thief, alice, bob
):
    run("alice", "--compromised")
    forged_share(shared_image, thief, through_the_site=True)
    assert opens(bob, shared_image) == 409
    (entry,) = AuditEntry.objects.filter(event="image:altered")
    assert entry.parsed().facts == {"step": "compromised-key"}


@pytest.mark.attack("F2")
def test_before_the_theft_is_known_the_same_statement_counts_only_through_the_site(
    shared_image, thief, bob
):
    forged_share(shared_image, thief)
    assert opens(bob, shared_image) == 409
    Statement.objects.latest("pk").delete()
    forged_share(shared_image, thief, through_the_site=True)
    assert opens(bob, shared_image) == 200


def test_an_entry_the_audit_key_does_not_vouch_for_saves_no_statement(
    shared_image, thief, alice, bob, monkeypatch
):
    """The thief writes into the trail's table, too, without the audit key."""
    run("alice", "--compromised")
    assert opens(bob, shared_image) == 200
    monkeypatch.setattr(AuditEntry, "is_authentic", lambda entry: False)
    assert opens(bob, shared_image) == 409


def test_a_statement_seen_for_another_image_saves_none_of_this(upload, alice, bob, monkeypatch):
    image, other = upload(to=(bob,)), upload(to=(bob,))
    run("alice", "--compromised")
    real = AuditEntry.parsed

    def moved(entry):
        told = real(entry)
        object.__setattr__(told, "subject", other.pk)
        return told

    monkeypatch.setattr(AuditEntry, "parsed", moved)
    assert opens(bob, image) == 409


def test_while_the_trail_is_away_nothing_of_a_stolen_key_is_released(
    shared_image, alice, bob, monkeypatch
):
    from gallery import ledger

    run("alice", "--compromised")
    bob.sign_in()

    def away(*arguments):
        raise DatabaseError

    monkeypatch.setattr(ledger, "_names", away)
    bob.client.raise_request_exception = False
    assert bob.client.get(f"/images/{shared_image.pk}/preview").status_code == 503
    assert bob.client.get("/images/", headers=JSON).json()["images"][0]["state"] == "away"


def test_after_the_replacement_the_owner_shares_on_with_the_new_key(
    shared_image, alice, bob, carol
):
    code = code_of(run("alice", "--compromised"))
    replace(code, alice.client, username="alice", password=alice.password)
    alice.password = NEW
    assert share(alice, shared_image, carol).json()["added"] == ["carol"]
    assert (
        opens(carol, shared_image) == opens(bob, shared_image) == opens(alice, shared_image) == 200
    )


def test_a_routine_rotation_is_worded_as_an_older_key(shared_image, alice, bob):
    order(alice, "signing")
    carry_out_orders(alice.keyring)
    verdict = page(bob, shared_image).json()["verdict"]
    assert (verdict["code"], verdict["older_key"]) == ("verified", True)
