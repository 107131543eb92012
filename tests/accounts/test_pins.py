"""Compared contacts: a changed key stops the share, and the list itself cannot be changed unseen.

The attacker here writes to the database, and where a test says so holds the key file as well.
"""

import io
import uuid

import pytest
from django.utils import timezone

from accounts.custody import Keyring
from accounts.keys import pins
from accounts.keys.certificates import Names, certify_encryption_key, certify_signing_key, endorse
from accounts.keys.identities import identity_of
from accounts.models import KeyPair, Pins
from accounts.services.holding import changing_keys
from accounts.services.key_making import new_pair
from accounts.services.master_keys import make_master_key
from audit.events import Event, Outcome, record
from audit.models import AuditEntry
from cryptocore import canonical
from gallery.models import Grant, SealedImage
from tests.accounts.test_new_start import make_new_start
from tests.accounts.test_person_page import compare, page
from tests.conftest import jpeg

JSON = {"accept": "application/json"}
BOB = Names("bob", "Bob Brook")  # anybody who has the key file certifies names, too
SIGNING, ENCRYPTION = KeyPair.Purpose.SIGNING, KeyPair.Purpose.ENCRYPTION


def newest(person, purpose):
    return KeyPair.objects.filter(user=person.user, purpose=purpose).order_by("-epoch").first()


def replace_signing(person, *, endorsed=True, keyring=None):
    """Put the next signing key in place; an attacker's, with the key file, is not endorsed."""
    before = newest(person, SIGNING)
    pair = new_pair(keyring or person.keyring, SIGNING, epoch=before.epoch + 1)
    certify_signing_key(pair, before)
    if endorsed:
        endorse(pair, by=before, keyring=person.keyring)
    KeyPair.objects.filter(pk=before.pk).update(state="open-only")
    pair.save(force_insert=True)
    return pair


def replace_encryption(person, signing, *, keyring=None):
    before = newest(person, ENCRYPTION)
    pair = new_pair(keyring or person.keyring, ENCRYPTION, epoch=before.epoch + 1)
    certify_encryption_key(pair, keyring or person.keyring, signing, before)
    KeyPair.objects.filter(pk=before.pk).update(state="open-only")
    pair.save(force_insert=True)
    return pair


def share(image, *people, **fields):
    """Share over HTTP, as its owner."""
    names = {"recipients": [person.username for person in people], **fields}
    return image.client.post(f"/images/{image.pk}/share/", names, headers=JSON)


@pytest.fixture
def image(upload, alice):
    """An image of alice, who is signed in in `client`."""
    image = upload()
    image.client = alice.client
    return image


@pytest.fixture
def compared(alice, bob, image):
    """Alice compared bob's key."""
    assert compare(alice.client, "bob").status_code == 200
    return bob


def codes(answer):
    return [error["code"] for error in answer.json()["errors"]["recipients"]]


def readers(image):
    live = Grant.objects.filter(image=image, ended_at=None).exclude(reader=image.owner)
    return {grant.reader.username for grant in live}


# ---- a changed key ---------------------------------------------------------------------------


def test_who_never_compared_shares_as_before(image, bob):
    replace_signing(bob)
    assert share(image, bob).status_code == 200


def test_an_unchanged_key_shares(image, compared, carol):
    assert share(image, compared, carol).status_code == 200


@pytest.mark.parametrize(("endorsed", "how"), [(True, "endorsed"), (False, "unendorsed")])
def test_a_changed_key_stops_sharing_with_everybody_named(image, compared, carol, endorsed, how):
    replace_signing(compared, endorsed=endorsed)
    answer = share(image, carol, compared)
    assert (answer.status_code, codes(answer)) == (422, ["key_changed"])
    assert readers(image) == set()
    assert page(image.client, "bob").json()["change"] == how
    entry = AuditEntry.objects.get(event="image:share-refused")
    assert entry.parsed().facts["codes"] == ["key_changed"]


def test_a_changed_key_stops_uploading(alice, compared):
    replace_signing(compared)
    file = io.BytesIO(jpeg())
    file.name = "a.jpg"
    before = SealedImage.objects.count()
    form = {"images": [file], "recipients": ["bob"]}
    answer = alice.client.post("/images/upload/", form, headers=JSON)
    assert (answer.status_code, codes(answer)) == (422, ["key_changed"])
    assert SealedImage.objects.count() == before
    file.seek(0)
    form |= {"images": [file], "accept_changed": ["bob"]}
    assert alice.client.post("/images/upload/", form, headers=JSON).status_code == 201


