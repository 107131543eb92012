"""What somebody may ask for of an album."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from gallery.forms import require_same_person

TITLE_CHARACTERS = 200
DESCRIPTION_CHARACTERS = 5000


class AlbumForm(forms.Form):
    """What an album is called, and whether members may add images of their own."""

    title = forms.CharField(
        max_length=TITLE_CHARACTERS,
        label=_("Title"),
        error_messages={"required": _("Give the album a title.")},
    )
    description = forms.CharField(
        max_length=DESCRIPTION_CHARACTERS,
        required=False,
        label=_("Description"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    members_add = forms.BooleanField(required=False)

    def clean_members_add(self) -> bool:
        return self.data.get("members_add") == "1"

    @property
    def wished(self) -> dict[str, Any]:
        """What making and changing an album take."""
        return {name: self.cleaned_data[name] for name in ("title", "description", "members_add")}


class NewAlbumForm(AlbumForm):
    """An album that is made here, or for the folder that the upload page sends."""

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner

    def clean(self) -> None:
        require_same_person(self.data, self.owner)


class ChosenAlbumForm(forms.Form):
    """An album that is there, or the title of a new one."""

    album = forms.UUIDField(required=False)
    title = forms.CharField(max_length=TITLE_CHARACTERS, required=False, label=_("Title"))

    def clean(self) -> None:
        if not self.errors and not any(self.cleaned_data.values()):
            sentence = _("Choose an album, or type the title of a new one.")
            raise forms.ValidationError(sentence, code="required")

    @property
    def chosen(self) -> uuid.UUID | None:
        album: uuid.UUID | None = self.cleaned_data["album"]
        return album
