"""People, for staff: who is here, how much they store, whether they can come back.

Not registered here: what they store only the gallery knows (gallery/admin.py adds it).
"""

import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypedDict

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import usernames
from accounts.admin.acts import Act, ActingAdmin, ReasonForm
from accounts.keys.names import certified_name
from accounts.keys.remembered import owners_suspended
from accounts.models import KeyPair, KeySlot, User
from accounts.services.people import oversight
from accounts.staff_rights import Rights, rights_of
from audit.naming import FINDERS, NAMERS
from audit.panels import in_short

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Annotations(TypedDict):
    """What the query adds to a person."""

    recovery: bool
    keyed: bool


class ConfirmForm(ReasonForm[User]):
    """For what a slip of the hand must not do: the username is typed, too."""

    username = forms.CharField(
        label=_("Username, typed to confirm"),
        max_length=32,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def clean_username(self) -> str:
        username = usernames.fold(self.cleaned_data["username"])
        if username != self.row.username:
            sentence = _("This is not their username. Nothing was changed.")
            raise ValidationError(sentence, code="not_confirmed")
        return username


class QuotaForm(ReasonForm[User]):
    megabytes = forms.IntegerField(
        label=_("Limit in MB"),
        required=False,
        min_value=0,
        max_value=2**32,
        help_text=_("Leave empty for the site's default. 0 means no limit."),
    )

    field_order = ["megabytes", "reason"]

    def wishes(self) -> dict[str, Any]:
        megabytes = self.cleaned_data["megabytes"]
        quota = None if megabytes is None else megabytes * settings.MEBIBYTE
        return {**super().wishes(), "quota_bytes": quota}


ACTS: tuple[Act[User], ...] = (
    Act(
        "disable",
        oversight.disable_person,
        _("Disable"),
        _(
            "They are signed out everywhere at once and cannot sign in. Nothing is deleted: their "
            "images stay for the people they shared them with."
        ),
        _("%(name)s is disabled."),
        offered=lambda person: person.is_active,
        form=ConfirmForm,
        dangerous=True,
    ),
    Act(
        "suspend-readers",
        oversight.suspend_readers,
        _("Suspend readers"),
        _(
            "From now on nobody can open this person's images. Nothing is deleted and no key is "
            "changed: you can reinstate the readers at any time."
        ),
        _("The readers of %(name)s are suspended."),
        offered=lambda person: not (person.is_active or owners_suspended([person.pk])),
        form=ConfirmForm,
        dangerous=True,
    ),
    Act(
        "reinstate-readers",
        oversight.reinstate_readers,
        _("Reinstate readers"),
        _("Everybody who could open this person's images can open them again."),
        _("The readers of %(name)s are reinstated."),
        offered=lambda person: bool(owners_suspended([person.pk])),
    ),
    Act(
        "enable",
        oversight.enable_person,
        _("Enable again"),
        _("They can sign in again, with the password and the keys they had."),
        _("%(name)s is enabled."),
        offered=lambda person: not person.is_active,
    ),
    Act(
        "end-sessions",
        oversight.end_sessions,
        _("End sessions"),
        _("They are signed out in every browser at once, and may sign in again."),
        _("%(name)s is signed out everywhere."),
        offered=lambda person: person.is_active,
    ),
    Act(
        "quota",
        oversight.set_quota,
        _("Set storage limit"),
        _("A person over their limit cannot add images. Nothing they have is lost."),
        _("The storage limit of %(name)s is set."),
        form=QuotaForm,
    ),
    Act(
        "make-staff",
        oversight.make_staff,
        _("Make staff"),
        _(
            "Staff see who shared with whom, when and how much, but never an image. They invite "
            "and disable people and set storage limits."
        ),
        _("%(name)s is staff."),
        offered=lambda person: not person.is_staff,
        form=ConfirmForm,
        superusers_only=True,
    ),
    Act(
        "remove-staff",
        oversight.remove_staff,
        _("Remove from staff"),
        _("They keep their account and their images, but no longer see these pages."),
        _("%(name)s is no longer staff."),
        offered=lambda person: person.is_staff and rights_of(person) < Rights.SUPERUSER,
        superusers_only=True,
    ),
)


def names_of_people(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "username"))


NAMERS.append(names_of_people)
FINDERS.append(lambda name: User.objects.filter(username__iexact=name).values_list("pk", flat=True))


class PersonAdmin(ActingAdmin[User]):
    acts = ACTS
    row_name = "person"
    list_display: tuple[str, ...] = (
        "username",
        "display_name",
        "is_active",
        "is_staff",
        "joined",
        "last_signed_in",
        "has_recovery_code",
        "has_keys",
    )
    list_filter = ["is_active", "is_staff"]
    ordering = ["username"]
    search_fields = ["username"]
    search_help_text = _("A username, its beginning, part of a name, or a person's id.")
    texts_searched = ("username__istartswith", "display_name__icontains")
    ids_searched = ("pk",)

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return ("id", *self.list_display, "has_certified_name", "limit", "is_superuser")

    get_readonly_fields = get_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        codes = KeySlot.objects.filter(
            user=OuterRef("pk"),
            master_key_version=OuterRef("master_key_version"),
            kind=KeySlot.Kind.RECOVERY_CODE,
        )
        pairs = KeyPair.objects.filter(user=OuterRef("pk"), state=KeyPair.State.PRIMARY)
        people = super().get_queryset(request).defer("password")
        return people.annotate(recovery=Exists(codes), keyed=Exists(pairs))

    @admin.display(description=_("joined"), ordering="joined_at")
    def joined(self, person: User) -> str:
        return in_short(person.joined_at)

    @admin.display(description=_("last signed in"), ordering="last_login")
    def last_signed_in(self, person: User) -> str:
        return in_short(person.last_login)

    @admin.display(description=_("storage limit"))
    def limit(self, person: User) -> str:
        size = filesizeformat(person.quota) if person.quota else gettext("none")
        return size if person.quota_bytes is not None else gettext("%s (default)") % size

    @admin.display(description=_("recovery code"), boolean=True)
    def has_recovery_code(self, person: "WithAnnotations[User, Annotations]") -> bool:
        return person.recovery

    @admin.display(description=_("name certified"), boolean=True)
    def has_certified_name(self, person: User) -> bool:
        return certified_name(person).is_certified

    @admin.display(description=_("keys"), boolean=True)
    def has_keys(self, person: "WithAnnotations[User, Annotations]") -> bool:
        return person.keyed
