"""Key pairs, for staff: their public facts. What is wrapped is neither read nor shown."""

import uuid

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import KeyPair
from audit.admin import ReadOnlyAdmin, in_short

SHOWN = ("owner", "purpose", "epoch", "state", "created", "fingerprint")
READ = ["purpose", "epoch", "state", "created_at", "fingerprint", "user__username"]


@admin.register(KeyPair)
class KeyPairAdmin(ReadOnlyAdmin[KeyPair]):
    list_display = fields = readonly_fields = SHOWN
    list_filter = ["purpose", "state"]
    ordering = ["-created_at", "pk"]
    search_fields = ["fingerprint"]
    search_help_text = _("A username, the beginning of a fingerprint, or a person's id.")
    texts_searched = ("user__username__iexact", "fingerprint__istartswith")
    ids_searched = ("user_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[KeyPair]:
        pairs = super().get_queryset(request).select_related("user")
        return pairs.only(*READ)

    def subject_of(self, row: KeyPair) -> uuid.UUID:
        return row.user_id

    @admin.display(description=_("owner"), ordering="user__username")
    def owner(self, pair: KeyPair) -> str:
        return pair.user.username

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, pair: KeyPair) -> str:
        return in_short(pair.created_at)
