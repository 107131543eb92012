"""Filling an empty installation: three people, their images and albums, a team, what they shared,
opened and confirmed, an invitation, and staff."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.custody import Keyring
from accounts.keys.recipients import find_people
from accounts.models import User
from accounts.services.people.registration import register
from accounts.services.ways_back.recovery import confirm_recovery_code, make_recovery_code
from gallery.access import access_to
from gallery.invitation_forms import DAYS_OF_A_LINK
from gallery.invitation_keys import Details
from gallery.models import Grant, Rendition, SealedImage
from gallery.releases import record_opening
from gallery.services.acknowledging import acknowledge_image
from gallery.services.batches import Batch, Wishes, upload_all
from gallery.services.circles.making import make_circle
from gallery.services.circles.placing import place_image
from gallery.services.circles.sharing import share_circle
from gallery.services.invitations.making import make_invitation
from gallery.services.revoking import revoke
from gallery.services.sharing import share_image
from gallery.services.teams import TEAM
from gallery.services.uploading import Origin, Terms
from imageshare.demo.pictures import Painted, paint_all

STAFF = "overseer"
CAST = {"ana": "Ana Ruiz", "ben": "Ben Chen", "mira": "Mira Okafor"}
# Whose each picture is, and who may open it, in the order they are painted.
SHARES = [
    ("ana", ["ben"]),
    ("ana", ["ben", "mira"]),
    ("ana", []),
    ("ben", ["ana"]),
    ("ben", ["ana", "mira"]),
    ("mira", ["ana"]),
    ("ben", []),
    ("mira", ["ana", "ben"]),
    ("ana", ["mira"]),
    ("ana", ["mira"]),
    ("mira", ["ana"]),
    ("ben", ["mira"]),
]


# Who opens which of them.
OPENED = [("ben", 0), ("mira", 1), ("mira", 8), ("mira", 9), ("ana", 3), ("ana", 7), ("ben", 7)]


class NotEmpty(Exception):
    """There are people here already: a demonstration must not mix with them."""


@dataclass(frozen=True)
class Account:
    """What somebody needs to sign in. Printed once, kept nowhere."""

    username: str
    password: str = field(repr=False)
    recovery_code: str = field(repr=False, default="")


def fill(tell: Callable[[str], None]) -> list[Account]:
    """Fill an empty installation and return its accounts. Raises NotEmpty."""
    if User.objects.exists():
        raise NotEmpty
    keyrings: dict[str, Keyring] = {}
    accounts = []
    for username in CAST:
        tell(f"Making {username}\u2019s keys \u2026")
        keyrings[username], account = _register(username)
        accounts.append(account)
    tell("Painting and sealing twelve images \u2026")
    sealed = [
        _upload(keyrings[owner], painted, recipients)
        for painted, (owner, recipients) in zip(paint_all(), SHARES, strict=True)
    ]
    tell("Making albums, a team and an invitation \u2026")
    _share_together(keyrings, sealed)
    _use(keyrings, sealed)
    staff = Account(STAFF, _password())
    User.objects.create_superuser(STAFF, staff.password, display_name="Staff")
    return [*accounts, staff]


def _share_together(keyrings: dict[str, Keyring], sealed: list[SealedImage]) -> None:
    """Make two albums, a team, and an invitation that nobody has used yet."""
    ana, mira = keyrings["ana"], keyrings["mira"]
    _album(ana, "A week at the lake", sealed[:3], to=["ben", "mira"])
    _album(mira, "Second opinion", [sealed[7], sealed[10]], to=["ana"])
    team = make_circle(
        keyring=mira,
        title="Imaging desk",
        description="Whoever is on duty",
        members_add=True,
        kind=TEAM,
    )
    for_all = Terms(Grant.Rights.DOWNLOAD.value, None)
    people = find_people(["ana", "ben"], besides=mira.user)
    share_circle(keyring=mira, circle_id=team.pk, recipients=people, terms=for_all, kind=TEAM)
    share_image(keyring=ana, image_id=sealed[8].pk, recipients=[], terms=for_all, teams=[team.pk])
    new = make_invitation(
        keyring=ana,
        details=Details("Dr. Lee", ""),
        spoken_code="",
        lasts=timedelta(days=DAYS_OF_A_LINK),
    )
    share_image(
        keyring=ana,
        image_id=sealed[9].pk,
        recipients=[],
        terms=Terms(Grant.Rights.VIEW.value, timezone.now() + timedelta(days=30)),
        invitations=[new.key],
    )


def _album(owner: Keyring, title: str, images: list[SealedImage], *, to: list[str]) -> None:
    album = make_circle(keyring=owner, title=title, description="", members_add=False)
    for image in images:
        place_image(keyring=owner, circle_id=album.pk, image_id=image.pk)
    people = find_people(to, besides=owner.user)
    terms = Terms(Grant.Rights.DOWNLOAD.value, None)
    share_circle(keyring=owner, circle_id=album.pk, recipients=people, terms=terms)


def _use(keyrings: dict[str, Keyring], sealed: list[SealedImage]) -> None:
    """Let people open some of it, confirm one, and lose one access, so that what their owners are
    shown of that can be seen."""
    for name, number in OPENED:
        access = access_to(sealed[number].pk, reader=keyrings[name].user)
        record_opening(access, Rendition.Name.DESCRIPTION)
    acknowledge_image(keyring=keyrings["mira"], image_id=sealed[9].pk)
    ben = User.objects.get(username="ben")
    revoke(keyring=keyrings["ana"], image_id=sealed[1].pk, recipient=ben)


def _register(username: str) -> tuple[Keyring, Account]:
    password = _password()
    keyring = register(username=username, display_name=CAST[username], email="", password=password)
    new = make_recovery_code(keyring=keyring)
    first, second = (new.groups[n - 1] for n in (new.confirm_first, new.confirm_second))
    confirm_recovery_code(keyring=keyring, first=first, second=second)
    return keyring, Account(username, password, "-".join(new.groups))


def _password() -> str:
    return f"demo-{secrets.token_urlsafe(9)}"


def _upload(keyring: Keyring, painted: Painted, recipients: list[str]) -> SealedImage:
    wishes = Wishes(
        recipients=find_people(recipients, besides=keyring.user),
        terms=Terms(Grant.Rights.DOWNLOAD.value, None),
        caption=painted.caption,
        keep_details=False,
        origin=Origin(None, None),
    )
    file = SimpleUploadedFile(painted.file_name, painted.jpeg, "image/jpeg")
    batch: Batch = upload_all(keyring=keyring, files=[file], wishes=wishes)
    return batch.images[0]
