"""A new account: the person and all their keys, or neither."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import usernames
from accounts.custody import Keyring
from accounts.keys.certified import NameTaken
from accounts.models import Invite, User
from accounts.organisation import pin as organisation
from accounts.services.acts import account_act
from accounts.services.key_making import NewKeys, make_keys, record_made
from audit.events import Event, record_after

# Given the new keys, what is done in the transaction that stores them: before it, and after.
Joining = Callable[[NewKeys], AbstractContextManager[None]]


class InviteGone(Exception):
    """The invite was used, taken back or ended meanwhile."""


@sensitive_variables()
def register(
    *,
    username: str,
    display_name: str,
    email: str,
    password: str,
    invite: Invite | None = None,
    person: uuid.UUID | None = None,
    joining: Joining | None = None,
    language: str = "",
) -> Keyring:
    """Make an account and its keys; return them open. An invite is used up by it.

    `person`: the id that the account is to have. Raises ValidationError if the name is taken,
    InviteGone if the invite is: also when another request was quicker; and what `joining` raises.
    Then nothing is made, and an invite stays as it was.
    """
    user = User(**User.objects.free_columns(username), display_name=display_name, email=email)
    user.pk, user.language = person or user.pk, language
    user.set_password(password)
    if organisation.is_set_up():  # the page that made this account says so
        user.organisation_told_at = timezone.now()
    try:
        keys = make_keys(user=user, password=password)
    except NameTaken:
        raise ValidationError(usernames.TAKEN, code="username_taken") from None
    joins = joining(keys) if joining else nullcontext()
    with account_act(Event.ACCOUNT_REGISTERED, user):
        try:
            with transaction.atomic(), joins:
                if invite:
                    # One conditional update, so that of many at once one succeeds.
                    still_open = Invite.objects.open().filter(pk=invite.pk)
                    if not still_open.update(used_at=timezone.now()):
                        raise InviteGone
                user.save(force_insert=True)
                keyset = keys.store()
        except IntegrityError:
            raise ValidationError(usernames.TAKEN, code="username_taken") from None
    record_made(keys, keyset)
    if invite:
        record_after(Event.INVITE_USED, actor=user.pk, subject=invite.pk)
    return keys.keyring
