"""Recovery by the organisation: a request out, an answer in, a new master key.

What the organisation's slot holds is the opening branch of a person's master key, so an answer
opens what was shared with that person, and signs nothing in their name (docs/decisions/0032).
"""

import uuid

from django.conf import settings
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring, NewCode, open_with_answer
from accounts.keys.certified import record_certified
from accounts.keys.keysets import keyset_digest
from accounts.models import KeySlot, User
from accounts.organisation import pin as organisation
from accounts.organisation.exchange import Answer, Request
from accounts.services.deserving import require_own_keys
from accounts.services.holding import changing_keys
from accounts.services.master_keys import make_master_key
from accounts.services.organisation import trail as organisation_trail
from accounts.services.organisation.mails import tell_begun, tell_recovered, tell_taken
from accounts.services.organisation.slots import answer_slot_of, organisation_slot_of
from accounts.services.organisation.trail import LASTS
from accounts.services.ways_back.new_start import record_stopped, stop_waiting
from accounts.services.ways_back.passwords import replace_slot
from audit.events import Event, record


class Refused(Exception):
    """This request or answer is not taken; the message says why, and that nothing was changed."""


def make_request(*, user: User) -> Request:
    """Return what the organisation's offline key is asked to open. Recorded first.

    Raises Refused without a pinned key, or without a slot that is wrapped to it.
    """
    if not organisation.is_set_up():
        raise Refused("No recovery key is set up (RECOVERY_KEY_FINGERPRINT).")
    try:
        organisation.public_key()
    except organisation.NotTheKey as not_the_key:
        raise Refused(str(not_the_key)) from None
    slot = organisation_slot_of(user)
    if slot is None:
        raise Refused(f"{user.username} has no slot for the organisation: nobody can recover them.")
    request = _request(user, slot)
    record(
        Event.ORGANISATION_REQUEST_MADE,
        actor=None,
        subject=user.pk,
        answer=str(request.answer),
        organisation_key=slot.organisation_key,
    )
    tell_begun(user)
    return request


def _request(user: User, slot: KeySlot) -> Request:
    return Request(
        instance=settings.SERVER_KEYS.instance_id,
        person=user.pk,
        username=user.username,
        slot=slot.pk,
        version=slot.master_key_version,
        organisation_key=slot.organisation_key,
        wrapped=bytes(slot.wrapped_master_key),
        answer=uuid.uuid4(),
    )


def take_answer(*, answer: Answer) -> User:
    """Store an answer as a way in, for that person and seven days. Return who that is.

    Raises Refused for an answer that was not asked for, is late, was imported, is for another
    installation, or whose request that person ended.
    """
    seen = keyset_digest(answer.person)
    user = _whose(answer)
    slot = KeySlot(
        id=answer.answer,
        user=user,
        kind=KeySlot.Kind.ANSWER,
        master_key_version=answer.version,
        wrapped_master_key=answer.wrapped,
        salt=answer.salt,
        ends_at=timezone.now() + LASTS,
    )
    event, taken = Event.ORGANISATION_ANSWER_TAKEN, str(answer.answer)
    with changing_keys(event, user, by_its_person=False, answer=taken) as change:
        if change.person.master_key_version != answer.version:
            raise Refused("This account has new keys since the request. Nothing was changed.")
        if keyset_digest(user.pk) != seen:
            raise Refused("This person's keys changed just now. Nothing was changed.")
        replace_slot(slot)
    tell_taken(user)
    return user


def _whose(answer: Answer) -> User:
    """Return the person of an answer. Raises Refused."""
    user = User.objects.filter(pk=answer.person).first()
    if answer.instance != settings.SERVER_KEYS.instance_id or user is None:
        raise Refused("This answer is for another installation. Nothing was changed.")
    request = organisation_trail.request_for(user.pk, answer.answer)
    if request is None:
        raise Refused("No such answer was asked for in the last 7 days. Nothing was changed.")
    if organisation_trail.was_taken(user.pk, answer.answer):
        raise Refused("This answer was imported before. Make a new request. Nothing was changed.")
    if not organisation_trail.stands(user.pk, request):
        raise Refused(
            f"{user.username} changed their password, or brought their keys back, since the "
            "request: that ended it. Nothing was changed."
        )
    return user


@sensitive_variables()
def recover(*, user: User, code: str, new_password: str) -> tuple[Keyring, NewCode]:
    """Set a new password by the one-time code of an answer. Every session ends.

    The person gets a new master key and a new signing pair, which no earlier key endorses; their
    encryption keys are taken over, and re-wrapping is ordered. Raises DoesNotOpen if the code is
    not the answer's, the answer ended, or it was used meanwhile.
    """
    opening = open_with_answer(answer_slot_of(user), code)
    require_own_keys(opening)
    before = user.password
    made = make_master_key(user=user, password=new_password, earlier=opening)
    user.set_password(new_password)
    with changing_keys(
        Event.KEYS_REPLACED,
        user,
        reason="organisation",
        signing=made.signing.fingerprint,
        encryption=made.encryption.fingerprint,
    ):
        # Changing a password ends the answer.
        answers = KeySlot.objects.filter(user=user, kind=KeySlot.Kind.ANSWER)
        if not answers.filter(master_key_version=opening.version).exists():
            raise DoesNotOpen
        made.store(before)
        stopped = stop_waiting(user)
    record_certified(made.signing)
    record_stopped(user, stopped)
    tell_recovered(user)
    return made.keyring, made.new_code
