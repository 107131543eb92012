"""Successors for one album alone: they take over that album and its owner's images in it; nobody
else does, nothing else, and no sooner."""

import pytest
from django.urls import reverse

from accounts.models import WrappedKey
from audit.models import AuditEntry
from gallery.access import membership_of
from gallery.errors import (
    AccessEnded,
    Altered,
    GalleryError,
    NotAllowed,
    NotARecipient,
    NotYours,
    OwnerActive,
    TakenBefore,
    TakenByYou,
)
from gallery.models import (
    Circle,
    Grant,
    Member,
    Placement,
    SealedImage,
    Statement,
    SuccessorCircleKey,
    SuccessorKey,
)
from gallery.services.circles.deleting import delete_circle
from gallery.services.circles.ended import rekey_ended
from gallery.services.circles.placing import place_image, take_out
from gallery.services.circles.rekeying import rekey, revoke_member
from gallery.services.ended import relock_ended
from gallery.services.successors import circle_of, keep_for_successors, remove_successor
from gallery.services.taking_over import take_over
from gallery.services.taking_over_circles import take_over_circle
from tests.accounts.test_oversight import act
from tests.conftest import Person
from tests.gallery.albums.conftest import opened
from tests.gallery.albums.test_at_rest import findings
from tests.gallery.successors.conftest import Held, add, name, put_back, rows_of
from tests.gallery.successors.test_circles import title_for
from tests.gallery.successors.test_naming import JSON, ask, notices, page, told
from tests.rows.world import sent

pytestmark = pytest.mark.attack("F220")


@pytest.fixture
def held(make_held, alice, bob) -> Held:
    """Bob is the successor for this album of alice's alone."""
    held = make_held("album")
    name(alice, bob, album=held.circle)
    return held


@pytest.fixture
def other(held, make_held, alice) -> Held:
    """Another album of alice's, whose image bob cannot open either."""
    other = make_held("album")
    keep_for_successors(alice.keyring)
    return other


def everything() -> list:
    models = (Circle, Member, Placement, SealedImage, Grant, Statement)
    models += (SuccessorCircleKey, SuccessorKey)
    return [list(model.objects.order_by("pk").values_list()) for model in models]


def refused(person: Person, thing: Held | SealedImage, error: type[GalleryError]) -> GalleryError:
    before = everything()
    with pytest.raises(error) as raised:
        taken(person, thing)
    assert everything() == before
    return raised.value


def taken(person: Person, thing: Held | SealedImage) -> Circle | SealedImage:
    if isinstance(thing, Held):
        return take_over_circle(keyring=person.keyring, circle_id=thing.pk)
    return take_over(keyring=person.keyring, image_id=thing.pk)


def of_it(held: Held):
    return Circle.objects.get(kind="successors", album=held.circle)


# ---- who may not -----------------------------------------------------------------------------


def test_a_stranger_a_member_and_the_owner_cannot(alice, dora, mallory, held, disable):
    for thing in (held, held.image):
        refused(alice, thing, NotYours)
    disable(alice)
    for person in (mallory, dora):
        for thing in (held, held.image):
            refused(person, thing, NotYours)


def test_nor_a_successor_while_the_owner_is_active_and_nothing_opens_by_it(bob, held):
    refused(bob, held, OwnerActive)
    refused(bob, held.image, NotYours)
    with pytest.raises(NotYours):
        membership_of(held.pk, reader=bob.user, kind=None)
    assert bob.sign_in().get(f"/albums/{held.pk}/").status_code == 404


def test_nothing_but_the_album_is_within_reach(alice, bob, held, other, upload, disable):
    alone = upload(caption="Not in an album")
    disable(alice)
    for thing in (other, other.image, alone):
        refused(bob, thing, NotYours)
    taken(bob, held)
    taken(bob, held.image)
    for thing in (other, other.image, alone):
        refused(bob, thing, NotYours)


