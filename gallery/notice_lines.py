"""The lines of the activity page: what somebody did with many images at once is one of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from gallery import presenting
from gallery.services.inbox import NoticeState, ShownNotice
from gallery.services.notices import NoticeKind

TOGETHER = timedelta(minutes=10)


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
        and notice.album_id is newest.album_id is None
        and notice.team_id is newest.team_id is None
        and notice.successors_id is newest.successors_id is None
        and (newest.actor, newest.kind, newest.is_new) == (notice.actor, notice.kind, notice.is_new)
        and notice.image_id not in [one.image_id for one in group]
        and newest.time - notice.time <= TOGETHER
    )


def _line(group: list[ShownNotice]) -> dict[str, Any]:
    newest = group[0]
    line = presenting.notice(newest)
    if len(group) == 1 or newest.actor is None:
        return line
    sentences = {
        NoticeKind.SHARED: _("%(actor)s shared %(count)s images with you."),
        NoticeKind.CHANGED: _("%(actor)s changed what you may do with %(count)s images."),
        NoticeKind.REVOKED: _("%(actor)s ended your access to %(count)s images."),
        NoticeKind.DELETED: _("%(actor)s deleted %(count)s images you could open."),
        NoticeKind.OPENED: _("%(actor)s opened %(count)s of your images for the first time."),
        NoticeKind.ACKNOWLEDGED: _("%(actor)s confirmed that they have received %(count)s images."),
        NoticeKind.ENDS_SOON: _("Your access to %(count)s images of %(actor)s ends soon."),
        NoticeKind.KEEP_UNTIL: _("%(actor)s chose when %(count)s images you can open are deleted."),
        NoticeKind.TAKEN_OVER: _(
            "%(actor)s took over %(count)s images from their owner, whose account was disabled."
        ),
        NoticeKind.READERS_END_SOON: _("Access that you gave to %(count)s images ends soon."),
    }
    places = {
        NoticeKind.SHARED: reverse("gallery:shared-with-me"),
        NoticeKind.CHANGED: reverse("gallery:shared-with-me"),
        NoticeKind.OPENED: reverse("gallery:mine"),
        NoticeKind.ACKNOWLEDGED: reverse("gallery:mine"),
        NoticeKind.ENDS_SOON: reverse("gallery:shared-with-me"),
        NoticeKind.TAKEN_OVER: reverse("gallery:shared-with-me"),
        NoticeKind.KEEP_UNTIL: reverse("gallery:shared-with-me"),
        NoticeKind.READERS_END_SOON: reverse("gallery:mine"),
    }
    kind = NoticeKind(newest.kind)
    facts = {"actor": presenting.named(newest.actor), "count": len(group)}
    return {**line, "sentence": sentences[kind] % facts, "image": places.get(kind)}
