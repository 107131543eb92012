"""Alice's team with bob in it, an image and an album of hers that are shared with it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from accounts.keys.recipients import recipient_of
from gallery.models import Circle, SealedImage
from gallery.services import sharing, teams
from gallery.services.circles import making, placing, rekeying
from gallery.services.circles.ended import rekey_ended
from gallery.services.circles.sharing import share_circle
from gallery.services.ended import relock_ended
from gallery.services.successors import keep_for_successors
from gallery.services.uploading import Terms
from tests.conftest import Person
from tests.gallery.albums.conftest import DOWNLOAD, opened
from tests.rows.world import sent

__all__ = ["DOWNLOAD", "Team", "comes", "fails", "opened", "shared_with_team"]
TEAM = Circle.Kind.TEAM


@dataclass
class Team:
    """A team of its owner's, with what the tests do to it."""

    owner: Person
    circle: Circle

    @property
    def pk(self):
        return self.circle.pk

    @property
    def now(self) -> Circle:
        return Circle.objects.get(pk=self.pk)

    def add(self, *people: Person, terms: Terms = DOWNLOAD):
        recipients = [recipient_of(person.user) for person in people]
        return share_circle(
            keyring=self.owner.keyring,
            circle_id=self.pk,
            recipients=recipients,
            terms=terms,
            kind=TEAM,
        )

    def take_out(self, person: Person):
        return rekeying.revoke_member(
            keyring=self.owner.keyring, circle_id=self.pk, recipient=person.user, kind=TEAM
        )

    def leave(self, person: Person) -> None:
        teams.leave_team(person=person.user, team_id=self.pk)


def shared_with_team(
    team: Team, image: SealedImage, *, by: Person | None = None, terms: Terms = DOWNLOAD
):
    """Share an image with whoever is in the team, later too."""
    keyring = (by or team.owner).keyring
    return sharing.share_image(
        keyring=keyring, image_id=image.pk, recipients=[], terms=terms, teams=[team.pk]
    )


def fails(person: Person, image: SealedImage, refusal: type[Exception]) -> Exception:
    with pytest.raises(refusal) as raised:
        opened(person, image)
    return raised.value


def comes(person: Person) -> None:
    """What the person's next pages with open keys do, all of it."""
    rekey_ended(person.keyring, seconds=60)
    relock_ended(person.keyring, seconds=60)
    keep_for_successors(person.keyring, seconds=60)


@pytest.fixture
def make_team() -> Callable[..., Team]:
    def make(owner: Person, name: str = "Imaging desk", *, members_add: bool = False) -> Team:
        circle = making.make_circle(
            keyring=owner.keyring,
            title=name,
            description="Second floor",
            members_add=members_add,
            kind=TEAM,
        )
        return Team(owner, circle)

    return make


@pytest.fixture
def team(make_team: Callable[..., Team], alice: Person, bob: Person) -> Team:
    """Alice's team with bob in it."""
    team = make_team(alice)
    team.add(bob)
    return team


@pytest.fixture
def image(upload: Callable[..., SealedImage], team: Team) -> SealedImage:
    """An image of alice's that she shared with the team, and with nobody else."""
    image = upload(caption="At the lake")
    shared_with_team(team, image)
    return image


@pytest.fixture
def album(alice: Person, team: Team) -> Circle:
    """An album of alice's of which the team is a member."""
    album = making.make_circle(
        keyring=alice.keyring, title="Lake", description="", members_add=True
    )
    share_circle(
        keyring=alice.keyring, circle_id=album.pk, recipients=[], terms=DOWNLOAD, teams=[team.pk]
    )
    return album


@pytest.fixture
def placed(alice: Person, album: Circle, upload: Callable[..., SealedImage]) -> SealedImage:
    """An image of alice's that is in that album alone."""
    image = upload(caption="In the album")
    placing.place_image(keyring=alice.keyring, circle_id=album.pk, image_id=image.pk)
    return image


@pytest.fixture
def theirs(bob: Person) -> SealedImage:
    """An image of bob's that nobody else has."""
    bob.sign_in()
    return sent(bob, bob, "olive")
