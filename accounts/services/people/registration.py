"""A new account: the person and all their keys, or neither."""

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
from accounts.services.key_making import make_keys, record_made
from audit.events import Event, record_after


class InviteGone(Exception):
    """The invite was used, taken back or ended meanwhile."""


@sensitive_variables()
def register(
    *, username: str, display_name: str, email: str, password: str, invite: Invite | None = None
) -> Keyring:
    """Make an account and its keys; return them open. An invite is used up by it.

    Raises ValidationError if the name is taken, InviteGone if the invite is: also when another
    request was quicker. Then nothing is made, and an invite stays as it was.
    """
    user = User(**User.objects.free_columns(username), display_name=display_name, email=email)
    user.set_password(password)
    if organisation.is_set_up():  # the page that made this account says so
        user.organisation_told_at = timezone.now()
    try:
        keys = make_keys(user=user, password=password)
    except NameTaken:
        raise ValidationError(usernames.TAKEN, code="username_taken") from None
    with account_act(Event.ACCOUNT_REGISTERED, user):
        try:
            with transaction.atomic():
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
