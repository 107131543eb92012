"""Who signed an image, as its reader knows them: their certified name, their compared key.

Somebody who has the database and the key file can certify a key of their own for a person. The
reader's list of compared contacts stops that, so every opening checks it: an image signed by
another key than the compared one is not released, since a file has no badge. If the list cannot be
read it is released, and not called verified (docs/decisions/0059).
"""

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from accounts.custody import Keyring
from accounts.keys.certificates import Names
from accounts.keys.identities import How, SignerChange
from accounts.keys.names import Name, certified_name
from accounts.keys.pins import Contacts, ContactsRefused, contacts_of
from accounts.models import User
from audit.events import AuditUnavailable
from gallery.errors import OtherSigner

REFUSED = (How.DIFFERS, How.MISNAMED, How.UNENDORSED)


class Standing(StrEnum):
    """Whether what is signed may be called verified, and if not, why not."""

    VERIFIED = "verified"
    UNNAMED = "unnamed"  # whose key signed it, this installation cannot say
    UNCHECKED = "unchecked"  # nobody can know whether it is the compared key


@dataclass(frozen=True)
class Assessment:
    """What is to be said of a signer. `change`: how they are not as they were compared."""

    standing: Standing
    name: Name
    change: SignerChange | None = None


class Signers:
    """Judges who signed, for one reader within one request; asks for their list once."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._contacts: Contacts | None = None
        self._asked = False

    def check(self, owner: User, keys: frozenset[str]) -> None:
        """Return if an owner whose `keys` signed is not to be refused. Raises OtherSigner."""
        self._change_of(owner, keys)

    def assess(self, owner: User, keys: frozenset[str]) -> Assessment:
        """Return what is to be said of an owner whose `keys` signed. Raises OtherSigner."""
        change, name = self._change_of(owner, keys), certified_name(owner)
        is_told = self._is_own(owner) or self._contacts is not None
        if not is_told or (change and change.how == How.EARLIER):
            return Assessment(Standing.UNCHECKED, name, change)
        return Assessment(
            Standing.VERIFIED if name.is_certified else Standing.UNNAMED, name, change
        )

    def _change_of(self, owner: User, keys: frozenset[str]) -> SignerChange | None:
        if self._is_own(owner):  # nobody compares their own key
            return None
        if not self._asked:
            self._asked = True
            with suppress(ContactsRefused, AuditUnavailable):
                self._contacts = contacts_of(self._keyring)
        if not (self._contacts and self._contacts.entries):
            return None
        name = certified_name(owner)
        names = Names(name.username, name.display_name) if name.username else None
        change = self._contacts.change_of_signer(owner, names, keys)
        if change and change.how in REFUSED:
            raise OtherSigner(owner, change)
        return change

    def _is_own(self, owner: User) -> bool:
        return owner.pk == self._keyring.user.pk
