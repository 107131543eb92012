"""Opening asks the reader's compared contacts who signed.

The attacker here has the database and the key file: they certify keys of their own for others.
"""

import pytest

from accounts.custody import Keyring
from accounts.keys import pins
from accounts.keys.certificates import Names, certify_signing_key
from accounts.keys.identities import identity_of
from accounts.models import KeyPair, Pins
from accounts.services.key_making import new_pair
from audit.events import AuditUnavailable, Event, record
from audit.models import AuditEntry
from cryptocore import canonical
from gallery import signers
from gallery.image_trail import facts_of
from gallery.models import Grant, Statement
from tests.accounts.test_person_page import compare, page
from tests.accounts.test_pins import SIGNING, newest, older_one, replace_signing, row_of
from tests.accounts.test_rotation import finish, order
from tests.conftest import jpeg
from tests.gallery.test_names_shown import swap
from tests.gallery.test_uploading import file, post

JSON = {"accept": "application/json"}
BYTES = ("original", "preview", "thumbnail")


@pytest.fixture
def seen(upload, alice, bob):
    """An image of alice's that bob may open; bob compared her key before."""
    compare(bob.sign_in(), "alice")
    return upload(to=(bob,), caption="At the lake")


def forge(
    image, owner, *, epoch: int, names: Names | None = None, kinds=("share", "manifest")
) -> KeyPair:
    """Sign the next heads of an image by a key of the attacker's, certified for its owner; the
    audit key, which is in the key file, vouches for them."""
    forger = Keyring.new(owner.user)
    KeyPair.objects.filter(user=owner.user, purpose=SIGNING, epoch=epoch).delete()
    pair = new_pair(forger, SIGNING, epoch=epoch)
    before = KeyPair.objects.filter(user=owner.user, purpose=SIGNING).order_by("epoch").last()
    if before and before.epoch < epoch:
        KeyPair.objects.filter(pk=before.pk).update(state="open-only")
    else:
        pair.state = "open-only" if before else "primary"
    certify_signing_key(pair, before, names=names or Names("alice", "Alice Ardent"))
    pair.save(force_insert=True)
    forged = {}
    for kind in kinds:
        head = Statement.objects.filter(subject=image.pk, kind=kind).latest("sequence")
        said = {"key": pair.fingerprint, "sequence": head.sequence + 1, "previous": head.digest}
        if kind == "manifest":
            said["share"] = forged["share"].digest
        body = canonical.encode(canonical.decode(bytes(head.body)) | said)
        forged[kind] = Statement.objects.create(
            kind=kind,
            subject=image.pk,
            sequence=head.sequence + 1,
            body=body,
            signature=forger.sign(pair, kind, body),
        )
    facts = facts_of(forged.values())
    record(Event.IMAGE_RELOCKED, actor=owner.user.pk, subject=image.pk, **facts)
    return pair


def verdict(person, image):
    return person.client.get(f"/images/{image.pk}/", headers=JSON).json()["verdict"]


def refused(person, image) -> str:
    """Check that nothing of an image is released, and return what its page says."""
    answers = [person.client.get(f"/images/{image.pk}/{name}", headers=JSON) for name in BYTES]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
        (409, "other_signer")
    }
    (card,) = person.client.get("/images/", headers=JSON).json()["images"]
    assert (card["state"], card["caption"]) == ("other-signer", "")
    shown = person.client.get(f"/images/{image.pk}/")
    assert shown.status_code == 409
    html = shown.content.decode() + person.client.get("/images/").content.decode()
    assert "pill ok" not in html
    assert "Verified" not in html
    return person.client.get(f"/images/{image.pk}/", headers=JSON).json()["message"]


# ---- another key than the compared one -------------------------------------------------------


def test_who_compared_sees_it_verified(bob, seen):
    assert verdict(bob, seen)["code"] == "verified"


@pytest.mark.attack("F14")
@pytest.mark.parametrize("epoch", [1, 2], ids=["in its place", "as its successor"])
def test_nothing_signed_by_another_key_than_the_compared_one_is_released(alice, bob, seen, epoch):
    forge(seen, alice, epoch=epoch)
    assert "compare again" in refused(bob, seen)
    entry = AuditEntry.objects.filter(event="image:refused", actor=bob.user.pk).last()
    assert entry.parsed().facts == {"reason": "signer-unendorsed"}