def test_nor_an_image_before_the_album(alice, bob, held, disable):
    disable(alice)
    refused(bob, held.image, NotYours)


def test_the_successor_of_another_album_cannot(alice, carol, held, other, disable):
    name(alice, carol, album=other.circle)
    disable(alice)
    taken(carol, other)
    for thing in (held, held.image):
        refused(carol, thing, NotYours)


def test_nor_by_rows_that_hand_its_key_to_those_of_another(alice, carol, held, other, disable):
    name(alice, carol, album=other.circle)
    SuccessorCircleKey.objects.filter(team=of_it(other)).update(circle=held.circle)
    disable(alice)
    refused(carol, held, NotYours)


@pytest.mark.parametrize("wrapped", [None, b"w" * 40])
def test_an_image_put_into_the_album_by_a_row_stays_out_of_reach(
    alice, bob, held, other, disable, wrapped
):
    disable(alice)
    taken(bob, held)
    Placement.objects.filter(image=other.image).update(circle=held.circle, wrapped=wrapped)
    refused(bob, other.image, Altered)


def test_nor_one_that_was_taken_out_of_it_before(alice, bob, held, disable):
    old = rows_of("gallery_placement")
    take_out(keyring=alice.keyring, circle_id=held.pk, image_id=held.image.pk)
    put_back("gallery_placement", old)
    disable(alice)
    taken(bob, held)
    refused(bob, held.image, Altered)


def test_an_image_of_somebody_else_in_it_stays_theirs(alice, bob, dora, held, disable):
    dora.sign_in()
    theirs = sent(dora, dora, "olive")
    place_image(keyring=dora.keyring, circle_id=held.pk, image_id=theirs.pk)
    disable(alice)
    taken(bob, held)
    refused(bob, theirs, NotYours)
    assert opened(bob, theirs)
    assert SealedImage.objects.get(pk=theirs.pk).owner == dora.user


# ---- the album is what was signed ------------------------------------------------------------


@pytest.mark.attack("F221")
def test_the_column_turned_to_another_album_gives_neither(alice, bob, held, other, disable):
    Circle.objects.filter(pk=of_it(held).pk).update(album=other.circle)
    keep_for_successors(alice.keyring)
    assert not SuccessorCircleKey.objects.filter(circle=other.circle).exists()
    disable(alice)
    assert refused(bob, other, Altered).step == "membership-album"
    refused(bob, held, NotYours)


@pytest.mark.attack("F221")
def test_the_column_emptied_makes_no_successors_for_everything(alice, bob, held, other, disable):
    Circle.objects.filter(pk=of_it(held).pk).update(album=None)
    keep_for_successors(alice.keyring)
    assert not SuccessorKey.objects.exists()
    disable(alice)
    for thing in (held, other, held.image):
        assert refused(bob, thing, Altered).step == "membership-album"
    assert findings() == ["ALBUM"]


@pytest.mark.attack("F221")
def test_successors_for_everything_called_those_of_an_album_hand_out_nothing_by_it(
    alice, carol, held, disable
):
    name(alice, carol)
    circle = circle_of(alice.user)
    Circle.objects.filter(album=held.circle).update(deleted_at="2020-01-01T00:00Z")
    Circle.objects.filter(pk=circle.pk).update(album=held.circle)
    disable(alice)
    refused(carol, held, Altered)


@pytest.mark.attack("F221")
def test_the_statement_of_one_albums_successors_put_under_anothers_is_refused(
    alice, bob, carol, held, other, disable
):
    name(alice, carol, album=other.circle)
    theirs, mine = of_it(other), of_it(held)
    Statement.objects.filter(subject=theirs.pk).delete()
    Statement.objects.filter(subject=mine.pk).update(subject=theirs.pk)
    WrappedKey.objects.filter(subject=theirs.pk).delete()
    WrappedKey.objects.filter(subject=mine.pk).update(subject=theirs.pk)
    Member.objects.filter(circle=theirs).delete()
    Member.objects.filter(circle=mine).update(circle=theirs)
    disable(alice)
    refused(bob, other, Altered)


