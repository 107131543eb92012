"""What people are called, beside an image, in a share, in a notice: as it was certified.

Anybody who can write to the database can change the names in a person's row. So code that shows or
looks up somebody else asks here: a name counts only where the newest certificate of that person's
signing key says the very same.
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts import usernames
from accounts.keys.certificates import Names, certified_names, newest_names
from accounts.keys.certified import known_certificates
from accounts.models import KeyPair, User
from audit.events import AuditUnavailable
from cryptocore.errors import CryptoError

MEMO = "_certified_name"  # on a person's instance, which lives as long as a request


@dataclass(frozen=True)
class Name:
    """What a person is called. Without a verified name: a sentence in its place, no username.

    `is_known`: the trail answered, so that it is known whether the name is verified.
    """

    username: str | None
    display_name: str
    is_known: bool = True

    def __str__(self) -> str:
        return self.display_name

    @property
    def is_certified(self) -> bool:
        return self.username is not None

    def require_known(self) -> "Name":
        """Return this name. Raises AuditUnavailable if it is not known whether it verifies."""
        if not self.is_known:
            raise AuditUnavailable
        return self

    @property
    def in_full(self) -> str:
        """Both names: two people may be called the same, and no two usernames are."""
        return f"{self.display_name} (@{self.username})" if self.username else self.display_name


def certified_name(person: User) -> Name:
    """Return what `person` is called. For many at once call prefetch_names() first."""
    prefetch_names([person])
    name: Name = getattr(person, MEMO)
    return name


def prefetch_names(people: Iterable[User]) -> None:
    """Look up and verify the names of all these people: a query to each database, however many."""
    people = [person for person in people if not hasattr(person, MEMO)]
    if not people:
        return
    ids = {person.pk for person in people}
    try:
        known = known_certificates(ids)
    except AuditUnavailable:
        for person in people:
            setattr(person, MEMO, unknown_name())
        return
    pairs = newest_signing_pairs(ids)  # after the trail: what changed meanwhile is newer than it
    newest = {pk: newest_names(pairs.get(pk), known[pk]) for pk in ids}
    for person in people:
        names = newest[person.pk]
        if names == Names(person.username, str(person)):
            name = Name(names.username, names.display_name)
        else:
            name = Name(None, _("Somebody whose name does not verify"))
        setattr(person, MEMO, name)


def newest_signing_pairs(people: Collection[uuid.UUID]) -> dict[uuid.UUID, KeyPair]:
    """Return each person's newest signing pair, whatever its state: it carries their names."""
    pairs = KeyPair.objects.filter(user__in=people, purpose=KeyPair.Purpose.SIGNING)
    pairs = pairs.defer("wrapped_private_key").order_by("epoch")
    return {pair.user_id: pair for pair in pairs}


def unknown_name() -> Name:
    """The trail does not answer: whether a certificate is the newest cannot be known."""
    return Name(None, _("Somebody whose name cannot be checked right now"), is_known=False)


def find_person(username: str) -> User | None:
    """Return the person of this exact username, if a certificate says that it is theirs.

    Usernames never change, so any certificate that verifies says so, the newest or not: the trail
    is not asked, and an altered display name is no matter. For sharing this is not enough
    (accounts/keys/recipients.py): there the whole name is shown.
    """
    folded = usernames.fold(username)
    if not usernames.is_well_formed(folded):
        return None
    person = User.objects.filter(username=folded).first()
    pair = newest_signing_pairs([person.pk]).get(person.pk) if person else None
    try:
        names = certified_names(pair) if pair else None
    except CryptoError:
        return None
    return person if names and names.username == folded else None
