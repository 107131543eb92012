"""What a person and a script are told of each image of a selection, after an act on all of them."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from django.conf import settings
from django.core import signing
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.keys.certificates import NoKeys
from accounts.keys.names import certified_name
from accounts.keys.pins import ContactsRefused, KeyChanged
from accounts.models import User
from cryptocore.errors import CryptoError
from gallery import errors, presenting
from gallery.errors import PART_AWAY
from gallery.ledger import Ledger
from gallery.models import Grant, Placement
from gallery.presenting import Card
from gallery.services.many import Done
from gallery.services.sharing import Shared

SALT = "gallery.outcomes"
CARRIED_FOR_SECONDS = 3600
# Enough to know an image by. A thousand whole captions could be more than a form may hold.
TITLE_CHARACTERS = 100

Result = TypeVar("Result")

BUSY = (
    "busy",
    gettext_lazy("Not changed: a part of the server is busy or unavailable. Try again later."),
)
ALTERED = (
    "altered",
    gettext_lazy(
        "Not changed: what is stored of it does not match your signature. Tell staff. They cannot "
        "see the image."
    ),
)
# The first that fits counts.
REFUSALS: list[tuple[type[Exception] | tuple[type[Exception], ...], tuple[str, Any]]] = [
    (errors.AccessEnded, ("deleted", gettext_lazy("Not changed: it was deleted already."))),
    (errors.Altered, ALTERED),
    (
        errors.Waiting,
        (
            "waiting",
            gettext_lazy(
                "Not changed: it is locked with your earlier keys. Bring them back first. You can "
                "still delete it."
            ),
        ),
    ),
    (
        errors.OwnKeyRefused,
        (
            "own_key_refused",
            gettext_lazy(
                "Not changed: this site no longer vouches for your signing key. Ask staff to order "
                "new keys for you."
            ),
        ),
    ),
    (
        errors.TooManyReaders,
        (
            "too_many_recipients",
            gettext_lazy("Not changed: at most %(limit)s people can open one image."),
        ),
    ),
    (
        (NoKeys, KeyChanged),
        (
            "key_changed",
            gettext_lazy("Not changed: somebody’s keys changed just now. Try again."),
        ),
    ),
    (
        ContactsRefused,
        (
            "contacts_refused",
            gettext_lazy(
                "Not changed: your list of compared keys is missing, or is not the newest. Start a "
                "new list on your own page, and tell staff."
            ),
        ),
    ),
    (
        errors.HeadMoved,
        (
            "busy",
            gettext_lazy("Not changed: something else is changing it right now. Try again."),
        ),
    ),
    (PART_AWAY, BUSY),
    (CryptoError, ALTERED),
    (
        errors.NotARecipient,
        ("not_there", gettext_lazy("Not changed: it was not in the album.")),
    ),
    (errors.GalleryError, ("not_found", gettext_lazy("Not changed: it is not available to you."))),
]


@dataclass(frozen=True)
class Outcome:
    """What is said of one image. `facts` are for scripts."""

    image: str
    title: str
    code: str
    sentences: list[str]
    is_changed: bool
    has_picture: bool
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return presenting.address("image", uuid.UUID(self.image))

    @property
    def thumbnail_url(self) -> str:
        return presenting.address("thumbnail", uuid.UUID(self.image))

    def as_json(self) -> dict[str, Any]:
        message = {} if self.is_changed else {"message": " ".join(self.sentences)}
        return {"image": self.image, "outcome": self.code, **message, **self.facts}


@dataclass(frozen=True)
class Told:
    """What one act's results become for one image."""

    code: str
    sentences: list[str]
    facts: Mapping[str, Any] = field(default_factory=dict)


