"""Once an act that ends an access is answered, nobody whose access it was gets a byte: by images
alone, by thumbnails in one answer, or in a ZIP.

One tab is enough for a race, and leaves the act its share of the processor: tabs that open without
pause keep each other waiting, and the act with them.
"""

import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from io import BytesIO
from itertools import cycle

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.verification import verify
from gallery.models import Circle
from gallery.services.circles.making import make_circle
from gallery.services.circles.placing import place_image
from tests.accounts.test_oversight import act as staffs_act
from tests.concurrency import JSON, at_once, rounds_of_races, same_browser
from tests.conftest import PASSWORD, Person, jpeg
from tests.gallery.invitations.conftest import invite
from tests.gallery.test_thumbnails import parts
from tests.rows.world import sent

__all__ = ["invite"]
ENDED = {"access_ended", "suspended"}

Look = Callable[[Client], int]  # opens, and returns how many pictures came


@dataclass
class Tab:
    """The reader's tab: opens in each way in turn until the act was answered, then once more."""

    client: Client
    looks: list[Look]
    opened: threading.Event = field(default_factory=threading.Event)
    before: int = 0
    afterwards: int = 0

    def run(self, answered: threading.Event) -> None:
        came = [look(self.client) for look in self.looks]
        assert all(came)
        self.before = sum(came)
        self.opened.set()
        for look in cycle(self.looks):
            if answered.is_set():
                break
            self.before += look(self.client)
        self.afterwards = sum(look(self.client) for look in self.looks)


@dataclass
class Ways:
    """Bob opens alice's images directly, through albums, through a team, and through an album of
    which the team is a member; and one of carol's, whom staff have disabled since."""

    alice: Person
    owner: Client
    reader: Client
    staff: Client
    carol: User
    album: str
    team: str
    teams_album: str
    shared: str
    carols: str
    in_album: list[str]
    in_brief_album: list[str]
    in_team: list[str]
    in_teams_album: list[str]
    brief_album: str = ""

    def post(self, address: str, **form: object) -> None:
        answer = self.owner.post(address, form, headers=JSON)
        assert answer.status_code == 200, answer.content

    def leave(self) -> None:
        answer = same_browser(self.reader).post(f"/teams/{self.team}/leave/", headers=JSON)
        assert answer.status_code == 200, answer.content

    def staff_do(self, act: str) -> None:
        assert staffs_act(same_browser(self.staff), self.carol, act).status_code == 302

    def wait_for_the_end(self) -> None:
        end = timezone.now() + timedelta(seconds=1)
        self.post(f"/images/{self.shared}/share/", recipients="bob", ends_at=end.isoformat())
        while timezone.now() <= end:
            time.sleep(0.01)

    def share_again(self) -> None:
        assert self.owner.get("/images/mine/").status_code == 200  # the next lock
        self.post(f"/images/{self.shared}/share/", recipients="bob", ends_at="")

    def make_brief_album(self) -> None:
        album = album_of(self.alice, *self.in_brief_album)
        self.brief_album = str(album.pk)
        self.post(f"/albums/{album.pk}/share/", recipients="bob")


def album_of(owner: Person, *images: str, kind: str = "album") -> Circle:
    about = {"title": "Lake", "description": "", "members_add": False}
    album = make_circle(keyring=owner.keyring, **about, kind=kind)
    for image in images:
        place_image(keyring=owner.keyring, circle_id=album.pk, image_id=image)
    return album


@dataclass(frozen=True)
class End:
    """An act that ends an access, of which images, and how bob gets it back for the next round."""

    images: Callable[[Ways], list[str]]
    act: Callable[[Ways], None]
    again: Callable[[Ways], None]


def share_team(ways: Ways, address: str) -> None:
    ways.post(f"{address}share/", teams=[ways.team], team_joins=[ways.team])


def add_to_team(ways: Ways) -> None:
    assert ways.owner.get("/images/mine/").status_code == 200  # the next key, if somebody left
    ways.post(f"/teams/{ways.team}/share/", recipients="bob")


ENDS = {
    "share ended": End(
        lambda ways: [ways.shared],
        lambda ways: ways.post(f"/images/{ways.shared}/revoke/", recipient="bob"),
        lambda ways: ways.post(f"/images/{ways.shared}/share/", recipients="bob"),
    ),
    "time over": End(lambda ways: [ways.shared], Ways.wait_for_the_end, Ways.share_again),
    "readers suspended": End(
        lambda ways: [ways.carols],
        lambda ways: ways.staff_do("suspend-readers"),
        lambda ways: ways.staff_do("reinstate-readers"),
    ),
    "album deleted": End(
        lambda ways: ways.in_brief_album,
        lambda ways: ways.post(f"/albums/{ways.brief_album}/delete/"),
        Ways.make_brief_album,
    ),
    "taken out of an album": End(
        lambda ways: ways.in_album,
        lambda ways: ways.post(f"/albums/{ways.album}/revoke/", recipient="bob"),
        lambda ways: ways.post(f"/albums/{ways.album}/share/", recipients="bob"),
    ),
    "images taken out of an album": End(
        lambda ways: ways.in_album,
        lambda ways: ways.post(f"/albums/{ways.album}/remove/", images=ways.in_album),
        lambda ways: ways.post(f"/albums/{ways.album}/add/", images=ways.in_album),
    ),
    "taken out of a team": End(
        lambda ways: ways.in_team + ways.in_teams_album,
        lambda ways: ways.post(f"/teams/{ways.team}/revoke/", recipient="bob"),
        add_to_team,
    ),
    "team left": End(lambda ways: ways.in_team + ways.in_teams_album, Ways.leave, add_to_team),
    "team out of an album": End(
        lambda ways: ways.in_teams_album,
        lambda ways: ways.post(f"/albums/{ways.teams_album}/revoke/", team=ways.team),
        lambda ways: share_team(ways, f"/albums/{ways.teams_album}/"),
    ),
    "share with a team ended": End(
        lambda ways: ways.in_team,
        lambda ways: ways.post(f"/images/{ways.in_team[0]}/revoke/", team=ways.team),
        lambda ways: share_team(ways, f"/images/{ways.in_team[0]}/"),
    ),
}