def test_the_page_asks_and_the_ticked_box_goes_on(alice, image, compared):
    pair = replace_signing(compared)
    html = alice.client.post(f"/images/{image.pk}/share/", {"recipients": ["bob"]})
    assert html.status_code == 422
    assert b'name="accept_changed" value="bob"' in html.content
    assert b"the key you compared confirms" in html.content
    assert share(image, compared, accept_changed=["BOB "]).status_code == 200
    assert readers(image) == {"bob"}
    entry = AuditEntry.objects.get(event="contact:change-accepted", outcome="done")
    facts = entry.parsed().facts
    assert (facts["fingerprint"], facts["how"]) == (pair.fingerprint, "endorsed")
    assert share(image, compared, rights="view").status_code == 200  # asked once


def test_comparing_again_goes_on(alice, image, compared):
    replace_signing(compared, endorsed=False)
    assert compare(alice.client, "bob").status_code == 200
    assert share(image, compared).status_code == 200


def test_accepting_one_does_not_accept_the_other(alice, image, compared, carol):
    compare(alice.client, "carol")
    replace_signing(compared)
    replace_signing(carol)
    answer = share(image, compared, carol, accept_changed=["bob"])
    assert codes(answer) == ["key_changed"]
    assert "@carol" in str(answer.json())
    assert not AuditEntry.objects.filter(event="contact:change-accepted").exists()
    assert share(image, compared, carol, accept_changed=["bob", "carol"]).status_code == 200


def test_words_that_did_not_match_cannot_be_accepted_away(alice, image, bob):
    compare(alice.client, "bob", "differ")
    answer = share(image, bob, accept_changed=["bob"])
    assert codes(answer) == ["key_changed"]
    compare(alice.client, "bob")
    assert share(image, bob).status_code == 200


def test_two_replacements_in_a_row_are_endorsed_only_as_a_whole(alice, image, compared, carol):
    compare(alice.client, "carol")
    replace_signing(compared)
    replace_signing(compared)
    assert page(alice.client, "bob").json()["change"] == "endorsed"
    replace_signing(carol, endorsed=False)
    replace_signing(carol)
    assert page(alice.client, "carol").json()["change"] == "unendorsed"


def test_a_new_reading_key_under_the_compared_one_is_no_change(image, compared):
    replace_encryption(compared, newest(compared, SIGNING))
    assert share(image, compared).status_code == 200


def test_comparing_a_signing_key_younger_than_the_reading_key_covers_both(alice, image, bob):
    replace_signing(bob)
    compare(alice.client, "bob")
    assert share(image, bob).status_code == 200
    replace_encryption(bob, newest(bob, SIGNING))
    assert page(alice.client, "bob").json()["change"] is None


@pytest.mark.attack("B9")
def test_a_reading_key_vouched_for_by_another_of_bobs_keys_is_refused(image, compared, mallory):
    """With the key file: the compared key stays the newest, a forged elder one vouches."""
    forger = Keyring.new(compared.user)
    genuine = newest(compared, SIGNING)
    KeyPair.objects.filter(pk=genuine.pk).update(epoch=2)
    genuine.refresh_from_db()
    forged = new_pair(forger, SIGNING, epoch=1)
    forged.state = "open-only"
    certify_signing_key(forged)
    certify_signing_key(genuine, forged, names=BOB)
    genuine.save()
    forged.save(force_insert=True)
    replace_encryption(compared, forged, keyring=forger)
    answer = share(image, compared)
    assert codes(answer) == ["key_changed"]
    assert readers(image) == set()


def test_an_endorsement_by_a_forged_elder_key_says_nothing(alice, image, compared):
    """With the key file, the attacker endorses their own key with a key of their own."""
    forger = Keyring.new(compared.user)
    genuine = newest(compared, SIGNING)
    KeyPair.objects.filter(pk=genuine.pk).delete()
    first = new_pair(forger, SIGNING, epoch=1)
    first.state = "open-only"
    certify_signing_key(first)
    first.save(force_insert=True)
    second = new_pair(forger, SIGNING, epoch=2)
    certify_signing_key(second, first, names=BOB)
    endorse(second, by=first, keyring=forger)
    second.save(force_insert=True)
    replace_encryption(compared, second, keyring=forger)
    assert page(alice.client, "bob").json()["change"] == "unendorsed"


