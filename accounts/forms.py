"""What a person may type, and what is wrong with it."""

import unicodedata
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import usernames
from accounts.models import Invite, User
from cryptocore.passwords import normalise

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

# Control and format characters (zero width, right-to-left override), surrogates, private use,
# unassigned, line and paragraph separators.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
JOINERS = frozenset("\u200c\u200d")  # zero width non-joiner and joiner
VIRAMA = 9  # the combining class of the sign that joins Indic letters
ARABIC = "AL"  # the bidirectional class of letters that join: Arabic, Syriac, Thaana
CODE_HELP = _(
    "Six groups of five characters. Spaces and hyphens may be left out; capital and small letters "
    "count the same."
)
NEW = {"autocomplete": "new-password"}
CURRENT = {"autocomplete": "current-password"}


def has_unseen(text: str) -> bool:
    """Whether a character is not seen, or turns around what is. A joiner is none of these where
    names are written with it: Persian, Sinhala, Malayalam, Bengali and others."""
    return any(
        unicodedata.category(character) in UNSEEN and not _joins(text, place)
        for place, character in enumerate(text)
    )


def _joins(text: str, place: int) -> bool:
    """Whether a joiner stands where it changes how its neighbours are drawn.

    RFC 5892, appendix A.1 and A.2: beside a virama, or between two letters that join. The joining
    types it asks for are not in unicodedata; the bidirectional class of Arabic letters stands in.
    """
    if text[place] not in JOINERS or not 0 < place < len(text) - 1:
        return False
    before, after = text[place - 1], text[place + 1]
    if VIRAMA in (unicodedata.combining(before), unicodedata.combining(after)):
        return True
    return {unicodedata.bidirectional(before), unicodedata.bidirectional(after)} == {ARABIC}


class UsernameField(forms.CharField):
    widget = forms.TextInput(
        attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
    )

    def to_python(self, value: Any) -> str:
        return usernames.fold(super().to_python(value) or "")


class DisplayNameField(forms.CharField):
    """Refuses what is not seen, or turns around what is: names stand beside images."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=80, **kwargs)

    def clean(self, value: Any) -> str:
        name: str = super().clean(value)
        if has_unseen(name):
            sentence = _("Use letters, digits, spaces and visible punctuation.")
            raise ValidationError(sentence, code="invalid_display_name")
        return name


def password_field(
    label: "_StrOrPromise",
    attributes: dict[str, str],
    help_text: "_StrOrPromise" = "",
    *,
    required: bool = True,
) -> forms.CharField:
    # strip=False: a space at either end belongs to the password.
    return forms.CharField(
        label=label,
        strip=False,
        widget=forms.PasswordInput(attrs=attributes),
        help_text=help_text,
        max_length=1024,
        required=required,
    )


class NewPasswordMixin(forms.Form):
    """Two equal new passwords, judged by AUTH_PASSWORD_VALIDATORS."""

    first_name_of_new = "new_password1"
    second_name_of_new = "new_password2"

    def person(self) -> User | None:
        return None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, second = cleaned.get(self.first_name_of_new), cleaned.get(self.second_name_of_new)
        if first and second and normalise(first) != normalise(second):
            mismatch = ValidationError(
                _("The two passwords do not match."), code="password_mismatch"
            )
            self.add_error(self.second_name_of_new, mismatch)
        if first:
            try:
                validate_password(first, self.person())
            except ValidationError as error:
                self.add_error(self.first_name_of_new, error)
        return cleaned


class AccountForm(NewPasswordMixin):
    """A free username and two equal passwords: what only the account's person may choose."""

    first_name_of_new = "password1"
    second_name_of_new = "password2"

    username = UsernameField(label=_("Username"), help_text=usernames.RULE)
    password1 = password_field(
        _("Password"), NEW, _("At least 12 characters. Your keys are locked with it.")
    )
    password2 = password_field(_("Password again"), NEW)

    field_order = ["username", "display_name", "email", "password1", "password2"]

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if usernames.is_reserved(username):
            raise ValidationError(usernames.TAKEN, code="username_taken")
        User.objects.free_columns(username)
        return username


