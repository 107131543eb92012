"""A successor takes over an album or a team of a disabled owner; nobody else does, and no
sooner."""

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from cryptocore import entries
from gallery.access import membership_of
from gallery.circle_keys import CircleOpener
from gallery.errors import (
    AccessEnded,
    Altered,
    GalleryError,
    NotYours,
    OwnerActive,
    Waiting,
)
from gallery.models import Circle, Member, Statement, SuccessorCircleKey
from gallery.services.circles.deleting import delete_circle
from gallery.services.circles.ended import rekey_ended
from gallery.services.circles.making import change_circle, make_circle
from gallery.services.circles.rekeying import rekey, revoke_member
from gallery.services.circles.sharing import share_circle
from gallery.services.ended import relock_ended
from gallery.services.successors import (
    circle_of,
    circles_without_key,
    keep_for_successors,
    remove_successor,
)
from gallery.services.taking_over import take_over
from gallery.services.taking_over_circles import take_over_circle
from tests.accounts.test_oversight import act
from tests.conftest import Person
from tests.gallery.albums.conftest import DOWNLOAD, opened
from tests.gallery.albums.test_at_rest import findings
from tests.gallery.successors.conftest import TITLE, Held, add, name, put_back, rows_of
from tests.gallery.successors.test_naming import JSON, ask, notices, page

pytestmark = pytest.mark.attack("F200")
both = pytest.mark.parametrize("kind", ["album", "team"])


@pytest.fixture
def kind() -> str:
    return "album"


@pytest.fixture
def held(make_held, kind, alice, bob) -> Held:
    """Bob is alice's successor."""
    held = make_held(kind)
    name(alice, bob)
    return held


def taken(person: Person, held: Held) -> Circle:
    return take_over_circle(keyring=person.keyring, circle_id=held.pk)


def title_for(person: Person, held: Held) -> str:
    member = membership_of(held.pk, reader=person.user, kind=held.circle.kind)
    return CircleOpener(person.keyring).details(member)["title"]


def everything() -> list:
    models = (Circle, Member, Statement, SuccessorCircleKey)
    return [list(model.objects.order_by("pk").values_list()) for model in models]


def refused(person: Person, held: Held, error: type[GalleryError]) -> GalleryError:
    before = everything()
    with pytest.raises(error) as raised:
        taken(person, held)
    assert everything() == before
    return raised.value


# ---- who may not -----------------------------------------------------------------------------


@both
def test_a_successor_cannot_while_the_owner_is_active_nor_open_anything(bob, held):
    refused(bob, held, OwnerActive)
    with pytest.raises(NotYours):
        membership_of(held.pk, reader=bob.user, kind=None)
    assert bob.sign_in().get(f"/{held.circle.kind}s/{held.pk}/").status_code == 404


@both
def test_nor_does_the_column_of_the_kind(alice, bob, held, disable):
    other = {"album": "team", "team": "album"}[held.circle.kind]
    disable(alice)
    Circle.objects.filter(pk=held.pk).update(kind=other)
    refused(bob, held, Altered)
    successors = circle_of(alice.user)
    Circle.objects.filter(pk=held.pk).update(kind="successors", deleted_at="2020-01-01T00:00Z")
    for pk in (successors.pk, held.pk):
        with pytest.raises(NotYours):
            take_over_circle(keyring=bob.keyring, circle_id=pk)


def test_the_key_of_another_circle_is_refused(alice, bob, held, make_held, disable):
    other = make_held("album")
    keep_for_successors(alice.keyring)
    theirs = SuccessorCircleKey.objects.get(circle=other.circle)
    SuccessorCircleKey.objects.filter(circle=held.circle).update(wrapped=theirs.wrapped)
    disable(alice)
    refused(bob, held, Altered)


@pytest.mark.parametrize("change", [{"details": b"x" * 80}, {"epoch": 2}])
def test_a_row_that_was_altered_is_not_signed_again(alice, bob, held, disable, change):
    disable(alice)
    Circle.objects.filter(pk=held.pk).update(**change)
    refused(bob, held, Altered)


def test_what_members_may_is_what_was_signed(alice, bob, held, disable):
    disable(alice)
    Circle.objects.filter(pk=held.pk).update(members_add=False)
    taken(bob, held)
    assert held.now.members_add
    assert findings() == []


