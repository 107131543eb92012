"""Filling an empty installation: three people, their images, the shares between them, and staff."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.custody import Keyring
from accounts.keys.recipients import find_people
from accounts.models import User
from accounts.services.people.registration import register
from accounts.services.ways_back.recovery import confirm_recovery_code, make_recovery_code
from gallery.models import Grant, SealedImage
from gallery.services.batches import Batch, Wishes, upload_all
from gallery.services.revoking import revoke
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
    # One access that has ended, so that its receipt and its notice can be seen.
    ben = User.objects.get(username="ben")
    revoke(keyring=keyrings["ana"], image_id=sealed[1].pk, recipient=ben)
    staff = Account(STAFF, _password())
    User.objects.create_superuser(STAFF, staff.password, display_name="Staff")
    return [*accounts, staff]


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
