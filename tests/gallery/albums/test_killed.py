"""A server that is killed amid an act on an album, a team or many images: everything of it, or
nothing; and what is left of it is done by the next page, or by asking again.

At random moments, many times: `python -m benchmarks.circle_faults`.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit import events
from gallery.errors import AccessEnded, GalleryError
from gallery.models import Circle, Grant, Member, Notice, SealedImage
from gallery.services import deleting, revoking, sharing, teams
from gallery.services.circles import deleting as albums_deleting
from gallery.services.circles import rekeying
from gallery.services.circles.deleting import delete_circle
from gallery.services.circles.making import make_circle
from gallery.services.purging import purge
from gallery.services.successors import remove_successor
from gallery.verification.findings import Kind
from gallery.verification.sweep import Sweep
from tests.conftest import Person
from tests.gallery.albums.conftest import opened
from tests.gallery.invitations.test_killed import die, killed
from tests.gallery.successors.conftest import name
from tests.gallery.teams.conftest import TEAM, Team, shared_with_team
from tests.rows.flips import Snapshot
from tests.rows.older import Older, subsets
from tests.rows.world import sent

pytestmark = pytest.mark.usefixtures("emptied_storage")


def found() -> list[str]:
    return [str(one) for one in Sweep(reads_bytes=True, progress=lambda images: None).run()]


def comes(person: Person) -> None:
    """Two of the person's next pages, with their keys open."""
    for _ in range(2):
        assert person.unlocked().get("/images/mine/").status_code == 200


def is_out(person: Person, image: SealedImage) -> bool:
    with pytest.raises(AccessEnded):
        opened(person, image)
    return True


def taken_out(album, person: Person) -> None:
    act = {"circle_id": album.pk, "recipient": person.user, "kind": album.circle.kind}
    rekeying.revoke_member(keyring=album.owner.keyring, **act)


@pytest.fixture
def team(alice, bob, carol) -> Team:
    about = {"title": "Desk", "description": "", "members_add": True}
    team = Team(alice, make_circle(keyring=alice.keyring, **about, kind=TEAM))
    team.add(bob, carol)
    return team


@pytest.mark.attack("F164")
@pytest.mark.parametrize("at", ["hold", "_exchange_held", "send_notices"])
def test_killed_before_the_next_key_is_stored_nothing_has_changed(
    album, image, bob, monkeypatch, at
):
    with monkeypatch.context() as patched:
        patched.setattr(rekeying, at, die)
        killed(lambda: taken_out(album, bob))
    assert Circle.objects.get().epoch == 1
    assert opened(bob, image)
    assert found() == []
    taken_out(album, bob)
    assert is_out(bob, image)


@pytest.mark.attack("F164")
def test_killed_after_it_was_stored_the_owners_next_page_locks_the_images_anew(
    album, image, alice, bob, carol, monkeypatch
):
    album.share(carol)
    with monkeypatch.context() as patched:
        patched.setattr(rekeying, "truncate_write_ahead_log", die)
        killed(lambda: taken_out(album, bob))
    assert is_out(bob, image)
    assert SealedImage.objects.get().lock == 1
    comes(alice)
    assert (SealedImage.objects.get().lock, SealedImage.objects.get().relock_after) == (2, None)
    assert opened(carol, image)
    assert found() == []


@pytest.mark.attack("F164")
def test_killed_while_an_image_gets_its_lock_it_is_due_in_an_hour(
    album, image, alice, bob, monkeypatch, days_later, settings
):
    """The bytes of the lock that was not stored are `purge`'s."""
    taken_out(album, bob)
    with monkeypatch.context() as patched:
        patched.setattr(revoking, "_exchange", die)
        killed(lambda: comes(alice))
    assert SealedImage.objects.get().lock == 1
    days_later(1)
    alice.sign_in()
    comes(alice)
    assert (SealedImage.objects.get().lock, SealedImage.objects.get().relock_after) == (2, None)
    assert opened(alice, image)
    settings.PURGE_GRACE = timedelta(seconds=-1)
    assert purge()["orphans"] == 4
    assert found() == []


