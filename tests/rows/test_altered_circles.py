"""Whatever is in a row of a team, an album, their lists, an invitation or a successor's keys.

Each column of each row is altered once. Nobody outside opens anything: a stranger, a former member,
a successor before the owner is disabled, staff; not at once, and not after the owner's next act.
And who is inside opens what they did, or `verify_images` finds why not, or the next pages mend it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle, groupby
from typing import Any

import pytest
from django.db import Error
from django.db.models import Model

from accounts.keys.recipients import recipient_of
from accounts.models import User, WrappedKey
from audit.events import Event
from audit.models import AuditEntry
from cryptocore.errors import CryptoError
from gallery.access import access_to
from gallery.errors import GalleryError
from gallery.models import (
    Circle,
    Grant,
    Invitation,
    InvitedGrant,
    Member,
    Placement,
    SealedImage,
    Statement,
    SuccessorCircleKey,
    SuccessorKey,
)
from gallery.services.circles.sharing import share_circle
from gallery.services.own_keys import look_over_own_keys
from gallery.services.sharing import share_image
from gallery.services.successors import name_successors
from gallery.services.taking_over import take_over
from gallery.services.taking_over_circles import take_over_circle
from gallery.verification.sweep import Sweep
from tests import worlds
from tests.conftest import Person
from tests.gallery.albums.conftest import DOWNLOAD, Album, opened
from tests.gallery.invitations.conftest import invite
from tests.gallery.invitations.test_albums import carry
from tests.gallery.teams.conftest import TEAM, Team, album, comes, image, make_team, placed, team
from tests.rows.flips import Flip, flips_of, keys_of
from tests.rows.reached import Reach

__all__ = ["album", "image", "invite", "make_team", "placed", "team"]

TABLES = (
    (Circle, Placement, SuccessorKey, SuccessorCircleKey),
    (Member, Invitation, InvitedGrant),
    (Statement, Grant),
    (WrappedKey, SealedImage),
)
LOST = "lost, and not found"
REFUSED = (GalleryError, CryptoError, Error)


@dataclass
class Scene:
    """bob is in alice's team, which was given an image, and an album with another; carol was in it.
    An invitation carries the album, dora is alice's successor, and fay that of the album alone."""

    alice: Person
    bob: Person
    erin: Person
    dora: Person
    fay: Person
    outside: list[Person]
    overseer: User
    team: Team
    album: Circle
    images: list[SealedImage]

    def opens(self, person: Person) -> list[bytes | None]:
        return [_opened(person, image) for image in self.images]

    def opened_outside(self) -> list[str]:
        """Return who opens anything who must not."""
        found = [one.username for one in self.outside if any(self.opens(one))]
        asked = [partial(access_to, one.pk, reader=self.overseer) for one in self.images]
        found += ["overseer" for ask in asked if _is_done(ask)]  # who has no keys to open with
        takings = [take for heir in (self.dora, self.fay) for take in self._takings(heir)]
        return found + ["a successor took over" for take in takings if _is_done(take)]

    def _takings(self, heir: Person) -> list[Callable[[], Any]]:
        keyring, images = heir.keyring, self.images
        return [
            lambda: take_over_circle(keyring=keyring, circle_id=self.team.pk),
            lambda: take_over_circle(keyring=keyring, circle_id=self.album.pk),
            *(lambda pk=image.pk: take_over(keyring=keyring, image_id=pk) for image in images),
        ]

    def acts(self) -> list[Callable[[], Any]]:
        """What the owner signs next: each names erin, and whoever is named already."""
        act = {"keyring": self.alice.keyring, "terms": DOWNLOAD}
        act["recipients"] = [recipient_of(self.erin.user)]
        return [
            lambda: share_circle(**act, circle_id=self.team.pk, kind=TEAM),
            lambda: share_circle(**act, circle_id=self.album.pk),
            lambda: share_image(**act, image_id=self.images[0].pk),
            lambda: share_image(**act, image_id=self.images[1].pk),
            lambda: name_successors(keyring=self.alice.keyring, people=act["recipients"]),
            lambda: name_successors(
                keyring=self.alice.keyring, people=act["recipients"], album_id=self.album.pk
            ),
        ]


