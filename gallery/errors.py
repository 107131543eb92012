"""The refusals of gallery services. The view decides the answer, one for each class."""

from django.db import InterfaceError, OperationalError

from accounts.keys.identities import SignerChange
from accounts.models import User
from accounts.turns import Busy
from audit.events import AuditUnavailable
from gallery.models import Row
from gallery.storage import StorageAway

# What is raised while a part of the server is unavailable: nothing is wrong with any image.
PART_AWAY = (StorageAway, OperationalError, InterfaceError, AuditUnavailable, Busy)


class GalleryError(Exception):
    """Base of what gallery services refuse on purpose."""


class NoRoom(GalleryError):
    """Too many large pictures wait for this reader, or for all readers. Nothing was released."""


class NoStream(GalleryError):
    """A ZIP is on its way to this reader already, or too many are to others. Nothing was
    released."""


class Locked(GalleryError):
    """The person's keys were locked while an answer that takes minutes was on its way."""


class NotYours(GalleryError):
    """No such image for this person: absent, or never theirs. One answer for both."""


class NotAllowed(GalleryError):
    """This person may see the image, but not do this with it."""


class AccessEnded(GalleryError):
    """This person could open the image, or album, once. `grant` says until when, and why it
    ended."""

    def __init__(self, grant: Row) -> None:
        super().__init__("access ended")
        self.grant = grant


class Suspended(GalleryError):
    """Staff have suspended the readers of this owner's images."""

    def __init__(self, owner: User) -> None:
        super().__init__("suspended")
        self.owner = owner


class OwnerActive(GalleryError):
    """A successor asks for something of an owner whom staff have not disabled, as the trail has
    it."""

    def __init__(self, owner: User) -> None:
        super().__init__("owner active")
        self.owner = owner


class TakenBefore(GalleryError):
    """Another successor of its former owner has taken this over."""

    def __init__(self, owner: User) -> None:
        super().__init__("taken over before")
        self.owner = owner


class TakenByYou(GalleryError):
    """This person has taken it over already."""


class NotHandedOver(GalleryError):
    """The successors have no key of this image: its owner was not here after it was sealed."""


class Waiting(GalleryError):
    """This person's access is agreed, but no key of theirs opens the content key now.

    Not wrapped to their key yet, or only to one of the time before their new start. `in_album`: to
    the key of an album, for want of its owner's visit.
    """

    def __init__(self, is_owner: bool, *, in_album: bool = False) -> None:
        super().__init__("waiting")
        self.is_owner = is_owner
        self.in_album = in_album


class Altered(GalleryError):
    """What is stored is not what was signed. `step` goes to the trail, never to a person."""

    def __init__(self, step: str) -> None:
        super().__init__("altered")
        self.step = step


class WouldWait(GalleryError):
    """Encrypting again would leave a reader who has a key now without one."""


class OtherSigner(GalleryError):
    """The signer is not as the reader compared them: another key, or another's name."""

    def __init__(self, owner: User, change: SignerChange) -> None:
        super().__init__("not the compared signer")
        self.owner = owner
        self.change = change


class OwnKeyRefused(GalleryError):
    """This installation does not vouch for this person's signing key: nobody would open what it
    signs."""


class HeadMoved(GalleryError):
    """Another act came between reading and writing; nothing was changed, try again."""


class EditedMeanwhile(GalleryError):
    """The words that the owner was shown are not those of the image any more. Nothing was
    changed."""


class TooManyReaders(GalleryError):
    """More people than one share statement can list."""


class UploadIdUsed(GalleryError):
    """An upload of another or of a since deleted picture went under this id."""


class StoredBefore(GalleryError):
    """An earlier try of this upload stored this picture, for other people or on other terms."""


class OverQuota(GalleryError):
    """There is no room for this image: `left_bytes` of the owner's limit, where it takes more."""

    def __init__(self, left_bytes: int, needed_bytes: int) -> None:
        super().__init__("over quota")
        self.left_bytes = left_bytes
        self.needed_bytes = needed_bytes


class NotARecipient(GalleryError):
    """This person has no access that could be taken back."""


class InvitationGone(GalleryError):
    """This link opens nothing: it never was one, was used or taken back, or has ended. One answer
    for all."""


class WrongCode(GalleryError):
    """This spoken code does not open the invitation. Too many of them end it."""