@pytest.mark.attack("F221")
def test_an_album_that_a_row_calls_another_album_s_is_refused(alice, dora, held, other):
    Circle.objects.filter(pk=held.pk).update(album=other.circle)
    with pytest.raises(Altered):
        title_for(dora, held)


@pytest.mark.attack("F221")
@pytest.mark.parametrize("what", ["team", "successors"])
def test_deleting_an_album_deletes_no_circle_that_only_a_row_ties_to_it(
    alice, carol, make_held, what
):
    album, team = make_held("album"), make_held("team")
    name(alice, carol)
    tied = team.pk if what == "team" else circle_of(alice.user).pk
    Circle.objects.filter(pk=tied).update(kind="successors", album=album.circle)
    delete_circle(keyring=alice.keyring, circle_id=album.pk)
    assert album.now.deleted_at
    assert not Circle.objects.get(pk=tied).deleted_at


# ---- what a successor gets -------------------------------------------------------------------


def test_the_successor_owns_the_album_and_its_owners_images_in_it(alice, bob, dora, held, disable):
    disable(alice)
    before = opened(dora, held.image)
    taken(bob, held)
    image = taken(bob, held.image)
    assert (held.now.owner, image.owner) == (bob.user, bob.user)
    assert opened(dora, held.image) == opened(bob, held.image) == before
    with pytest.raises(AccessEnded):
        membership_of(held.pk, reader=alice.user, kind=None)
    assert findings() == []
    revoke_member(keyring=bob.keyring, circle_id=held.pk, recipient=dora.user)
    relock_ended(bob.keyring)
    assert opened(bob, held.image) == before
    assert findings() == []
    delete_circle(keyring=bob.keyring, circle_id=held.pk)
    assert findings() == []


def test_the_image_goes_on_after_the_album_got_its_next_key(alice, bob, dora, held, disable):
    disable(alice)
    taken(bob, held)
    rekey_ended(bob.keyring)
    assert held.now.epoch == held.circle.epoch + 1
    taken(bob, held.image)
    assert opened(dora, held.image) == opened(bob, held.image)
    assert findings() == []


def test_who_is_first_has_it_and_each_is_told_so(alice, bob, carol, held, disable):
    name(alice, carol)
    disable(alice)
    taken(bob, held)
    refused(carol, held, TakenBefore)
    refused(bob, held, TakenByYou)
    taken(carol, held.image)
    refused(bob, held.image, TakenBefore)
    refused(carol, held.image, TakenByYou)


def test_those_for_everything_may_be_first_too(alice, bob, carol, held, disable):
    name(alice, carol)
    disable(alice)
    taken(carol, held)
    refused(bob, held, TakenBefore)
    refused(bob, held.image, NotYours)
    taken(carol, held.image)


def test_who_is_named_for_both_takes_it_by_the_key_that_is_there(alice, bob, held, disable):
    name(alice, bob)
    SuccessorCircleKey.objects.filter(team=circle_of(alice.user)).delete()
    SuccessorKey.objects.all().delete()
    disable(alice)
    taken(bob, held)
    taken(bob, held.image)
    assert findings() == []


def test_the_new_owner_names_successors_of_their_own(alice, bob, carol, dora, held, disable):
    disable(alice)
    taken(bob, held)
    taken(bob, held.image)
    name(bob, carol, album=held.now)
    disable(bob)
    taken(carol, held)
    taken(carol, held.image)
    assert held.now.owner == carol.user
    assert opened(dora, held.image)
    assert findings() == []


# ---- once its former owner is back -----------------------------------------------------------


@pytest.fixture
def is_back(alice, bob, held, disable, staff):
    """Bob took the album over; then staff enabled alice again."""
    disable(alice)
    taken(bob, held)
    assert act(staff, alice.user, "enable").status_code == 302


