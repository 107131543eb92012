"""Every page asks the databases as often for many rows as for few, on its first page and on the
next: images, albums, teams, invitations, successors, notices, and what happened to them."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.keys.recipients import recipient_of
from accounts.models import User
from accounts.services.people.oversight import disable_person
from gallery import image_activity, own_activity
from gallery.access import live_accesses_to
from gallery.models import SealedImage
from gallery.services import inbox
from gallery.services.circles.making import make_circle
from gallery.services.circles.sharing import share_circle
from gallery.services.sharing import share_image
from gallery.views import albums, lists
from tests.gallery.albums.conftest import DOWNLOAD, Album
from tests.gallery.invitations.conftest import invite
from tests.gallery.successors.conftest import name
from tests.gallery.teams.conftest import TEAM, Team, shared_with_team
from tests.gallery.test_query_counts import queries, queries_of
from tests.imageshare.test_every_address import address, routes
from tests.rows.world import sent

__all__ = ["invite"]
FEW, MANY = 3, 4  # rows, on pages of two and of three: each list has a next page
ACTS = 9  # times as many of what happened, so that each page holds acts of every kind
NEXT = re.compile(r'rel="next" href="([^"]+)"|href="([^"]+)"\s+rel="next"')


@dataclass
class Growing:
    """Alice's album and team with bob in them, and an image of hers that is shared by each way."""

    alice: object
    bob: object
    staff: object
    make_person: object
    upload: object
    invite: object
    image: SealedImage
    album: Album
    team: Team
    people: list = field(default_factory=list)

    def grow_to(self, amount: int) -> None:
        """One more of each: people by themselves, in the album and in the team; images and albums;
        invitations, and what they carry; successors; and what other people share with bob."""
        for number in range(len(self.people), amount):
            person = self.make_person(f"person-{number}")
            self.people.append(person)
            self.album.share(person)
            self.team.add(person)
            self.share(recipients=[recipient_of(person.user)])
            self.share(invitations=[self.invite(self.upload()).key])
            self.album.place(self.upload())
            shared_with_team(self.team, self.upload())
            self.more_circles()
            name(self.alice, person)
            name(self.alice, person, album=self.album.circle)
            self.open_all(person)
            self.others(self.make_person(f"other-{number}"))

    def more_circles(self) -> None:
        album, team = new(self.alice), Team(self.alice, new(self.alice, TEAM).circle)
        for one in (album, self.album):
            with_team(self.alice, one, team)
        with_team(self.alice, album, self.team)
        album.place(self.image)
        name(self.alice, self.bob, album=album.circle)
        team.add(self.bob)
        shared_with_team(team, self.image)

    def others(self, other) -> None:
        """What somebody shares with bob, alone and through a team and an album of theirs; alice and
        bob are to take over what they have."""
        other.sign_in()
        team, album = Team(other, new(other, TEAM).circle), new(other)
        team.add(self.bob, self.alice)
        with_team(other, album, team)
        album.place(sent(other, other, "olive"))
        shared_with_team(team, sent(other, self.bob, "navy"))
        shared_with_team(team, sent(other, other, "teal"))
        with_team(self.alice, self.album, team)
        name(other, self.alice, self.bob)
        name(other, self.alice, self.bob, album=album.circle)
        disable_person(person=other.user, by=self.staff, reason="left")

    def share(self, recipients=(), **besides) -> None:
        keyring, image = self.alice.keyring, self.image.pk
        share_image(
            keyring=keyring, image_id=image, recipients=recipients, terms=DOWNLOAD, **besides
        )

    def open_all(self, person) -> None:
        client = person.sign_in()
        assert client.get(f"/images/{self.image.pk}/original").status_code == 200
        client.post(f"/images/{self.image.pk}/acknowledge/")


def new(owner, kind: str = "album"):
    about = {"title": "Lake", "description": "", "members_add": True}
    return Album(owner, make_circle(keyring=owner.keyring, **about, kind=kind))


def with_team(owner, album, team) -> None:
    act = {"keyring": owner.keyring, "circle_id": album.pk, "recipients": [], "terms": DOWNLOAD}
    share_circle(**act, teams=[team.pk])


@pytest.fixture
def growing(alice, bob, staff, make_person, upload, invite) -> Growing:
    image, album, team = upload(to=(bob,)), new(alice), Team(alice, new(alice, TEAM).circle)
    album.share(bob)
    team.add(bob)
    album.place(image)
    shared_with_team(team, image)
    overseer = User.objects.get(username="overseer")
    return Growing(alice, bob, overseer, make_person, upload, invite, image, album, team)


def pages(growing: Growing, client: Client) -> Iterator[str]:
    """Yield every page that somebody is shown, and the next one of each that has more."""
    for route in routes():
        page = address(route, growing.image, album=str(growing.album.pk), team=str(growing.team.pk))
        answer = client.get(page)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            yield page
            for found in NEXT.finditer(answer.content.decode()):
                yield page + html.unescape(found[1] or found[2])


def posts(person) -> Iterator[partial[HttpResponse]]:
    """Yield what shows a list after a post: every image of a search, and of a page."""
    every = SealedImage.objects.values_list("pk", flat=True)
    images = [str(pk) for pk in live_accesses_to(every, reader=person.user)]
    yield partial(person.client.post, "/images/search/", {"q": "e"})
    yield partial(person.client.post, "/images/thumbnails/", {"images": images})


def more(few: tuple[int, int], many: tuple[int, int]) -> bool:
    return many[0] > few[0] or many[1] > few[1]


def test_no_page_asks_more_often_for_many_rows_than_for_few(growing, alice, bob, monkeypatch):
    def asked(amount: int, per_page: int) -> dict[tuple[str, str], tuple[int, int]]:
        for module in (lists, albums, inbox):
            monkeypatch.setattr(module, "PER_PAGE", per_page)
        for module in (own_activity, image_activity):
            monkeypatch.setattr(module, "PER_PAGE", per_page * ACTS)
        growing.grow_to(amount)
        asked = {}
        for person in (alice, bob):
            client = person.sign_in()
            for page in pages(growing, client):
                place = re.sub(r"before=\d+", "before=…", page)
                asked[person.username, place] = queries(client, page)[1:]
            for visit in posts(person):
                asked[person.username, visit.args[0]] = queries_of(visit, "")[1:]
        return asked

    few, many = asked(FEW, 2), asked(MANY, 3)
    both = few.keys() & many.keys()
    assert [(page, few[page], many[page]) for page in both if more(few[page], many[page])] == []
    nexts = {page for _username, page in both if "?" in page}
    assert nexts >= {
        *(
            "/images/?page=2",
            "/images/mine/?page=2",
            "/albums/?page=2",
            "/activity/?page=2&before=…",
        ),
        *(f"/albums/{growing.album.pk}/?page=2", "/activity/mine/?before=…"),
        f"/images/{growing.image.pk}/activity/?before=…",
    }