def test_a_row_that_nobody_signed_makes_no_member(alice, bob, mallory, dora, held, disable):
    row = Member.objects.get(circle=held.circle, reader=dora.user)
    row.pk, row.reader, row.wrapped_key = Member().pk, mallory.user, None
    row._state.adding = True
    row.save()
    disable(alice)
    taken(bob, held)
    with pytest.raises(AccessEnded):
        membership_of(held.pk, reader=mallory.user, kind=None)
    assert AuditEntry.objects.filter(event=f"{held.circle.kind}:altered").count() == 1


@pytest.mark.attack("F201")
@pytest.mark.parametrize("called", ["successors", "team"])
def test_successors_in_the_place_of_a_team_open_nothing(alice, bob, held, called):
    successors, key = circle_of(alice.user), SuccessorCircleKey.objects.get()
    entry = entries.encode_entry(kind="team", holder=successors.pk, rights="download")
    terms = {"rights": "download", "entry": entry, "salt": entries.new_salt()}
    place = {"team": successors, "team_epoch": key.team_epoch, "wrapped": bytes(key.wrapped)}
    Member.objects.create(circle=held.circle, granted_at=timezone.now(), **terms, **place)
    Circle.objects.filter(pk=successors.pk).update(kind=called)
    with pytest.raises(Altered):
        title_for(bob, held)
    with pytest.raises(Altered):
        opened(bob, held.image)


# ---- what a successor gets -------------------------------------------------------------------


@both
def test_the_successor_owns_it_and_its_members_notice_nothing(alice, bob, dora, held, disable):
    disable(alice)
    before = opened(dora, held.image)
    circle = taken(bob, held)
    assert (circle.owner, circle.epoch) == (bob.user, held.circle.epoch)
    assert opened(dora, held.image) == opened(bob, held.image) == before
    assert title_for(dora, held) == title_for(bob, held) == TITLE
    with pytest.raises(AccessEnded):
        membership_of(held.pk, reader=alice.user, kind=None)
    assert not SuccessorCircleKey.objects.filter(circle=circle).exists()
    assert findings() == []


@both
def test_the_new_owner_does_with_it_whatever_an_owner_does(
    alice, bob, dora, mallory, held, disable
):
    disable(alice)
    circle = taken(bob, held)
    of_it = {"keyring": bob.keyring, "circle_id": held.pk, "kind": circle.kind}
    add(bob, circle, mallory)
    change_circle(title="Sea", description="", members_add=False, **of_it)
    assert title_for(mallory, held) == title_for(dora, held) == "Sea"
    revoke_member(recipient=dora.user, **of_it)
    with pytest.raises(AccessEnded):
        membership_of(held.pk, reader=dora.user, kind=None)
    assert opened(mallory, held.image)
    assert findings() == []
    delete_circle(**of_it)
    assert held.now.deleted_at
    assert findings() == []


@both
def test_its_next_key_is_made_at_the_new_owner_s_next_page(alice, bob, dora, held, disable):
    disable(alice)
    taken(bob, held)
    rekey_ended(bob.keyring)
    assert held.now.epoch == held.circle.epoch + 1
    take_over(keyring=bob.keyring, image_id=held.image.pk)
    relock_ended(bob.keyring)
    assert opened(dora, held.image) == opened(bob, held.image)
    assert title_for(dora, held) == TITLE
    assert findings() == []


def test_a_successor_who_was_a_member_owns_it_likewise(alice, bob, dora, held, disable):
    add(alice, held.circle, bob)
    disable(alice)
    taken(bob, held)
    assert title_for(bob, held) == title_for(dora, held) == TITLE
    assert Member.objects.filter(circle=held.circle, reader=bob.user, ended_at=None).count() == 1
    assert findings() == []