class RegistrationForm(AccountForm):
    display_name = DisplayNameField(
        label=_("Your name"), help_text=_("What people see beside your images.")
    )
    email = forms.EmailField(
        label=_("E-mail (optional)"),
        required=False,
        help_text=_("Never shown to other people."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def person(self) -> User:
        known = {name: self.cleaned_data.get(name, "") for name in ("username", "display_name")}
        return User(email=self.cleaned_data.get("email", ""), **known)


class NameForm(forms.Form):
    display_name = DisplayNameField(
        label=_("Your name"), help_text=_("What people see beside your images.")
    )


class InvitedForm(AccountForm):
    """As registering, for somebody whose name staff wrote down already."""

    def __init__(self, *args: Any, invite: Invite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invite = invite

    def person(self) -> User:
        return User(
            username=self.cleaned_data.get("username", ""),
            display_name=self.invite.display_name,
            email=self.invite.email,
        )


class SignInForm(forms.Form):
    username = UsernameField(label=_("Username"), max_length=150)
    password = password_field(_("Password"), CURRENT)


class UnlockForm(forms.Form):
    password = password_field(_("Password"), CURRENT)


class FirstKeysForm(UnlockForm):
    """An operator's one-time code, and the password that opens the keys it lets be made."""

    code = forms.CharField(
        label=_("One-time code"),
        max_length=100,
        help_text=CODE_HELP,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    field_order = ["code", "password"]


class LockedKeysForm(forms.Form):
    """The earlier password, and the current one, which is to open the keys from now on."""

    old_password = password_field(_("Earlier password"), {"autocomplete": "off"})
    password = password_field(_("Current password"), CURRENT)


class EarlierKeysForm(forms.Form):
    """The password or the recovery code of the time before a new start."""

    secret = password_field(
        _("Earlier password or recovery code"),
        {"autocomplete": "off"},
        _(
            "The password you had then, or six groups of five characters. In a code spaces and "
            "hyphens may be left out; capital and small letters count the same."
        ),
    )


def recovery_code_field() -> forms.CharField:
    return forms.CharField(
        label=_("Recovery code"),
        max_length=100,
        help_text=CODE_HELP,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class TestCodeForm(forms.Form):
    recovery_code = recovery_code_field()


class RecoverForm(NewPasswordMixin):
    username = UsernameField(label=_("Username"), max_length=150)
    recovery_code = recovery_code_field()
    new_password1 = password_field(_("New password"), NEW, _("At least 12 characters."))
    new_password2 = password_field(_("New password again"), NEW)

    field_order = ["username", "recovery_code", "new_password1", "new_password2"]

    def person(self) -> User:
        return User(username=self.cleaned_data.get("username", ""))


class ReplaceKeysForm(NewPasswordMixin):
    """Two ways of proving who one is: the recovery code, or password and an operator's code."""

    username = UsernameField(label=_("Username"), max_length=150)
    code = forms.CharField(
        label=_("Recovery code, or one-time code"),
        max_length=100,
        help_text=CODE_HELP,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    password = password_field(
        _("Password that opened your images (only with a one-time code)"), CURRENT, required=False
    )
    new_password1 = password_field(_("New password"), NEW, _("At least 12 characters."))
    new_password2 = password_field(_("New password again"), NEW)

    field_order = ["username", "code", "password", "new_password1", "new_password2"]

    def person(self) -> User:
        return User(username=self.cleaned_data.get("username", ""))


class ResetForm(forms.Form):
    username = UsernameField(label=_("Username"), max_length=150)


class NewPasswordForm(NewPasswordMixin):
    new_password1 = password_field(_("New password"), NEW, _("At least 12 characters."))
    new_password2 = password_field(_("New password again"), NEW)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def person(self) -> User:
        return self.user


class PasswordForm(NewPasswordForm):
    old_password = password_field(_("Current password"), CURRENT)

    field_order = ["old_password", "new_password1", "new_password2"]


def group_field() -> forms.CharField:
    return forms.CharField(
        max_length=10, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )


class ConfirmCodeForm(forms.Form):
    """Two groups of the recovery code, typed back. None: an altered row does not say which."""

    confirm_1 = group_field()
    confirm_2 = group_field()

    def __init__(self, *args: Any, first: int | None, second: int | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, number in (("confirm_1", first), ("confirm_2", second)):
            self.fields[name].label = _("Group %(number)s") % {"number": number}
