"""What is said beside an image about its signer, and when it is not released because of that."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.fingerprints import grouped
from accounts.keys.certificates import NoKeys, signing_pair_of
from accounts.keys.identities import How, SignerChange
from accounts.models import User
from gallery.day_words import written
from gallery.models import Rendition
from gallery.signers import Assessment, Standing


def verdict_of(signer: Assessment, owner: User, manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the badge of an image whose every check has passed. Called verified only where the
    signer's name is certified, and their key is none that the reader compared otherwise."""
    original = manifest["renditions"][Rendition.Name.ORIGINAL.value]
    try:
        older = signing_pair_of(owner.pk).fingerprint != manifest["key"]
    except NoKeys:  # stolen, and the next one is not made yet
        older = True
    return {
        "code": signer.standing.value,
        "is_verified": signer.standing == Standing.VERIFIED,
        "older_key": older,
        "sentence": _sentence(signer, older) % {"owner": signer.name.in_full},
        "since_compared": _since_compared(signer.change),
        "signer": signer.name.in_full,
        "signed_at": datetime.fromisoformat(manifest["time"]),
        "fingerprint": grouped(manifest["key"]),
        "technical": [
            (_("Signature"), "RSA-PSS, SHA-256"),
            (_("Encryption"), "AES-256-CBC, RSA-OAEP"),
            (_("Lock"), str(manifest["lock"])),
            (_("Manifest"), _("number %(number)s") % {"number": manifest["sequence"]}),
            (_("SHA-256 of the stored original"), original["sha256"]),
        ],
    }


def _sentence(signer: Assessment, older: bool) -> str:
    if signer.standing == Standing.UNNAMED:
        return _(
            "It is exactly as it was when it was sealed, but we cannot say whose signature it is: "
            "the name beside that key does not verify. Somebody may have changed it in the "
            "database. Tell staff, and ask the person before you rely on it."
        )
    if signer.change and signer.change.how == How.EARLIER:
        return _(
            "It is exactly as it was when it was sealed, by a key that %(owner)s had before the "
            "one you compared. Compare again: their earlier keys are then remembered, too."
        )
    if signer.standing == Standing.UNCHECKED:
        return _(
            "It is exactly as it was when it was sealed. We cannot check whether the key of "
            "%(owner)s is the one you compared: your list of compared keys is missing or is not "
            "the newest, or the audit trail does not answer. Ask the person before you rely on it."
        )
    if older:
        return _(
            "Signed by %(owner)s, with a key they have replaced since. It is exactly as it was "
            "when it was sealed."
        )
    return _("Signed by %(owner)s. It is exactly as it was when it was sealed.")


def _since_compared(change: SignerChange | None) -> str:
    if change is None:
        return ""
    facts = {"day": written(change.compared_at, "DATE_FORMAT"), "name": change.called}
    if change.how == How.ENDORSED:
        sentence = _(
            "Their key was replaced since you compared it on %(day)s; the key you compared "
            "confirms the new one."
        )
        return sentence % facts
    if change.how == How.RENAMED:
        return _("When you compared their key on %(day)s, they were called %(name)s.") % facts
    return ""


def refusal_of(change: SignerChange, name: str) -> str:
    """Return why an image of a signer who is not as compared was not released, and what to do."""
    sentences = {
        How.UNENDORSED: _(
            "This image is signed by another key than the one you compared with %(owner)s on "
            "%(day)s, and that key does not confirm it, so the image is not shown. Ask them in "
            "person whether they have new keys, and compare again: then it opens."
        ),
        How.DIFFERS: _(
            "When you compared the key of %(owner)s on %(day)s, the words did not match. Images "
            "they sign are not shown until they match. Ask them in person, and compare again."
        ),
        How.MISNAMED: _(
            "The key of %(owner)s is not the one you compared on %(day)s, so the image is not "
            "shown. Usernames do not change: somebody may have got hold of this site’s own keys. "
            "Tell staff at once."
        ),
    }
    facts = {"owner": name, "day": written(change.compared_at, "DATE_FORMAT")}
    return sentences[change.how] % facts
