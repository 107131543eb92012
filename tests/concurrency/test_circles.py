"""Once an act that ends access through an album or a team is answered, nobody whose access it was
gets a byte: by images alone, by thumbnails in one answer, or in a ZIP.

`python -m benchmarks.faults races` lets each act race a hundred times (`RACES=100`).
"""

import os
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO

import pytest
from django.test import Client

from accounts.models import User
from audit.verification import verify
from gallery.services.circles.making import make_circle
from gallery.services.circles.placing import place_image
from tests.concurrency import JSON, at_once, same_browser
from tests.conftest import PASSWORD, jpeg
from tests.gallery.invitations.conftest import invite
from tests.gallery.test_thumbnails import parts

__all__ = ["invite"]
ROUNDS = int(os.environ.get("RACES", "1"))


@dataclass
class Tab:
    """One of the reader's tabs: opens until the act was answered, then once more."""

    client: Client
    look: Callable[[Client], int]  # how many pictures came
    opened: threading.Event = field(default_factory=threading.Event)
    before: int = 0
    afterwards: int = 0

    def run(self, answered: threading.Event) -> None:
        while not answered.is_set():
            self.before += self.look(self.client)
            if self.before:
                self.opened.set()
        self.afterwards += self.look(self.client)


@dataclass
class Ways:
    """Bob opens alice's images through an album, a team, and an album of which the team is a
    member."""

    owner: Client
    reader: Client
    album: str
    team: str
    teams_album: str
    in_album: list[str]
    in_team: list[str]
    in_teams_album: list[str]

    def post(self, address: str, **form: object) -> None:
        answer = self.owner.post(address, form, headers=JSON)
        assert answer.status_code == 200, answer.content

    def leave(self) -> None:
        answer = same_browser(self.reader).post(f"/teams/{self.team}/leave/", headers=JSON)
        assert answer.status_code == 200, answer.content


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
    "team left": End(
        lambda ways: ways.in_team + ways.in_teams_album, lambda ways: ways.leave(), add_to_team
    ),
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


def original(image: str) -> Callable[[Client], int]:
    def look(client: Client) -> int:
        answer = client.get(f"/images/{image}/original")
        assert answer.status_code in (200, 410)
        return int(answer.status_code == 200)

    return look


def thumbnails(images: list[str]) -> Callable[[Client], int]:
    def look(client: Client) -> int:
        answer = client.post("/images/thumbnails/", {"images": images})
        found = parts(answer).values()
        assert {one for one in found if isinstance(one, str)} <= {"access_ended"}
        return sum(isinstance(one, bytes) for one in found)

    return look


def in_a_zip(images: list[str]) -> Callable[[Client], int]:
    def look(client: Client) -> int:
        answer = client.post("/images/zip/", {"images": images}, headers=JSON)
        if answer.status_code == 409:
            assert {one["code"] for one in answer.json()["left_out"]} == {"access_ended"}
            return 0
        if answer.status_code == 503:  # a person has one on its way at a time
            return 0
        with zipfile.ZipFile(BytesIO(answer.getvalue())) as whole:
            return sum(name.endswith(".jpg") for name in whole.namelist())

    return look


def race(ways: Ways, end: End) -> int:
    """Let the act happen while tabs open its images; return how many pictures came after it."""
    answered, images = threading.Event(), end.images(ways)
    looks = [*map(original, images), thumbnails(images), in_a_zip(images)]
    tabs = [Tab(same_browser(ways.reader), look) for look in looks]

    def act() -> None:
        try:
            assert all(tab.opened.wait(timeout=60) for tab in tabs)
            end.act(ways)
        finally:
            answered.set()

    at_once(lambda run: run(), [act, *(lambda tab=tab: tab.run(answered) for tab in tabs)])
    return sum(tab.afterwards for tab in tabs)


@pytest.fixture
def ways(alice, bob, upload) -> Ways:
    keyring, about = alice.keyring, {"title": "Lake", "description": "", "members_add": False}
    album, teams_album, team = (
        make_circle(keyring=keyring, **about, kind=kind) for kind in ("album", "album", "team")
    )
    images = [str(upload(data=jpeg(colour)).pk) for colour in ("red", "olive", "navy", "gold")]
    for circle, image in ((album, images[0]), (album, images[1]), (teams_album, images[3])):
        place_image(keyring=keyring, circle_id=circle.pk, image_id=image)
    found = Ways(
        owner=same_browser(alice.unlocked()),
        reader=bob.sign_in(),
        album=str(album.pk),
        team=str(team.pk),
        teams_album=str(teams_album.pk),
        in_album=images[:2],
        in_team=images[2:3],
        in_teams_album=images[3:],
    )
    for address in (f"/albums/{album.pk}/share/", f"/teams/{team.pk}/share/"):
        found.post(address, recipients="bob")
    for address in (f"/images/{images[2]}/", f"/albums/{teams_album.pk}/"):
        share_team(found, address)
    return found


@pytest.mark.attack("F163")
def test_no_picture_comes_after_an_act_that_ends_access_was_answered(ways):
    came = {}
    for _ in range(ROUNDS):
        for name, end in ENDS.items():
            came[name] = came.get(name, 0) + race(ways, end)
            end.again(ways)
    assert came == dict.fromkeys(ENDS, 0)
    assert list(verify()) == []


@pytest.mark.attack("F163")
def test_an_invitation_is_used_or_taken_back_and_never_both(invite, upload, alice):
    image, owner = upload(), alice.unlocked()
    for number in range(ROUNDS):
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
        assert (accepted.status_code == 201) is not (taken.status_code == 200)
        opened = follower.get(f"/images/{image.pk}/original")
        assert opened.status_code == (200 if accepted.status_code == 201 else 302)
        assert User.objects.filter(username=name).exists() is (accepted.status_code == 201)
    assert list(verify()) == []
