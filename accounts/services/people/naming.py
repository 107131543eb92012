"""Certifying what somebody is called: a change of their display name, and people already here.

The username comes from the newest certificate. Only if that has no name (it is older than certified
names, or newer than a theft of the key file) it comes from the person's row, and the trail must not
know it as somebody else's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from accounts.custody import DoesNotOpen, Keyring
from accounts.keys.certificates import (
    Names,
    certified_names,
    certify_signing_key,
    is_newest_certificate,
)
from accounts.keys.certified import (
    NameTaken,
    certificate_facts,
    known_certificate_of,
    record_name_given,
    require_own_name,
)
from accounts.keys.names import newest_signing_pairs
from accounts.models import KeyPair, User
from accounts.services.deserving import require_own_keys
from accounts.services.holding import changing_keys
from audit.events import Event, record
from audit.vouched import Newest, vouched
from cryptocore.errors import CryptoError


class NameRefused(Exception):
    """This person's names are not certified: the message says why, and that nothing changed."""


@dataclass
class Certified:
    """How many people's names were certified, and who could not be."""

    people: int
    refused: list[str]


def change_display_name(*, keyring: Keyring, display_name: str) -> None:
    """Let a person be called otherwise, by a new certificate of the signing key they have.

    Raises NameRefused, or AuditUnavailable where the trail's table does not answer.
    """
    try:
        require_own_keys(keyring)
    except DoesNotOpen:
        raise NameRefused("what is open is not this person's") from None
    _certify(keyring.user, by_its_person=True, display_name=display_name)


def certify_people_already_here() -> Certified | None:
    """Certify the names in the rows of everybody whose certificate names nobody yet.

    Once: the trail remembers that it was done, and from then on a certificate without names is one
    that somebody put back. None if it was done before.
    """
    if vouched([Event.NAMES_CERTIFIED]):
        return None
    done = Certified(0, [])
    for user in _nameless():
        try:
            _certify(user, by_its_person=False, display_name=str(user))
            done.people += 1
        except (NameRefused, ValueError) as refused:
            done.refused.append(f"person {user.pk}: {refused}")
    record(Event.NAMES_CERTIFIED, actor=None, people=done.people, refused=len(done.refused))
    return done


def _nameless() -> Iterator[User]:
    """Yield them one at a time: while one is written no cursor stays open."""
    with_keys = User.objects.filter(master_key_version__gt=0).order_by("pk")
    for person in list(with_keys.values_list("pk", flat=True)):
        pair = newest_signing_pairs([person]).get(person)
        try:
            nameless = pair is not None and certified_names(pair) is None
        except CryptoError:
            continue  # not certified at all: verify_keys names it
        if nameless:
            yield User.objects.get(pk=person)


def _certify(user: User, *, by_its_person: bool, display_name: str) -> None:
    with changing_keys(Event.KEY_CERTIFIED, user, by_its_person=by_its_person) as change:
        pair = newest_signing_pairs([user.pk]).get(user.pk)
        if pair is None or pair.state != KeyPair.State.PRIMARY:
            raise NameRefused("there is no signing key in use")
        known = known_certificate_of(user.pk)
        names = Names(_username_of(change.person, pair, known), display_name)
        certify_signing_key(pair, pair, names=names, known=known)
        pair.save(update_fields=["certificate", "certificate_signature"])
        change.person.display_name = display_name
        change.person.save(update_fields=["display_name"])
        change.facts.update(certificate_facts(pair))
    record_name_given(user.pk, names.username)


def _username_of(held: User, pair: KeyPair, known: Newest) -> str:
    """Return the username to certify. Raises NameRefused."""
    try:
        names = certified_names(pair)
        is_newest = is_newest_certificate(pair, known)
    except CryptoError:
        raise NameRefused("the signing key is not certified") from None
    if not is_newest:
        raise NameRefused("an older certificate was put back")
    if names and names.username != held.username:
        raise NameRefused("the username is not the certified one")
    try:
        require_own_name(held.pk, held.username)
    except NameTaken:
        raise NameRefused("the username was given to somebody else, or another to them") from None
    return held.username