@pytest.mark.attack("F302")
@pytest.mark.usefixtures("is_back")
def test_who_is_back_is_not_taken_over_from_by_the_same_word_again(
    alice, bob, held, upload, disable
):
    alice.sign_in()
    add(bob, held.now, alice)
    later = upload(caption="Since then")
    place_image(keyring=alice.keyring, circle_id=held.pk, image_id=later.pk)
    keep_for_successors(alice.keyring)
    assert not Circle.objects.filter(kind="successors", deleted_at=None).exists()
    assert told("successors:deleted") == ["intended", "done"]
    bob.sign_in()
    assert "no longer names you as a successor for one album" in notices(bob)[0][1]
    assert findings() == []
    disable(alice)
    for thing in (later, held.image):
        refused(bob, thing, NotYours)


@pytest.mark.attack("F302")
@pytest.mark.usefixtures("is_back")
def test_nor_is_anything_left_for_an_album_that_its_new_owner_deleted(alice, bob, held):
    delete_circle(keyring=bob.keyring, circle_id=held.pk)
    keep_for_successors(alice.keyring)
    assert of_it(held).deleted_at


@pytest.mark.attack("F302")
@pytest.mark.parametrize("columns", [{"owner": "bob"}, {"deleted_at": "2020-01-01T00:00Z"}])
def test_a_row_alone_that_calls_the_album_anothers_or_deleted_removes_no_successor(
    alice, bob, held, columns
):
    columns = {**columns, **({"owner": bob.user} if "owner" in columns else {})}
    Circle.objects.filter(pk=held.pk).update(**columns)
    keep_for_successors(alice.keyring)
    assert of_it(held).deleted_at is None


@pytest.mark.attack("F302")
def test_nor_does_one_that_ties_those_for_everything_to_an_album_that_is_gone(
    alice, bob, carol, held, disable, staff
):
    name(alice, carol)
    disable(alice)
    taken(bob, held)
    assert act(staff, alice.user, "enable").status_code == 302
    Circle.objects.filter(album=held.circle).update(deleted_at="2020-01-01T00:00Z")
    everything = circle_of(alice.user)
    Circle.objects.filter(pk=everything.pk).update(album=held.circle)
    keep_for_successors(alice.keyring)
    assert Circle.objects.get(pk=everything.pk).deleted_at is None


# ---- naming, removing, deleting --------------------------------------------------------------


def test_only_its_owner_names_and_only_for_an_album(alice, bob, dora, mallory, held, make_held):
    team = make_held("team")
    for person, error in ((dora, NotAllowed), (mallory, NotYours)):
        with pytest.raises(error):
            name(person, bob, album=held.circle)
    with pytest.raises(NotYours):
        name(alice, bob, album=team.circle)
    with pytest.raises(NotARecipient):
        remove_successor(keyring=alice.keyring, person=bob.user, album_id=team.pk)


def test_the_next_key_of_the_album_is_handed_to_both(alice, bob, carol, dora, held, disable):
    name(alice, carol)
    revoke_member(keyring=alice.keyring, circle_id=held.pk, recipient=dora.user)
    keep_for_successors(alice.keyring)
    rows = SuccessorCircleKey.objects.filter(circle=held.circle)
    assert {(row.team_id, row.epoch) for row in rows} == {
        (of_it(held).pk, 2),
        (circle_of(alice.user).pk, 2),
    }
    rekey(keyring=alice.keyring, circle_id=of_it(held).pk)
    keep_for_successors(alice.keyring)
    assert findings() == []
    disable(alice)
    taken(bob, held)


def test_who_is_removed_has_no_key_that_counts(alice, bob, carol, held):
    name(alice, carol, album=held.circle)
    remove_successor(keyring=alice.keyring, person=bob.user, album_id=held.pk)
    rekey_ended(alice.keyring)
    relock_ended(alice.keyring)
    keep_for_successors(alice.keyring)
    assert held.now.epoch == 2
    assert SealedImage.objects.get(pk=held.image.pk).lock == 2
    holders = WrappedKey.objects.filter(subject=of_it(held).pk)
    people = set(holders.values_list("key_pair__user", flat=True))
    assert people == {alice.user.pk, carol.user.pk}
    assert findings() == []


