"""What happened to a person's keys, in plain words, from the trail."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils.translation import gettext_lazy as _

from accounts.keys.names import certified_name
from accounts.models import User
from audit.events import AuditUnavailable, Event, Outcome
from audit.leaf import Leaf
from audit.vouched import vouched

SHOWN = 30
# Each kind has room of its own, or a stranger's wrong tries would push out what they led to.
DONE_READ, REFUSED_READ = 300, 10

SENTENCES = {
    Event.KEYS_MADE: _("Your keys were made."),
    Event.RECOVERY_CODE_MADE: _(
        "A recovery code was made. If there was one before, it stopped working."
    ),
    Event.RECOVERY_CODE_CONFIRMED: _("The recovery code was typed back."),
    Event.RECOVERY_CODE_TESTED: _("The recovery code was tested, and works."),
    Event.ACCOUNT_PASSWORD_CHANGED: _("The password was changed here."),
    Event.ACCOUNT_RESET_ASKED: _("A new password was asked for by e-mail."),
    Event.ACCOUNT_PASSWORD_RESET: _("The password was reset by e-mail. The keys stayed locked."),
    Event.ACCOUNT_PASSWORD_RESTORED: _(
        "The password that opens the keys was used. It works again. The newer one, set by e-mail "
        "or by an operator, no longer works."
    ),
    Event.ACCOUNT_RECOVERED: _("A new password was set with the recovery code."),
    Event.KEYS_FOUND_LOCKED: _("The password had been set elsewhere. The keys stayed locked."),
    Event.KEYS_BROUGHT_BACK: _("Your earlier keys were opened again."),
    Event.NEW_START_ASKED: _("New keys were asked for."),
    Event.NEW_START_STOPPED: _("The new start was stopped."),
    Event.NEW_START_DONE: _("New keys were made. The earlier ones are kept, but locked."),
    Event.KEY_CERTIFIED: _("Your name was certified with your key."),
    Event.KEYS_ROTATION_ORDERED: _("An operator ordered new keys."),
    Event.KEYS_ROTATED: _(
        "A new key came into use. The one before it is kept only to open or verify."
    ),
    Event.KEYS_REWRAPPED: _("What an earlier key opened was wrapped for your current key."),
    Event.KEYS_REPLACED: _("Master key, password and key pairs were replaced."),
    Event.KEY_DESTROYED: _("An earlier key was destroyed because nothing needed it any more."),
    Event.KEYS_COST_RAISED: _("Your password was made harder to guess."),
    Event.MAC_KEY_ROTATED: _("The key that checks your notices was replaced."),
    Event.ORGANISATION_SLOT_MADE: _("From then on your organisation can recover this account."),
    Event.ORGANISATION_REQUEST_MADE: _("An operator began to recover this account."),
    Event.ORGANISATION_ANSWER_TAKEN: _(
        "The organisation's answer was imported: its code can open your keys."
    ),
    Event.ORGANISATION_ANSWER_DESTROYED: _(
        "That code no longer opens anything: its time was over."
    ),
    Event.ACCOUNT_DISABLED: _("Staff disabled the account."),
    Event.ACCOUNT_ENABLED: _("Staff enabled the account again."),
    Event.ACCOUNT_SESSIONS_ENDED: _("Staff signed you out everywhere."),
}
REFUSED_SENTENCES = {
    Event.ACCOUNT_RECOVERY_REFUSED: _("Somebody tried to get in with a wrong code."),
    Event.KEYS_BROUGHT_BACK: _(
        "Somebody tried to open your earlier keys with a wrong password or code."
    ),
    Event.RECOVERY_CODE_TESTED: _("A wrong recovery code was tested."),
    Event.KEYS_REWRAPPED: _("Something that an earlier key should open does not open. It is kept."),
    Event.KEY_REFUSED: _("Your public key did not verify. Nothing was shared with it."),
}


@dataclass(frozen=True)
class Happening:
    """One line of the timeline. `by`: who did it, if it was somebody else. `is_repeated`: it
    happened more than once with nothing else between; `time` is the last."""

    time: datetime
    sentence: str
    is_warning: bool
    is_repeated: bool = False
    by: str = ""


def key_timeline(person: User) -> list[Happening] | None:
    """Return what happened to a person's keys, newest first; None when the trail is unavailable.

    Only what the audit key vouches for: a row written by somebody else says nothing here.
    """
    try:
        leaves = _leaves(person.pk)
    except AuditUnavailable:
        return None
    by_sentence_and_actor = groupby(leaves, key=lambda leaf: (_sentence(leaf), leaf.actor))
    groups = [list(group) for _same, group in by_sentence_and_actor]
    return [_happening(group, person) for group in groups[:SHOWN]]


def _leaves(person: uuid.UUID) -> list[Leaf]:
    # A new key is certified as a part of what made it: the timeline has that already.
    done = [
        leaf
        for leaf in vouched(SENTENCES, subject=person, at_most=DONE_READ)
        if leaf.event != Event.KEY_CERTIFIED or "keyset" in leaf.facts
    ]
    unsuccessful = (Outcome.REFUSED, Outcome.FAILED)
    refused = vouched(
        REFUSED_SENTENCES, subject=person, outcomes=unsuccessful, at_most=REFUSED_READ
    )
    return sorted([*done, *refused], key=lambda leaf: leaf.time, reverse=True)


STOLEN = _("An operator ordered that all your keys be replaced: somebody else may know them.")


def _sentence(leaf: Leaf) -> str:
    if leaf.facts.get("reason") == "compromised" and leaf.event == Event.KEYS_ROTATION_ORDERED:
        return str(STOLEN)
    sentences = SENTENCES if leaf.outcome == Outcome.DONE else REFUSED_SENTENCES
    return str(sentences.get(Event(leaf.event), ""))


def _happening(leaves: list[Leaf], person: User) -> Happening:
    leaf = leaves[0]
    by = None if leaf.actor == person.pk else leaf.actor
    actor = User.objects.filter(pk=by).first() if by else None
    name = certified_name(actor) if actor else None
    called = f"@{name.username}" if name and name.username else str(name or "")
    return Happening(
        time=leaf.time,
        sentence=_sentence(leaf),
        is_warning=leaf.outcome != Outcome.DONE,
        is_repeated=len(leaves) > 1,
        by=called,
    )
