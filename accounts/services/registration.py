"""A new account: the person and all their keys, or neither."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from accounts import usernames
from accounts.custody import Keyring
from accounts.models import User
from accounts.services.key_making import make_keys, record_made
from audit.events import Event, Outcome, record


@sensitive_variables()
def register(*, username: str, display_name: str, email: str, password: str) -> Keyring:
    """Make an account and its keys; return them open.

    Raises ValidationError if the name is taken: also when another request took it meanwhile.
    """
    user = User(**User.objects.free_columns(username), display_name=display_name, email=email)
    user.set_password(password)
    record(Event.ACCOUNT_REGISTERED, actor=None, subject=user.pk, outcome=Outcome.INTENDED)
    keys = make_keys(user=user, password=password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            keys.store()
    except IntegrityError:
        record(Event.ACCOUNT_REGISTERED, actor=None, subject=user.pk, outcome=Outcome.FAILED)
        raise ValidationError(usernames.TAKEN, code="username_taken") from None
    record(Event.ACCOUNT_REGISTERED, actor=user.pk, subject=user.pk)
    record_made(keys)
    return keys.keyring
