"""After each act that ends an access, older genuine rows are put back: those of each kind alone, of
any two kinds, and all of them, with the stored bytes of then.

Signatures, keys and digests of then are all in order; only the trail knows that they are not the
newest. Nobody opens what they no longer may: not at once, not after the owner's next page, not
after the owner's next act. `FLIP_ALL=1` tries every pair; otherwise each kind, and some pairs.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from accounts.models import User
from accounts.services.people.oversight import disable_person, enable_person
from cryptocore.errors import CryptoError
from gallery.access import access_to, membership_of
from gallery.circle_keys import CircleOpener
from gallery.errors import GalleryError
from gallery.models import Circle, Grant, SealedImage
from gallery.opening import Opener
from gallery.services.circles.deleting import delete_circle
from gallery.services.circles.making import make_circle
from gallery.services.circles.rekeying import end_invited_member, revoke_member, revoke_team
from gallery.services.circles.sharing import share_circle
from gallery.services.deleting import delete_image
from gallery.services.invitations.taking_back import take_back
from gallery.services.revoking import end_invited
from gallery.services.successors import keep_for_successors, remove_successor
from gallery.services.taking_over import take_over
from gallery.services.taking_over_circles import take_over_circle
from gallery.services.uploading import Terms
from gallery.verification.sweep import Sweep
from tests.conftest import PASSWORD, Person
from tests.gallery.albums.conftest import DOWNLOAD, Album
from tests.gallery.invitations.conftest import invite
from tests.gallery.invitations.test_albums import carry as carry_album
from tests.gallery.successors.conftest import name as name_successor
from tests.gallery.teams.conftest import TEAM, Team, comes, shared_with_team
from tests.rows.acts import new_client
from tests.rows.flips import Snapshot
from tests.rows.older import Older, subsets
from tests.rows.world import JSON, sent

__all__ = ["invite"]
ALL = bool(os.environ.get("FLIP_ALL"))
PAIRS = 1 if ALL else 6  # one of so many is tried


@dataclass
class Scene:
    """alice owns; what bob can open is taken from him; dave is whom alice shares with next. carol
    is a successor of hers, so there is a key for successors of everything."""

    alice: Person
    bob: Person
    carol: Person
    dave: Person
    upload: Callable[..., SealedImage]
    invite: Callable[..., Any]
    opens: list[Callable[[], bool]] = field(default_factory=list)
    links: list[Callable[[], bool]] = field(default_factory=list)  # using one up, if they open
    subjects: list[str] = field(default_factory=list)  # the addresses of what is shared next

    def album(self, *members: Person, images: int = 1) -> tuple[Album, list[SealedImage]]:
        about = {"title": "Lake", "description": "", "members_add": True}
        album = Album(self.alice, make_circle(keyring=self.alice.keyring, **about))
        placed = [self.upload() for _ in range(images)]
        for image in placed:
            album.place(image)
        if members:
            album.share(*members)
        self.subjects += [f"/albums/{album.pk}/", f"/images/{placed[0].pk}/"]
        return album, placed

    def team(self) -> Team:
        about = {"title": "Desk", "description": "", "members_add": True}
        team = Team(self.alice, make_circle(keyring=self.alice.keyring, **about, kind=TEAM))
        team.add(self.bob)
        self.subjects.append(f"/teams/{team.pk}/")
        return team

    def team_with_all(self) -> tuple[Team, Album, SealedImage, SealedImage]:
        """A team of bob's with an image, and with an album that holds another."""
        team, shared = self.team(), self.upload()
        shared_with_team(team, shared)
        album, (placed,) = self.album()
        share_circle(
            keyring=self.alice.keyring,
            circle_id=album.pk,
            recipients=[],
            terms=DOWNLOAD,
            teams=[team.pk],
        )
        return team, album, shared, placed

    def probe(self, image: SealedImage, name: str = "thumbnail") -> None:
        """Look whether bob opens an image."""
        self.opens.append(lambda: self._is_opened(image, name))

    def _is_opened(self, image: SealedImage, name: str) -> bool:
        try:
            access = access_to(image.pk, reader=self.bob.user)
            if name == "original":
                access.require(Grant.Rights.DOWNLOAD)
            return bool(Opener(self.bob.keyring).open(access, name).plaintext())
        except (GalleryError, CryptoError):
            return False

    def probe_taking_over(self, *things: SealedImage | Circle, after: Circle | None = None) -> None:
        """Look whether bob takes one of these over, once alice is disabled; `after` one that he
        may."""

        def takes_over() -> bool:
            staff = User.objects.get(username="overseer")
            about = {"person": self.alice.user, "by": staff, "reason": "gone"}
            disable_person(**about)
            if after is not None:
                is_taken_over(self.bob, after)
            taken = any(is_taken_over(self.bob, thing) for thing in things)
            enable_person(**about)
            self.alice.sign_in()
            return taken

        self.links.append(takes_over)

    def probe_link(self, new: Any, *images: SealedImage) -> None:
        """Look whether the link makes an account, which opens one of these if there are any."""

        def opens() -> bool:
            client = new_client()
            form = {"username": "lee", "display_name": "Lee"}
            form |= {"password1": PASSWORD, "password2": PASSWORD}
            answer = client.post(f"/invitations/{new.token}/", form, headers=JSON)
            assert answer.status_code in (201, 404, 409, 410), answer.content
            if answer.status_code != 201 or not images:
                return bool(answer.status_code == 201)
            places = [f"/images/{image.pk}/original" for image in images]
            return any(client.get(place).status_code == 200 for place in places)

        self.links.append(opens)

    @property
    def was_opened(self) -> bool:
        return any(look() for look in (*self.opens, *self.links))


