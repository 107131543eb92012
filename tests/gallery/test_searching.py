"""Search: what each person finds, what nobody else can, and what stays of it."""

import uuid

import pytest
from django.db import connection
from django.utils import timezone

from accounts.keys.recipients import recipient_of
from audit.models import AuditEntry
from cryptocore.errors import CryptoError
from gallery.models import Grant, SealedImage, SearchEntry
from gallery.services import searching
from gallery.services.circles.making import make_circle
from gallery.services.circles.placing import place_image
from gallery.services.circles.rekeying import revoke_member
from gallery.services.circles.sharing import share_circle
from gallery.services.searching import folded, search
from gallery.services.uploading import Terms
from tests.conftest import jpeg
from tests.gallery.test_sharing import share
from tests.gallery.test_uploading import file, post

JSON = {"accept": "application/json"}


def upload(person, caption, name="IMG_1.jpg", **fields) -> uuid.UUID:
    answer = post(person, [file(jpeg(), name)], caption=caption, **fields)
    return uuid.UUID(answer.json()["images"][0]["id"])


def ask(person, text, **fields):
    return person.client.post("/images/search/", {"q": text, **fields}, headers=JSON)


def found(person, text) -> set[uuid.UUID]:
    answer = ask(person, text)
    assert answer.status_code == 200
    return {uuid.UUID(card["id"]) for card in answer.json()["images"]}


@pytest.fixture
def two(alice, bob):
    """A skin check shared with bob, and a draft."""
    skin = upload(alice, "Hautprüfung Müller", "skin-check.jpg", recipients=["bob"])
    return skin, upload(alice, "Garden party", "garden.jpg")


# ---- who finds what --------------------------------------------------------------------------


def test_captions_file_names_and_people_are_found(alice, bob, two):
    skin, garden = two
    for text in ("haut", "MULLER", "müller prüf", "skin-check", "bob", "brook", "hautprufung bob"):
        assert found(alice, text) == {skin}, text
    assert found(alice, "party") == {garden}
    assert found(alice, "party bob") == set()
    assert found(alice, "r") == {skin, garden}


@pytest.mark.attack("F130")
def test_a_recipient_finds_the_caption_and_the_owner_but_no_file_name(alice, bob, two):
    bob.sign_in()
    assert found(bob, "muller alice") == {two[0]}
    assert found(bob, "skin-check") == set()
    assert found(bob, "party") == set()


@pytest.mark.attack("F130")
def test_a_stranger_and_a_former_recipient_find_nothing(alice, bob, mallory, two):
    bob.sign_in()
    assert found(bob, "haut") == {two[0]}
    alice.client.post(f"/images/{two[0]}/revoke/", {"recipient": "bob"})
    assert not SearchEntry.objects.filter(person=bob.user).exists()
    assert found(bob, "haut") == set()
    mallory.sign_in()
    assert found(mallory, "haut") == set()


def test_somebody_whose_time_is_over_finds_nothing(alice, bob, two):
    bob.sign_in()
    assert found(bob, "haut") == {two[0]}
    Grant.objects.filter(reader=bob.user).update(ends_at=timezone.now())
    assert found(bob, "haut") == set()
    assert not SearchEntry.objects.filter(person=bob.user).exists()


def test_a_deleted_image_is_found_by_nobody(alice, bob, two):
    bob.sign_in()
    assert found(bob, "haut") == {two[0]} == found(alice, "haut")
    alice.client.post(f"/images/{two[0]}/delete/")
    assert found(bob, "haut") == set() == found(alice, "haut")
    assert not SearchEntry.objects.filter(image=two[0]).exists()


def test_searching_needs_open_keys(alice, two, client):
    assert client.post("/images/search/", {"q": "haut"}, headers=JSON).status_code == 401
    alice.client.post("/accounts/lock/")
    assert ask(alice, "haut").json()["code"] == "locked"


@pytest.mark.attack("F130")
def test_a_member_finds_what_is_in_the_album_until_they_are_taken_out(alice, bob, two):
    album = make_circle(keyring=alice.keyring, title="Lake", description="", members_add=False)
    place_image(keyring=alice.keyring, circle_id=album.pk, image_id=two[1])
    terms, readers = Terms("download", None), [recipient_of(bob.user)]
    share_circle(keyring=alice.keyring, circle_id=album.pk, recipients=readers, terms=terms)
    bob.sign_in()
    assert found(bob, "party") == {two[1]}
    assert SearchEntry.objects.filter(person=bob.user, image=two[1]).exists()
    revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    assert not SearchEntry.objects.filter(person=bob.user, image=two[1]).exists()
    assert found(bob, "party") == set()
    alice.sign_in()
    assert found(alice, "party") == {two[1]}