def test_with_the_last_one_and_with_the_album_all_of_it_goes(alice, bob, held):
    first = of_it(held)
    remove_successor(keyring=alice.keyring, person=bob.user, album_id=held.pk)
    assert not SuccessorCircleKey.objects.exists()
    name(alice, bob, album=held.circle)
    second = Circle.objects.get(album=held.circle, deleted_at=None)
    delete_circle(keyring=alice.keyring, circle_id=held.pk)
    for circle in (first, second):
        assert Circle.objects.get(pk=circle.pk).deleted_at
        assert not WrappedKey.objects.filter(subject=circle.pk).exists()
    assert not SuccessorCircleKey.objects.exists()
    assert told("successors:deleted") == ["intended", "done"] * 2
    assert findings() == []


# ---- what people see -------------------------------------------------------------------------


def address(held: Held, what: str = "") -> str:
    return f"/albums/{held.pk}/successors/{what}"


def test_named_and_removed_by_forms_alone_after_a_check_in_sentences(alice, bob, make_held):
    held, client = make_held("album"), alice.sign_in()
    assert address(held) in client.get(f"/albums/{held.pk}/").content.decode()
    assert (
        "You have named nobody for this album alone." in client.get(address(held)).content.decode()
    )
    check = client.post(address(held), {"recipients": "bob", "confirmed": "0"}).content.decode()
    assert "Bob Brook (@bob) can take over the album “Lake”, and your images in it." in check
    assert not Circle.objects.filter(kind="successors").exists()
    again = client.post(address(held), {"recipients": "bob", "confirmed": "change"})
    assert 'value="bob"' in again.content.decode()
    answer = client.post(address(held), {"recipients": "bob", "confirmed": "1"}, follow=True)
    assert "can take over this album if staff disable your account." in answer.content.decode()
    answer = client.post(address(held, "remove/"), {"recipient": str(bob.user.pk)}, follow=True)
    assert "can no longer take over this album." in answer.content.decode()


def test_a_refused_name_is_said_and_on_record(alice, held):
    client = alice.sign_in()
    assert (
        client.post(address(held), {"recipients": "nobody-here"}, headers=JSON).status_code == 422
    )
    answer = client.post(address(held, "remove/"), {"recipient": "alice"}, headers=JSON)
    assert (answer.status_code, "recipient" in answer.json()["errors"]) == (422, True)
    assert told("successors:refused") == ["refused"]


def test_both_are_shown_it_and_told(alice, bob, held):
    alice.sign_in()
    shown = alice.client.get(address(held), headers=JSON).json()
    assert [one["username"] for one in shown["named"]] == ["bob"]
    assert page(alice)["named"] == []
    bob.sign_in()
    (naming,) = page(bob)["named_by"]
    assert (naming["username"], naming["album"]) == ("alice", str(held.pk))
    assert "named you for one album" in bob.client.get("/successors/").content.decode()
    (kind, said), *more = notices(bob)
    assert (kind, "named you as a successor for one album" in said, more) == ("shared", True, [])
    remove_successor(keyring=alice.keyring, person=bob.user, album_id=held.pk)
    assert "no longer names you as a successor for one album" in notices(bob)[0][1]