def test_a_forged_reading_key_beside_an_endorsed_change_is_not_called_endorsed(alice, image, bob):
    """With the key file: the change is genuine, but an exchanged elder key vouches to read."""
    elder = newest(bob, SIGNING)
    replace_signing(bob)
    compare(alice.client, "bob")
    replace_signing(bob)
    forger = Keyring.new(bob.user)
    elder.delete()
    forged = new_pair(forger, SIGNING, epoch=1)
    forged.state = "open-only"
    certify_signing_key(forged)
    forged.save(force_insert=True)
    replace_encryption(bob, forged, keyring=forger)
    assert page(alice.client, "bob").json()["change"] == "unendorsed"


def test_a_stolen_key_endorses_nothing(image, compared):
    """Found out after the rotation: then the thief of the key may have made the next one."""
    before = newest(compared, SIGNING)
    replace_encryption(compared, replace_signing(compared))
    assert page(image.client, "bob").json()["change"] == "endorsed"
    KeyPair.objects.filter(pk=before.pk).update(compromised_at=timezone.now())
    assert page(image.client, "bob").json()["change"] == "unendorsed"


def test_revoking_somebody_wraps_nothing_to_a_changed_key(alice, image, compared, carol):
    share(image, compared, carol)
    replace_signing(compared, endorsed=False)
    revoke = {"recipient": "carol"}
    answer = alice.client.post(f"/images/{image.pk}/revoke/", revoke, headers=JSON)
    assert answer.status_code == 200
    assert image.grants.get(reader=compared.user).wrapped_key is None
    assert image.grants.get(reader=alice.user).wrapped_key is not None
    compare(alice.client, "bob")
    assert share(image, compared).status_code == 200
    assert image.grants.get(reader=compared.user).wrapped_key is not None


def test_revoking_goes_on_though_the_list_is_refused(alice, image, compared, carol):
    share(image, compared, carol)
    Pins.objects.all().delete()
    revoke = {"recipient": "carol"}
    answer = alice.client.post(f"/images/{image.pk}/revoke/", revoke, headers=JSON)
    assert answer.status_code == 200
    assert image.grants.get(reader=compared.user).wrapped_key is None


# ---- the list itself -------------------------------------------------------------------------


def row_of(person):
    return Pins.objects.get(user=person.user)


def test_the_list_has_the_form_that_is_documented(alice, compared):
    document = canonical.decode(row_of(alice).body)
    assert document.keys() == {"v", "instance", "user", "sequence", "contacts"}
    assert document["user"] == str(alice.user.pk)
    assert document["contacts"].keys() == {str(compared.user.pk)}
    assert document["contacts"][str(compared.user.pk)].keys() == {
        "fingerprint",
        "certifier",
        "time",
        "earlier",
        "username",
        "display_name",
    }


def missing(person, older):
    row_of(person).delete()


def older_one(person, older):
    Pins.objects.filter(user=person.user).update(body=older.body, tag=older.tag)


def flipped_body(person, older):
    body = row_of(person).body.replace(b'"sequence":2', b'"sequence":3')
    Pins.objects.filter(user=person.user).update(body=body)


def flipped_tag(person, older):
    tag = row_of(person).tag
    Pins.objects.filter(user=person.user).update(tag=bytes([tag[0] ^ 1]) + tag[1:])


def empty_tag(person, older):
    Pins.objects.filter(user=person.user).update(tag=b"", body=b"{}")


@pytest.mark.parametrize("attack", [missing, older_one, flipped_body, flipped_tag, empty_tag])
def test_a_list_that_is_not_the_newest_stops_sharing_until_a_new_one_is_started(
    alice, image, bob, carol, attack
):
    compare(alice.client, "carol")
    older = row_of(alice)
    compare(alice.client, "bob")
    attack(alice, older)
    answer = share(image, bob)
    assert (answer.status_code, codes(answer)) == (422, ["contacts_refused"])
    assert readers(image) == set()
    assert AuditEntry.objects.filter(event="contacts:refused", subject=alice.user.pk).exists()
    assert page(alice.client, "carol").json()["contacts_refused"] is True
    assert b"Start a new list" in alice.client.get("/people/carol/").content
    html = alice.client.post(f"/images/{image.pk}/share/", {"recipients": ["bob"]}).content
    assert b"Start a new list of compared keys" in html
    answer = alice.client.post("/accounts/contacts/anew/", headers=JSON)
    assert answer.json() == {"begun": True}
    assert share(image, bob).status_code == 200
    assert page(alice.client, "carol").json()["compared_at"] is None


