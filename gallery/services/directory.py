"""Whom somebody may find by typing a part of a name, and what to say before they share.

Who is here is nobody's business but that of people who have to do with each other. So by default
one finds those one exchanged images with, and beyond them only who has exactly the typed username
(`PEOPLE_SEARCH`).
"""

import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from accounts import usernames
from accounts.keys.names import certified_name, prefetch_names
from accounts.models import User
from gallery.models import Circle, Grant, Member
from gallery.services.searching import folded, words_of

EXACT, KNOWN, EVERYBODY = "exact", "known", "everybody"
WAYS = (EXACT, KNOWN, EVERYBODY)
MOST = 12  # people in one answer
LOOKED_THROUGH = 2000  # names at most, where everybody may be found
CONTACTS_COMPARED = 200  # the latest, for names that look alike


def people_found(*, searcher: User, text: str) -> list[User]:
    """Return people whose names hold every word of `text`, at most twelve of them; who has exactly
    this username comes first. Only people whose names are certified.

    Raises AuditUnavailable.
    """
    words = words_of(text)
    if not words:
        return []
    exact = User.objects.filter(is_active=True, username=usernames.fold(text).removeprefix("@"))
    found = {person.pk: person for person in exact.exclude(pk=searcher.pk)}
    for person in _who_may_be_found(searcher).order_by("display_name")[:LOOKED_THROUGH]:
        shown = folded(f"{person.display_name} {person.username}")
        if all(word.removeprefix("@") in shown for word in words):
            found.setdefault(person.pk, person)
    people = list(found.values())[:MOST]
    prefetch_names(people)
    return [one for one in people if certified_name(one).require_known().is_certified]


def exchanged_with(person: User) -> QuerySet[User]:
    """Return whom this person shared with, or who shared with them, whatever became of it; and who
    is in a team with them."""
    shared = Grant.objects.filter(owner=person, reader=OuterRef("pk"))
    received = Grant.objects.filter(reader=person, owner=OuterRef("pk"))
    others = User.objects.filter(is_active=True).exclude(pk=person.pk)
    with_person = Member.objects.filter(reader=person, ended_at=None, circle__kind=Circle.Kind.TEAM)
    in_team = Member.objects.filter(
        circle__in=with_person.values("circle"), reader=OuterRef("pk"), ended_at=None
    )
    return others.filter(Q(Exists(shared)) | Q(Exists(received)) | Q(Exists(in_team)))


def _who_may_be_found(searcher: User) -> QuerySet[User]:
    if settings.PEOPLE_SEARCH == EVERYBODY:
        with_keys = User.objects.filter(is_active=True, master_key_version__gt=0)
        return with_keys.exclude(pk=searcher.pk)
    # A word we do not know shows nobody: a slip of the pen must not.
    return exchanged_with(searcher) if settings.PEOPLE_SEARCH == KNOWN else User.objects.none()


# ---- before sharing --------------------------------------------------------------------------


def never_shared_with(people: Iterable[User], *, owner: User) -> list[User]:
    """Return with whom of these people the owner never shared an image, an album or a team."""
    people = list(people)
    images = Grant.objects.filter(owner=owner, reader__in=people)
    circles = Member.objects.filter(circle__owner=owner, reader__in=people)
    known = {*images.values_list("reader", flat=True), *circles.values_list("reader", flat=True)}
    return [person for person in people if person.pk not in known]


def look_alikes(people: Iterable[User], *, owner: User) -> list[tuple[User, User]]:
    """Return who of these people has a name that can be mistaken for that of somebody the owner
    shared with lately, and for whose."""
    contacts = _latest_contacts(owner)
    pairs = [
        (person, contact)
        for person in people
        for contact in contacts
        if person != contact and _looks(person) & _looks(contact)
    ]
    prefetch_names(contact for _person, contact in pairs)
    return pairs


def known_by_this_name(display_name: str, *, owner: User) -> list[User]:
    """Return with whom of this name the owner shared lately: whoever invites somebody may not know
    that they have an account."""
    contacts = [one for one in _latest_contacts(owner) if _look(display_name) in _looks(one)]
    prefetch_names(contacts)
    return contacts


def _latest_contacts(owner: User) -> list[User]:
    """Return the people whom the owner gave access to lately: to images, albums or teams."""
    images = Grant.objects.filter(owner=owner).exclude(owner=F("reader"))
    circles = Member.objects.filter(circle__owner=owner).exclude(reader=owner).exclude(reader=None)
    latest: set[uuid.UUID] = set()
    for rows in (images, circles):
        given = rows.values("reader").annotate(last=Max("granted_at")).order_by("-last")
        latest |= {row["reader"] for row in given[:CONTACTS_COMPARED]}
    return list(User.objects.filter(pk__in=latest))


def _looks(person: User) -> set[str]:
    """Return what is read at a glance: both names without look-alikes, spaces and numbers at the
    end, so that `bchen2` is taken for `bchen`."""
    return {_look(person.display_name), _look(person.username)}


def _look(name: str) -> str:
    return usernames.skeleton("".join(name.casefold().split()).rstrip("0123456789"))