def outcome_of(
    done: Done[Result], card: Card | None, tell: Callable[[list[Result]], Told]
) -> Outcome:
    """Return what is said of an image; `card`: what it was called before the act."""
    told = tell(done.results)
    code, sentences = told.code, told.sentences
    if done.refused:
        code, sentence = _refusal_of(done.refused)
        sentences = [*(sentences if done.results else []), sentence]
    return Outcome(
        image=str(done.image_id),
        title=(card.caption or card.name)[:TITLE_CHARACTERS] if card else "",
        code=code,
        sentences=sentences,
        is_changed=done.refused is None,
        has_picture=card is not None and card.is_open and code != "deleted",
        facts=told.facts,
    )


def _refusal_of(error: Exception) -> tuple[str, str]:
    code, sentence = next(told for kind, told in REFUSALS if isinstance(error, kind))
    return code, str(sentence) % {"limit": settings.MAX_RECIPIENTS}


# ---- by act ----------------------------------------------------------------------------------


def tell_shared(results: list[Shared[Grant]]) -> Told:
    shared = results[0] if results else Shared[Grant]()
    waiting = shared.waiting
    sentences = [
        _sentence(_("%(names)s can open it."), _without(shared.touched, waiting)),
        _sentence(_("%(names)s could open it already."), _without(shared.unchanged, waiting)),
        str(_("Everybody in the team, and who joins it later, can open it."))
        if shared.teams
        else "",
        _sentence(
            _("%(names)s must replace their keys first. Share it with them again after that."),
            waiting,
        ),
    ]
    code = "shared" if shared.touched or shared.teams else "unchanged"
    facts = {
        "added": _usernames(shared.added),
        "changed": _usernames(shared.changed),
        "unchanged": _usernames(shared.unchanged),
        "waiting": _usernames(waiting),
        "teams": [str(row.holder[1]) for row in shared.teams],
    }
    return Told(code, list(filter(None, sentences)), facts)


def _without(grants: list[Grant], waiting: list[Grant]) -> list[Grant]:
    return [grant for grant in grants if grant not in waiting]


def _sentence(sentence: str, grants: list[Grant]) -> str:
    names = [str(certified_name(grant.reader)) for grant in grants]
    return sentence % {"names": get_text_list(names, _("and"))} if names else ""


def _usernames(grants: list[Grant]) -> list[str | None]:
    return [certified_name(grant.reader).username for grant in grants]


def tell_revoked(results: list[Grant]) -> Told:
    if not results:
        return Told("unchanged", [_("None of the chosen people could open it.")], {"ended": []})
    ledger = Ledger(results[0].image_id)
    sentences = [presenting.receipt_sentence(grant, ledger) for grant in results]
    facts = {"ended": [presenting.receipt_json(grant, ledger) for grant in results]}
    return Told("revoked", sentences, facts)


def tell_deleted(results: list[None]) -> Told:
    return Told("deleted", [_("Deleted, for everybody.")])


def tell_placed(results: list[Placement]) -> Told:
    return Told("placed", [_("It is in the album.")])


def tell_taken_out(results: list[Placement]) -> Told:
    return Told("taken_out", [_("It is not in the album any more.")])


# ---- from one request of an act to the next --------------------------------------------------


def carried(outcomes: Iterable[Outcome], *, person: User, act: str, people: Iterable[str]) -> str:
    """Return the outcomes so far, for the form that goes on with the rest. Signed, so that no link
    makes a page say what did not happen; for this person, this act, and the same people."""
    told = [{**asdict(outcome), "facts": {}} for outcome in outcomes]
    document = {"person": str(person.pk), "act": act, "people": sorted(people), "told": told}
    return signing.dumps(document, salt=SALT, compress=True)


def carried_on(value: str, *, person: User, act: str, people: Iterable[str]) -> list[Outcome]:
    """Return the outcomes that carried() gave; none if they are older than an hour, or of another
    person or act."""
    try:
        document = signing.loads(value, salt=SALT, max_age=CARRIED_FOR_SECONDS)
    except signing.BadSignature:
        return []
    about = (document["person"], document["act"], document["people"])
    if about != (str(person.pk), act, sorted(people)):
        return []
    return [Outcome(**told) for told in document["told"]]
