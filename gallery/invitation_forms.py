"""What is asked of somebody who invites, and of whoever was invited."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import DisplayNameField, RegistrationForm
from cryptocore.invitations import LEAST_CODE_CHARACTERS, normalise_code
from gallery.invitation_keys import Details

DAYS_OF_A_LINK = 7


class InviteForm(forms.Form):
    """Somebody who has no account yet, and how the link is to be kept."""

    display_name = DisplayNameField(label=gettext_lazy("Their name"))
    email = forms.EmailField(
        label=gettext_lazy("E-mail (optional)"),
        required=False,
        help_text=gettext_lazy("We send the link there. Only you see this address."),
    )
    spoken_code = forms.CharField(
        label=gettext_lazy("Spoken code (optional)"),
        required=False,
        max_length=100,
        help_text=gettext_lazy(
            "Words you tell them on the phone or face to face, at least 6 characters. Then the "
            "link alone opens nothing."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Days until the link ends"), min_value=1, max_value=30, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("days", DAYS_OF_A_LINK)

    def clean_spoken_code(self) -> str:
        code: str = self.cleaned_data["spoken_code"]
        if code and len(normalise_code(code)) < LEAST_CODE_CHARACTERS:
            sentence = _("Use at least 6 characters. Spaces do not count.")
            raise ValidationError(sentence, code="code_too_short")
        return code

    @property
    def details(self) -> Details:
        return Details(self.cleaned_data["display_name"], self.cleaned_data["email"])

    @property
    def lasts(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"] or DAYS_OF_A_LINK)


class CodeForm(forms.Form):
    """The spoken code of an invitation, if it has one."""

    spoken_code = forms.CharField(
        label=gettext_lazy("Spoken code"),
        max_length=100,
        help_text=gettext_lazy("The words you were told. Spaces and capitals do not count."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, needs_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not needs_code:
            del self.fields["spoken_code"]

    @property
    def code(self) -> str:
        return str(self.cleaned_data.get("spoken_code", ""))

    def refuse_code(self) -> None:
        sentence = _(
            "This is not the spoken code. Nothing was made. Check the words and try again."
        )
        self.add_error("spoken_code", ValidationError(sentence, code="wrong_code"))


class AcceptForm(CodeForm, RegistrationForm):
    """As registering, for somebody who was invited."""

    field_order = ["spoken_code", "username", "display_name", "email", "password1", "password2"]
