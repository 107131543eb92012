"""Key pairs, for staff: their public facts. What is wrapped is neither read nor shown."""

import uuid
from datetime import timedelta

from django.contrib import admin
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import KeyOrder, KeyPair
from audit.admin import ReadOnlyAdmin
from audit.panels import Figure, Panel, in_short

OLD = timedelta(days=730)
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

    def panels(self) -> list[Panel]:
        in_use = Q(state=KeyPair.State.PRIMARY)
        old = Q(created_at__lt=timezone.now() - OLD)
        pairs = KeyPair.objects.aggregate(
            in_use=Count("pk", filter=in_use),
            old=Count("pk", filter=in_use & old),
            oldest=Min("created_at", filter=in_use),
            compromised=Count("pk", filter=Q(state=KeyPair.State.COMPROMISED)),
        )
        waiting = KeyOrder.objects.filter(done_at=None).count()
        address = reverse("admin:accounts_keypair_changelist")
        figures = [
            Figure(_("key pairs in use"), pairs["in_use"], address),
            Figure(_("the oldest is of"), in_short(pairs["oldest"])),
            Figure(_("in use for over two years"), pairs["old"], is_bad=bool(pairs["old"])),
            Figure(_("waiting to be replaced"), waiting, is_bad=bool(waiting)),
            Figure(
                _("compromised"),
                pairs["compromised"],
                f"{address}?state__exact={KeyPair.State.COMPROMISED}",
                is_bad=bool(pairs["compromised"]),
            ),
        ]
        return [Panel(40, _("Keys"), figures)]

    def subject_of(self, row: KeyPair) -> uuid.UUID:
        return row.user_id

    @admin.display(description=_("owner"), ordering="user__username")
    def owner(self, pair: KeyPair) -> str:
        return pair.user.username

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, pair: KeyPair) -> str:
        return in_short(pair.created_at)