@pytest.fixture
def scene(alice, bob, carol, make_person, upload, invite, staff) -> Scene:
    dave = make_person("dave")
    for person in (alice, bob, dave):
        person.sign_in().raise_request_exception = False
    name_successor(alice, carol)
    return Scene(alice, bob, carol, dave, upload, invite)


# ---- what ends an access: everything before the yield is the older state ----------------------


def share_ended(scene: Scene) -> Iterator[None]:
    image = scene.upload(to=(scene.bob,))
    scene.subjects.append(f"/images/{image.pk}/")
    scene.probe(image)
    yield
    post(scene, f"/images/{image.pk}/revoke/", recipient="bob")


def many_shares_ended(scene: Scene) -> Iterator[None]:
    images = [scene.upload(to=(scene.bob,)) for _ in range(2)]
    scene.subjects.append(f"/images/{images[0].pk}/")
    for image in images:
        scene.probe(image)
    yield
    form = {"images": [image.pk for image in images], "recipients": ["bob"], "confirmed": "1"}
    post(scene, "/images/selected/revoke/", **form)


def right_lowered(scene: Scene) -> Iterator[None]:
    image = scene.upload(to=(scene.bob,))
    scene.subjects.append(f"/images/{image.pk}/")
    scene.probe(image, "original")
    yield
    post(scene, f"/images/{image.pk}/share/", recipients="bob", rights="view")


def image_deleted(scene: Scene) -> Iterator[None]:
    image = scene.upload(to=(scene.bob,))
    scene.probe(image)
    yield
    delete_image(keyring=scene.alice.keyring, image_id=image.pk)


def taken_out_of_an_album(scene: Scene) -> Iterator[None]:
    album, (image,) = scene.album(scene.bob)
    scene.probe(image)
    yield
    revoke_member(keyring=scene.alice.keyring, circle_id=album.pk, recipient=scene.bob.user)


def image_out_of_an_album(scene: Scene) -> Iterator[None]:
    album, (image, _) = scene.album(scene.bob, images=2)
    scene.probe(image)
    yield
    post(scene, f"/albums/{album.pk}/remove/", images=image.pk)


def right_in_an_album_lowered(scene: Scene) -> Iterator[None]:
    album, (image,) = scene.album(scene.bob)
    scene.probe(image, "original")
    yield
    album.share(scene.bob, terms=Terms("view", None))


def album_deleted(scene: Scene) -> Iterator[None]:
    album, (image,) = scene.album(scene.bob)
    scene.probe(image)
    yield
    delete_circle(keyring=scene.alice.keyring, circle_id=album.pk)


def taken_out_of_a_team(scene: Scene) -> Iterator[None]:
    team, _, shared, placed = scene.team_with_all()
    scene.probe(shared)
    scene.probe(placed)
    yield
    team.take_out(scene.bob)


def team_left(scene: Scene) -> Iterator[None]:
    """Leaving is not signed: what is put back before the owner's next page opens until then."""
    team, _, shared, placed = scene.team_with_all()
    scene.probe(shared)
    scene.probe(placed)
    yield
    team.leave(scene.bob)
    comes(scene.alice)


def team_out_of_an_album(scene: Scene) -> Iterator[None]:
    team, album, _, placed = scene.team_with_all()
    scene.probe(placed)
    yield
    revoke_team(keyring=scene.alice.keyring, album_id=album.pk, team_id=team.pk)