def test_the_owner_alone_is_shown_all_albums_with_successors_of_their_own(
    alice, bob, carol, dora, held, make_held, upload
):
    name(alice, carol, album=make_held("album").circle)
    nobodys = make_held("album")  # which has no successors of its own
    name(alice, carol)
    client = alice.sign_in()
    shown = page(alice)["albums"]
    assert len(shown) == 2
    assert {"id": str(held.pk), "title": "Lake", "url": address(held)} in shown
    assert str(nobodys.pk) not in [one["id"] for one in shown]
    assert f'href="{address(held)}"' in client.get("/successors/").content.decode()
    assert "albums" not in client.get(address(held), headers=JSON).json()
    for person in (bob, carol, dora):
        person.sign_in()
        assert page(person)["albums"] == []
    Circle.objects.filter(pk=held.pk).update(details=b"x")
    assert {"id": str(held.pk), "title": "", "url": address(held)} in page(alice)["albums"]
    said = client.get("/successors/").content.decode()
    assert "An album that cannot be opened now" in said
    remove_successor(keyring=alice.keyring, person=bob.user, album_id=held.pk)
    assert [one["id"] for one in page(alice)["albums"]] == [
        one["id"] for one in shown if one["id"] != str(held.pk)
    ]


def test_one_press_takes_over_the_album_and_its_images(alice, bob, carol, held, other, disable):
    name(alice, carol)
    disable(alice)
    bob.sign_in()
    assert "You can take over one album of theirs." in notices(bob)[0][1]
    assert "Take over 1 image, 1 album" in bob.client.get("/successors/").content.decode()
    form = {"owner": str(alice.user.pk), "album": str(held.pk)}
    facts = ask(bob, "take-over/", **form).json()
    assert (facts["taken"], facts["albums"]) == ([str(held.image.pk)], [str(held.pk)])
    assert (facts["failed"], facts["left"]) == (0, 0)
    (naming,) = page(bob)["named_by"]
    assert (naming["images"], naming["albums"], naming["without_key"]) == (0, 0, 0)
    assert "You have taken it over." in bob.client.get("/successors/").content.decode()
    assert ask(bob, "take-over/", **form).json()["taken"] == []
    for album in ("", str(other.pk), "x"):
        answer = ask(bob, "take-over/", **{**form, "album": album})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = bob.client.post(f"/images/{held.image.pk}/take-over/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "taken_by_you")


def test_a_press_that_was_cut_short_goes_on_with_the_images(alice, bob, held, disable):
    disable(alice)
    taken(bob, held)
    bob.sign_in()
    (naming,) = page(bob)["named_by"]
    assert (naming["images"], naming["albums"]) == (1, 0)
    form = {"owner": str(alice.user.pk), "album": str(held.pk)}
    assert ask(bob, "take-over/", **form).json()["taken"] == [str(held.image.pk)]


def test_what_another_took_over_is_offered_no_more(alice, bob, carol, held, disable):
    name(alice, carol)
    disable(alice)
    taken(carol, held)
    bob.sign_in()
    assert page(bob)["named_by"] == []


def test_what_you_did_says_it_of_the_album(alice, bob, carol, held):
    name(alice, carol, album=held.circle)
    remove_successor(keyring=alice.keyring, person=bob.user, album_id=held.pk)
    client = alice.sign_in()
    shown = client.get("/activity/mine/").content.decode()
    assert "You removed Bob Brook from the successors for an album." in shown
    assert f'<a href="{reverse("gallery:album-successors", args=[held.pk])}">' in shown
    acts = client.get("/activity/mine/?what=ended", headers=JSON).json()["acts"]
    assert (acts[0]["event"], acts[0]["album"]) == ("successors:removed", str(held.pk))
    assert str(held.pk) in client.get("/activity/mine/?format=csv").getvalue().decode()


def test_each_act_is_in_the_trail_with_the_album(alice, bob, held):
    remove_successor(keyring=alice.keyring, person=bob.user, album_id=held.pk)
    for event in ("successors:made", "successors:named", "successors:deleted"):
        entries = AuditEntry.objects.filter(event=event)
        assert {entry.parsed().facts["album"] for entry in entries} == {str(held.pk)}


def test_a_member_is_a_member_though_named(alice, bob, held, disable):
    add(alice, held.circle, bob)
    disable(alice)
    taken(bob, held)
    taken(bob, held.image)
    assert Member.objects.filter(circle=held.circle, reader=bob.user, ended_at=None).count() == 1
    assert findings() == []
