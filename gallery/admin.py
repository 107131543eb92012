"""Images, albums, teams and notices, for staff: who, when and how much. Nothing here is of a
picture: what a caption, a title or a file name says is encrypted, and no page asks for it."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict, cast

from django.contrib import admin
from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.acts import Act, ActingAdmin
from accounts.admin.people import PersonAdmin
from accounts.models import KeySlot, User
from audit.admin import ReadOnlyAdmin
from audit.naming import NAMERS, names_of, with_name
from audit.panels import Figure, Panel, a_day, chart_of, in_short, since
from audit.unreadable import as_id
from cryptocore import canonical
from cryptocore.errors import CryptoError
from gallery.models import (
    Circle,
    Grant,
    Invitation,
    InvitedGrant,
    Member,
    Notice,
    Placement,
    SealedImage,
)
from gallery.services.invitations.taking_back import take_back
from gallery.services.quota import POSSIBLE
from gallery.services.successors import disable_and_notify

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise
    from django_stubs_ext import WithAnnotations

FACT_SHOWN = 64
WHOSE = {
    Circle.Kind.ALBUM.value: _("album of %(name)s"),
    Circle.Kind.TEAM.value: _("team of %(name)s"),
}
SUCCESSORS_OF = _("successors of %(name)s")
LARGEST = 5  # of the people who store most
FULL = 90  # percent of a storage limit that are worth a look
IMAGE_COLUMNS = ("id", "by", "sealed", "size", "recipients", "lock", "deleted")
CIRCLE_HOLDS = ("members_now", "teams_now", "invited_now", "images")
CIRCLE_COLUMNS = ("id", "kind", "by", "made", *CIRCLE_HOLDS, "waits", "deleted")
INVITATION_COLUMNS = ("id", "by", "state", "made", "ends", "used", "taken_back", "images")
NOTICE_COLUMNS = ("to", "sequence", "sent", "kind", "mac_epoch", "read")


class OfAPerson(TypedDict):
    """What the query adds to a person."""

    recovery: bool
    keyed: bool
    stored: int | None


class OfAnInvitation(TypedDict):
    """What the query adds to an invitation."""

    carried: int


class OfACircle(TypedDict):
    """What the query adds to an album or a team."""

    people: int
    of_teams: int
    links: int
    placed: int
    keyless: int
    due: int


class OfAnImage(TypedDict):
    """What the query adds to an image."""

    others: int


def owners(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Say of images, albums and teams, and of invitations, whose they are."""
    images = SealedImage.objects.filter(pk__in=ids).values_list("pk", "owner__username")
    circles = Circle.objects.filter(pk__in=ids).values_list("pk", "kind", "owner__username")
    invitations = Invitation.objects.filter(pk__in=ids).values_list("pk", "inviter__username")
    found = {pk: gettext("image of %(name)s") % {"name": name} for pk, name in images}
    for pk, kind, name in circles:
        found[pk] = WHOSE.get(kind, SUCCESSORS_OF) % {"name": name}
    for pk, name in invitations:
        found[pk] = gettext("invitation by %(name)s") % {"name": name}
    return found


NAMERS.append(owners)


