"""What the pages of images share: an image's page, the people to choose, what was refused."""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts import throttle
from accounts.folding import record_refusal
from accounts.keys import pins
from accounts.keys.certificates import NoKeys
from accounts.keys.names import find_person, prefetch_names
from accounts.models import User
from accounts.policy import people_may_invite
from accounts.usernames import fold, is_well_formed
from accounts.web.requests import PersonRequest, open_keys
from audit.events import Event
from audit.unreadable import as_id
from gallery import presenting, team_pages
from gallery.access import Access
from gallery.circles_on_list import CirclesOnList
from gallery.errors import (
    Altered,
    GalleryError,
    InvitationGone,
    NotARecipient,
    TooManyReaders,
    Waiting,
)
from gallery.forms import (
    ImageShareForm,
    InvitedForm,
    KeepForm,
    TermsForm,
    invitation_not_open,
)
from gallery.invitation_forms import InviteForm
from gallery.invitation_keys import InvitationKey, key_for_inviter
from gallery.models import Grant, Invitation, Member, Rendition
from gallery.opening import Opener, settled
from gallery.releases import record_opening, record_thumbnails
from gallery.services.invitations import listing
from gallery.services.succession import places_to_take_over
from gallery.typed_names import lookups_in

# Bytes opened on their own run nothing. What default-src does not cover is said beside it.
ALONE = "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
CONTACTS_SHOWN = 12
LOOKED_BACK = 1000  # the newest grants: an owner may have given a hundred thousand
INVITATIONS_SHOWN = 12
NOT_SHARED = (TooManyReaders, NoKeys, pins.KeyChanged, pins.ContactsRefused, InvitationGone)


def image_page(
    request: PersonRequest,
    access: Access,
    form: TermsForm | None = None,
    invite_form: InviteForm | None = None,
) -> dict[str, Any]:
    """Return what the image page shows: to its owner also who can open it. Records the opening."""
    opener = Opener(open_keys(request))
    context = settled(opener, access, lambda access: presenting.image_context(access, opener))
    if access.is_owner:
        placed = context.pop("placed")
        on_list = {row.circle_id for row in placed}
        circles = CirclesOnList(on_list, owner=request.user, opener=opener)
        context["albums"], context["teams"] = circles.albums(placed), circles.teams(placed)
        also = circles.also_through(placed)
        context["rows"] = [{**row, "also": also.get(row["id"], [])} for row in context["rows"]]
        context["share_form"] = form or ImageShareForm(owner=request.user)
        context["invite_form"] = invite_form or InviteForm(prefix="invite")
        context["may_invite"] = people_may_invite()
        context["people"] = people_to_choose(request, opener)
        context["keep_form"] = KeepForm(initial={"keep_until": access.image.keep_until})
    elif not access.image.owner.is_active:
        with suppress(GalleryError):
            places_to_take_over(access.image, opener, reader=request.user)
            context["may_take_over"] = True
    if releases(request):
        record_opening(access, Rendition.Name.DESCRIPTION)
    return context


def releases(request: PersonRequest) -> bool:
    """Whether the answer has a body: a request for headers only has seen nothing."""
    return request.method != "HEAD"


def record_cards(request: PersonRequest, cards: Iterable[presenting.Card]) -> None:
    """Record, as one page, the cards that opened: nothing is shown of the others, and what is not
    on record here is recorded once it is. Raises AuditUnavailable: then nothing must be shown."""
    opened = [card.id for card in cards if card.is_open]
    if opened and releases(request):
        record_thumbnails(request.user, opened)


def count_names(request: PersonRequest) -> None:
    """Exact user names can be found out by trying: not by trying very many, in however few values.

    A person with whom this one shared before is not counted: of them an answer says nothing new,
    and an upload names them again with each of its files.
    """
    typed = request.POST.getlist("recipients")
    names = {value: fold(value) for value in typed}
    known = Grant.objects.filter(
        owner=request.user, reader__username__in=filter(is_well_formed, names.values())
    )
    shared_with = set(known.values_list("reader__username", flat=True)) if names else set()
    asked = sum(lookups_in(value) for value in typed if names[value] not in shared_with)
    if amount := min(asked, settings.MAX_RECIPIENTS):
        person, limit = str(request.user.pk), settings.NAME_LOOKUPS_PER_HOUR
        throttle.count("names", person, limit=limit, amount=amount)


def settle_contacts(request: PersonRequest, form: TermsForm) -> None:
    """Take over the changed keys that the owner accepts. Raises KeyChanged or ContactsRefused."""
    readers, accepted = form.cleaned_data["recipients"], form.cleaned_data["accept_changed"]
    if readers:
        names = {fold(name) for name in accepted}
        pins.settle(keyring=open_keys(request), readers=readers, accepted=names)


