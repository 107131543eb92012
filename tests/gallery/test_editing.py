"""An owner edits caption and description of an image after it was sealed, and nobody else does."""

from pathlib import Path

import pytest
from django.core.files.storage import storages

from audit.models import AuditEntry
from cryptocore import statements
from gallery import storage
from gallery.access import access_to
from gallery.errors import AccessEnded, Altered, NotAllowed, NotYours
from gallery.models import Rendition, SealedImage, SearchEntry, Statement
from gallery.opening import Opener, settled
from gallery.services import editing, searching
from gallery.services.editing import Words, edit_words
from gallery.services.revoking import relock
from gallery.services.taking_over import take_over
from gallery.verification.images import ImageCheck
from tests.gallery.invitations import conftest as invitations
from tests.gallery.older_states import TABLES, State
from tests.gallery.successors import conftest as successors
from tests.gallery.teams import conftest as teams
from tests.gallery.test_image_activity import acts
from tests.gallery.test_relocking import asked, replace_stolen
from tests.gallery.test_searching import found
from tests.gallery.test_sharing import opens
from tests.trail import outcomes_of

JSON = {"accept": "application/json"}
NEW = {"caption": "By the sea", "alt_text": "A red boat on a grey beach"}
pytestmark = pytest.mark.usefixtures("emptied_storage")
image, album, named, disable = teams.image, teams.album, successors.named, successors.disable
make_team, team, placed, invite = teams.make_team, teams.team, teams.placed, invitations.invite


def address(image) -> str:
    return f"/images/{image.pk}/edit/"


def version(person, image) -> str:
    return person.sign_in().get(address(image), headers=JSON).json()["version"]


def edit(person, image, **fields):
    form = {**NEW, "version": version(person, image), **fields}
    return person.client.post(address(image), form, headers=JSON)


def read(person, image) -> tuple[str, str]:
    said = person.sign_in().get(f"/images/{image.pk}/", headers=JSON).json()
    return said["caption"], said["alt_text"]


def problems(image) -> list[str]:
    return [found.what for found in ImageCheck([image.pk], reads_bytes=True).check(image.pk)]


def path_of(stored: str) -> Path:
    return Path(storages["sealed"].path(stored))


def stored(image) -> dict[str, tuple[str, bytes]]:
    rows = Rendition.objects.filter(image=image)
    names = dict(rows.values_list("name", "storage_name"))
    return {name: (at, path_of(at).read_bytes()) for name, at in names.items()}


def everything(image) -> tuple:
    statements = Statement.objects.filter(subject=image.pk).order_by("pk").values_list()
    return list(statements), stored(image), SealedImage.objects.values_list().get(pk=image.pk)


# ---- who may, and what may be said -----------------------------------------------------------


@pytest.mark.attack("F280")
def test_only_its_owner_edits(shared_image, alice, bob, mallory, client, staff):
    form, before = {**NEW, "version": version(alice, shared_image)}, everything(shared_image)
    statuses = []
    for person in (client, mallory.sign_in(), bob.sign_in(), staff):
        for ask in (person.get, lambda at, person=person, **more: person.post(at, form, **more)):
            statuses.append(ask(address(shared_image), headers=JSON).status_code)
    alice.client.post(f"/images/{shared_image.pk}/revoke/", {"recipient": "bob"}, headers=JSON)
    assert statuses[:6] == [401, 401, 404, 404, 403, 403]
    assert set(statuses[6:]) <= {401, 403, 404}
    assert bob.client.post(address(shared_image), form, headers=JSON).status_code == 410
    alice.client.post("/accounts/lock/")
    assert alice.client.get(address(shared_image), headers=JSON).json()["code"] == "locked"
    assert alice.client.post(address(shared_image), form, headers=JSON).json()["code"] == "locked"
    assert not AuditEntry.objects.filter(event="image:details-edited").exists()
    assert stored(shared_image)["original"] != before[1]["original"]  # by the new lock alone


@pytest.mark.attack("F280")
def test_nor_does_the_service_let_anybody_else(shared_image, alice, bob, mallory):
    seen, before = version(alice, shared_image), everything(shared_image)
    for person, error in ((bob, NotAllowed), (mallory, NotYours)):
        with pytest.raises(error):
            edit_words(
                keyring=person.keyring, image_id=shared_image.pk, words=Words("x", ""), seen=seen
            )
    assert everything(shared_image) == before


@pytest.mark.parametrize("field", ["caption", "alt_text"])
def test_too_much_is_refused_and_stays_on_the_page(shared_image, alice, field):
    before, long = everything(shared_image), "x" * 1001
    answer = edit(alice, shared_image, **{field: long})
    assert answer.status_code == 422
    assert answer.json()["errors"][field][0]["code"] == "max_length"
    form = {**NEW, field: long, "version": version(alice, shared_image)}
    page = alice.client.post(address(shared_image), form)
    assert page.status_code == 422
    assert long in page.content.decode()
    assert form["version"] in page.content.decode()
    assert everything(shared_image) == before