@admin.register(User)
class PersonWithStorageAdmin(PersonAdmin):
    """People, what they store, and their successors: accounts knows no images."""

    acts = tuple(
        replace(act, do=disable_and_notify) if act.name == "disable" else act
        for act in PersonAdmin.acts
    )
    list_display = (*PersonAdmin.list_display[:-2], "storage", *PersonAdmin.list_display[-2:])

    exported = (
        *("id", "username", "display_name", "active", "staff", "joined", "last_signed_in"),
        *("recovery_code", "keys", "stored_bytes", "limit_bytes"),
    )

    def cells(self, row: User) -> Sequence[str]:
        person = cast("WithAnnotations[User, OfAPerson]", row)
        whether = (row.is_active, row.is_staff, person.recovery, person.keyed)
        active, staff, code, keys = ("yes" if one else "no" for one in whether)
        times = (row.joined_at, row.last_login)
        return (
            *(str(row.pk), row.username, row.display_name, active, staff),
            *(time.isoformat() if time else "" for time in times),
            *(code, keys, str(person.stored or 0), str(row.quota or "")),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        images = SealedImage.objects.filter(POSSIBLE, owner=OuterRef("pk"), deleted_at=None)
        images = images.order_by()
        total = images.values("owner").annotate(total=Sum("stored_bytes")).values("total")
        return super().get_queryset(request).annotate(stored=Subquery(total))

    @admin.display(description=_("storage used"), ordering="stored")
    def storage(self, person: "WithAnnotations[User, OfAPerson]") -> str:
        used = filesizeformat(person.stored or 0)
        if not person.quota:
            return used
        return gettext("%(used)s of %(quota)s") % {
            "used": used,
            "quota": filesizeformat(person.quota),
        }

    def panels(self) -> list[Panel]:
        working = Q(is_active=True)
        lately = Q(last_login__gte=since())
        people = self.model.objects.aggregate(
            active=Count("pk", filter=working),
            disabled=Count("pk", filter=~working),
            staff=Count("pk", filter=working & Q(is_staff=True)),
            lately=Count("pk", filter=lately),
        )
        codes = KeySlot.objects.filter(
            user=OuterRef("pk"),
            master_key_version=OuterRef("master_key_version"),
            kind=KeySlot.Kind.RECOVERY_CODE,
        )
        without = self.model.objects.filter(~Exists(codes), is_active=True).count()
        address = reverse("admin:accounts_user_changelist")
        figures = [
            Figure(_("people"), people["active"], address),
            Figure(_("signed in lately"), people["lately"]),
            Figure(_("without a recovery code"), without, is_bad=bool(without)),
            Figure(_("staff"), people["staff"], f"{address}?is_staff__exact=1"),
            Figure(_("disabled"), people["disabled"], f"{address}?is_active__exact=0"),
        ]
        joined = a_day(self.model.objects.all(), "joined_at")
        return [Panel(10, _("People"), figures, chart_of(_("New people"), joined))]


class WhetherFilter(admin.SimpleListFilter):
    """Whether a column that holds a time holds one."""

    column = ""

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> "list[tuple[str, _StrPromise]]":
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(**{f"{self.column}__isnull": self.value() == "no"})


class DeletedFilter(WhetherFilter):
    title, parameter_name, column = _("deleted"), "deleted", "deleted_at"


class ReadFilter(WhetherFilter):
    title, parameter_name, column = _("read"), "read", "read_at"


@admin.register(SealedImage)
class SealedImageAdmin(ReadOnlyAdmin[SealedImage]):
    list_display = IMAGE_COLUMNS
    fields = readonly_fields = (*IMAGE_COLUMNS, "who")
    list_filter = [("sealed_at", admin.DateFieldListFilter), DeletedFilter]
    ordering = ["-sealed_at", "pk"]
    search_fields = ["id"]
    search_help_text = _("The username of an owner, or the id of an image or an owner.")
    texts_searched = ("owner__username__iexact",)
    ids_searched = ("pk", "owner_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SealedImage]:
        live = Grant.objects.filter(image=OuterRef("pk"), ended_at=None)
        others = live.exclude(ends_at__lte=timezone.now()).exclude(reader=OuterRef("owner"))
        count = others.order_by().values("image").annotate(count=Count("pk")).values("count")
        images = super().get_queryset(request).select_related("owner")
        return images.annotate(others=Coalesce(Subquery(count), 0))

    def panels(self) -> list[Panel]:
        images = SealedImage.objects.filter(POSSIBLE, deleted_at=None)
        sums = images.aggregate(
            count=Count("pk"),
            stored=Sum("stored_bytes"),
            waiting=Count("pk", filter=Q(relock_after__isnull=False)),
        )
        figures = [
            Figure(_("images"), sums["count"], reverse("admin:gallery_sealedimage_changelist")),
            Figure(_("stored"), filesizeformat(sums["stored"] or 0)),
            Figure(_("waiting for a new lock"), sums["waiting"]),
        ]
        uploaded = chart_of(_("New images"), a_day(images, "sealed_at"))
        return [
            Panel(15, _("Images"), figures, uploaded),
            Panel(17, _("Storage"), _largest(images)),
        ]

    @admin.display(description=_("owner"), ordering="owner__username")
    def by(self, image: SealedImage) -> str:
        return image.owner.username

    @admin.display(description=_("sealed"), ordering="sealed_at")
    def sealed(self, image: SealedImage) -> str:
        return in_short(image.sealed_at)

    @admin.display(description=_("deleted"), ordering="deleted_at")
    def deleted(self, image: SealedImage) -> str:
        return in_short(image.deleted_at)

    @admin.display(description=_("stored"), ordering="stored_bytes")
    def size(self, image: SealedImage) -> str:
        return filesizeformat(image.stored_bytes)

    @admin.display(description=_("recipients"), ordering="others")
    def recipients(self, image: "WithAnnotations[SealedImage, OfAnImage]") -> int:
        return image.others

    @admin.display(description=_("who they are"))
    def who(self, image: SealedImage) -> str:
        grants = Grant.objects.filter(image=image, ended_at=None)
        live = grants.exclude(ends_at__lte=timezone.now()).exclude(reader=image.owner_id)
        names = live.order_by("reader__username").values_list("reader__username", flat=True)
        return ", ".join(names)


def _largest(images: QuerySet[SealedImage]) -> list[Figure]:
    """Return the people who store most, each with how much of their limit that is."""
    columns = ("owner__username", "owner__quota_bytes", "owner")
    owners = images.order_by().values(*columns).annotate(stored=Sum("stored_bytes"))
    figures = []
    for row in owners.order_by("-stored")[:LARGEST]:
        person = User(username=row["owner__username"], quota_bytes=row["owner__quota_bytes"])
        of_100 = min(100, 100 * row["stored"] // person.quota) if person.quota else None
        address = reverse("admin:accounts_user_change", args=[row["owner"]])
        size = filesizeformat(row["stored"])
        figures.append(Figure(person.username, size, address, of_100, is_bad=(of_100 or 0) >= FULL))
    return figures


class KindFilter(admin.SimpleListFilter):
    title, parameter_name = _("kind"), "kind"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> "list[tuple[str, _StrPromise]]":
        return [(kind.value, kind.label) for kind in Circle.Kind]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset.filter(kind=self.value()) if self.value() in Circle.Kind else queryset


def _how_many(rows: QuerySet[Any], by: str = "circle") -> Coalesce:
    """Return how many of these rows there are of each circle, as a subquery."""
    of_it = rows.filter(**{by: OuterRef("pk")}, ended_at=None).exclude(ends_at__lte=timezone.now())
    return Coalesce(Subquery(of_it.order_by().values(by).annotate(n=Count("pk")).values("n")), 0)


@admin.register(Circle)
class CircleAdmin(ReadOnlyAdmin[Circle]):
    """Albums and teams: whose, how large, and what waits. Titles are encrypted."""

    list_display = CIRCLE_COLUMNS
    fields = readonly_fields = (*CIRCLE_COLUMNS, "who")
    list_filter = [KindFilter, ("made_at", admin.DateFieldListFilter), DeletedFilter]
    ordering = ["-made_at", "pk"]
    search_fields = ["id"]
    search_help_text = _("The username of an owner, or the id of an album, a team or an owner.")
    texts_searched = ("owner__username__iexact",)
    ids_searched = ("pk", "owner_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Circle]:
        placed = Placement.objects.filter(image__deleted_at=None)
        circles = super().get_queryset(request).defer("details").select_related("owner")
        return circles.annotate(
            people=_how_many(Member.objects.exclude(reader=None)),
            of_teams=_how_many(Member.objects.exclude(team=None)),
            links=_how_many(InvitedGrant.objects.all()),
            placed=_how_many(placed),
            keyless=_how_many(Member.objects.filter(wrapped_key=None).exclude(reader=None)),
            due=_how_many(placed.exclude(image__relock_after=None)),
        )

    def panels(self) -> list[Panel]:
        circles = Circle.objects.filter(deleted_at=None).aggregate(
            albums=Count("pk", filter=Q(kind=Circle.Kind.ALBUM)),
            teams=Count("pk", filter=Q(kind=Circle.Kind.TEAM)),
            due=Count("pk", filter=Q(rekey_after__isnull=False)),
        )
        address = reverse("admin:gallery_circle_changelist")
        figures = [
            Figure(_("albums"), circles["albums"], f"{address}?kind={Circle.Kind.ALBUM}"),
            Figure(_("teams"), circles["teams"], f"{address}?kind={Circle.Kind.TEAM}"),
            Figure(_("due for a new key"), circles["due"]),
        ]
        return [Panel(25, _("Albums and teams"), figures)]

    @admin.display(description=_("owner"), ordering="owner__username")
    def by(self, circle: Circle) -> str:
        return circle.owner.username

    @admin.display(description=_("made"), ordering="made_at")
    def made(self, circle: Circle) -> str:
        return in_short(circle.made_at)

    @admin.display(description=_("deleted"), ordering="deleted_at")
    def deleted(self, circle: Circle) -> str:
        return in_short(circle.deleted_at)

    @admin.display(description=_("people"), ordering="people")
    def members_now(self, circle: "WithAnnotations[Circle, OfACircle]") -> int:
        return circle.people

    @admin.display(description=_("teams"), ordering="of_teams")
    def teams_now(self, circle: "WithAnnotations[Circle, OfACircle]") -> int:
        return circle.of_teams

    @admin.display(description=_("invitations"), ordering="links")
    def invited_now(self, circle: "WithAnnotations[Circle, OfACircle]") -> int:
        return circle.links

    @admin.display(description=_("images"), ordering="placed")
    def images(self, circle: "WithAnnotations[Circle, OfACircle]") -> int:
        return circle.placed

    @admin.display(description=_("what waits"))
    def waits(self, circle: "WithAnnotations[Circle, OfACircle]") -> str:
        waiting = [
            gettext("due for a new key") if circle.rekey_after else "",
            gettext("people without a key: %(n)s") % {"n": circle.keyless}
            if circle.keyless
            else "",
            gettext("images due for a new lock: %(n)s") % {"n": circle.due} if circle.due else "",
        ]
        return ", ".join(filter(None, waiting)) or "–"

    @admin.display(description=_("who they are"))
    def who(self, circle: Circle) -> str:
        members = Member.objects.filter(circle=circle, ended_at=None).exclude(reader=None)
        live = members.exclude(ends_at__lte=timezone.now()).order_by("reader__username")
        return ", ".join(name for name in live.values_list("reader__username", flat=True) if name)


TAKE_BACK: Act[Invitation] = Act(
    "take-back",
    take_back,
    _("Take back"),
    _("The link opens nothing any more. Once its owner is here, the images are encrypted again."),
    _("The invitation %(name)s is taken back."),
    offered=lambda invitation: invitation.state == Invitation.State.OPEN,
    dangerous=True,
)


@admin.register(Invitation)
class InvitationAdmin(ActingAdmin[Invitation]):
    """Who invites, until when and how much it carries; whom, is encrypted."""

    acts = (TAKE_BACK,)
    row_name = "invitation"
    list_display = INVITATION_COLUMNS
    fields = readonly_fields = INVITATION_COLUMNS
    list_filter = [("made_at", admin.DateFieldListFilter)]
    ordering = ["-made_at", "pk"]
    search_fields = ["id"]
    search_help_text = _("The username of an inviter, or the id of an invitation or an inviter.")
    texts_searched = ("inviter__username__iexact",)
    ids_searched = ("pk", "inviter_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        live = InvitedGrant.objects.filter(invitation=OuterRef("pk"), ended_at=None)
        count = live.order_by().values("invitation").annotate(count=Count("pk")).values("count")
        rows = super().get_queryset(request).defer("token_digest").select_related("inviter")
        return rows.annotate(carried=Coalesce(Subquery(count), 0))

    def panels(self) -> list[Panel]:
        over = Q(used_at__isnull=False) | Q(taken_back_at__isnull=False)
        ended = Q(ends_at__lte=timezone.now())
        counted = Invitation.objects.aggregate(
            open=Count("pk", filter=~(over | ended)),
            used=Count("pk", filter=Q(used_at__isnull=False)),
            unused=Count("pk", filter=ended & ~over),
        )
        figures = [
            Figure(_("open"), counted["open"], reverse("admin:gallery_invitation_changelist")),
            Figure(_("used"), counted["used"]),
            Figure(_("ended unused"), counted["unused"]),
        ]
        return [Panel(27, _("Invitations"), figures)]

    @admin.display(description=_("invited by"), ordering="inviter__username")
    def by(self, invitation: Invitation) -> str:
        return invitation.inviter.username

    @admin.display(description=_("state"))
    def state(self, invitation: Invitation) -> str:
        return str(invitation.state.label)

    @admin.display(description=_("made"), ordering="made_at")
    def made(self, invitation: Invitation) -> str:
        return in_short(invitation.made_at)

    @admin.display(description=_("ends"), ordering="ends_at")
    def ends(self, invitation: Invitation) -> str:
        return in_short(invitation.ends_at)

    @admin.display(description=_("used"), ordering="used_at")
    def used(self, invitation: Invitation) -> str:
        return in_short(invitation.used_at)

    @admin.display(description=_("taken back"), ordering="taken_back_at")
    def taken_back(self, invitation: Invitation) -> str:
        return in_short(invitation.taken_back_at)

    @admin.display(description=_("images"), ordering="carried")
    def images(self, invitation: "WithAnnotations[Invitation, OfAnInvitation]") -> int:
        return invitation.carried


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin[Notice]):
    """What a notice says is shown as it is stored; only that person is shown whether it is
    genuine."""

    list_display = NOTICE_COLUMNS
    fields = readonly_fields = (*NOTICE_COLUMNS, "actor", "image")
    list_filter = [("created_at", admin.DateFieldListFilter), ReadFilter]
    ordering = ["-created_at", "-pk"]
    search_fields = ["person"]
    search_help_text = _("A username, or a person's id.")
    texts_searched = ("person__username__iexact",)
    ids_searched = ("person_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        return super().get_queryset(request).select_related("person")

    def subject_of(self, row: Notice) -> uuid.UUID:
        return row.person_id

    @admin.display(description=_("person"), ordering="person__username")
    def to(self, notice: Notice) -> str:
        return notice.person.username

    @admin.display(description=_("sent"), ordering="created_at")
    def sent(self, notice: Notice) -> str:
        return in_short(notice.created_at)

    @admin.display(description=_("read"), ordering="read_at")
    def read(self, notice: Notice) -> str:
        return in_short(notice.read_at)

    @admin.display(description=_("kind"))
    def kind(self, notice: Notice) -> str:
        return _told(notice, "kind")

    @admin.display(description=_("by"))
    def actor(self, notice: Notice) -> str:
        return _named(_told(notice, "actor"))

    @admin.display(description=_("about the image"))
    def image(self, notice: Notice) -> str:
        return _named(_told(notice, "image"))


def _named(told: str) -> str:
    one = as_id(told)
    return with_name(one, names_of([one])) if one else told


def _told(notice: Notice, name: str) -> str:
    try:
        body = canonical.decode(bytes(notice.body))
    except CryptoError:
        return gettext("does not read")
    return str(body.get(name, ""))[:FACT_SHOWN] if isinstance(body, dict) else ""
