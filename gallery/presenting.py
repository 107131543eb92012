"""What pages and JSON say of images: facts from verified statements and opened descriptions."""

import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.keys.names import certified_name, prefetch_names
from accounts.models import User
from gallery.access import Access, Through, access_to, asked_about
from gallery.acknowledgements import Acknowledged, acknowledged_by
from gallery.day_words import day_of, end_said, ends_soon, said, written
from gallery.errors import (
    AccessEnded,
    Altered,
    GalleryError,
    NotYours,
    OtherSigner,
    Suspended,
    Waiting,
)
from gallery.heads import Body
from gallery.ledger import Ledger
from gallery.models import Grant, InvitedGrant
from gallery.opening import Opener, settled
from gallery.readers import readers_as_signed
from gallery.services.invitations import listing
from gallery.shapes import shape_of
from gallery.signers import Standing
from gallery.storage import StorageAway
from gallery.verdicts import verdict_of

AVATAR_CLASSES = 8
SAVED_CHARACTERS = 80  # of a caption, in the name of a saved file


@dataclass(frozen=True)
class Card:
    """One image in a list."""

    id: uuid.UUID
    url: str
    thumbnail_url: str
    owner_name: str
    owner_username: str | None
    shared_at: datetime
    ends_at: datetime | None
    rights: str
    recipient_count: int
    state: str = "locked"
    caption: str = ""
    alt_text: str = ""
    name: str = ""
    width: int | None = None
    height: int | None = None
    is_new: bool = False
    is_placed: bool = False
    # For its owner: how many of those it is shared with opened it, and whose access ends first.
    opened_count: int | None = None
    next_end: datetime | None = None

    @property
    def shape(self) -> str:
        return shape_of(self.width, self.height)

    @property
    def day(self) -> str:
        return said(day_of(self.shared_at))

    @property
    def ends(self) -> str:
        """When an access ends, if that is soon."""
        end = self.ends_at or self.next_end
        return end_said(end) if end and ends_soon(end) else ""

    @property
    def is_draft(self) -> bool:
        return self.recipient_count == 0 and not self.is_placed

    @property
    def is_open(self) -> bool:
        """Whether the picture may be looked at, be it called verified or not."""
        return self.state in set(Standing)

    @property
    def alt(self) -> str:
        """What stands for the picture where it is not seen."""
        day = written(self.shared_at, "MONTH_DAY_FORMAT")
        words = _("Image from %(owner)s, %(day)s, no description")
        return self.alt_text or self.caption or words % {"owner": self.owner_name, "day": day}


@dataclass(frozen=True)
class Person:
    """Somebody beside an image, for a chip or a row; no username where none is verified."""

    id: uuid.UUID
    username: str | None
    display_name: str
    initials: str
    avatar_class: int


def address(name: str, about: uuid.UUID) -> str:
    """Return an address of one image, or of one album."""
    return reverse(f"gallery:{name}", args=[about])


def cards(
    accesses: Iterable[Access],
    opener: Opener | None,
    *,
    new: Collection[uuid.UUID] = (),
    opened: Mapping[uuid.UUID, int] | None = None,
) -> list[Card]:
    """Return a card per image; without an opener, as while locked, only what is not content.

    `new`: the images to mark as new; `opened`: how many readers opened each, where that is known.
    """
    accesses = list(accesses)
    prefetch_names(access.image.owner for access in accesses)
    if opener:
        opener.prepare(asked_about(accesses))
    shown = []
    for access in accesses:
        owner = certified_name(access.image.owner)
        card = Card(
            id=access.image.pk,
            url=address("image", access.image.pk),
            thumbnail_url=address("thumbnail", access.image.pk),
            owner_name=owner.display_name,
            owner_username=owner.username,
            shared_at=access.granted_at,
            ends_at=access.ends_at,
            rights=access.rights,
            recipient_count=getattr(access.rows[0], "recipient_count", 1),
            is_new=access.image.pk in new,
            is_placed=getattr(access.rows[0], "is_placed", False),
            opened_count=opened.get(access.image.pk, 0) if opened is not None else None,
            next_end=getattr(access.rows[0], "next_end", None) if access.is_owner else None,
            **(_opened_facts(access, opener) if opener else {}),
        )
        shown.append(card)
    return shown


def _opened_facts(access: Access, opener: Opener) -> dict[str, Any]:
    """Return what an image's description adds to its card; no trouble of one keeps the others."""
    try:
        description = settled(opener, access, opener.description)
        signer = opener.signer_of(access.image)
    except Altered:
        return {"state": "altered"}
    except OtherSigner:
        return {"state": "other-signer"}
    except Waiting:
        return {"state": "waiting"}
    except Suspended:
        return {"state": "suspended"}
    except (AccessEnded, NotYours, StorageAway):
        return {"state": "away"}
    return {
        "state": signer.standing.value,
        "caption": description["caption"],
        "alt_text": description.get("alt_text", ""),
        "name": shown_name(description, access),
        "width": description["width"],
        "height": description["height"],
    }


