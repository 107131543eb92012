"""What an owner may ask for when uploading and sharing."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.keys.certificates import NoKeys
from accounts.keys.identities import Change, How
from accounts.keys.names import certified_name
from accounts.keys.recipients import Reader, find_people
from accounts.models import User
from gallery.day_words import written
from gallery.errors import GalleryError, NotAllowed
from gallery.heads import Heads
from gallery.models import Grant, Invitation, NoticeChoice
from gallery.services.invitations.listing import open_invitations
from gallery.services.teams import readers_of_now, require_sharing, team_of
from gallery.services.uploading import Terms
from gallery.typed_names import lookups_in, read, user_names

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# Beyond it a time is a slip of the finger, and its arithmetic may leave the calendar.
FARTHEST_END = timedelta(days=36_525)
# A page that was filled in with the latest possible end is sent a while later.
A_MOMENT = timedelta(hours=1)
CAPTION_CHARACTERS = 500
OFFERED_DAYS = (7, 30, 90)  # of access, besides what the organisation says
MAX_THUMBNAILS = 100  # in one answer; a page of a list shows sixty


CHANGE_SENTENCES = {
    How.ENDORSED: gettext_lazy(
        "The key of %(name)s (@%(username)s) was replaced on %(day)s, and the key you compared "
        "confirms the new one. Nothing was shared. Accept the new key, or compare it again."
    ),
    How.UNENDORSED: gettext_lazy(
        "The key of %(name)s (@%(username)s) was replaced on %(day)s, and the key you compared "
        "does not confirm the new one. Nothing was shared. Ask them before you go on, and "
        "compare it again."
    ),
    How.DIFFERS: gettext_lazy(
        "When you compared the key of %(name)s (@%(username)s), the words did not match. Nothing "
        "was shared. Compare it again first."
    ),
    How.RENAMED: gettext_lazy(
        "%(name)s (@%(username)s) has changed their name since you compared on %(before)s. The "
        "key is the same. Nothing was shared. Accept the new name, or ask them."
    ),
    How.MISNAMED: gettext_lazy(
        "The key of @%(username)s is not the one you compared on %(before)s. Usernames do not "
        "change: somebody may have got hold of this site’s own keys. "
        "Nothing was shared. Tell staff at once."
    ),
}


def change_error(change: Change) -> ValidationError:
    params = {
        "name": certified_name(change.person).display_name,
        "username": change.person.username,
        "day": written(change.replaced_at, "DATE_FORMAT"),
        "before": written(change.compared_at, "DATE_FORMAT"),
    }
    return ValidationError(CHANGE_SENTENCES[change.how], code="key_changed", params=params)


class NamesField(forms.Field):
    """User names, one or several in each value."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Iterable[str] | None) -> list[str]:
        values = value or []
        if sum(map(lookups_in, values)) > settings.MAX_RECIPIENTS:
            raise ValidationError(
                _("At most %(limit)s people at once. Nothing was shared.")
                % {"limit": settings.MAX_RECIPIENTS},
                code="too_many_recipients",
            )
        return [name for typed in values for name in user_names(typed)]


class AcceptedField(NamesField):
    """User names alone. Nobody is looked up: these names are not counted, so an answer that depends
    on whether somebody has one would let people try any number."""

    def to_python(self, value: Iterable[str] | None) -> list[str]:
        return [name for typed in value or [] for name in read(typed, {})]


def time_field(label: "_StrPromise") -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=False, widget=widget)


def in_the_future(time: datetime | None, nothing_done: str) -> datetime | None:
    """Return a time in whole seconds. Raises ValidationError if it is past, or a slip."""
    if time is None:
        return None
    params = {"nothing_done": nothing_done}
    if time <= timezone.now():
        sentence = _("This time is in the past. %(nothing_done)s Choose one in the future.")
        raise ValidationError(sentence, code="in_the_past", params=params)
    if time > timezone.now() + FARTHEST_END:
        sentence = _(
            "This time is more than a hundred years away. %(nothing_done)s Choose an earlier one."
        )
        raise ValidationError(sentence, code="too_far", params=params)
    return time.replace(microsecond=0)