@both
def test_enabling_the_former_owner_does_not_undo_it(alice, bob, held, disable, staff):
    disable(alice)
    taken(bob, held)
    act(staff, alice.user, "enable")
    address = f"/{held.circle.kind}s/{held.pk}/"
    answer = alice.sign_in().get(address, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (410, "access_ended")
    assert "has taken over" in answer.json()["message"]
    refused(alice, held, NotYours)


def test_the_state_from_before_put_back_opens_for_nobody(alice, bob, dora, held, disable):
    disable(alice)
    tables = ("gallery_circle", "gallery_member", "gallery_statement", "accounts_wrappedkey")
    old = {table: rows_of(table) for table in tables}
    taken(bob, held)
    for table in reversed(tables):
        put_back(table, old[table])
    with pytest.raises(Altered):
        title_for(dora, held)
    assert findings()


def test_the_former_owner_s_statements_are_kept_and_altered_ones_found(alice, bob, held, disable):
    disable(alice)
    taken(bob, held)
    assert findings() == []
    first = Statement.objects.get(kind="membership", subject=held.pk, sequence=1)
    altered = bytearray(first.signature)
    altered[-3] ^= 1
    Statement.objects.filter(pk=first.pk).update(signature=bytes(altered))
    assert findings() == ["EARLIER"]


@pytest.mark.parametrize(
    ("kind", "event"), [("album", "album:taken-over"), ("team", "team:taken-over")]
)
def test_the_trail_says_whose_it_was(alice, bob, held, disable, event):
    disable(alice)
    taken(bob, held)
    (done,) = AuditEntry.objects.filter(event=event, outcome="done")
    facts = done.parsed().facts
    assert (done.actor, done.subject) == (bob.user.pk, held.pk)
    assert (facts["former"], facts["membership_number"]) == (
        str(alice.user.pk),
        Statement.objects.filter(subject=held.pk).count(),
    )


@both
def test_members_are_told_and_the_former_owner(alice, bob, dora, held, disable, staff):
    disable(alice)
    taken(bob, held)
    act(staff, alice.user, "enable")
    words = {"album": "took over an album", "team": "took over a team"}[held.circle.kind]
    for person in (alice, dora):
        shown = person.sign_in().get("/activity/", headers={"accept": "application/json"}).json()
        newest = shown["notices"][0]
        assert (newest["kind"], words in newest["sentence"]) == ("taken-over", True)
        assert newest[held.circle.kind]
    assert findings() == []


def test_people_of_a_team_are_told_once_of_what_the_team_has(
    alice, bob, dora, make_held, make_person, disable
):
    erin = make_person("erin", "Erin East")
    team, album = make_held("team"), make_held("album")
    add(alice, team.circle, erin)
    of_it = {"keyring": alice.keyring, "circle_id": album.pk, "recipients": []}
    share_circle(terms=DOWNLOAD, teams=[team.pk], **of_it)
    name(alice, bob)
    disable(alice)
    taken(bob, album)
    take_over(keyring=bob.keyring, image_id=team.image.pk)
    for person in (dora, erin):
        shown = person.sign_in().get("/activity/", headers={"accept": "application/json"}).json()
        sentences = [one["sentence"] for one in shown["notices"] if one["kind"] == "taken-over"]
        assert [sentence.split(" from ")[0] for sentence in sentences] == [
            "Bob Brook (@bob) took over an image",
            "Bob Brook (@bob) took over an album",
        ]
    assert findings() == []


# ---- a team in an album ----------------------------------------------------------------------


def test_people_of_a_team_keep_an_album_that_was_taken_over_without_their_team(
    alice, bob, dora, make_held, disable
):
    team, album = make_held("team"), make_held("album")
    revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=dora.user)
    of_it = {"keyring": alice.keyring, "circle_id": album.pk, "recipients": []}
    share_circle(terms=DOWNLOAD, teams=[team.pk], **of_it)
    relock_ended(alice.keyring)
    name(alice, bob)
    disable(alice)
    taken(bob, album)
    rekey_ended(bob.keyring)
    assert opened(dora, album.image)
    taken(bob, team)
    rekey_ended(bob.keyring)
    assert opened(dora, album.image) == opened(bob, album.image)
    assert findings() == []


