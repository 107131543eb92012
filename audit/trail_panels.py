"""What the first page of staff shows of the trail: sign-ins, sharing, and the newest checks."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.events import Event, Outcome
from audit.models import AuditEntry
from audit.panels import Chart, Figure, Panel, chart_of, in_short, since
from audit.vouched import vouched

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SIGNED_IN, REFUSED = (Event.ACCOUNT_SIGNED_IN,), (Event.ACCOUNT_SIGN_IN_REFUSED,)
OPENED = (Event.IMAGE_OPENED, Event.IMAGE_DOWNLOADED)
SHARED, ENDED = (Event.IMAGE_UPLOADED, Event.IMAGE_SHARED), (Event.IMAGE_REVOKED,)
CONFIRMED = (Event.IMAGE_ACKNOWLEDGED,)
CHECKS = {
    "verify_audit": Event.AUDIT_VERIFIED,
    "verify_keys": Event.KEYS_VERIFIED,
    "verify_images": Event.IMAGES_VERIFIED,
}
CHECKED_WITHIN = timedelta(days=2)  # of a daily check, with some patience

Counted = dict[tuple[str, date], int]


def panels_of_the_trail() -> list[Panel]:
    counted = _counted_lately()
    return [_of_sign_ins(counted), _of_use(counted), _of_checks()]


def _counted_lately() -> Counted:
    """Return how often what the panels speak of happened, by event and day: one query."""
    events = [*SIGNED_IN, *REFUSED, *OPENED, *SHARED, *ENDED, *CONFIRMED]
    happened = AuditEntry.objects.filter(time__gte=since(), event__in=events)
    # What was intended is recorded again when it is done.
    over = happened.exclude(outcome=Outcome.INTENDED).order_by()
    rows = over.annotate(day=TruncDate("time")).values("event", "day").annotate(n=Count("pk"))
    return {(row["event"], row["day"]): row["n"] for row in rows}


def _how_often(counted: Counted, events: Iterable[Event]) -> int:
    return sum(n for (event, _day), n in counted.items() if event in list(events))


def _by_day(counted: Counted, events: Iterable[Event], title: "_StrPromise") -> Chart:
    days: dict[date, int] = defaultdict(int)
    for (event, day), n in counted.items():
        days[day] += n if event in list(events) else 0
    return chart_of(title, days)


def _of_sign_ins(counted: Counted) -> Panel:
    refused = _how_often(counted, REFUSED)
    address = f"{reverse('admin:audit_auditentry_changelist')}?event={REFUSED[0]}"
    figures = [
        Figure(_("signed in"), _how_often(counted, SIGNED_IN)),
        Figure(_("refused"), refused, address, is_bad=bool(refused)),
    ]
    return Panel(30, _("Signing in"), figures, _by_day(counted, REFUSED, _("Refused sign-ins")))


def _of_use(counted: Counted) -> Panel:
    figures = [
        Figure(_("images shared"), _how_often(counted, SHARED)),
        Figure(_("images opened"), _how_often(counted, OPENED)),
        Figure(_("receipt confirmed"), _how_often(counted, CONFIRMED)),
        Figure(_("access ended"), _how_often(counted, ENDED)),
    ]
    return Panel(20, _("Sharing"), figures, _by_day(counted, OPENED, _("Openings")))


def _of_checks() -> Panel:
    """The newest run of each check, as the audit key vouches for it."""
    figures = []
    for command, event in CHECKS.items():
        outcomes = (Outcome.DONE, Outcome.FAILED)
        leaf = next(iter(vouched((event,), outcomes=outcomes, at_most=1)), None)
        if leaf is None:
            figures.append(Figure(command, _("never"), is_bad=True))
            continue
        passed, said = leaf.outcome == Outcome.DONE, in_short(leaf.time)
        late = timezone.now() - leaf.time > CHECKED_WITHIN
        verdict = gettext("%s: all well") if passed else gettext("%s: something is wrong")
        figures.append(Figure(command, verdict % said, is_bad=late or not passed))
    return Panel(50, _("Checks"), figures)
