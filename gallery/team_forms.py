"""What a team is called, and who is added to it."""

from typing import TypedDict

from django import forms
from django.utils.translation import gettext_lazy

from gallery.forms import InvitedForm
from gallery.models import Rights
from gallery.services.uploading import Terms


class Wished(TypedDict):
    title: str
    description: str
    members_add: bool


class TeamForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        label=gettext_lazy("Name"),
        error_messages={"required": gettext_lazy("Type a name for the team.")},
    )
    description = forms.CharField(
        max_length=500,
        required=False,
        label=gettext_lazy("Description (optional)"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    members_add = forms.BooleanField(
        required=False,
        label=gettext_lazy("Everybody in the team may share with people who join later, too"),
    )

    @property
    def wished(self) -> Wished:
        cleaned = self.cleaned_data
        return {
            "title": cleaned["name"],
            "description": cleaned["description"],
            "members_add": cleaned["members_add"],
        }


class MembersForm(InvitedForm):
    """People who are added to a team: for as long as they are in it they have what it was given."""

    def clean(self) -> None:
        self.require_somebody()

    def clean_ends_at(self) -> None:
        """What is shared with a team has ends of its own."""
        return

    @property
    def terms(self) -> Terms:
        return Terms(Rights.DOWNLOAD.value, None)