@pytest.fixture
def scene(team, image, album, placed, invite, make_person, alice, bob, carol, mallory, staff):
    dora, erin, fay = make_person("dora"), make_person("erin"), make_person("fay")
    team.add(carol)
    team.take_out(carol)
    comes(alice)
    carry(Album(alice, album), invite())
    name_successors(keyring=alice.keyring, people=[recipient_of(dora.user)])
    of_album = [recipient_of(fay.user)]
    name_successors(keyring=alice.keyring, people=of_album, album_id=album.pk)
    overseer = User.objects.get(username="overseer")
    images = [SealedImage.objects.get(pk=one.pk) for one in (image, placed)]
    outside = [carol, mallory, dora, fay]
    return Scene(alice, bob, erin, dora, fay, outside, overseer, team, album, images)


@pytest.mark.attack("F213")
@pytest.mark.parametrize("models", TABLES, ids=lambda models: models[0].__name__)
def test_nobody_outside_opens_anything_whatever_a_row_of_a_circle_says(
    scene, models, emptied_storage
):
    before, acts, tried, wrong = worlds.World.now(), cycle(scene.acts()), 0, []
    inside = scene.opens(scene.bob)
    assert all(inside)
    assert scene.opened_outside() == []
    reach = Reach()
    reach.learn("outside", scene.opened_outside, before.put_back)
    reach.learn("inside", partial(scene.opens, scene.bob), before.put_back)
    for flip in flips(models):
        try:
            if flip.make():
                tried += 1
                seen = looks(scene, inside, next(acts), reach)
                wrong += [f"{flip} | {what}" for what in seen if not is_sealed(flip, what)]
        finally:
            before.put_back()
    assert wrong == []
    assert tried > 20


def is_sealed(flip: Flip, what: str) -> bool:
    """Whether only who holds a key can see it: they are told when they open."""
    return what == LOST and flip.column == "wrapped" and flip.what != "nothing"


def looks(
    scene: Scene, inside: list[bytes | None], act: Callable[[], Any], reach: Reach
) -> Iterator[str]:
    """Yield what is wrong, asking only those for whom the database says something else now."""
    reached = reach.now()
    if "outside" in reached:
        yield from scene.opened_outside()
    seen = scene.opens(scene.bob) if "inside" in reached else inside
    if not all(one in (None, other) for one, other in zip(seen, inside, strict=True)):
        yield "bob opened something else"
    if None in seen and not is_found() and not is_mended(scene):
        yield LOST
    if _is_done(act) and "outside" in reach.now() and (found := scene.opened_outside()):
        yield f"after the next act: {found}"


def flips(models: tuple[type[Model], ...]) -> Iterator[Flip]:
    """Yield one change of each column of each row, of all kinds in turn; and nothing in place of
    what may be missing: it takes back an end."""
    all_kinds = chain.from_iterable(flips_of(model, keys_of(model)) for model in models)
    for number, (_, kinds) in enumerate(groupby(all_kinds, lambda one: (one.key, one.column))):
        several = [*kinds]
        one = several[7 * number % len(several)]
        yield from {one, *(flip for flip in several if flip.what == "nothing")}


def is_mended(scene: Scene) -> bool:
    """Whether the owner's next page gave it again, or bob's own names the key that only he can look
    at."""
    comes(scene.alice)
    look_over_own_keys(scene.bob.keyring)
    damaged = AuditEntry.objects.filter(event=Event.WRAPPED_KEY_DAMAGED)
    return None not in scene.opens(scene.bob) or damaged.exists()


def is_found() -> bool:
    sweep = Sweep(reads_bytes=False, progress=lambda images: None)
    return any(True for _ in sweep.run())


def _opened(person: Person, image: SealedImage) -> bytes | None:
    try:
        return opened(person, image)
    except REFUSED:
        return None


def _is_done(act: Callable[[], Any]) -> bool:
    try:
        act()
    except REFUSED:
        return False
    return True