@sensitive_variables()
def open_invitations(request: PersonRequest, form: InvitedForm) -> list[InvitationKey]:
    """Return the invitations that were ticked, with their keys. Raises InvitationGone if one is not
    open any more, whatever its row says, or one's keys do not open it."""
    opener = Opener(open_keys(request))
    try:
        return [key_for_inviter(opener, one) for one in form.cleaned_data["invitations"]]
    except (Altered, Waiting):
        raise InvitationGone from None


def add_sharing_error(form: TermsForm, error: Exception) -> None:
    if isinstance(error, InvitationGone):
        form.add_error("invitations", invitation_not_open())
        return
    if isinstance(error, pins.KeyChanged):
        form.refuse_changed(error.changes)
    else:
        form.add_error("recipients", _not_shared(error))


def _not_shared(error: Exception) -> ValidationError:
    if isinstance(error, pins.ContactsRefused):
        sentence = _(
            "Your list of compared keys is missing, or is not the newest. Nothing was shared. "
            "Start a new list, and tell staff: somebody may have changed it."
        )
        return ValidationError(sentence, code="contacts_refused")
    if isinstance(error, TooManyReaders):
        sentence = _("At most %(limit)s people can open one image. Nothing was shared.")
        limit = {"limit": settings.MAX_RECIPIENTS}
        return ValidationError(sentence, code="too_many_recipients", params=limit)
    sentence = _("A recipient's keys changed just now. Nothing was shared. Try again.")
    return ValidationError(sentence, code="no_keys")


def person_named(name: str) -> User:
    """Return the person of a certified username, or of an id: an owner can take access back from
    somebody whose name does not verify, too, and while the trail does not answer."""
    by_id = None if is_well_formed(fold(name)) else as_id(name)
    person = User.objects.filter(pk=by_id).first() if by_id else find_person(name)
    if person is None:
        raise NotARecipient
    return person


def own_invitation(request: PersonRequest) -> Invitation:
    """Return the invitation of this person's that was posted. Raises NotARecipient."""
    named = as_id(request.POST["invitation"])
    mine = Invitation.objects.filter(inviter=request.user, pk=named) if named else None
    invitation = mine.first() if mine is not None else None
    if invitation is None:
        raise NotARecipient
    return invitation


def people_to_choose(
    request: PersonRequest, opener: Opener | None = None, *, invitations: bool = True
) -> dict[str, Any]:
    """Return whom a form offers; with an opener, also one's teams, and open invitations if the form
    takes them."""
    chosen = request.POST.getlist("recipients")[: settings.MAX_RECIPIENTS]
    people = presenting.people_to_choose(recent_contacts(request.user), chosen)
    if opener:
        people["teams"] = _teams_to_choose(request, opener)
    if opener and invitations:
        ticked = request.POST.getlist("invitations")
        rows = listing.open_invitations(request.user)[:INVITATIONS_SHOWN]
        named = listing.named_invitations(opener, rows)
        people["invitations"] = [(one, str(one.invitation.pk) in ticked) for one in named]
    return people


def _teams_to_choose(request: PersonRequest, opener: Opener) -> list[dict[str, Any]]:
    """Return the person's teams, each with what was chosen of it."""
    ticked, joins = request.POST.getlist("teams"), request.POST.getlist("team_joins")
    return [
        {
            "line": line,
            "ticked": str(line.id) in ticked,
            "later": str(line.id) in joins or request.POST.get(f"team_joins-{line.id}") == "later",
        }
        for line in team_pages.lines_of(request.user, opener)[: team_pages.OFFERED]
        if line.is_open
    ]


def recent_contacts(person: User) -> list[presenting.Person]:
    """Return the people this person shared with lately, without those whose names do not verify."""
    given = Grant.objects.filter(owner=person).exclude(owner=F("reader")).order_by("-granted_at")
    latest = dict.fromkeys(given.values_list("reader", flat=True)[:LOOKED_BACK])
    people = User.objects.filter(is_active=True).in_bulk(latest)
    known = [people[reader] for reader in latest if reader in people][:CONTACTS_SHOWN]
    prefetch_names(known)
    contacts = [presenting.person_of(person) for person in known]
    return [contact for contact in contacts if contact.username]


def record_refused(
    request: PersonRequest, event: Event, form: TermsForm, image_id: uuid.UUID | None = None
) -> None:
    """Record what was wrong in a form, by codes: what people typed is not for the trail."""
    codes = sorted(
        {error.code or "" for errors in form.errors.as_data().values() for error in errors}
    )
    record_refusal(request, event, subject=image_id, codes=codes)


def usernames_of(members: Iterable[Member]) -> list[str]:
    """Return the user names of these members, teams left out: for scripts."""
    return [member.reader.username for member in members if member.reader]
