"""A new start: new keys for somebody who lost every way to the ones they have.

It waits, so that a thief who got in by mail or by staff's hand cannot replace the keys before their
person notices; bringing the keys back stops it. The earlier key set is kept: nothing is lost that
could still be found.
"""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen
from accounts.keys.certified import record_certified
from accounts.mail import tell
from accounts.models import NewStart, User
from accounts.services.acts import account_act
from accounts.services.deserving import require_remembered_rows
from accounts.services.holding import changing_keys
from accounts.services.master_keys import NewMasterKey, make_master_key
from audit.events import Event, record_after
from audit.vouched import vouched

ACTS = (Event.NEW_START_ASKED, Event.NEW_START_STOPPED, Event.NEW_START_DONE)


class NotDue(Exception):
    """No new start of this person is due: none was asked for, it waits still, or was stopped."""


def waiting_new_start(user: User) -> NewStart | None:
    """Return the new start this person waits for, due or not."""
    return NewStart.objects.filter(user=user, stopped_at=None, done_at=None).first()


def ask_for_new_start(*, user: User) -> NewStart:
    """Begin the wait, and notify the person in every way there is. If one has begun already: return
    that.

    Raises NotRemembered (accounts/services/deserving.py).
    """
    require_remembered_rows(user)
    if waiting := waiting_new_start(user):
        if _asked_at(user):
            return waiting  # and nothing is recorded: the trail has when the wait began
        stop_new_start(user=user)
    try:
        with account_act(Event.NEW_START_ASKED, user), transaction.atomic():
            due_at = timezone.now() + settings.NEW_START_WAIT
            asked = NewStart.objects.create(user=user, due_at=due_at)
    except IntegrityError:  # another request began one meanwhile
        return NewStart.objects.get(user=user, stopped_at=None, done_at=None)
    sentence = _(
        "New keys were asked for in your name at %(site)s. They can be made from %(due)s on, by "
        "signing in and asking again. After that, images that were shared with you stay locked "
        "until their owners share them again.\n\nIf this was not you: sign in and stop it, or tell "
        "staff."
    )
    due = f"{due_at:%Y-%m-%d %H:%M %Z}"
    tell(user, _("Somebody asked for new keys in your name"), sentence, due=due)
    return asked


def stop_new_start(*, user: User) -> bool:
    """Stop a new start that waits, for whatever reason. Returns whether there was one."""
    stopped = stop_waiting(user)
    record_stopped(user, stopped)
    return stopped


def stop_waiting(user: User) -> bool:
    """Stop a wait, in the caller's transaction if there is one: what brings the keys back and what
    stops the wait are one act. Record it afterwards."""
    waiting = NewStart.objects.filter(user=user, stopped_at=None, done_at=None)
    return waiting.update(stopped_at=timezone.now()) > 0


def record_stopped(user: User, stopped: bool) -> None:
    if stopped:
        record_after(Event.NEW_START_STOPPED, actor=user.pk, subject=user.pk)


@sensitive_variables()
def start_anew(*, user: User, password: str) -> NewMasterKey:
    """Give the person new keys under `password`, their current one; keep the earlier set.

    Ends every other session. Raises NotDue; DoesNotOpen if the password was changed meanwhile;
    NotRemembered.
    """
    waiting = waiting_new_start(user)
    if waiting is None or waiting.due_at > timezone.now():
        raise NotDue
    # The trail vouches for the wait: a row alone anybody writes who has the database.
    asked_at = _asked_at(user)
    if asked_at is None or asked_at > timezone.now() - settings.NEW_START_WAIT:
        raise NotDue
    require_remembered_rows(user)
    new = make_master_key(user=user, password=password, earlier=None)
    signing, encryption = new.signing.fingerprint, new.encryption.fingerprint
    with changing_keys(Event.NEW_START_DONE, user, signing=signing, encryption=encryption):
        new.store(user.password)
        # One conditional update: of two at once the second makes nothing.
        due = NewStart.objects.filter(user=user, stopped_at=None, done_at=None)
        if not due.filter(due_at__lte=timezone.now()).update(done_at=timezone.now()):
            raise DoesNotOpen
    record_certified(new.signing)
    tell(user, _("You have new keys"), _("You started again with new keys at %(site)s."))
    return new


def _asked_at(user: User) -> datetime | None:
    """Return when the wait that still runs began, according to the trail.

    A person who unlocked since then has the keys, and if the row was hidden while the wait ran, no
    page asked them to stop it.
    """
    acts = vouched((*ACTS, Event.ACCOUNT_UNLOCKED), subject=user.pk)[:1]
    return next((act.time for act in acts if act.event == Event.NEW_START_ASKED), None)