class TermsForm(forms.Form):
    """Whom an image is shared with, for what, and until when."""

    recipients = NamesField(required=False)
    # User names of compared contacts whose changed key is taken over (accounts/keys/pins.py).
    accept_changed = AcceptedField(required=False)
    rights = forms.ChoiceField(choices=Grant.Rights.choices, required=False)
    # A number of days, "date" or "none"; without it, `ends_at` alone says it.
    ends = forms.ChoiceField(
        label=gettext_lazy("Access ends"),
        required=False,
        widget=forms.Select(attrs={"class": "input"}),
    )
    ends_at = time_field(gettext_lazy("Date and time"))

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.changed_keys: list[Change] = []
        usual, most = int(settings.DEFAULT_ACCESS_DAYS), self.most_days
        self.initial["ends"] = str(usual or most or "none")
        days = sorted({day for day in (*OFFERED_DAYS, usual, most) if 0 < day <= (most or day)})
        field = self.fields["ends"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            *([] if most else [("none", _("Never"))]),
            *((str(n), ngettext("In %(n)d day", "In %(n)d days", n) % {"n": n}) for n in days),
            ("date", _("On a date")),
        ]

    def refuse_changed(self, changes: list[Change]) -> None:
        """Say whose compared key changed, and let the form ask what to do."""
        self.changed_keys = changes
        for change in changes:
            self.add_error("recipients", change_error(change))

    @property
    def contacts_refused(self) -> bool:
        return self.has_error("recipients", "contacts_refused")

    def clean_recipients(self) -> list[Reader]:
        return find_people(self.cleaned_data["recipients"], besides=self.owner)

    def clean_rights(self) -> str:
        return self.cleaned_data["rights"] or Grant.Rights.DOWNLOAD.value

    def clean_ends_at(self) -> Any:
        ends_at, chosen = self.cleaned_data["ends_at"], self.cleaned_data.get("ends", "")
        if chosen == "date" and ends_at is None:
            sentence = _("Choose the date on which access ends. Nothing was shared.")
            raise ValidationError(sentence, code="no_date")
        if chosen == "none":  # what was typed before is not on the page any more
            ends_at = None
        elif chosen.isdecimal():
            ends_at = timezone.now() + timedelta(days=int(chosen))
        longest = timedelta(days=self.most_days) if self.most_days else None
        # Of a draft nobody's access begins.
        if longest and self.names_somebody:
            latest = timezone.now() + longest
            if ends_at is None or ends_at > latest + A_MOMENT:
                raise ValidationError(
                    _(
                        "Access to images ends after at most %(days)s days here. Nothing was "
                        "shared. Choose an end date before %(latest)s."
                    ),
                    code="too_long",
                    params={
                        "days": self.most_days,
                        "latest": written(latest, "DATETIME_FORMAT"),
                    },
                )
        return in_the_future(ends_at, _("Nothing was shared."))

    @property
    def names_somebody(self) -> bool:
        return bool(self.cleaned_data.get("recipients"))

    @property
    def most_days(self) -> int:
        """For how many days this organisation lets access last; 0: without a limit."""
        return int(settings.MAX_ACCESS_DAYS)

    @property
    def terms(self) -> Terms:
        return Terms(self.cleaned_data["rights"], self.cleaned_data["ends_at"])


