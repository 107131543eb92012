"""Public keys are certified, and nothing is wrapped to one that does not verify.

The instance key signs each signing key's certificate, with the names of the person; a person's
signing key signs their encryption keys. So somebody who can write to the database, but does not
hold the key file, cannot replace a person's key with their own, or put another name on a key.
"""

import uuid
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime

from Crypto.PublicKey.RSA import RsaKey
from django.conf import settings
from django.utils import timezone

from accounts.custody import Keyring
from accounts.models import KeyPair
from audit.vouched import Newest
from cryptocore import keypair, statements
from cryptocore.errors import CryptoError

KIND = "key"


class NoKeys(Exception):
    """This person has no encryption key yet, or may not receive."""


@dataclass(frozen=True)
class Names:
    """What a person is called, as a certificate says it."""

    username: str
    display_name: str


class KeyRows:
    """The key pairs of these people, all fetched at once."""

    def __init__(self, people: Collection[uuid.UUID]) -> None:
        self._pairs: dict[uuid.UUID, list[KeyPair]] = {person: [] for person in people}
        for pair in KeyPair.objects.filter(user_id__in=people).order_by("-epoch"):
            self._pairs[pair.user_id].append(pair)

    def newest(self, user_id: uuid.UUID, purpose: KeyPair.Purpose) -> KeyPair | None:
        return next((pair for pair in self._pairs[user_id] if pair.purpose == purpose), None)

    def signing(self, user_id: uuid.UUID, fingerprint: str) -> KeyPair | None:
        named = (KeyPair.Purpose.SIGNING, fingerprint)
        pairs = self._pairs[user_id]
        return next((pair for pair in pairs if (pair.purpose, pair.fingerprint) == named), None)


def certify_signing_key(
    pair: KeyPair,
    previous: KeyPair | None = None,
    *,
    names: Names | None = None,
    known: Newest | None = None,
) -> None:
    """Fill the certificate of a signing key: a statement by the instance key.

    `previous` is the pair whose certificate was the newest about this person until now, maybe this
    one; `known` is what the trail remembers of these. Without `names` those of that certificate are
    carried over, never those of the person's row, which anybody writes who has the database.
    """
    instance_key = settings.SERVER_KEYS.signing_key
    fingerprint = keypair.fingerprint(keypair.public_der(instance_key.public_key()))
    names = names or newest_names(previous, known or Newest())
    body = _compose(
        pair,
        _place_after(previous, known),
        signer=settings.SERVER_KEYS.instance_id,
        key=fingerprint,
        time=timezone.now(),
        **(asdict(names) if names else {}),
    )
    pair.certificate = body
    pair.certificate_signature = statements.sign_statement(KIND, body, instance_key)


def certified_names(pair: KeyPair) -> Names | None:
    """Return the names in a signing key's certificate, None where it has none. Raises CryptoError
    if it does not verify."""
    verified_signing_key(pair)
    return names_in(pair)


def names_in(pair: KeyPair) -> Names | None:
    """Return what a signing key's certificate says, be it verified or not. Raises CryptoError."""
    claimed = statements.parse(KIND, bytes(pair.certificate))
    return Names(claimed["username"], claimed["display_name"]) if "username" in claimed else None


def is_newest_certificate(pair: KeyPair, known: Newest) -> bool:
    """Whether the trail knows of no newer certificate about this person. Raises CryptoError.

    One with a later number than the trail remembers was stored, and the entry about it lost: only
    the instance key makes one.
    """
    number = statements.parse(KIND, bytes(pair.certificate))["sequence"]
    return number > known.number or statements.digest(bytes(pair.certificate)) in known.done


def newest_names(pair: KeyPair | None, known: Newest) -> Names | None:
    """Return the names in a pair's certificate: none from one that does not verify, or that was put
    back, or its older names would become the newest."""
    try:
        return certified_names(pair) if pair and is_newest_certificate(pair, known) else None
    except CryptoError:
        return None


def certify_encryption_key(
    pair: KeyPair, keyring: Keyring, signing_pair: KeyPair, previous: KeyPair | None = None
) -> None:
    """Fill the certificate of an encryption key: a statement by its owner's signing key."""
    place, key = _place_after(previous), signing_pair.fingerprint
    body = _compose(pair, place, signer=pair.user_id, key=key, time=timezone.now())
    pair.certificate = body
    pair.certificate_signature = keyring.sign(signing_pair, KIND, body)