def test_a_team_that_the_new_owner_is_not_in_is_shown_kept_and_let_in_again_or_ended(
    alice, bob, carol, dora, mallory, make_held, disable
):
    """The album's; the team is carol's, and stays hers."""
    team = make_circle(
        keyring=carol.keyring, title="Desk", description="", members_add=True, kind="team"
    )
    add(carol, team, alice, mallory)
    album = make_held("album")
    of_it = {"keyring": alice.keyring, "circle_id": album.pk, "recipients": []}
    share_circle(terms=DOWNLOAD, teams=[team.pk], **of_it)
    name(alice, bob)
    disable(alice)
    taken(bob, album)
    take_over(keyring=bob.keyring, image_id=album.image.pk)
    client = bob.sign_in()

    def page_says(sentence: str) -> bool:
        return sentence in client.get(f"/albums/{album.pk}/").content.decode()

    assert page_says("A team you are not in")
    assert page_says("The people in it can open this now.")
    add(bob, album.circle, carol)
    assert opened(mallory, album.image) == opened(dora, album.image)
    form = {"recipient": "dora"}
    assert client.post(f"/albums/{album.pk}/revoke/", form, headers=JSON).status_code == 200
    assert page_says("Ask the team’s owner to add you")
    with pytest.raises(Waiting):
        opened(mallory, album.image)
    assert opened(carol, album.image) == opened(bob, album.image)
    add(carol, team, bob)
    client.get("/images/")
    assert page_says("Desk")
    assert opened(mallory, album.image) == opened(bob, album.image)
    revoke_member(keyring=carol.keyring, circle_id=team.pk, recipient=bob.user, kind="team")
    form = {"team": str(team.pk)}
    assert client.post(f"/albums/{album.pk}/revoke/", form, headers=JSON).status_code == 200
    with pytest.raises(AccessEnded):
        opened(mallory, album.image)
    assert not page_says("A team you are not in")
    assert findings() == []


def test_members_keep_an_image_that_another_successor_took_over(
    alice, bob, carol, dora, held, disable
):
    name(alice, carol)
    disable(alice)
    taken(bob, held)
    take_over(keyring=carol.keyring, image_id=held.image.pk)
    rekey_ended(bob.keyring)
    relock_ended(carol.keyring)
    assert opened(dora, held.image) == opened(bob, held.image) == opened(carol, held.image)
    assert findings() == []


# ---- the keys --------------------------------------------------------------------------------


def test_each_new_key_is_handed_over_again(alice, held):
    successors = circle_of(alice.user)
    assert not circles_without_key(successors).exists()
    rekey(keyring=alice.keyring, circle_id=held.pk)
    assert list(circles_without_key(successors)) == [held.circle]
    alice.sign_in().get("/images/mine/")
    assert not circles_without_key(successors).exists()
    assert SuccessorCircleKey.objects.get().epoch == held.now.epoch


@pytest.mark.attack("F153")
def test_who_is_removed_is_left_without_a_key_and_it_gets_its_next(alice, bob, carol, held):
    name(alice, carol)
    remove_successor(keyring=alice.keyring, person=bob.user)
    alice.sign_in().get("/images/mine/")
    alice.client.get("/images/mine/")
    assert held.now.epoch == held.circle.epoch + 1
    row = SuccessorCircleKey.objects.get()
    assert (row.epoch, row.team_epoch) == (held.now.epoch, circle_of(alice.user).epoch)
    assert findings() == []


def test_a_deleted_one_leaves_no_key(alice, held):
    delete_circle(keyring=alice.keyring, circle_id=held.pk, kind=held.circle.kind)
    keep_for_successors(alice.keyring)
    assert not SuccessorCircleKey.objects.exists()


# ---- the page --------------------------------------------------------------------------------


def test_one_press_takes_over_teams_albums_and_images(alice, bob, dora, make_held, disable):
    album, team = make_held("album"), make_held("team")
    name(alice, bob)
    disable(alice)
    bob.sign_in()
    assert "take over their images, albums and teams" in notices(bob)[0][1]
    (naming,) = page(bob)["named_by"]
    assert [naming[what] for what in ("images", "albums", "teams", "without_key")] == [2, 1, 1, 0]
    assert b"Take over 2 images, 1 album, 1 team" in bob.client.get("/successors/").content
    answer = ask(bob, "take-over/", owner=str(alice.user.pk)).json()
    assert (answer["albums"], answer["teams"]) == ([str(album.pk)], [str(team.pk)])
    assert (len(answer["taken"]), answer["failed"], answer["left"]) == (2, 0, 0)
    bob.client.get("/images/mine/")
    for held in (album, team):
        assert opened(dora, held.image) == opened(bob, held.image)
    assert findings() == []


def test_what_was_not_handed_over_is_said(alice, bob, held, disable):
    SuccessorCircleKey.objects.all().delete()
    disable(alice)
    (naming,) = page_of(bob)["named_by"]
    assert (naming["albums"] + naming["teams"], naming["without_key"]) == (0, 1)
    shown = bob.client.get("/successors/").content.decode()
    assert f"Not handed over in time: 1 {held.circle.kind}" in shown


def page_of(person: Person) -> dict:
    person.sign_in()
    return page(person)