def share_with_a_team_ended(scene: Scene) -> Iterator[None]:
    team, _, shared, _ = scene.team_with_all()
    scene.probe(shared)
    yield
    post(scene, f"/images/{shared.pk}/revoke/", team=team.pk)


def team_deleted(scene: Scene) -> Iterator[None]:
    team, _, shared, placed = scene.team_with_all()
    scene.probe(shared)
    scene.probe(placed)
    yield
    delete_circle(keyring=scene.alice.keyring, circle_id=team.pk, kind=TEAM)


def invitation_taken_back(scene: Scene) -> Iterator[None]:
    image = scene.upload()
    new = scene.invite(image)
    scene.subjects.append(f"/images/{image.pk}/")
    scene.probe_link(new)
    yield
    take_back(invitation=new.invitation, by=scene.alice.user)


def invitation_used(scene: Scene) -> Iterator[None]:
    image = scene.upload()
    new = scene.invite(image)
    scene.subjects.append(f"/images/{image.pk}/")
    scene.probe_link(new)
    yield
    form = {"username": "moss", "display_name": "Moss"}
    form |= {"password1": PASSWORD, "password2": PASSWORD}
    answer = new_client().post(f"/invitations/{new.token}/", form, headers=JSON)
    assert answer.status_code == 201, answer.content


def image_of_an_invitation_ended(scene: Scene) -> Iterator[None]:
    image, kept = scene.upload(), scene.upload()
    new = scene.invite(image, kept)
    scene.subjects.append(f"/images/{image.pk}/")
    scene.probe_link(new, image)
    yield
    act = {"keyring": scene.alice.keyring, "image_id": image.pk}
    end_invited(**act, invitation=new.invitation)


def album_of_an_invitation_ended(scene: Scene) -> Iterator[None]:
    album, (image,) = scene.album()
    new = scene.invite(scene.upload())
    carry_album(album, new)
    scene.probe_link(new, image)
    yield
    act = {"keyring": scene.alice.keyring, "circle_id": album.pk}
    end_invited_member(**act, invitation=new.invitation)


def successor_removed(scene: Scene) -> Iterator[None]:
    album, (image,) = scene.album()
    name_successor(scene.alice, scene.bob)
    scene.probe_taking_over(image, album.circle)
    yield
    remove_successor(keyring=scene.alice.keyring, person=scene.bob.user)
    comes(scene.alice)


def successors_removed(scene: Scene) -> Iterator[None]:
    album, (image,) = scene.album()
    name_successor(scene.alice, scene.bob)
    scene.probe_taking_over(image, album.circle)
    yield
    for person in (scene.carol, scene.bob):
        remove_successor(keyring=scene.alice.keyring, person=person.user)


def successor_of_an_album_removed(scene: Scene) -> Iterator[None]:
    album, (image,) = scene.album()
    for person in (scene.dave, scene.bob):
        name_successor(scene.alice, person, album=album.circle)
    scene.probe_taking_over(album.circle, image)
    yield
    about = {"keyring": scene.alice.keyring, "album_id": album.pk}
    remove_successor(**about, person=scene.bob.user)
    comes(scene.alice)


def successors_of_an_album_removed(scene: Scene) -> Iterator[None]:
    album, (image,) = scene.album()
    name_successor(scene.alice, scene.bob, album=album.circle)
    scene.probe_taking_over(album.circle, image)
    yield
    about = {"keyring": scene.alice.keyring, "album_id": album.pk}
    remove_successor(**about, person=scene.bob.user)


def image_out_of_an_album_with_successors(scene: Scene) -> Iterator[None]:
    """Bob may take over the album still, and what is in it, but for the one image."""
    album, (image, _) = scene.album(images=2)
    name_successor(scene.alice, scene.bob, album=album.circle)
    scene.probe_taking_over(image, after=album.circle)
    yield
    post(scene, f"/albums/{album.pk}/remove/", images=image.pk)
    comes(scene.alice)


def album_with_successors_deleted(scene: Scene) -> Iterator[None]:
    album, (image,) = scene.album()
    name_successor(scene.alice, scene.bob, album=album.circle)
    scene.probe_taking_over(album.circle, image)
    yield
    delete_circle(keyring=scene.alice.keyring, circle_id=album.pk)