def test_the_list_before_a_new_one_was_started_is_refused(alice, image, compared):
    kept = row_of(alice)
    alice.client.post("/accounts/contacts/anew/")
    older_one(alice, kept)
    assert codes(share(image, compared)) == ["contacts_refused"]


def test_comparing_starts_a_new_list_in_place_of_a_refused_one(alice, image, compared, carol):
    Pins.objects.all().delete()
    assert compare(alice.client, "carol").status_code == 200
    assert share(image, compared, carol).status_code == 200
    assert page(alice.client, "bob").json()["compared_at"] is None


@pytest.mark.attack("B9")
def test_somebody_elses_list_is_not_ones_own(alice, image, compared, carol):
    compare(carol.sign_in(), "bob")
    other = row_of(carol)
    Pins.objects.filter(user=alice.user).update(body=other.body, tag=other.tag)
    assert codes(share(image, compared)) == ["contacts_refused"]


def test_a_list_stored_before_a_crash_is_the_newest(alice, image, compared):
    """Committed, and the trail knows only that it was intended."""
    before = row_of(alice)
    compare(alice.client, "bob")
    after = row_of(alice)
    (leaf,) = [
        entry.parsed()
        for entry in AuditEntry.objects.filter(event="contact:compared", outcome="intended")
        if entry.parsed().facts["number"] == 2
    ]
    document = canonical.decode(after.body) | {"sequence": 3}
    body = canonical.encode(document)
    facts = {**leaf.facts, "number": 3, "pins": pins.statements.digest(body)}
    about = {"actor": alice.user.pk, "subject": compared.user.pk}
    record(Event.CONTACT_COMPARED, **about, outcome=Outcome.INTENDED, **facts)
    assert share(image, compared).status_code == 200  # not stored: the one before stands
    Pins.objects.filter(user=alice.user).update(body=body, tag=alice.keyring.tag_pins(body))
    assert share(image, compared, rights="view").status_code == 200
    older_one(alice, before)
    assert codes(share(image, compared)) == ["contacts_refused"]


def test_a_forged_entry_does_not_make_an_older_list_the_newest(alice, image, compared, carol):
    older = row_of(alice)
    entry = AuditEntry.objects.filter(event="contact:compared", outcome="done").get()
    compare(alice.client, "carol")
    older_one(alice, older)
    row = {f.attname: getattr(entry, f.attname) for f in entry._meta.concrete_fields}
    forged = entry.leaf.replace(b'"number":1', b'"number":9')
    last = AuditEntry.objects.order_by("-sequence").first().sequence
    row |= {"sequence": last + 1, "leaf": forged, "previous": b"p", "chain": b"c"}
    AuditEntry(**row).save()
    assert codes(share(image, compared)) == ["contacts_refused"]


def test_another_request_in_between_loses_nothing(alice, compared, carol, monkeypatch):
    """Two pages of one person: the second starts from what the first stored."""
    real, calls = pins._next_to, []

    def with_another(keyring, anew):
        before = real(keyring, anew)
        calls.append(before.sequence)
        if len(calls) == 1:
            identity = identity_of(carol.user.pk)
            pins.note_compared(keyring=keyring, person=carol.user, identity=identity, matches=True)
        return before

    monkeypatch.setattr(pins, "_next_to", with_another)
    compare(alice.client, "bob")
    contacts = canonical.decode(row_of(alice).body)["contacts"]
    assert contacts.keys() == {str(compared.user.pk), str(carol.user.pk)}
    assert pins.contacts_of(alice.keyring).sequence == 3


def test_a_new_master_key_takes_the_list_along(alice, image, compared):
    made = make_master_key(user=alice.user, password=alice.password, earlier=alice.keyring)
    with changing_keys(Event.KEYS_REPLACED, alice.user):
        made.store(alice.user.password)
    assert pins.contacts_of(made.keyring).entries.keys() == {str(compared.user.pk)}
    with pytest.raises(pins.ContactsRefused):
        pins.contacts_of(alice.keyring)


def test_after_a_new_start_the_list_is_refused_until_the_earlier_keys_are_found(bob, carol):
    compare(bob.sign_in(), "carol")
    client = make_new_start(bob)
    assert page(client, "carol").json()["contacts_refused"] is True
    client.post("/accounts/earlier-keys/", {"secret": bob.password}, headers=JSON)
    assert page(client, "carol").json()["compared_at"]


def test_a_stranger_in_the_list_of_changes_is_not_a_contact(image, bob):
    assert share(image, bob, accept_changed=["nobody-here", str(uuid.uuid4())]).status_code == 200
