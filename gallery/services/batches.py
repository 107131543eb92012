"""Several files in one upload: the good ones are kept, each bad one is named."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.core.files.uploadedfile import UploadedFile
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.folding import record_refusal_of
from accounts.keys.certificates import NoKeys
from accounts.keys.pins import contacts_of
from accounts.keys.recipients import Reader, ReaderKey, reader_of
from accounts.throttle import Throttled
from audit.events import Event
from gallery.circle_keys import CircleOpener
from gallery.errors import (
    PART_AWAY,
    AccessEnded,
    Altered,
    HeadMoved,
    NotAllowed,
    NotYours,
    OtherSigner,
    OverQuota,
    OwnKeyRefused,
    StoredBefore,
    UploadIdUsed,
    Waiting,
)
from gallery.invitation_keys import InvitationKey
from gallery.models import SealedImage
from gallery.pictures import Picture, PictureRejected
from gallery.rejections import (
    over_quota_sentence,
    part_away_sentence,
    sentence_for,
    stored_before_sentence,
    too_much_this_hour_sentence,
    upload_id_used_sentence,
)
from gallery.sealing import Received, own_signing_pair
from gallery.services.acts import starting_anew
from gallery.services.retrying import Asked, seal_once
from gallery.services.taking_in import limits, pictures_of
from gallery.services.teams import team_to_share_with
from gallery.services.uploading import Origin, Terms, upload_image

# What no later file of the batch escapes either, and none before it suffered.
KEYS_CHANGED = (NoKeys, OwnKeyRefused, HeadMoved)
TEAM_REFUSED = (NotYours, NotAllowed, AccessEnded, Altered, OtherSigner, Waiting)
MAX_NAME_CHARACTERS = 200


@dataclass
class Batch:
    """What became of an upload, by the position of each file in it."""

    images: dict[int, SealedImage] = field(default_factory=dict)
    removed: dict[int, tuple[str, ...]] = field(default_factory=dict)
    errors: dict[int, list[dict[str, str]]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def refuse(self, index: int, code: str, message: str) -> None:
        self.errors[index] = [{"code": code, "message": message}]


@dataclass(frozen=True)
class Wishes:
    """What the owner asked for, for all files of one request; `origin`: where in the upload its
    first one stands."""

    recipients: list[Reader]
    terms: Terms
    caption: str
    keep_details: bool
    origin: Origin
    keep_until: datetime | None = None
    invitations: list[InvitationKey] = field(default_factory=list)
    # With whose later members, too, the images are shared.
    teams: tuple[uuid.UUID, ...] = ()
    album: uuid.UUID | None = None  # into which the images are put next
    count: int = 1  # of the files of the whole upload

    def caption_of(self, index: int) -> str:
        """Return the caption of a file in its place: of several, each has its number."""
        if not self.caption or self.count == 1:
            return self.caption
        return f"{self.caption} ({index + 1})"


@sensitive_variables()
def upload_all(
    *, keyring: Keyring, files: Iterable["UploadedFile[bytes]"], wishes: Wishes
) -> Batch:
    """Seal every file that is an image we accept; name each of the others, with the reason.

    Before the first file: raises OwnKeyRefused, and KeyChanged or ContactsRefused as the owner's
    compared contacts ask. Where no file at all was stored: raises what kept the last one out, which
    is one of PART_AWAY, KEYS_CHANGED or TEAM_REFUSED.
    """
    own_signing_pair(keyring)
    if wishes.recipients:
        contacts_of(keyring).require_unchanged(wishes.recipients)
    own_key = reader_of(keyring.user).key
    if own_key is None:  # their theft was ordered just now
        raise OwnKeyRefused
    keyring.prove(own_key.pair)  # certified is not enough when you wrap to yourself
    batch, away = Batch(), None
    pictures = pictures_of(keyring.user, files, keep_details=wishes.keep_details)
    for index, coming in enumerate(pictures):
        name = batch.names[index] = clean_name(coming.file.name or "")
        refuse = partial(_refuse, keyring, batch, index)
        try:
            picture = coming.picture()
            _upload_one(keyring, picture, index, own_key, wishes, batch)
            batch.removed[index] = picture.removed
        except PictureRejected as rejection:
            refuse(rejection.code, sentence_for(rejection, name, limits()))
        except Throttled as held:
            refuse("too_much_this_hour", too_much_this_hour_sentence(name, held.wait_seconds))
        except OverQuota as refusal:
            refuse("over_quota", over_quota_sentence(name, refusal))
        except UploadIdUsed:
            refuse("upload_id_used", upload_id_used_sentence(name))
        except StoredBefore:
            refuse("stored_before", stored_before_sentence(name))
        except (*PART_AWAY, *KEYS_CHANGED, *TEAM_REFUSED) as error:
            away = error
            batch.refuse(index, "not_stored", part_away_sentence(name))
        finally:
            coming.file.close()  # each holds its bytes in memory, and there may be a hundred
    if away and not batch.images:
        raise away
    return batch


@sensitive_variables()
def _upload_one(
    keyring: Keyring,
    picture: Picture[Received],
    index: int,
    own_key: ReaderKey,
    wishes: Wishes,
    batch: Batch,
) -> None:
    place = (wishes.origin.index or 0) + index
    origin, caption = Origin(wishes.origin.upload_id, place), wishes.caption_of(place)
    upload = partial(
        upload_image,
        keyring=keyring,
        picture=picture,
        caption=caption,
        file_name=batch.names[index],
        own_key=own_key,
        recipients=wishes.recipients,
        terms=wishes.terms,
        origin=origin,
        keep_until=wishes.keep_until,
        invitations=wishes.invitations,
    )

    def seal() -> SealedImage:
        opener = CircleOpener(keyring)
        teams = [team_to_share_with(one, opener, reader=keyring.user) for one in wishes.teams]
        return upload(teams=teams)

    people = {reader.user.pk for reader in wishes.recipients}
    asked = Asked(
        picture=picture,
        caption=caption,
        file_name=batch.names[index],
        recipients=frozenset(people | {one.invitation.person for one in wishes.invitations}),
        teams=frozenset(wishes.teams),
        terms=wishes.terms,
        keep_until=wishes.keep_until,
        album=wishes.album,
    )
    batch.images[index] = seal_once(
        partial(starting_anew, seal), keyring=keyring, asked=asked, origin=origin
    )


def _refuse(keyring: Keyring, batch: Batch, index: int, code: str, sentence: str) -> None:
    record_refusal_of(keyring.user.pk, Event.IMAGE_UPLOAD_REFUSED, code=code)
    batch.refuse(index, code, sentence)


def clean_name(untrusted_name: str) -> str:
    """Return a file name fit to be shown: no control or direction-changing characters.

    It is only ever shown, never a path: stored bytes have random names.
    """
    shown = "".join(character for character in untrusted_name if character.isprintable())
    return shown.strip()[:MAX_NAME_CHARACTERS] or "image"