@pytest.mark.attack("F14")
def test_a_forged_share_alone_is_refused_too(alice, bob, seen):
    forge(seen, alice, epoch=2, kinds=("share",))
    refused(bob, seen)


@pytest.mark.attack("F14")
def test_a_forged_earlier_key_is_no_earlier_key(alice, bob, upload):
    """Bob compared the second key; the first, as it was then, goes with it; another does not."""
    image = upload(to=(bob,))
    order(alice, "signing")
    finish(alice)
    compare(bob.sign_in(), "alice")
    assert verdict(bob, image)["code"] == "verified"
    forge(image, alice, epoch=1)
    refused(bob, image)


def test_who_never_compared_sees_what_this_site_certifies(alice, bob, shared_image):
    bob.sign_in()
    forge(shared_image, alice, epoch=2)
    assert verdict(bob, shared_image)["code"] == "verified"


def test_a_new_start_opens_again_once_it_was_compared(alice, bob, seen):
    """A key that nothing vouches for may be a new start of the true person: comparing says so."""
    replace_signing(alice, endorsed=False)
    image = upload_as(alice, bob)
    assert "compare again" in bob.client.get(image, headers=JSON).json()["message"]
    compare(bob.client, "alice")
    assert bob.client.get(image, headers=JSON).json()["verdict"]["code"] == "verified"
    assert verdict(bob, seen)["code"] == "verified"


def upload_as(owner, *readers) -> str:
    """Upload over HTTP and return the image's address."""
    answer = post(owner, [file(jpeg(), "a.jpg")], recipients=[one.username for one in readers])
    return answer.json()["images"][0]["url"]


def test_an_endorsed_successor_stays_verified_and_is_said_to_be_one(alice, bob, seen, upload):
    order(alice, "signing")
    finish(alice)
    image = upload(to=(bob,))
    assert verdict(bob, image)["code"] == "verified"
    assert verdict(bob, seen)["code"] == "verified"
    html = bob.client.get(f"/images/{image.pk}/").content.decode()
    assert "Their key was replaced since you compared it" in html


def test_after_accepting_a_new_key_earlier_images_stay_verified(alice, bob, seen):
    order(alice, "signing")
    finish(alice)
    compare(bob.client, "alice")
    assert verdict(bob, seen)["code"] == "verified"


# ---- words that did not match ----------------------------------------------------------------


@pytest.mark.attack("F15")
def test_who_did_not_match_is_never_called_verified(alice, bob, seen):
    compare(bob.client, "alice", verdict="differ")
    assert "did not match" in refused(bob, seen)
    compare(bob.client, "alice")
    assert verdict(bob, seen)["code"] == "verified"


@pytest.mark.attack("F15")
def test_a_key_that_did_not_match_is_not_an_earlier_one_later(alice, bob, seen):
    """The forged key was accepted, then found out; comparing the true one does not keep it."""
    true = newest(alice, SIGNING)
    forged = forge(seen, alice, epoch=2)
    identity = identity_of(alice.user.pk)
    pins.note_compared(keyring=bob.keyring, person=alice.user, identity=identity, matches=True)
    compare(bob.client, "alice", verdict="differ")
    forged.delete()
    KeyPair.objects.filter(pk=true.pk).update(state="primary")
    compare(bob.client, "alice")
    entry = canonical.decode(row_of(bob).body)["contacts"][str(alice.user.pk)]
    assert entry["earlier"] == []


# ---- names -----------------------------------------------------------------------------------


@pytest.mark.attack("F13")
def test_a_compared_username_on_another_key_stops_sharing_and_opening(
    upload, alice, bob, carol, mallory
):
    """Two genuine-looking certificates exchange bob's and mallory's names."""
    compare(carol.sign_in(), "bob")
    image_of = upload_as(mallory, carol)
    swap("username", bob, mallory)
    swap("display_name", bob, mallory)
    for person, names in ((bob, ("mallory", "Mallory Mist")), (mallory, ("bob", "Bob Brook"))):
        pair = newest(person, SIGNING)
        certify_signing_key(pair, pair, names=Names(*names))
        pair.save()
    assert page(carol.client, "bob").json()["change"] == "misnamed"
    answer = carol.client.get(image_of, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "other_signer")
    assert "Usernames do not change" in answer.json()["message"]
    answer = post(carol, [file(jpeg(), "a.jpg")], recipients=["bob"], accept_changed=["bob"])
    assert answer.json()["errors"]["recipients"][0]["code"] == "key_changed"
    assert not Grant.objects.filter(image__owner=carol.user).exists()