def shown_name(description: Body, access: Access) -> str:
    """The file name for its owner; a neutral one for recipients, since names can give people
    away."""
    if access.is_owner:
        return str(description["file_name"])
    return neutral_name("image/" + description["format"].lower(), access.image.pk)


def neutral_name(media_type: str, image_id: uuid.UUID) -> str:
    return f"image-{str(image_id)[:8]}{ending_of(media_type)}"


def ending_of(media_type: str) -> str:
    return "." + media_type.removeprefix("image/").replace("jpeg", "jpg")


def saved_name(opener: Opener, access: Access, media_type: str, *, own: bool = False) -> str:
    """Return under what name an original is saved: its caption, in letters, digits and hyphens
    alone, and its number in two digits or more, so that names sort. Without a caption a neutral
    one; `own`: for its owner the file name, which may hold anything. Raises as Opener.open."""
    description = opener.description(access)
    words = slugify(description["caption"], allow_unicode=True)[:SAVED_CHARACTERS].strip("-")
    if stem := re.sub(r"(?<!\d)\d$", lambda number: f"0{number[0]}", words):
        return f"{stem}{ending_of(media_type)}"
    if own and access.is_owner:
        return str(description["file_name"])
    return neutral_name(media_type, access.image.pk)


def disposition(name: str | None) -> str:
    """Return Content-Disposition (RFC 6266): with a name it is saved, without one shown."""
    return str(content_disposition_header(True, name)) if name else "inline"


def card_json(card: Card) -> dict[str, Any]:
    return {
        "id": str(card.id),
        "url": card.url,
        "owner": {"username": card.owner_username, "display_name": card.owner_name},
        "shared_at": card.shared_at,
        "ends_at": card.ends_at,
        "rights": card.rights,
        "state": card.state,
        "caption": card.caption,
        "alt_text": card.alt_text,
        "name": card.name,
        "width": card.width,
        "height": card.height,
        "recipients": card.recipient_count,
        "opened": card.opened_count,
        "new": card.is_new,
    }


def named(user: User) -> str:
    """Return whose act this is, by both names."""
    return certified_name(user).in_full


def person_of(user: User) -> Person:
    name = certified_name(user)
    words = name.display_name.split() if name.is_certified else ["?"]
    initials = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
    avatar_class = user.pk.int % AVATAR_CLASSES + 1
    return Person(user.pk, name.username, name.display_name, initials, avatar_class)


def people_to_choose(contacts: Iterable[Person], chosen: list[str]) -> dict[str, Any]:
    """Return the contacts, each ticked or not, and the names to show typed: one empty at least."""
    contacts = list(contacts)
    known = {contact.username for contact in contacts}
    typed = [name for name in chosen if name.strip() and name not in known]
    ticked = [(contact, contact.username in chosen) for contact in contacts]
    return {"contacts": ticked, "typed": [*typed, ""]}


# ---- the image page --------------------------------------------------------------------------


def image_context(access: Access, opener: Opener) -> dict[str, Any]:
    """Return what the image page shows: to its owner also who can open it.

    Raises Altered, OtherSigner or Waiting.
    """
    description, manifest = opener.description(access), opener.manifest(access.image)
    signer = opener.signer_of(access.image)
    context: dict[str, Any] = {
        "image": _image_facts(access, description),
        "shape": shape_of(description["width"], description["height"]),
        "verdict": verdict_of(signer, access.image.owner, manifest),
        "is_owner": access.is_owner,
        "rights": access.rights,
        "ends_at": access.ends_at,
        "keep_until": access.image.keep_until,
        "album_url": _album_of(access),
        "owner": signer.name,
        "sealed_by": opener.sealed_by(access.image),
    }
    acknowledged = acknowledged_by(access.image)
    if not access.is_owner:
        context["acknowledged"] = acknowledged.get(access.reader.pk)
    else:
        readers, ledger = readers_as_signed(access.image, opener), Ledger(access.image.pk)
        prefetch_names(grant.reader for grant in readers.signed)
        others = [grant for grant in readers.signed if grant.reader_id != access.image.owner_id]
        context["rows"] = [
            {**_row(grant, ledger), "acknowledged": acknowledged.get(grant.reader_id)}
            for grant in others
        ]
        context["invited"] = _invited_rows(readers.invited, opener)
        context["list_altered"] = bool(readers.unsigned)
        context["placed"] = readers.placed
    return context


