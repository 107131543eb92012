"""Mails about new notices: one for many, and none about what its person has read.

A mail names no image, caption or file. Whom it names the operator decides (`MAIL_NAMES`).
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Min, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.mail import in_language_of, tell
from accounts.models import User
from audit.events import Event, record_after
from gallery.models import Notice, NoticeChoice
from gallery.notice_lines import lines_of
from gallery.services.inbox import ShownNotice, unread_after

How = NoticeChoice.How
# How old the oldest notice of a mail is: what comes meanwhile goes with it.
WAITS = {How.SOON: timedelta(minutes=10), How.DAILY: timedelta(days=1)}
LEASE = timedelta(minutes=5)
TRIED_AGAIN_AFTER = timedelta(hours=1)  # if no server took it
LINES = 20


@dataclass
class Mailed:
    """To how many people a mail went, and to how many it could not."""

    sent: int = 0
    failed: int = 0


def send_mails() -> Mailed:
    """Mail everybody whose new notices have waited long enough; once each, however many do this at
    the same time."""
    mailed, now = Mailed(), timezone.now()
    for person in _people_with_news(now):
        choice, _made = NoticeChoice.objects.get_or_create(person=person)
        free = Q(lease_ends_at=None) | Q(lease_ends_at__lte=now)
        ours = NoticeChoice.objects.filter(free, pk=choice.pk, mailed_up_to=choice.mailed_up_to)
        if ours.update(lease_ends_at=now + LEASE):
            _mail(choice, mailed)
    if mailed.sent or mailed.failed:
        record_after(Event.NOTICES_MAILED, actor=None, sent=mailed.sent, failed=mailed.failed)
    return mailed


def choose(*, person: User, how: str, first_openings: bool) -> None:
    """Remember what this person wants to hear of. What is unread by now is not mailed later."""
    newest = Notice.objects.filter(person=person).order_by("-sequence").first()
    up_to = newest.sequence if newest else 0
    NoticeChoice.objects.update_or_create(
        person=person,
        defaults={"how": how, "mailed_up_to": up_to, "first_openings": first_openings},
    )


def _people_with_news(now: datetime) -> list[User]:
    """Return whose oldest unread notice that was not mailed has waited long enough, as the rows
    have it: whether it is genuine is looked at for each of them."""
    news = Notice.objects.filter(read_at=None, person__is_active=True).exclude(person__email="")
    chosen = news.annotate(
        how=Coalesce("person__notice_choice__how", Value(How.SOON.value)),
        up_to=Coalesce("person__notice_choice__mailed_up_to", 0),
    )
    unmailed = chosen.filter(sequence__gt=F("up_to")).order_by()
    oldest = unmailed.values_list("person", "how").annotate(Min("created_at"))
    due: list[uuid.UUID] = [
        person for person, how, since in oldest if (wait := WAITS.get(how)) and since <= now - wait
    ]
    return list(User.objects.filter(pk__in=due).order_by("pk"))


def _mail(choice: NoticeChoice, mailed: Mailed) -> None:
    news = unread_after(choice.person, choice.mailed_up_to)
    changes: dict[str, object] = {"lease_ends_at": timezone.now() + TRIED_AGAIN_AFTER}
    with in_language_of(choice.person):
        subject, text = _subject(len(news)), _text(news)
    if not news:
        pass  # nothing genuine: looked at again in an hour
    elif tell(choice.person, subject, "%(lines)s", lines=text):
        mailed.sent += 1
        changes = {"lease_ends_at": None, "mailed_up_to": news[0].sequence}
    else:
        mailed.failed += 1
    NoticeChoice.objects.filter(pk=choice.pk).update(**changes)


def _subject(count: int) -> str:
    return ngettext("A new notice is waiting", "%(count)s new notices are waiting", count) % {
        "count": count
    }


def _text(news: list[ShownNotice]) -> str:
    said = [line["sentence"] for line in lines_of(news)[:LINES]] if settings.MAIL_NAMES else []
    sign_in = _("Sign in to read them: %(site)s/activity/") % {"site": settings.SITE_URL}
    off = _("You can choose how often you get such mails: %(site)s/activity/mails/")
    return "\n\n".join([*said, sign_in, off % {"site": settings.SITE_URL}]) + "\n"