class IdsField(forms.Field):
    """Ids, each in a value of its own: as many as may be selected, or at most `most`."""

    widget = forms.MultipleHiddenInput
    too_many = gettext_lazy("At most %(limit)s images at once. Nothing was done. Choose fewer.")
    no_id = gettext_lazy("One of these is not the id of an image. Nothing was done.")

    def __init__(self, *, most: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def to_python(self, value: Iterable[str] | None) -> list[uuid.UUID]:
        """Return each id once, in the order in which they were asked for."""
        values = list(value or [])
        if len(values) > (self.most or settings.MAX_SELECTED):
            limit = {"limit": self.most or settings.MAX_SELECTED}
            raise ValidationError(self.too_many, code="too_many_images", params=limit)
        try:
            return list(dict.fromkeys(map(uuid.UUID, values)))
        except ValueError:
            raise ValidationError(self.no_id, code="invalid") from None


class TeamsField(IdsField):
    too_many = gettext_lazy("At most %(limit)s teams at once. Nothing was shared. Choose fewer.")
    no_id = gettext_lazy("One of these is not the id of a team. Nothing was shared.")


class WithTeamsForm(TermsForm):
    """Terms for people, and for teams: either for the people in one now, each by themselves, or
    for whoever is in it, later too."""

    teams = TeamsField(required=False)
    # Of which of these teams people who join later count, too. A page sends one of two answers for
    # each team instead, as `team_joins-<id>`.
    team_joins = TeamsField(required=False)

    field_order = ["team_joins", "teams", "recipients", "accept_changed"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.of_now: list[Reader] = []

    def clean_teams(self) -> list[uuid.UUID]:
        """Return the teams with whose later members, too, something is to be shared. The people of
        now of the others become recipients, as if somebody had named them."""
        joins, heads, later = self.cleaned_data.get("team_joins", []), Heads(), []
        for team_id in self.cleaned_data["teams"]:
            is_later = team_id in joins or self.data.get(f"team_joins-{team_id}") == "later"
            try:
                team = team_of(team_id, reader=self.owner, heads=heads)
                if is_later:
                    require_sharing(team, reader=self.owner, heads=heads)
                    later.append(team_id)
                else:
                    self.of_now += readers_of_now(team, besides=self.owner, heads=heads)
            except NotAllowed:
                raise team_is_not_for_later() from None
            except (GalleryError, NoKeys):
                raise team_is_not_yours() from None
        return later

    def clean_recipients(self) -> list[Reader]:
        named = super().clean_recipients()
        readers = {reader.user.pk: reader for reader in (*self.of_now, *named)}
        return list(readers.values())

    @property
    def names_somebody(self) -> bool:
        return super().names_somebody or bool(self.cleaned_data.get("teams"))


def team_is_not_yours() -> ValidationError:
    sentence = _(
        "You are not in one of these teams, or somebody in it cannot receive. Nothing was shared. "
        "Load the page again."
    )
    return ValidationError(sentence, code="team_not_yours")


def team_is_not_for_later() -> ValidationError:
    sentence = _(
        "In one of these teams only its owner shares with people who join later. Nothing was "
        "shared. Choose the people in it now."
    )
    return ValidationError(sentence, code="team_not_for_later")


class InvitationsField(IdsField):
    no_id = gettext_lazy("One of these is not the id of an invitation. Nothing was shared.")


class InvitedForm(TermsForm):
    """Terms for people here, and for people one invited. `invites`: somebody is invited in the same
    act."""

    invitations = InvitationsField(required=False)

    def __init__(self, *args: Any, invites: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invites = invites

    def clean_invitations(self) -> list[Invitation]:
        ids = self.cleaned_data["invitations"]
        mine = {one.pk: one for one in open_invitations(self.owner).filter(pk__in=ids)}
        if mine.keys() != set(ids):
            raise invitation_not_open()
        return [mine[one] for one in ids]

    @property
    def names_somebody(self) -> bool:
        return self.invites or super().names_somebody or bool(self.cleaned_data.get("invitations"))

    def require_somebody(self) -> None:
        if not (self.names_somebody or self.errors):
            sentence = _("Choose at least one person.")
            self.add_error("recipients", ValidationError(sentence, code="required"))


class WithInvitationsForm(InvitedForm, WithTeamsForm):
    """Terms for people here, for teams, and for people one invited."""

    field_order = [*WithTeamsForm.field_order, "invitations"]


def invitation_not_open() -> ValidationError:
    sentence = _(
        "One of these invitations is not open any more. Nothing was shared. Load the page again."
    )
    return ValidationError(sentence, code="invitation_not_open")


def require_same_person(data: Mapping[str, Any], person: User) -> None:
    """The upload page sends the token of the moment, so it says itself whose it was. Raises
    ValidationError if it was another's."""
    if data.get("person", str(person.pk)) != str(person.pk):
        sentence = _(
            "Somebody else opened this page, and you are signed in as @%(name)s now. Nothing "
            "was uploaded. Sign in as before, or send it once more to upload as @%(name)s."
        )
        name = certified_name(person).username
        raise ValidationError(sentence, code="another_person", params={"name": name})


class WishesForm(WithInvitationsForm):
    """What an upload asks for besides its files."""

    caption = forms.CharField(
        max_length=CAPTION_CHARACTERS,
        required=False,
        label=gettext_lazy("Caption"),
        help_text=gettext_lazy("Several images are numbered: “Summer (1)”, “Summer (2)” …"),
    )
    keep_until = time_field(gettext_lazy("Keep until"))
    keep_details = forms.BooleanField(required=False)
    album = forms.UUIDField(required=False, label=gettext_lazy("Album"))
    image_count = forms.IntegerField(required=False, min_value=1)  # of the files that will follow
    upload_count = forms.IntegerField(required=False, min_value=1)  # of all files of the upload
    upload_id = forms.UUIDField(required=False)
    # Which file of the upload the first one of this request is.
    upload_index = forms.IntegerField(required=False, min_value=0, max_value=999_999)

    def clean(self) -> None:
        require_same_person(self.data, self.owner)

    def clean_keep_until(self) -> datetime | None:
        return in_the_future(self.cleaned_data["keep_until"], _("Nothing was uploaded."))

    def clean_keep_details(self) -> bool:
        return self.data.get("keep_details") == "1"


class UploadForm(WishesForm):
    data: MultiValueDict[str, str]  # as a request has it, and as Django begins without one

    images = forms.Field(required=False, label=gettext_lazy("Images"))

    def clean_images(self) -> "list[UploadedFile[bytes]]":
        """Return the files. Otherwise one sent as anything else would be lost silently."""
        if self.files.keys() - {"images"} or any(self.data.getlist("images")):
            sentence = _(
                "Something was sent that is not a file called “images”. Nothing was uploaded."
            )
            raise ValidationError(sentence, code="not_among_images")
        files = self.files.getlist("images")
        if not files:
            raise ValidationError(_("Choose at least one image."), code="required")
        return files


class WordsForm(forms.Form):
    """What an owner says of an image, and the version of it that they were shown."""

    caption = forms.CharField(
        max_length=CAPTION_CHARACTERS, required=False, label=gettext_lazy("Caption")
    )
    alt_text = forms.CharField(
        max_length=1000,
        required=False,
        label=gettext_lazy("Description"),
        help_text=gettext_lazy("What can be seen, for people who do not see the picture."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    version = forms.CharField(max_length=64)


class KeepForm(forms.Form):
    """Until when an image is kept; empty: until its owner deletes it."""

    keep_until = time_field(gettext_lazy("Keep until"))

    def clean_keep_until(self) -> datetime | None:
        return in_the_future(self.cleaned_data["keep_until"], _("Nothing was changed."))


class ShareForm(WithTeamsForm):
    def clean_recipients(self) -> list[Reader]:
        readers = super().clean_recipients()
        if not readers and not self.cleaned_data.get("teams"):
            raise ValidationError(_("Choose at least one person."), code="required")
        return readers


class ImageShareForm(WithInvitationsForm):
    """Sharing one image, or an album."""

    def clean(self) -> None:
        self.require_somebody()


class SelectionForm(forms.Form):
    images = IdsField(error_messages={"required": gettext_lazy("Choose at least one image.")})


class ThumbnailsForm(SelectionForm):
    images = IdsField(
        most=MAX_THUMBNAILS,
        error_messages={"required": gettext_lazy("Choose at least one image.")},
    )


class SearchForm(forms.Form):
    q = forms.CharField(
        max_length=200,
        label=gettext_lazy("Search your images"),
        error_messages={"required": gettext_lazy("Type what to look for.")},
    )


class PeopleForm(forms.Form):
    q = forms.CharField(
        max_length=100,
        label=gettext_lazy("Find people"),
        error_messages={"required": gettext_lazy("Type a name, or a part of one.")},
    )


class NoticesForm(forms.Form):
    how = forms.ChoiceField(
        choices=NoticeChoice.How.choices,
        widget=forms.RadioSelect,
        label=gettext_lazy("Mails about new notices"),
    )
    first_openings = forms.BooleanField(required=False)