def test_of_two_tabs_the_later_is_told_and_keeps_what_was_typed(shared_image, alice):
    seen = version(alice, shared_image)
    assert edit(alice, shared_image).status_code == 200
    before, form = everything(shared_image), {"caption": "Mine", "alt_text": "", "version": seen}
    answer = alice.client.post(address(shared_image), form, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"]["__all__"][0]["code"] == "edited_meanwhile"
    page = alice.client.post(address(shared_image), form)
    assert page.status_code == 422
    assert 'value="Mine"' in page.content.decode()
    assert NEW["alt_text"] in page.content.decode()  # what is saved now
    assert everything(shared_image) == before
    now = version(alice, shared_image)
    assert f'value="{now}"' in page.content.decode()  # pressed once more, it replaces it
    assert alice.client.post(address(shared_image), {**form, "version": now}).status_code == 302
    assert read(alice, shared_image) == ("Mine", "")


def test_the_same_words_again_sign_nothing(shared_image, alice):
    seen = version(alice, shared_image)
    assert edit(alice, shared_image).status_code == 200
    before = everything(shared_image)
    assert edit(alice, shared_image, version=seen).status_code == 200  # pressed twice
    assert everything(shared_image) == before


def test_where_the_bytes_cannot_be_stored_nothing_has_changed(shared_image, alice, monkeypatch):
    seen, before = version(alice, shared_image), everything(shared_image)

    def full(data):
        raise storage.StorageAway

    alice.client.raise_request_exception = False
    with monkeypatch.context() as away:
        away.setattr(editing.storage, "put", full)
        form = {**NEW, "version": seen}
        assert alice.client.post(address(shared_image), form, headers=JSON).status_code == 503
    assert everything(shared_image) == before
    assert opens(alice, shared_image) == 200
    assert problems(shared_image) == []


# ---- what it does ----------------------------------------------------------------------------


def test_every_reader_sees_it_at_once_and_the_picture_is_untouched(shared_image, alice, bob):
    before = stored(shared_image)
    assert read(bob, shared_image) == ("At the lake", "")
    assert edit(alice, shared_image).json().keys() == {*NEW, "version"}
    assert read(bob, shared_image) == read(alice, shared_image) == tuple(NEW.values())
    page = bob.client.get(f"/images/{shared_image.pk}/").content.decode()
    assert f'alt="{NEW["alt_text"]}"' in page
    assert NEW["alt_text"] in bob.client.get("/images/").content.decode()
    after = stored(shared_image)
    assert {name for name in after if after[name] != before[name]} == {"description"}
    assert not storage.exists(before["description"][0])
    assert SealedImage.objects.get(pk=shared_image.pk).lock == shared_image.lock
    assert problems(shared_image) == []
    actor = {"actor": alice.user.pk, "subject": shared_image.pk}
    assert outcomes_of("image:details-edited", **actor) == ["intended", "done"]
    leaves = AuditEntry.objects.filter(event="image:details-edited")
    assert not any(word in str(leaf.parsed()) for leaf in leaves for word in NEW.values())
    assert "edited" in [act["what"] for act in acts(alice, shared_image)]
    assert "You edited the caption" in alice.client.get("/activity/mine/").content.decode()


def test_a_team_sees_it_and_its_albums_too(alice, bob, image, placed):
    for one in (image, placed):
        assert edit(alice, one).status_code == 200
        assert read(bob, one) == tuple(NEW.values())
        assert problems(one) == []


def test_somebody_invited_before_sees_it_when_they_accept(alice, upload, invite):
    image = upload(caption="Before")
    new = invite(image)
    assert edit(alice, image).status_code == 200
    assert read(invitations.accept(new), image) == tuple(NEW.values())
    assert problems(image) == []


def test_it_survives_a_new_lock_and_pages_from_before_it_still_save(shared_image, alice, bob):
    edit(alice, shared_image)
    seen = version(alice, shared_image)
    relock(keyring=alice.keyring, image_id=shared_image.pk)
    assert read(bob, shared_image) == tuple(NEW.values())
    assert edit(alice, shared_image, version=seen, caption="Later").status_code == 200
    assert read(bob, shared_image) == ("Later", NEW["alt_text"])
    assert problems(shared_image) == []


def test_a_successor_edits_what_they_took_over_and_its_former_owner_does_not(
    alice, bob, carol, upload, disable
):
    image = upload(to=(carol,))
    edit(alice, image)
    successors.name(alice, bob)
    disable(alice)
    take_over(keyring=bob.keyring, image_id=image.pk)
    assert read(carol, image) == tuple(NEW.values())
    assert edit(bob, image, caption="Ours").status_code == 200
    assert read(carol, image) == ("Ours", NEW["alt_text"])
    theirs = Words("Theirs", "")
    with pytest.raises(AccessEnded):
        edit_words(keyring=alice.keyring, image_id=image.pk, words=theirs, seen="")
    assert problems(image) == []


def test_a_search_finds_the_new_words_and_not_the_old(shared_image, alice, bob):
    bob.sign_in()
    assert found(bob, "lake") == {shared_image.pk}
    edit(alice, shared_image)
    assert not SearchEntry.objects.filter(image=shared_image).exists()
    for person in (bob, alice):
        assert found(person, "lake") == set()
        assert found(person, "sea") == found(person, "grey beach") == {shared_image.pk}


@pytest.mark.attack("F283")
def test_a_search_entry_from_before_put_back_finds_nothing(shared_image, alice, bob):
    bob.sign_in()
    assert found(bob, "lake") == {shared_image.pk}
    old = SearchEntry.objects.get(person=bob.user)
    for edited in (True, False):
        if edited:
            edit(alice, shared_image)
            assert found(bob, "sea") == {shared_image.pk}
        SearchEntry.objects.filter(person=bob.user).delete()
        old.manifest = 1 if edited else 2  # called by the number of the new one, too
        old.save(force_insert=True)
        assert found(bob, "lake") == set()
        assert found(bob, "sea") == {shared_image.pk}


@pytest.mark.attack("F283")
def test_words_that_a_search_read_before_an_edit_and_keeps_after_it_find_nothing(
    shared_image, alice, bob, monkeypatch
):
    seen = version(alice, shared_image)
    bob.sign_in()
    keep = searching._keep

    def late(*arguments):
        form = {**NEW, "version": seen}
        assert alice.client.post(address(shared_image), form, headers=JSON).status_code == 200
        keep(*arguments)

    with monkeypatch.context() as slow:
        slow.setattr(searching, "_keep", late)
        found(bob, "lake")
    assert SearchEntry.objects.filter(person=bob.user, manifest=1).exists()
    assert found(bob, "lake") == set()
    assert found(bob, "sea") == {shared_image.pk}


def test_what_a_reader_confirmed_before_stays_genuine(shared_image, alice, bob):
    bob.sign_in().post(f"/images/{shared_image.pk}/acknowledge/")
    edit(alice, shared_image)
    confirmed = bob.sign_in().get(f"/images/{shared_image.pk}/", headers=JSON).json()
    assert confirmed["acknowledged"]["state"] == "genuine"
    assert problems(shared_image) == []


@pytest.mark.attack("F282")
def test_an_edit_is_no_new_key_after_a_theft(shared_image, alice, bob):
    replace_stolen(bob)
    assert [one["username"] for one in asked(alice)] == ["bob"]
    edit(alice, shared_image)
    # Statements have only seconds: as if the edit had been a while after the theft.
    row = Statement.objects.get(kind="manifest", subject=shared_image.pk, sequence=2)
    body = statements.parse("manifest", bytes(row.body))
    later = bytes(row.body).replace(body["time"].encode(), b"2099-01-01T00:00:00Z")
    Statement.objects.filter(pk=row.pk).update(body=later)
    assert [one["username"] for one in asked(alice)] == ["bob"]


def test_who_reads_while_it_is_edited_reads_once_more(shared_image, alice, bob):
    """What was verified before the edit names bytes that are gone: nothing was altered."""
    bob.sign_in()
    access = access_to(shared_image.pk, reader=bob.user)
    opener = Opener(bob.keyring)
    opener.prepare([shared_image.pk, alice.user.pk])  # the rows, too
    edit(alice, shared_image)
    with pytest.raises(Altered):
        opener.description(access)
    assert settled(opener, access, opener.description)["caption"] == NEW["caption"]


# ---- rows and bytes that somebody else put there ---------------------------------------------


@pytest.mark.attack("F281")
@pytest.mark.parametrize(
    "names",
    [("statements",), ("renditions",), ("statements", "renditions"), tuple(TABLES)],
    ids=str,
)
def test_the_words_from_before_put_back_are_shown_to_nobody(shared_image, alice, bob, names):
    earlier, seen = State.of(shared_image), version(alice, shared_image)
    edit(alice, shared_image)
    earlier.put_back(names)
    for person in (alice, bob):
        answer = person.sign_in().get(f"/images/{shared_image.pk}/", headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (409, "altered")
    assert problems(shared_image)
    before, form = everything(shared_image), {"caption": "x", "version": seen}
    assert alice.client.get(address(shared_image), headers=JSON).status_code == 409
    assert alice.client.post(address(shared_image), form, headers=JSON).status_code == 409
    assert everything(shared_image) == before


@pytest.mark.attack("F281")
def test_words_of_another_image_or_altered_ones_are_shown_to_nobody(upload, alice, bob):
    mine, other = upload(to=(bob,), caption="One"), upload(to=(bob,), caption="Two")
    edit(alice, mine)
    names = Rendition.objects.filter(name="description").values_list("image", "storage_name")
    paths = {image: path_of(name) for image, name in names}
    own = paths[mine.pk].read_bytes()
    for put in (
        paths[other.pk].read_bytes(),
        own[:20] + bytes([own[20] ^ 1]) + own[21:],
        own[:-16],
    ):
        paths[mine.pk].write_bytes(put)
        assert bob.sign_in().get(f"/images/{mine.pk}/").status_code == 409
        assert problems(mine) == ["description"]
    paths[mine.pk].write_bytes(own)
    assert read(bob, mine) == tuple(NEW.values())