def test_a_changed_display_name_is_asked_about_once_and_said(alice, bob, seen, upload):
    alice.client.post("/accounts/name/", {"display_name": "Alice Bold"})
    assert verdict(bob, seen)["code"] == "verified"
    html = bob.client.get(f"/images/{seen.pk}/").content.decode()
    assert "they were called Alice Ardent" in html
    picture = file(jpeg(), "a.jpg")
    answer = post(bob, [picture], recipients=["alice"])
    assert answer.json()["errors"]["recipients"][0]["code"] == "key_changed"
    accepted = {"recipients": ["alice"], "accept_changed": ["alice"]}
    assert post(bob, [file(jpeg(), "a.jpg")], **accepted).status_code == 201
    assert post(bob, [file(jpeg(), "a.jpg")], recipients=["alice"]).status_code == 201


def test_who_was_renamed_keeps_what_they_have_when_another_is_revoked(alice, bob, carol, upload):
    image = upload(to=(bob, carol))
    compare(alice.client, "bob")
    bob.sign_in().post("/accounts/name/", {"display_name": "Bob Bold"})
    answer = alice.client.post(f"/images/{image.pk}/revoke/", {"recipient": "carol"}, headers=JSON)
    assert answer.status_code == 200
    assert bob.client.get(f"/images/{image.pk}/original").status_code == 200


# ---- a list that cannot be read --------------------------------------------------------------


@pytest.mark.attack("F16")
def test_without_the_list_nothing_of_others_is_called_verified(alice, bob, seen):
    Pins.objects.all().delete()
    shown = verdict(bob, seen)
    assert shown["code"] == "unchecked"
    assert "list of compared keys" in shown["sentence"]
    (card,) = bob.client.get("/images/", headers=JSON).json()["images"]
    assert (card["state"], card["caption"]) == ("unchecked", "At the lake")
    html = bob.client.get(f"/images/{seen.pk}/").content.decode()
    assert "pill ok" not in html
    assert bob.client.get(f"/images/{seen.pk}/original").status_code == 200
    assert AuditEntry.objects.filter(event="contacts:refused").count() == 1
    assert verdict(alice, seen)["code"] == "verified"  # her own


@pytest.mark.attack("F16")
def test_an_older_list_lets_nothing_be_called_verified(alice, bob, carol, seen):
    kept = row_of(bob)
    compare(bob.client, "carol")
    older_one(bob, kept)
    assert verdict(bob, seen)["code"] == "unchecked"


@pytest.mark.attack("F16")
def test_without_the_trail_nothing_of_others_is_called_verified(bob, seen, monkeypatch):
    def away(keyring):
        raise AuditUnavailable

    monkeypatch.setattr("gallery.signers.contacts_of", away)
    assert verdict(bob, seen)["code"] == "unchecked"


def test_a_list_too_old_to_keep_earlier_keys_says_so(alice, bob, upload):
    """Bob compared the second key with an older version of this program."""
    image = upload(to=(bob,))
    order(alice, "signing")
    finish(alice)
    identity = identity_of(alice.user.pk)
    entry = identity.as_entry()
    entry = {name: entry[name] for name in ("fingerprint", "certifier", "time")}
    contacts = pins.Contacts(1, {str(alice.user.pk): entry}, None)
    manifest = Statement.objects.get(subject=image.pk, kind="manifest")
    key = canonical.decode(bytes(manifest.body))["key"]
    change = contacts.change_of_signer(alice.user, identity.names, [key])
    assert change.how == "earlier"


def test_a_page_of_sixty_asks_for_the_list_once(bob, seen, monkeypatch):
    asked, real = [], signers.contacts_of
    monkeypatch.setattr(signers, "contacts_of", lambda keyring: asked.append(1) or real(keyring))
    bob.client.get("/images/")
    assert len(asked) == 1