# ---- what is kept ----------------------------------------------------------------------------


@pytest.mark.attack("F130")
def test_words_are_kept_encrypted_for_one_person(alice, bob, two):
    found(alice, "haut")
    bob.sign_in()
    found(bob, "haut")
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM gallery_searchentry")
        kept = b"".join(bytes(row[0]) for row in cursor.fetchall()).lower()
    assert b"haut" not in kept
    assert b"muller" not in kept
    theirs, keys = SearchEntry.objects.get(person=bob.user), alice.keyring.search_keys()
    with pytest.raises(CryptoError):
        keys.open(bytes(theirs.sealed), image=theirs.image_id, manifest=theirs.manifest)


@pytest.mark.attack("F131")
@pytest.mark.parametrize("what", ["another's", "another image's", "turned", "cut", "nothing"])
def test_an_altered_entry_is_read_again_from_the_image(alice, bob, two, what):
    bob.sign_in()
    found(alice, "haut"), found(bob, "haut")
    rows = SearchEntry.objects.filter(person=alice.user)
    first, second = rows.get(image=two[0]), rows.get(image=two[1])
    whole = bytes(first.sealed)
    first.sealed = {
        "another's": SearchEntry.objects.get(person=bob.user).sealed,
        "another image's": second.sealed,
        "turned": bytes([whole[0] ^ 1]) + whole[1:],
        "cut": whole[:-1],
        "nothing": b"",
    }[what]
    first.save()
    assert found(alice, "haut") == {two[0]}
    assert found(alice, "party") == {two[1]}


def test_a_new_lock_is_read_again(alice, bob, carol, two):
    share(alice, SealedImage.objects.get(pk=two[0]), "carol")
    assert found(alice, "haut") == {two[0]}
    alice.client.post(f"/images/{two[0]}/revoke/", {"recipient": "carol"})
    assert found(alice, "haut") == {two[0]}
    entry = SearchEntry.objects.get(person=alice.user, image=two[0])
    assert entry.manifest == SealedImage.objects.get(pk=two[0]).lock == 2


def test_an_image_that_does_not_verify_is_left_out_and_asked_for_once(alice, two, monkeypatch):
    Grant.objects.filter(image=two[0]).update(salt=bytes(32))
    answer = ask(alice, "haut").json()
    assert (answer["images"], answer["left"]) == ([], 0)


# ---- how much at once ------------------------------------------------------------------------


def test_what_takes_too_long_is_gone_on_with(alice, two, monkeypatch):
    monkeypatch.setattr(searching, "CHUNK", 1)
    monkeypatch.setattr(searching, "SECONDS", 0.0)
    assert ask(alice, "haut").json()["left"] == 2
    page = alice.client.post("/images/search/", {"q": "haut"}).content.decode()
    assert "2 images have not been searched yet." in page
    monkeypatch.setattr(searching, "SECONDS", 60.0)
    assert ask(alice, "haut").json()["left"] == 0


def test_pages_are_gone_through_by_post(alice, monkeypatch):
    monkeypatch.setattr("gallery.views.searching.PER_PAGE", 2)
    for number in range(3):
        upload(alice, f"wound {number}")
    first, second = ask(alice, "wound").json(), ask(alice, "wound", page=2).json()
    assert [card["caption"] for card in first["images"]] == ["wound 2", "wound 1"]
    assert [card["caption"] for card in second["images"]] == ["wound 0"]
    assert (second["page"], second["pages"], second["total"]) == (2, 2, 3)


def test_what_is_shown_is_in_the_trail_and_what_is_looked_for_is_not(alice, two):
    ask(alice, "haut")
    entry = AuditEntry.objects.filter(event="thumbnails:opened").latest("sequence")
    assert entry.parsed().facts["images"] == [str(two[0])]
    assert "haut" not in " ".join(map(str, AuditEntry.objects.values_list("leaf", flat=True)))


@pytest.mark.parametrize("text", ["%", "_", "'; DROP", "x" * 200, "😀", "İ", "\u0301"])
def test_any_text_is_answered(alice, two, text):
    assert ask(alice, text).status_code == 200


@pytest.mark.parametrize("text", ["", "   ", "x" * 201, "\x00"])
def test_a_text_that_is_none_is_refused(alice, two, text):
    answer = ask(alice, text)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["q"])
    assert alice.client.post("/images/search/", {"q": text}).status_code == 422


def test_only_some_words_count(alice, two):
    many = search(keyring=alice.keyring, text="haut " * 50)
    assert len(many.accesses) == 1


@pytest.mark.parametrize(("text", "same"), [("MÜLLER", "muller"), ("Straße", "strasse")])
def test_capitals_and_accents_make_no_difference(text, same):
    assert folded(text) == same
