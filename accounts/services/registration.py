"""A new account: the person and all their keys, or neither."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from accounts import usernames
from accounts.custody import Keyring
from accounts.models import User
from accounts.services.acts import recorded
from accounts.services.key_making import make_keys, record_made
from audit.events import Event


@sensitive_variables()
def register(*, username: str, display_name: str, email: str, password: str) -> Keyring:
    """Make an account and its keys; return them open.

    Raises ValidationError if the name is taken: also when another request took it meanwhile.
    """
    user = User(**User.objects.free_columns(username), display_name=display_name, email=email)
    user.set_password(password)
    keys = make_keys(user=user, password=password)
    try:
        with recorded(Event.ACCOUNT_REGISTERED, user), transaction.atomic():
            user.save(force_insert=True)
            keys.store()
    except IntegrityError:
        raise ValidationError(usernames.TAKEN, code="username_taken") from None
    record_made(keys)
    return keys.keyring
