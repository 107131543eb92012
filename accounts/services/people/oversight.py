"""What staff may do to an account. Each act has its reason, and the trail keeps both.

Nothing here opens a key or sets a password: staff can shut a person out, and never come in as one.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.erasure import truncate_write_ahead_log
from accounts.models import User
from accounts.services.acts import account_act
from accounts.staff_rights import Rights, rights_of
from accounts.unlocks import end_unlocks
from audit.events import Event, Outcome, record


@dataclass(frozen=True)
class Held:
    """The rows an act is about, as the database has them, held until the transaction ends; and the
    rights of the acting person that are believed."""

    person: User
    by: User
    rights: Rights


def disable_person(*, person: User, by: User, reason: str) -> None:
    """Sign `person` out everywhere, and in nowhere until they are enabled again.

    Raises ValidationError: nobody disables themselves, and so never the last superuser.
    """
    with account_act(Event.ACCOUNT_DISABLED, person, by=by, reason=reason):
        with transaction.atomic():
            held = _hold(person, by)
            if held.person == held.by:
                raise _refused("oneself", _("You cannot disable yourself. Nothing was changed."))
            held.person.is_active = False
            held.person.save(update_fields=["is_active"])
            _end_sessions(held.person)
        truncate_write_ahead_log()


def enable_person(*, person: User, by: User, reason: str) -> None:
    """Let `person` sign in again, with their own password: their keys were never touched."""
    with account_act(Event.ACCOUNT_ENABLED, person, by=by, reason=reason), transaction.atomic():
        held = _hold(person, by)
        held.person.is_active = True
        held.person.save(update_fields=["is_active"])


def suspend_readers(*, person: User, by: User, reason: str) -> None:
    """Let nobody but `person` open their images until the readers are reinstated.

    No row says so, which could be changed back: the entry is the act. Raises ValidationError unless
    the person is disabled, since an active owner ends access themselves; and AuditUnavailable.
    """
    _record_of_readers(Event.ACCOUNT_READERS_SUSPENDED, person, by, reason, of_disabled=True)


def reinstate_readers(*, person: User, by: User, reason: str) -> None:
    """Let the readers of `person`'s images open them again, enabled meanwhile or not."""
    _record_of_readers(Event.ACCOUNT_READERS_REINSTATED, person, by, reason, of_disabled=False)


def _record_of_readers(
    event: Event, person: User, by: User, reason: str, *, of_disabled: bool
) -> None:
    try:
        with transaction.atomic():
            held = _hold(person, by)
            if of_disabled and held.person.is_active:
                raise _refused("active", _("Disable them first. Nothing was changed."))
    except ValidationError:
        outcome = Outcome.FAILED
        record(event, actor=by.pk, subject=person.pk, outcome=outcome, reason=reason)
        raise
    record(event, actor=by.pk, subject=person.pk, reason=reason)


def end_sessions(*, person: User, by: User, reason: str) -> None:
    """Sign `person` out, and lock their keys, in every browser."""
    with account_act(Event.ACCOUNT_SESSIONS_ENDED, person, by=by, reason=reason):
        with transaction.atomic():
            _end_sessions(_hold(person, by).person)
        truncate_write_ahead_log()


def set_quota(*, person: User, by: User, reason: str, quota_bytes: int | None) -> None:
    """Limit what `person` may store: None is the site's default, 0 no limit.

    Below what they store already nothing is lost; they can only add nothing.
    """
    limit = "default" if quota_bytes is None else quota_bytes
    with (
        account_act(Event.ACCOUNT_QUOTA_SET, person, by=by, reason=reason, quota_bytes=limit),
        transaction.atomic(),
    ):
        held = _hold(person, by)
        held.person.quota_bytes = quota_bytes
        held.person.save(update_fields=["quota_bytes"])


def make_staff(*, person: User, by: User, reason: str) -> None:
    """Let `person` oversee: look at these pages, and act on people who are not superusers."""
    with account_act(Event.ACCOUNT_STAFF_MADE, person, by=by, reason=reason), transaction.atomic():
        held = _hold(person, by)
        _require_superuser(held.rights)
        held.person.is_staff = True
        held.person.save(update_fields=["is_staff"])


def remove_staff(*, person: User, by: User, reason: str) -> None:
    """Take `person`'s staff rights away. A superuser stays staff, unless nothing on record made
    them one."""
    with (
        account_act(Event.ACCOUNT_STAFF_REMOVED, person, by=by, reason=reason),
        transaction.atomic(),
    ):
        held = _hold(person, by)
        _require_superuser(held.rights)
        if rights_of(held.person) == Rights.SUPERUSER:
            raise _refused("superuser", _("A superuser is always staff. Nothing was changed."))
        held.person.is_staff = held.person.is_superuser = False
        held.person.save(update_fields=["is_staff", "is_superuser"])


def _hold(person: User, by: User) -> Held:
    """Hold both rows, in the one order in which everybody holds people's rows.

    Raises ValidationError if `by` is no longer staff, or below the person it is about, and
    AuditUnavailable if the trail cannot say who gave them their rights. So the last superuser is
    never disabled: only another active one could do it, and of two who disable one another at once
    the second is no longer staff.
    """
    both = User.objects.select_for_update().filter(pk__in=[person.pk, by.pk]).order_by("pk")
    rows = {row.pk: row for row in both}
    held = Held(rows[person.pk], rows[by.pk], rights_of(rows[by.pk]))
    if held.rights < Rights.STAFF:
        raise _refused("not_staff", _("You are no longer staff. Nothing was changed."))
    if held.rights < Rights.SUPERUSER == rights_of(held.person):
        _require_superuser(held.rights)
    return held


def _require_superuser(rights: Rights) -> None:
    if rights < Rights.SUPERUSER:
        raise _refused("superusers_only", _("Only a superuser may do this. Nothing was changed."))


def _refused(code: str, sentence: str) -> ValidationError:
    return ValidationError(sentence, code=code)


def _end_sessions(person: User) -> None:
    person.session_epoch += 1
    person.save(update_fields=["session_epoch"])
    end_unlocks(person)