def _album_of(access: Access) -> str | None:
    """Return the address of the album through which somebody opens an image."""
    if isinstance(access.way, Through):
        return address("album", access.way.member.circle_id)
    return None


def _image_facts(access: Access, description: Body) -> dict[str, Any]:
    image_id = access.image.pk
    urls = {f"{name}_url": address(name, image_id) for name in ("preview", "original", "thumbnail")}
    return {
        **urls,
        "id": image_id,
        "url": address("image", image_id),
        "name": shown_name(description, access),
        "caption": description["caption"],
        "alt_text": description.get("alt_text", ""),
        "width": description["width"],
        "height": description["height"],
        "format": description["format"],
        "size_bytes": description["size"],
        "sealed_at": access.image.sealed_at,
        "removed": removed_in_words(description["removed"]),
    }


def acknowledged_json(acknowledged: Acknowledged | None) -> dict[str, Any] | None:
    if acknowledged is None:
        return None
    return {"state": acknowledged.state.value, "at": acknowledged.at}


def removed_in_words(codes: Iterable[str]) -> list[str]:
    """Return what was removed from a file, in words for its owner."""
    sentences = {
        "location": _("location"),
        "camera": _("camera and device details"),
        "xmp": _("editing details (XMP)"),
        "iptc": _("caption details (IPTC)"),
        "comments": _("comments"),
        "thumbnail": _("an embedded small picture"),
        "time": _("time of the last change"),
        "other-pictures": _("further pictures in the file"),
        "video": _("a video in the file"),
        "content-credentials": _("content credentials (C2PA)"),
        "profile-details": _("names and dates in the colour profile"),
        "profile": _("a colour profile that cannot be read"),
        "trailing-bytes": _("bytes after the end of the image"),
        "faults": _("faults in the file’s structure (mended; the picture is unchanged)"),
        "other": _("other data that is not part of the image"),
    }
    return [sentences.get(code, code) for code in codes]


def _row(grant: Grant, ledger: Ledger) -> dict[str, Any]:
    """Return one person who can open an image, and what the trail says they did with it."""
    doings = ledger.of(grant.reader_id)
    return {
        **asdict(person_of(grant.reader)),
        "rights": grant.rights,
        "ends_at": grant.ends_at,
        "granted_at": grant.granted_at,
        "waiting": grant.wrapped_key is None,
        "last_opened": doings.last_opened,
        "opened_count": None if ledger.away else doings.opened,
        "downloaded_count": None if ledger.away else doings.downloaded,
    }


def _invited_rows(rows: list[InvitedGrant], opener: Opener) -> list[dict[str, Any]]:
    """Return who can open an image once they use the link they were sent. No name if the invitation
    is not as it was recorded, or the owner's keys do not open it."""
    shown = listing.shown([row.invitation for row in rows], opener)
    return [
        {
            "invitation": row.invitation_id,
            "display_name": one.details.display_name if one.details else None,
            "rights": row.rights,
            "ends_at": row.ends_at,
            "link_ends_at": row.invitation.ends_at,
        }
        for row, one in zip(rows, shown, strict=True)
    ]


def receipt_json(grant: Grant, ledger: Ledger) -> dict[str, Any]:
    """Return the receipt of a revoked access; what the trail cannot say now is None."""
    doings = ledger.of(grant.reader_id)
    return {
        "recipient": certified_name(grant.reader).username,
        "ended_at": grant.ended_at,
        "opened": None if ledger.away else doings.opened,
        "downloaded": None if ledger.away else doings.downloaded,
        "still_has_access": _can_still_open(grant),
    }


def _can_still_open(ended: Grant) -> bool:
    """Whether somebody has another way to an image, through an album or a team, than the one that
    was ended: whoever ended it is not to believe that they were shut out."""
    with suppress(GalleryError):
        access_to(ended.image_id, reader=ended.reader)
        return True
    return False


def receipt_sentence(grant: Grant, ledger: Ledger) -> str:
    name, doings = str(certified_name(grant.reader)), ledger.of(grant.reader_id)
    ended = _("%(name)s can no longer open this image.") % {"name": name}
    if _can_still_open(grant):
        ended = _(
            "The access you gave %(name)s has ended. They can still open this image through an "
            "album or a team that it is shared with."
        ) % {"name": name}
    if ledger.away:
        return ended
    before = ngettext("opened once", "opened %(count)s times", doings.opened)
    if not doings.opened:
        before = _("never opened")
    facts = {"before": before % {"count": doings.opened}, "downloads": doings.downloaded}
    return f"{ended} " + _("Before that: %(before)s, downloaded %(downloads)s×.") % facts
