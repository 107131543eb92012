"""The pages of albums, teams, invitations and what happened to an image ask the databases as often
for many rows as for few."""

from dataclasses import dataclass, field

import pytest

from accounts.keys.recipients import recipient_of
from gallery.models import SealedImage
from gallery.services.albums.making import make_circle
from gallery.services.albums.sharing import share_circle
from gallery.services.sharing import share_image
from tests.gallery.albums.conftest import DOWNLOAD, Album
from tests.gallery.invitations.conftest import invite
from tests.gallery.teams.conftest import TEAM, Team, shared_with_team
from tests.gallery.test_query_counts import queries

__all__ = ["invite"]
FEW, MANY = 2, 5


@dataclass
class Growing:
    """Alice's album and team with bob in them, and an image of hers that is shared by each way."""

    alice: object
    bob: object
    make_person: object
    upload: object
    invite: object
    image: SealedImage
    album: Album
    team: Team
    people: list = field(default_factory=list)

    def grow_to(self, amount: int) -> None:
        """One more of each: people by themselves, in the album and in the team; images and albums;
        invitations, and what they carry."""
        for number in range(len(self.people), amount):
            person = self.make_person(f"person-{number}")
            self.people.append(person)
            self.album.share(person)
            self.team.add(person)
            self.share(recipients=[recipient_of(person.user)])
            self.share(invitations=[self.invite(self.upload()).key])
            self.album.place(self.upload())
            shared_with_team(self.team, self.upload())
            album = new(self.alice)
            album.place(self.upload())
            with_team(self.alice, album, self.team)
            with_team(self.alice, self.album, new(self.alice, TEAM))
            self.open_all(person)

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
def growing(alice, bob, make_person, upload, invite) -> Growing:
    image, album, team = upload(to=(bob,)), new(alice), Team(alice, new(alice, TEAM).circle)
    album.share(bob)
    team.add(bob)
    album.place(image)
    shared_with_team(team, image)
    return Growing(alice, bob, make_person, upload, invite, image, album, team)


def test_no_page_asks_more_often_for_many_rows_than_for_few(growing, alice, bob):
    """An owner's page of an image or of an album asks about each team and album on its list."""
    image = f"/images/{growing.image.pk}/"
    one_album, one_team = f"/albums/{growing.album.pk}/", f"/teams/{growing.team.pk}/"
    owner, reader = alice.sign_in(), bob.sign_in()
    pages = [
        *((owner, page) for page in ("/albums/", "/teams/", one_team, "/invitations/")),
        *((reader, page) for page in (image, "/albums/", one_album, "/teams/", one_team)),
        *((owner, page) for page in (f"{image}activity/", "/activity/mine/", "/activity/")),
        *((owner, page) for page in ("/images/mine/", "/images/upload/")),
        (reader, "/images/"),
    ]
    growing.grow_to(FEW)
    few = [queries(client, address) for client, address in pages]
    growing.grow_to(MANY)
    many = [queries(client, address) for client, address in pages]
    more = [(a, b) for a, b in zip(few, many, strict=True) if b[1] > a[1] or b[2] > a[2]]
    assert more == []