def endorse(pair: KeyPair, *, by: KeyPair, keyring: Keyring) -> None:
    """Fill a signing key's endorsement: its owner's word for it, by the signing key before it."""
    now = timezone.now()
    body = _compose(pair, _place_after(by), signer=pair.user_id, key=by.fingerprint, time=now)
    pair.endorsement, pair.endorsement_signature = body, keyring.sign(by, KIND, body)


def is_endorsed(pair: KeyPair) -> bool:
    """Whether the signing key before it, certified and not stolen since, vouches for this one."""
    before = _signing_pair_before(pair)
    return before is not None and not before.compromised_at and has_true_endorsement(pair)


def has_true_endorsement(pair: KeyPair) -> bool:
    """Whether the signing key before it signed for this one, be it a thief's word or not."""
    before = _signing_pair_before(pair)
    if before is None or not pair.endorsement or not pair.endorsement_signature:
        return False
    try:
        _verified(pair, verified_signing_key(before), pair.endorsement, pair.endorsement_signature)
    except CryptoError:
        return False
    return True


def endorses(before: KeyPair, pair: KeyPair) -> bool:
    """Whether a signing key that was not stolen signed for the one after it. Asks no instance key;
    raises CryptoError if `before` holds no public key."""
    follows = pair.epoch == before.epoch + 1
    if before.compromised_at or not follows or not pair.endorsement:
        return False
    public_key = keypair.load_public_key(bytes(before.public_key))
    return _verifies(pair, public_key, pair.endorsement, pair.endorsement_signature or b"")


def _signing_pair_before(pair: KeyPair) -> KeyPair | None:
    earlier = KeyPair.objects.filter(user_id=pair.user_id, purpose=pair.purpose)
    return earlier.filter(epoch=pair.epoch - 1).first()


def _compose(
    pair: KeyPair,
    place: tuple[int, str | None],
    *,
    signer: uuid.UUID,
    key: str,
    time: datetime,
    **names: str,
) -> bytes:
    sequence, previous = place
    return statements.compose(
        KIND,
        instance=settings.SERVER_KEYS.instance_id,
        subject=pair.user_id,
        sequence=sequence,
        previous=previous,
        time=time,
        signer=signer,
        key=key,
        purpose=str(pair.purpose),
        epoch=pair.epoch,
        key_pair=str(pair.pk),
        fingerprint=pair.fingerprint,
        **names,
    )


def _place_after(previous: KeyPair | None, known: Newest | None = None) -> tuple[int, str | None]:
    """Return `sequence` and `previous` of the statement after that of a pair. What the trail knows
    to be later counts: a row that was damaged or put back must not begin the numbers again."""
    number, digest = 0, None
    if previous:
        body = bytes(previous.certificate)
        with suppress(CryptoError):  # a damaged row must not keep that person from new keys
            number, digest = statements.parse(KIND, body)["sequence"], statements.digest(body)
    if known and known.number > number:
        number, digest = known.number, max(known.done)
    return number + 1, digest


def verified_signing_key(pair: KeyPair) -> RsaKey:
    """Return the public half of a signing key, its certificate verified.

    Raises CryptoError if the instance key did not certify this key for this person.
    """
    return _verified_by(settings.SERVER_KEYS.public_keys, pair)


def is_certified(pair: KeyPair) -> bool:
    """Whether the instance key certified this signing key for this person."""
    try:
        verified_signing_key(pair)
    except CryptoError:
        return False
    return True


def verified_before_theft(pair: KeyPair) -> RsaKey:
    """Return the public half of a signing key that any instance key certified, believed or not.

    Anybody who stole the key file can make such certificates, too. Raises CryptoError.
    """
    return _verified_by(settings.SERVER_KEYS.all_public_keys, pair)


def _verified_by(instance_keys: Mapping[str, RsaKey], pair: KeyPair) -> RsaKey:
    claimed = statements.parse(KIND, bytes(pair.certificate))
    instance_key = instance_keys.get(claimed["key"])
    if instance_key is None or claimed["signer"] != str(settings.SERVER_KEYS.instance_id):
        raise CryptoError
    return _verified(pair, instance_key, pair.certificate, pair.certificate_signature)


