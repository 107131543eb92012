"""The lines of the activity page: what somebody did with many images at once is one of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, ngettext

from gallery.day_words import written
from gallery.presenting import address, named
from gallery.services.inbox import NoticeState, ShownNotice
from gallery.services.notices import ALBUMS_SUCCESSORS, NoticeKind

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

ONE: dict[str, dict[NoticeKind, "_StrPromise"]] = {
    "image": {
        NoticeKind.SHARED: gettext_lazy("%(actor)s shared an image with you."),
        NoticeKind.CHANGED: gettext_lazy("%(actor)s changed what you may do with an image."),
        NoticeKind.REVOKED: gettext_lazy("%(actor)s ended your access to an image."),
        NoticeKind.DELETED: gettext_lazy("%(actor)s deleted an image you could open."),
        NoticeKind.OPENED: gettext_lazy("%(actor)s opened your image for the first time."),
        NoticeKind.ACKNOWLEDGED: gettext_lazy(
            "%(actor)s confirmed that they have received an image."
        ),
        NoticeKind.ENDS_SOON: gettext_lazy("Your access to an image of %(actor)s ends on %(day)s."),
        NoticeKind.READERS_END_SOON: gettext_lazy(
            "Access that you gave to an image ends on %(day)s. You can give more time."
        ),
        NoticeKind.KEEP_UNTIL: gettext_lazy(
            "%(actor)s chose that an image you can open is deleted on %(day)s."
        ),
        NoticeKind.TAKEN_OVER: gettext_lazy(
            "%(actor)s took over an image from its owner, whose account was disabled."
        ),
    },
    "album": {
        NoticeKind.SHARED: gettext_lazy("%(actor)s shared an album with you."),
        NoticeKind.CHANGED: gettext_lazy("%(actor)s changed what you may do with an album."),
        NoticeKind.REVOKED: gettext_lazy("%(actor)s ended your access to an album."),
        NoticeKind.DELETED: gettext_lazy("%(actor)s deleted an album you could open."),
        NoticeKind.TAKEN_OVER: gettext_lazy(
            "%(actor)s took over an album from its owner, whose account was disabled."
        ),
    },
    "team": {
        NoticeKind.SHARED: gettext_lazy("%(actor)s added you to a team."),
        NoticeKind.CHANGED: gettext_lazy("%(actor)s changed what you may do in a team."),
        NoticeKind.REVOKED: gettext_lazy("%(actor)s took you out of a team."),
        NoticeKind.DELETED: gettext_lazy("%(actor)s deleted a team you were in."),
        NoticeKind.TAKEN_OVER: gettext_lazy(
            "%(actor)s took over a team from its owner, whose account was disabled."
        ),
    },
    "successors": {
        NoticeKind.SHARED: gettext_lazy(
            "%(actor)s named you as a successor: if staff disable their account, you can take "
            "over their images, albums and teams."
        ),
        NoticeKind.REVOKED: gettext_lazy("%(actor)s no longer names you as a successor."),
        NoticeKind.DELETED: gettext_lazy("%(actor)s no longer names you as a successor."),
        NoticeKind.OWNER_DISABLED: gettext_lazy(
            "Staff disabled the account of %(actor)s. You can take over their images, albums "
            "and teams."
        ),
    },
    ALBUMS_SUCCESSORS: {
        NoticeKind.SHARED: gettext_lazy(
            "%(actor)s named you as a successor for one album: if staff disable their account, you "
            "can take it over."
        ),
        NoticeKind.REVOKED: gettext_lazy(
            "%(actor)s no longer names you as a successor for one album."
        ),
        NoticeKind.DELETED: gettext_lazy(
            "%(actor)s no longer names you as a successor for one album."
        ),
        NoticeKind.OWNER_DISABLED: gettext_lazy(
            "Staff disabled the account of %(actor)s. You can take over one album of theirs."
        ),
    },
}
KEPT_WITHOUT_END = gettext_lazy("%(actor)s chose that an image you can open is kept.")
WARNINGS = {
    NoticeState.ALTERED: gettext_lazy("This notice failed its check and may not be genuine."),
    NoticeState.REPEATED: gettext_lazy("This notice is a copy of another and says nothing new."),
}
TOGETHER = timedelta(minutes=10)
# Of many things of one kind: sentence, and where it leads.
MANY: dict[str, dict[NoticeKind, "_StrPromise"]] = {
    "image": {
        NoticeKind.SHARED: gettext_lazy("%(actor)s shared %(count)s images with you."),
        NoticeKind.CHANGED: gettext_lazy(
            "%(actor)s changed what you may do with %(count)s images."
        ),
        NoticeKind.REVOKED: gettext_lazy("%(actor)s ended your access to %(count)s images."),
        NoticeKind.DELETED: gettext_lazy("%(actor)s deleted %(count)s images you could open."),
        NoticeKind.OPENED: gettext_lazy(
            "%(actor)s opened %(count)s of your images for the first time."
        ),
        NoticeKind.ACKNOWLEDGED: gettext_lazy(
            "%(actor)s confirmed that they have received %(count)s images."
        ),
        NoticeKind.ENDS_SOON: gettext_lazy(
            "Your access to %(count)s images of %(actor)s ends soon."
        ),
        NoticeKind.KEEP_UNTIL: gettext_lazy(
            "%(actor)s chose when %(count)s images you can open are deleted."
        ),
        NoticeKind.TAKEN_OVER: gettext_lazy(
            "%(actor)s took over %(count)s images from their owner, whose account was disabled."
        ),
        NoticeKind.READERS_END_SOON: gettext_lazy(
            "Access that you gave to %(count)s images ends soon."
        ),
    },
    "album": {
        NoticeKind.SHARED: gettext_lazy("%(actor)s shared %(count)s albums with you."),
        NoticeKind.CHANGED: gettext_lazy(
            "%(actor)s changed what you may do with %(count)s albums."
        ),
        NoticeKind.REVOKED: gettext_lazy("%(actor)s ended your access to %(count)s albums."),
        NoticeKind.DELETED: gettext_lazy("%(actor)s deleted %(count)s albums you could open."),
        NoticeKind.TAKEN_OVER: gettext_lazy(
            "%(actor)s took over %(count)s albums from their owner, whose account was disabled."
        ),
    },
    "team": {
        NoticeKind.SHARED: gettext_lazy("%(actor)s added you to %(count)s teams."),
        NoticeKind.CHANGED: gettext_lazy("%(actor)s changed what you may do in %(count)s teams."),
        NoticeKind.REVOKED: gettext_lazy("%(actor)s took you out of %(count)s teams."),
        NoticeKind.DELETED: gettext_lazy("%(actor)s deleted %(count)s teams you were in."),
        NoticeKind.TAKEN_OVER: gettext_lazy(
            "%(actor)s took over %(count)s teams from their owner, whose account was disabled."
        ),
    },
}
OF_ONES_OWN = {NoticeKind.OPENED, NoticeKind.ACKNOWLEDGED, NoticeKind.READERS_END_SOON}
LEAD_NOWHERE = {NoticeKind.REVOKED, NoticeKind.DELETED}
LISTS = {"image": "gallery:shared-with-me", "album": "gallery:albums", "team": "gallery:teams"}


def lines_of(notices: Iterable[ShownNotice]) -> list[dict[str, Any]]:
    """Return a line for each group of notices, newest first."""
    groups: list[list[ShownNotice]] = []
    for notice in notices:
        if groups and _belongs_to(groups[-1], notice):
            groups[-1].append(notice)
        else:
            groups.append([notice])
    return [_line(group) for group in groups]


def _belongs_to(group: list[ShownNotice], notice: ShownNotice) -> bool:
    """Whether a genuine notice says the same of another image, within ten minutes."""
    newest = group[0]
    if not (newest.state == notice.state == NoticeState.GENUINE and newest.time and notice.time):
        return False
    return (
        notice.actor is not None
        and about(notice) == about(newest)
        and about(notice) in MANY
        and (newest.actor, newest.kind, newest.is_new) == (notice.actor, notice.kind, notice.is_new)
        and notice.subject not in [one.subject for one in group]
        and newest.time - notice.time <= TOGETHER
    )


def about(notice: ShownNotice) -> str:
    """Return what a notice is about: an image, an album, a team or successors."""
    if notice.successors_id:
        return ALBUMS_SUCCESSORS if notice.of_one_album else "successors"
    return "album" if notice.album_id else "team" if notice.team_id else "image"


def _line(group: list[ShownNotice]) -> dict[str, Any]:
    newest = group[0]
    line = notice_line(newest)
    if len(group) == 1 or newest.actor is None:
        return line
    kind, what = NoticeKind(newest.kind), about(newest)
    facts = {"actor": named(newest.actor), "count": len(group)}
    place = reverse("gallery:mine" if kind in OF_ONES_OWN else LISTS[what])
    leads = {what: None if kind in LEAD_NOWHERE else place}
    return {**line, **leads, "sentence": MANY[what][kind] % facts}


def notice_line(shown: ShownNotice) -> dict[str, Any]:
    """Return what is said of one notice."""
    genuine = shown.state == NoticeState.GENUINE
    return {
        "sequence": shown.sequence,
        "state": shown.state.value,
        "count": shown.count,
        "kind": shown.kind,
        "sentence": _sentence(shown),
        "time": shown.time,
        "image": address("image", shown.image_id) if genuine and shown.image_id else None,
        "album": address("album", shown.album_id) if genuine and shown.album_id else None,
        "team": address("team", shown.team_id) if genuine and shown.team_id else None,
        "successors": reverse("gallery:successors") if genuine and shown.successors_id else None,
        "is_new": shown.is_new,
    }


def _sentence(shown: ShownNotice) -> str:
    if shown.state == NoticeState.MISSING:
        return ngettext(
            "A notice that was sent to you is missing here.",
            "%(count)s notices that were sent to you are missing here.",
            shown.count,
        ) % {"count": shown.count}
    if shown.state in WARNINGS:
        return str(WARNINGS[shown.state])
    kind = NoticeKind(shown.kind)
    sentence = {**ONE["image"], **ONE[about(shown)]}[kind]
    if kind == NoticeKind.KEEP_UNTIL and shown.ends_at is None:
        sentence = KEPT_WITHOUT_END
    actor = named(shown.actor) if shown.actor else gettext("Somebody")
    day = written(shown.ends_at, "DATETIME_FORMAT") if shown.ends_at else ""
    return sentence % {"actor": actor, "day": day}