def album_with_successors_taken_over(scene: Scene) -> Iterator[None]:
    """By carol, who is a successor for everything: bob, for the album alone, comes too late."""
    album, (image,) = scene.album()
    name_successor(scene.alice, scene.bob, album=album.circle)
    keep_for_successors(scene.alice.keyring)
    scene.probe_taking_over(album.circle, image)
    yield
    staff = User.objects.get(username="overseer")
    about = {"person": scene.alice.user, "by": staff, "reason": "gone"}
    disable_person(**about)
    for thing in (album.circle, image):
        assert is_taken_over(scene.carol, thing)
    enable_person(**about)
    scene.alice.sign_in()
    comes(scene.alice)


def taken_over(scene: Scene) -> Iterator[None]:
    """Bob owned it; carol took it over."""
    name_successor(scene.bob, scene.carol)
    image = sent(scene.bob, scene.dave, "gold")
    album = make_circle(keyring=scene.bob.keyring, title="x", description="", members_add=False)
    keep_for_successors(scene.bob.keyring)
    scene.probe(image)
    scene.opens.append(lambda: is_member(scene.bob, album))
    yield
    staff = User.objects.get(username="overseer")
    about = {"person": scene.bob.user, "by": staff, "reason": "gone"}
    disable_person(**about)
    for thing in (album, image):
        assert is_taken_over(scene.carol, thing)
    enable_person(**about)


ACTS = [
    *(share_ended, many_shares_ended, right_lowered, image_deleted),
    *(taken_out_of_an_album, image_out_of_an_album, right_in_an_album_lowered, album_deleted),
    *(taken_out_of_a_team, team_left, team_out_of_an_album, share_with_a_team_ended, team_deleted),
    *(invitation_taken_back, invitation_used),
    *(image_of_an_invitation_ended, album_of_an_invitation_ended),
    *(successor_removed, successors_removed, taken_over),
    *(successor_of_an_album_removed, successors_of_an_album_removed),
    *(image_out_of_an_album_with_successors, album_with_successors_deleted),
    album_with_successors_taken_over,
]


def is_taken_over(person: Person, thing: SealedImage | Circle) -> bool:
    try:
        if isinstance(thing, Circle):
            take_over_circle(keyring=person.keyring, circle_id=thing.pk)
        else:
            take_over(keyring=person.keyring, image_id=thing.pk)
    except (GalleryError, CryptoError):
        return False
    return True


def is_member(person: Person, circle: Circle) -> bool:
    try:
        member = membership_of(circle.pk, reader=person.user, kind=None)
        return bool(CircleOpener(person.keyring).details(member))
    except (GalleryError, CryptoError):
        return False


def post(scene: Scene, address: str, **form: Any) -> None:
    answer = scene.alice.client.post(address, form, headers=JSON)
    assert answer.status_code == 200, answer.content


# ---- putting back ----------------------------------------------------------------------------


@pytest.mark.attack("F162")
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_no_older_rows_bring_an_access_back(scene, act, emptied_storage, capsys):
    tried, found, opened = 0, 0, []
    for pieces in put_back_after(act(scene), scene):
        tried += 1
        found += is_found()
        opened += [(when, names(pieces)) for when in looks(scene)]
    with capsys.disabled():
        print(f"\n{act.__name__}: put back {tried}, found {found}, opened {len(opened)}")
    assert opened == []
    assert tried >= 2


def put_back_after(act: Iterator[None], scene: Scene) -> Iterator[tuple]:
    """Let the act happen, and yield each time other rows were put back."""
    next(act)
    assert all(look() for look in scene.opens)
    keep_for_successors(scene.alice.keyring)
    before = Older()
    next(act, None)
    now, tried = Snapshot(), subsets(before.changed())
    for number, pieces in enumerate(tried):
        if len(pieces) == 2 and number % PAIRS:
            continue
        if before.put_back(pieces):
            before.put_files_back()
            yield pieces
        now.restore()


def looks(scene: Scene) -> Iterator[str]:
    """Yield when something was opened: at once, after the owner's next page, or their next act."""
    if scene.was_opened:
        yield "at once"
    comes(scene.alice)
    if scene.was_opened:
        yield "after the next page"
    for subject in scene.subjects:
        form = {"recipients": "dave"}
        answer = scene.alice.client.post(f"{subject}share/", form, headers=JSON)
        assert answer.status_code < 500, answer.content
    if scene.was_opened:
        yield "after the next act"


def is_found() -> bool:
    sweep = Sweep(reads_bytes=False, progress=lambda images: None)
    return any(True for _ in sweep.run())


def names(pieces: tuple) -> str:
    return " + ".join(kind or model.__name__ for model, kind in pieces)