def owner_vouches_for(pair: KeyPair) -> bool:
    """Whether something its owner signed later verifies under this signing key: a reading key's
    certificate, or the endorsement of the signing key after it. Asks no instance key."""
    public_key = keypair.load_public_key(bytes(pair.public_key))
    pairs = KeyPair.objects.filter(user_id=pair.user_id)
    signed = [
        (other, other.certificate, other.certificate_signature)
        for other in pairs.filter(purpose=KeyPair.Purpose.ENCRYPTION)
    ]
    signed += [
        (other, other.endorsement or b"", other.endorsement_signature or b"")
        for other in pairs.filter(purpose=KeyPair.Purpose.SIGNING, epoch=pair.epoch + 1)
    ]
    return any(_verifies(other, public_key, *statement) for other, *statement in signed)


def _verifies(pair: KeyPair, certifier: RsaKey, body: bytes, signature: bytes) -> bool:
    try:
        _verified(pair, certifier, body, signature)
    except CryptoError:
        return False
    return True


def verified_encryption_key(pair: KeyPair) -> RsaKey:
    """Return the public half of an encryption key, its chain of certificates verified.

    Raises CryptoError if that person's own, certified signing key did not sign it.
    """
    return _verified_by_owner(pair, _certifier_of(pair, KeyRows([pair.user_id])))


def _verified_by_owner(pair: KeyPair, certifier: KeyPair) -> RsaKey:
    public_key = verified_signing_key(certifier)
    return _verified(pair, public_key, pair.certificate, pair.certificate_signature)


def _certifier_of(pair: KeyPair, rows: KeyRows) -> KeyPair:
    """Return the signing pair that an encryption key's certificate names. Raises CryptoError."""
    claimed = statements.parse(KIND, bytes(pair.certificate))
    signing_pair = rows.signing(pair.user_id, claimed["key"])
    if signing_pair is None or claimed["signer"] != str(pair.user_id):
        raise CryptoError
    return signing_pair


def _verified(pair: KeyPair, certifier: RsaKey, body: bytes, signature: bytes) -> RsaKey:
    """Check the signature of a statement, then that it speaks of exactly this row."""
    certificate = statements.verify_statement(KIND, bytes(body), bytes(signature), certifier)
    public_der = bytes(pair.public_key)
    row = {
        "instance": str(settings.SERVER_KEYS.instance_id),
        "subject": str(pair.user_id),
        "purpose": pair.purpose,
        "epoch": pair.epoch,
        "key_pair": str(pair.pk),
        "fingerprint": keypair.fingerprint(public_der),
    }
    if any(certificate[field] != value for field, value in row.items()):
        raise CryptoError
    if pair.fingerprint != row["fingerprint"]:
        raise CryptoError
    return keypair.load_public_key(public_der)


def signing_pair_of(user_id: uuid.UUID, rows: KeyRows | None = None) -> KeyPair:
    """Return the signing key pair a person signs with now. Raises NoKeys."""
    return _primary(user_id, KeyPair.Purpose.SIGNING, rows or KeyRows([user_id]))


def wrapping_key_of(user_id: uuid.UUID, rows: KeyRows | None = None) -> tuple[KeyPair, RsaKey]:
    """Return the key pair to wrap to and its verified public half, as the rows and the certificates
    say: whether it was stolen, the trail knows too (accounts/keys/recipients.py).

    Raises NoKeys if this person cannot receive yet, CryptoError if the key does not verify.
    """
    rows = rows or KeyRows([user_id])
    pair = _primary(user_id, KeyPair.Purpose.ENCRYPTION, rows)
    certifier = _certifier_of(pair, rows)
    if certifier.compromised_at:  # the thief may have certified a key of their own
        raise CryptoError
    return pair, _verified_by_owner(pair, certifier)


def _primary(user_id: uuid.UUID, purpose: KeyPair.Purpose, rows: KeyRows) -> KeyPair:
    """Return the newest pair, which must be the primary one.

    `state` is an unsigned column: an older, certified pair set back to primary would otherwise draw
    new images to a key that the person replaced.
    """
    pair = rows.newest(user_id, purpose)
    if pair is None or pair.state != KeyPair.State.PRIMARY:
        raise NoKeys
    return pair
