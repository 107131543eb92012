"""From the names an owner types to the people, and keys, an image is wrapped for."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from Crypto.PublicKey.RSA import RsaKey
from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.translation import gettext as _

from accounts import usernames
from accounts.folding import record_refusal_of
from accounts.keys.certificates import KIND, KeyRows, NoKeys, wrapping_key_of
from accounts.keys.identities import Identity, identity_with
from accounts.keys.names import certified_name, prefetch_names
from accounts.keys.remembered import stolen_keys_of_each
from accounts.models import KeyPair, KeySlot, User
from audit.events import Event
from cryptocore import statements
from cryptocore.errors import CryptoError


@dataclass(frozen=True)
class ReaderKey:
    """What is wrapped to for somebody, and who they are with it: both verified."""

    pair: KeyPair
    public_key: RsaKey
    identity: Identity


@dataclass(frozen=True)
class Reader:
    """A person an image is sealed for. `key`: verified once, when they were named, and once more
    with their row held (`hold_people`); None while they wait for new keys after a theft."""

    user: User
    key: ReaderKey | None


class KeyFacts:
    """What tables and trail say of the keys of these people, each asked once for all of them."""

    def __init__(self, people: Iterable[uuid.UUID]) -> None:
        self._people = list(people)

    @cached_property
    def rows(self) -> KeyRows:
        return KeyRows(self._people)

    @cached_property
    def stolen(self) -> Mapping[uuid.UUID, Collection[str]]:
        """Raises AuditUnavailable."""
        return stolen_keys_of_each(self._people)

    @cached_property
    def with_recovery_code(self) -> set[uuid.UUID]:
        present = KeySlot.objects.filter(master_key_version=F("user__master_key_version"))
        codes = present.filter(user_id__in=self._people, kind=KeySlot.Kind.RECOVERY_CODE)
        return set(codes.values_list("user_id", flat=True))


def find_people(names: Iterable[str], *, besides: User) -> list[Reader]:
    """Return the people of these exact names, each once, `besides` left out.

    Raises ValidationError naming every one that is unknown, has no keys yet, or is not the name
    that was certified: then the caller shares with nobody. AuditUnavailable if the trail's table
    does not answer: then nobody can know which certificate is the newest.
    """
    wanted = {usernames.fold(name): None for name in names if name.strip()}
    if besides.username in wanted and certified_name(besides).require_known().is_certified:
        del wanted[besides.username]
    # A name nobody can have is not asked for: a database may refuse what stands in it.
    askable = filter(usernames.is_well_formed, wanted)
    known = {
        user.username: user for user in User.objects.filter(username__in=askable, is_active=True)
    }
    errors = [unknown_recipient(name) for name in wanted if name not in known]
    readers: dict[str, Reader] = {}
    facts = KeyFacts(user.pk for user in known.values())
    for name, user in known.items():
        try:
            readers[name] = recipient_of(user, facts)
        except NoKeys:
            sentence = _(
                "@%(name)s has not finished setting up their account. Nothing was shared. Try "
                "again later."
            )
            errors.append(ValidationError(sentence, code="no_keys", params={"name": name}))
    errors += [] if errors else _wrongly_named(known.values())
    if errors:
        raise ValidationError(errors)
    return [readers[name] for name in wanted]


def recipient_of(user: User, facts: KeyFacts | None = None) -> Reader:
    """Return a person to share with: one who has a way back to their keys, should they forget their
    password. Raises NoKeys, or AuditUnavailable."""
    facts = facts or KeyFacts([user.pk])
    reader = reader_of(user, facts)
    if reader.key and user.pk not in facts.with_recovery_code:
        raise NoKeys
    return reader  # one who waits gets a code with the next keys; a thief's may be destroyed


def reader_of(user: User, facts: KeyFacts | None = None) -> Reader:
    """Return a person with what is wrapped to for them. Raises NoKeys, or AuditUnavailable."""
    facts = facts or KeyFacts([user.pk])
    if waits_for_keys(user, facts.rows):
        return Reader(user, None)
    pair, public_key = key_to_wrap_to(user, facts)
    try:
        return Reader(user, ReaderKey(pair, public_key, identity_with(pair, facts.rows)))
    except CryptoError:
        record_wrong_key(user)
        raise NoKeys from None


def waits_for_keys(user: User, rows: KeyRows | None = None) -> bool:
    """Whether this person's keys were stolen and the next ones are not made yet.

    Nothing is wrapped to them then; what is shared with them waits for the next ones.
    """
    newest = (rows or KeyRows([user.pk])).newest(user.pk, KeyPair.Purpose.ENCRYPTION)
    return newest is not None and newest.state == KeyPair.State.COMPROMISED


def _wrongly_named(people: Iterable[User]) -> list[ValidationError]:
    people = list(people)
    prefetch_names(people)
    wrong = [user for user in people if not certified_name(user).require_known().is_certified]
    for user in wrong:
        record_wrong_name(user)
    sentence = _(
        "The name “%(name)s” does not verify: somebody may have changed it in the database. "
        "Nothing was shared. Tell staff."
    )
    return [
        ValidationError(sentence, code="name_not_certified", params={"name": user.username})
        for user in wrong
    ]


def record_wrong_name(user: User) -> None:
    """Record that somebody was looked up by a name that is not the certified one."""
    record_refusal_of(None, Event.KEY_REFUSED, subject=user.pk, reason="name")


def record_wrong_key(user: User) -> None:
    record_refusal_of(None, Event.KEY_REFUSED, subject=user.pk)


def unknown_recipient(name: str) -> ValidationError:
    sentence = _("Nobody here is called “%(name)s”. Nothing was shared. Check the spelling.")
    params = {"name": printable_start(name)}
    return ValidationError(sentence, code="unknown_recipient", params=params)


def printable_start(typed: str) -> str:
    return "".join(character for character in typed[:64] if character.isprintable())


def key_to_wrap_to(user: User, facts: KeyFacts | None = None) -> tuple[KeyPair, RsaKey]:
    """Return a person's key pair and its verified public half.

    Raises NoKeys, and records it, also where the trail knows the key, or the one that certified
    it, as stolen and the rows do not say so any more. Raises AuditUnavailable.
    """
    facts = facts or KeyFacts([user.pk])
    try:
        pair, public_key = wrapping_key_of(user.pk, facts.rows)
        if _hangs_on_stolen(pair, facts.stolen[user.pk]):
            raise CryptoError
    except CryptoError:
        record_wrong_key(user)
        raise NoKeys from None
    return pair, public_key


def _hangs_on_stolen(pair: KeyPair, stolen: Collection[str]) -> bool:
    """Whether a verified pair, or the key that certified it, is one of these fingerprints."""
    certifier = statements.parse(KIND, bytes(pair.certificate))["key"]
    return not {pair.fingerprint, certifier}.isdisjoint(stolen)


def hold_people(people: Iterable[User] = (), *, pairs: Iterable[KeyPair] = ()) -> None:
    """Hold the rows of these people, and of those whose pairs these are; verify that each pair
    still is the one to wrap to.

    Inside the caller's transaction. Destroying a pair holds the same row, so no content key is
    ever wrapped to a pair that is being destroyed. So does ordering after a theft; and since
    somebody could take its marks out of the rows again, the trail is asked once more, too: the
    pairs may have been read minutes ago, before a hundred files. Raises NoKeys or AuditUnavailable.
    """
    pairs = list(pairs)
    owners = {pair.user_id for pair in pairs}
    everybody = {*owners, *(person.pk for person in people)}
    # In one order everywhere, or two transactions could each hold what the other waits for.
    held = User.objects.select_for_update().filter(pk__in=everybody).order_by("pk")
    active = {user.pk for user in held if user.is_active}
    if not active.issuperset(owners):
        raise NoKeys
    facts = KeyFacts(owners)
    for pair in pairs:
        try:
            present, _public_key = wrapping_key_of(pair.user_id, facts.rows)
        except CryptoError:
            raise NoKeys from None
        if (present.pk, present.fingerprint) != (pair.pk, pair.fingerprint):
            raise NoKeys
        if _hangs_on_stolen(present, facts.stolen[pair.user_id]):
            raise NoKeys