@pytest.mark.attack("F212")
@pytest.mark.parametrize("what", ["an image", "an album"])
def test_killed_while_it_is_deleted_it_opens_for_nobody_and_the_end_that_is_missing_is_found(
    album, image, alice, bob, monkeypatch, settings, what
):
    module, act = {
        "an image": (deleting, lambda: deleting.delete_image(**keys, image_id=image.pk)),
        "an album": (albums_deleting, lambda: delete_circle(**keys, circle_id=album.pk)),
    }[what]
    keys = {"keyring": alice.keyring}
    with monkeypatch.context() as patched:
        patched.setattr(module, "truncate_write_ahead_log", die)
        killed(act)
    assert is_out(bob, image)
    subject = image.pk if what == "an image" else album.pk
    assert found() == [f"{Kind.DELETED.value}: {subject}"]
    comes(alice)
    assert is_out(bob, image)


@pytest.mark.attack("F231")
@pytest.mark.parametrize("what", ["an image", "an album", "the successors"])
def test_killed_while_it_is_deleted_and_put_back_by_rows_from_before_it_is_found(
    album, image, alice, bob, carol, monkeypatch, what
):
    """The owner was never told that it is deleted, and sees it again."""
    name(alice, carol)
    keys = {"keyring": alice.keyring}
    module, act = {
        "an image": (deleting, lambda: deleting.delete_image(**keys, image_id=image.pk)),
        "an album": (albums_deleting, lambda: delete_circle(**keys, circle_id=album.pk)),
        "the successors": (
            albums_deleting,
            lambda: remove_successor(**keys, person=carol.user),
        ),
    }[what]
    before = Older()
    with monkeypatch.context() as patched:
        patched.setattr(module, "truncate_write_ahead_log", die)
        killed(act)
    changed, tried = before.changed(), 0
    now = Snapshot()
    for pieces in subsets(changed):
        if before.put_back(pieces):
            before.put_files_back()
            tried += 1
            assert found(), pieces
        now.restore()
    assert tried > 5
    assert before.put_back(changed)
    before.put_files_back()
    assert [one.split(":")[0] for one in found()] == [Kind.WITHOUT_END.value]
    act()
    assert found() == []


@pytest.mark.attack("F164")
@pytest.mark.parametrize(("module", "at"), [(teams, "end_rows"), (teams, "hold")])
def test_killed_while_leaving_a_team_one_is_in_it(team, upload, bob, monkeypatch, module, at):
    image = upload()
    shared_with_team(team, image)
    with monkeypatch.context() as patched:
        patched.setattr(module, at, die)
        killed(lambda: team.leave(bob))
    assert opened(bob, image)
    assert found() == []
    team.leave(bob)
    assert is_out(bob, image)


@pytest.mark.attack("F164")
def test_killed_after_one_left_the_owners_next_page_makes_the_next_key(
    team, upload, alice, bob, carol, monkeypatch
):
    image = upload()
    shared_with_team(team, image)
    with monkeypatch.context() as patched:
        patched.setattr(teams, "truncate_write_ahead_log", die)
        killed(lambda: team.leave(bob))
    assert is_out(bob, image)
    comes(alice)
    assert (team.now.epoch, team.now.rekey_after) == (2, None)
    assert (SealedImage.objects.get().lock, SealedImage.objects.get().relock_after) == (2, None)
    assert opened(carol, image)
    assert found() == []