def original(image: str) -> Look:
    def look(client: Client) -> int:
        answer = client.get(f"/images/{image}/original")
        assert answer.status_code in (200, 403, 410)
        return int(answer.status_code == 200)

    return look


def thumbnails(images: list[str]) -> Look:
    def look(client: Client) -> int:
        answer = client.post("/images/thumbnails/", {"images": images})
        found = parts(answer).values()
        assert {one for one in found if isinstance(one, str)} <= ENDED
        return sum(isinstance(one, bytes) for one in found)

    return look


def in_a_zip(images: list[str]) -> Look:
    def look(client: Client) -> int:
        answer = client.post("/images/zip/", {"images": images}, headers=JSON)
        if answer.status_code == 409:
            assert {one["code"] for one in answer.json()["left_out"]} <= ENDED
            return 0
        with zipfile.ZipFile(BytesIO(answer.getvalue())) as whole:
            return sum(name.endswith(".jpg") for name in whole.namelist())

    return look


def race(ways: Ways, end: End, number: int) -> Tab:
    """Let the act happen while a tab opens its images; return what the tab saw."""
    answered, images = threading.Event(), end.images(ways)
    looks = [*map(original, images), thumbnails(images), in_a_zip(images)]
    first = number % len(looks)  # at which the act begins, is another one each time
    tab = Tab(same_browser(ways.reader), looks[first:] + looks[:first])

    def act() -> None:
        try:
            assert tab.opened.wait(timeout=60)
            end.act(ways)
        finally:
            answered.set()

    at_once(lambda run: run(), [act, partial(tab.run, answered)])
    return tab


@pytest.fixture
def ways(alice, bob, carol, upload, staff) -> Ways:
    shared, *images = (
        str(upload(data=jpeg(colour)).pk)
        for colour in ("red", "olive", "navy", "gold", "teal", "plum")
    )
    carol.sign_in()
    album, teams_album = album_of(alice, *images[:2]), album_of(alice, *images[3:4])
    found = Ways(
        alice=alice,
        owner=same_browser(alice.unlocked()),
        reader=bob.sign_in(),
        staff=staff,
        carol=carol.user,
        album=str(album.pk),
        team=str(album_of(alice, kind="team").pk),
        teams_album=str(teams_album.pk),
        shared=shared,
        carols=str(sent(carol, bob, "gray").pk),
        in_album=images[:2],
        in_brief_album=images[4:],
        in_team=images[2:3],
        in_teams_album=images[3:4],
    )
    for address in (f"/images/{shared}/", f"/albums/{album.pk}/", f"/teams/{found.team}/"):
        found.post(f"{address}share/", recipients="bob")
    for address in (f"/images/{images[2]}/", f"/albums/{teams_album.pk}/"):
        share_team(found, address)
    found.make_brief_album()
    found.staff_do("disable")
    return found


@pytest.mark.attack("F163")
@rounds_of_races
def test_no_picture_comes_after_an_act_that_ends_access_was_answered(ways, rounds, record_property):
    before, afterwards = Counter(), Counter()
    for number in rounds:
        for name, end in ENDS.items():
            tab = race(ways, end, number)
            before[name] += tab.before
            afterwards[name] += tab.afterwards
            end.again(ways)
    for name in ENDS:
        record_property(name, f"{len(rounds)} {before[name]} {afterwards[name]}")
    assert afterwards.total() == 0, afterwards
    assert list(verify()) == []


@pytest.mark.attack("F163")
@rounds_of_races
def test_an_invitation_is_used_or_taken_back_and_never_both(
    invite, upload, alice, rounds, record_property
):
    image, owner, bad = upload(), alice.unlocked(), 0
    for number in rounds:
        new, name = invite(image), f"lee-{number}"
        follower, taker = Client(), same_browser(owner)
        form = {"username": name, "display_name": "Lee"}
        form |= {"password1": PASSWORD, "password2": PASSWORD}
        accepted, taken = at_once(
            lambda ask: ask(headers=JSON),
            [
                partial(follower.post, f"/invitations/{new.token}/", form),
                partial(taker.post, f"/invitations/{new.invitation.pk}/take-back/"),
            ],
        )
        is_used = accepted.status_code == 201
        opened = follower.get(f"/images/{image.pk}/original")
        bad += is_used is (taken.status_code == 200)
        bad += opened.status_code != (200 if is_used else 302)
        bad += User.objects.filter(username=name).exists() is not is_used
    record_property("invitation used against taken back", f"{len(rounds)} 0 {bad}")
    assert bad == 0
    assert list(verify()) == []
