"""Invites, for staff: made here, their link shown once, taken back while they are open."""

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.admin.acts import Act, ActingAdmin
from accounts.forms import DisplayNameField
from accounts.models import Invite
from accounts.services.people import invites
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest
from audit.panels import in_short

LISTED = ("display_name", "state", "made", "ends", "maker", "used")


class NewInviteForm(forms.Form):
    display_name = DisplayNameField(
        label=_("Name"),
        help_text=_("The name people will see. They choose their username themselves."),
    )
    email = forms.EmailField(
        label=_("E-mail (optional)"),
        required=False,
        help_text=_("Kept with the account. We send nothing: you give them the link yourself."),
    )


TAKE_BACK: Act[Invite] = Act(
    "take-back",
    invites.take_back_invite,
    _("Take back"),
    _("The link will no longer work. An account made with it already stays."),
    _("The invite for %(name)s is taken back."),
    offered=lambda invite: invite.state == Invite.State.OPEN,
    dangerous=True,
)


@admin.register(Invite)
class InviteAdmin(ActingAdmin[Invite]):
    acts = (TAKE_BACK,)
    row_name = "invite"
    list_display = LISTED
    fields = readonly_fields = (*LISTED, "email", "taken_back")
    ordering = ["-made_at", "pk"]
    search_fields = ["display_name"]
    search_help_text = _("Part of a name, or an invite's id.")
    texts_searched = ("display_name__icontains", "email__iexact")
    ids_searched = ("pk",)
    change_list_template = "admin/invites.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invite]:
        return super().get_queryset(request).defer("token_digest").select_related("made_by")

    def get_urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "HEAD", "POST"])(unlocked(self._make))
        make = path("make/", self.admin_site.admin_view(view), name=self._name_of("make"))
        return [make, *super().get_urls()]

    @sensitive_variables()
    def _make(self, request: PersonRequest) -> HttpResponse:
        form = NewInviteForm(request.POST if request.method == "POST" else None)
        made = None
        if form.is_valid():
            try:
                made = invites.make_invite(**form.cleaned_data, by=request.user)
            except ValidationError as refusal:
                form.add_error(None, refusal)
        back = reverse(f"admin:{self._name_of('changelist')}")
        context = {"title": _("Make an invite"), "back": back}
        if made is None:
            return self.page(request, "admin/make_invite.html", form, **context)
        # From SITE_URL, never from what the request calls its host.
        link = settings.SITE_URL.rstrip("/") + reverse("accounts:invite", args=[made.token])
        context |= {"invite": made.invite, "link": link}
        return self.page(request, "admin/invite_made.html", None, **context)

    @admin.display(description=_("state"))
    def state(self, invite: Invite) -> str:
        return str(invite.state.label)

    @admin.display(description=_("made"), ordering="made_at")
    def made(self, invite: Invite) -> str:
        return in_short(invite.made_at)

    @admin.display(description=_("ends"), ordering="ends_at")
    def ends(self, invite: Invite) -> str:
        return in_short(invite.ends_at)

    @admin.display(description=_("used"), ordering="used_at")
    def used(self, invite: Invite) -> str:
        return in_short(invite.used_at)

    @admin.display(description=_("taken back"))
    def taken_back(self, invite: Invite) -> str:
        return in_short(invite.taken_back_at)

    @admin.display(description=_("made by"), ordering="made_by__username")
    def maker(self, invite: Invite) -> str:
        return invite.made_by.username if invite.made_by else ""