@pytest.mark.attack("F164")
def test_killed_while_many_are_shared_asking_again_shares_the_rest_and_none_twice(
    upload, alice, bob, monkeypatch
):
    images = [upload() for _ in range(3)]
    form = {"images": [one.pk for one in images], "recipients": "bob", "confirmed": "1"}
    act = ("/images/selected/share/", form)
    store, calls = sharing.store_shared, []

    def die_at_the_second(*arguments, **options):
        calls.append(1)
        return die() if len(calls) == 2 else store(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(sharing, "store_shared", die_at_the_second)
        killed(lambda: alice.client.post(*act))
    assert Grant.objects.filter(reader=bob.user).count() == 1
    assert found() == []
    assert alice.client.post(*act, headers={"accept": "application/json"}).status_code == 200
    assert Grant.objects.filter(reader=bob.user, ended_at=None).count() == 3
    assert Notice.objects.filter(person=bob.user).count() == 3
    assert all(opened(bob, one) for one in images)
    assert found() == []


# ---- killed when it was stored, and before its end was recorded -------------------------------


def killed_at_its_end(monkeypatch, act) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(events, "record_after", die)
        killed(act)


@pytest.mark.attack("F164")
def test_leaving_a_team_of_which_the_trail_lost_the_end_is_gone_on_with(
    team, upload, alice, bob, monkeypatch
):
    shared_with_team(team, upload())
    killed_at_its_end(monkeypatch, lambda: team.leave(bob))
    assert found() == []
    comes(alice)
    assert (team.now.epoch, team.now.rekey_after) == (2, None)
    assert found() == []


@pytest.mark.attack("F164")
def test_who_was_taken_out_with_images_of_their_own_signs_the_next_list_without_the_album(
    make, alice, bob, carol, monkeypatch
):
    album = make(alice, members_add=True)
    album.share(bob, carol)
    bob.sign_in()
    image = sent(bob, bob, "olive")
    album.place(image, by=bob)
    killed_at_its_end(monkeypatch, lambda: taken_out(album, bob))
    assert is_out(carol, image)
    assert found() == []
    comes(bob)
    assert (SealedImage.objects.get().lock, SealedImage.objects.get().relock_after) == (2, None)
    assert found() == []


def opens_nothing(person: Person, image: SealedImage) -> None:
    with pytest.raises(GalleryError):
        opened(person, image)


@pytest.mark.attack("F291")
@pytest.mark.parametrize("what", ["an image", "an album"])
def test_killed_when_an_access_was_ended_only_all_of_the_rows_from_before_bring_it_back(
    make, alice, bob, carol, upload, monkeypatch, what
):
    """The owner was never told that it is ended; once they ask again, nothing brings it back."""
    image, album = upload(to=(bob, carol) if what == "an image" else ()), make(alice)
    if what == "an album":
        album.share(bob, carol)
        album.place(image)
    about = {"keyring": alice.keyring, "image_id": image.pk, "recipient": bob.user}
    act = {"an image": lambda: revoking.revoke(**about), "an album": lambda: taken_out(album, bob)}
    before = Older()
    killed_at_its_end(monkeypatch, act[what])
    assert found() == []
    now, changed = Snapshot(), before.changed()
    for piece in changed:
        if before.put_back([piece]):
            before.put_files_back()
            opens_nothing(bob, image)
        now.restore()
    assert before.put_back(changed)
    before.put_files_back()
    assert opened(bob, image)
    assert found() == []
    act[what]()
    assert is_out(bob, image)
    assert before.put_back(changed)
    before.put_files_back()
    opens_nothing(bob, image)
    assert found() != []


@pytest.mark.attack("F164", "F106")
def test_an_end_that_somebody_wrote_after_an_act_that_failed_is_none(team, alice, bob, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(teams, "hold", fail)
        with pytest.raises(OSError, match="no such row"):
            team.leave(bob)
    now = timezone.now()
    Member.objects.filter(reader=bob.user).update(ended_at=now, ended_reason="left")
    Circle.objects.update(rekey_after=now)
    comes(alice)
    assert team.now.epoch == 1
    assert found() != []


def fail(*arguments: object) -> None:
    raise OSError("no such row")
