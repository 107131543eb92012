"""What is worth recording, and the one function that records it."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.context import current_request
from audit.leaf import Fact, Leaf, Personal

logger = logging.getLogger("audit")
# Not below "audit": what is logged there goes to the trail.
alarm = logging.getLogger("imageshare.alarm")


class AuditUnavailable(Exception):
    """The event could be recorded nowhere. What was to follow it must not happen."""


class Event(TextChoices):
    """Named subject:what-happened, in the past tense: "image:shared", never "share image".

    The subject is the thing it happened to (account, key, image, notice …), not who did it. If it
    was refused the name says so ("image:upload-refused") when that is worth searching for;
    otherwise the outcome does. Add freely; never rename a value or give it another meaning: entries
    are kept for years and stay readable only if a value means what it meant.
    """

    ACCOUNT_REGISTERED = "account:registered", _("Account made")
    ACCOUNT_MADE_BY_COMMAND = "account:made-by-command", _("Account made by a command")
    ACCOUNT_SIGNED_IN = "account:signed-in", _("Signed in")
    ACCOUNT_SIGN_IN_REFUSED = "account:sign-in-refused", _("Sign-in refused")
    ACCOUNT_SIGNED_OUT = "account:signed-out", _("Signed out")
    ACCOUNT_UNLOCKED = "account:unlocked", _("Unlocked")
    ACCOUNT_UNLOCK_REFUSED = "account:unlock-refused", _("Unlocking refused")
    ACCOUNT_LOCKED = "account:locked", _("Locked")
    ACCOUNT_PASSWORD_CHANGED = "account:password-changed", _("Password changed")
    ACCOUNT_RESET_ASKED = "account:reset-asked", _("New password asked for by e-mail")
    ACCOUNT_PASSWORD_RESET = "account:password-reset", _("Password reset by e-mail")
    ACCOUNT_PASSWORD_RESTORED = (
        "account:password-restored",
        _("Password that opens the keys counts again"),
    )
    ACCOUNT_RECOVERED = "account:recovered", _("Recovered with the recovery code")
    ACCOUNT_RECOVERY_REFUSED = "account:recovery-refused", _("Recovery refused")
    ACCOUNT_THROTTLED = "account:throttled", _("Too many tries, so has to wait")
    ACCOUNT_DISABLED = "account:disabled", _("Account disabled")
    ACCOUNT_ENABLED = "account:enabled", _("Account enabled again")
    ACCOUNT_SESSIONS_ENDED = "account:sessions-ended", _("Signed out everywhere")
    ACCOUNT_READERS_SUSPENDED = "account:readers-suspended", _("Readers of their images suspended")
    ACCOUNT_READERS_REINSTATED = (
        "account:readers-reinstated",
        _("Readers of their images reinstated"),
    )
    ACCOUNT_QUOTA_SET = "account:quota-set", _("Storage limit set")
    ACCOUNT_STAFF_MADE = "account:staff-made", _("Made staff")
    ACCOUNT_STAFF_REMOVED = "account:staff-removed", _("Staff no more")
    ACCOUNT_STAFF_CONFIRMED = "account:staff-confirmed", _("Staff rights confirmed by an operator")
    ACCOUNT_STAFF_REFUSED = (
        "account:staff-refused",
        _("Staff pages refused: nothing on record gave the rights"),
    )
    INVITE_MADE = "invite:made", _("Invite made")
    INVITE_USED = "invite:used", _("Invite used")
    INVITE_TAKEN_BACK = "invite:taken-back", _("Invite taken back")
    INVITE_REFUSED = "invite:refused", _("No such invite, or no longer valid")
    INVITATION_MADE = "invitation:made", _("Invitation made")
    INVITATION_ACCEPTED = "invitation:accepted", _("Account made with an invitation")
    INVITATION_CLAIMED = "invitation:claimed", _("Invitation followed by somebody with an account")
    INVITATION_CLAIM_AGREED = "invitation:claim-agreed", _("Invitation given to that person")
    INVITATION_CLAIM_REFUSED = "invitation:claim-refused", _("Invitation not given to that person")
    INVITATION_TAKEN_BACK = "invitation:taken-back", _("Invitation taken back")
    INVITATION_REFUSED = "invitation:refused", _("No such invitation, or no longer valid")
    KEYS_MADE = "keys:made", _("Keys made")
    FIRST_KEYS_ALLOWED = "first-keys:allowed", _("One-time code for first keys made")
    FIRST_KEYS_REFUSED = "first-keys:refused", _("First keys refused")
    KEY_REFUSED = "key:refused", _("Public key does not verify")
    KEYS_ROTATION_ORDERED = "keys:rotation-ordered", _("New keys ordered")
    KEYS_ROTATED = "keys:rotated", _("New key in use")
    KEYS_REWRAPPED = "keys:rewrapped", _("Content keys wrapped for a new key")
    KEYS_REPLACED = "keys:replaced", _("Master key and pairs replaced")
    KEYS_BROUGHT_BACK = "keys:brought-back", _("Earlier keys opened again")
    KEYS_FOUND_LOCKED = "keys:found-locked", _("Password set elsewhere: keys stay locked")
    KEY_CERTIFIED = "key:certified", _("Key certified with the person's names")
    NAME_GIVEN = "name:given", _("Username given")
    NAMES_CERTIFIED = "names:certified", _("Names of people already here certified")
    KEYS_VERIFIED = "keys:verified", _("Keys verified")
    WRAPPED_KEY_MENDED = "wrapped-key:mended", _("Damaged wrapped key replaced")
    WRAPPED_KEY_DAMAGED = "wrapped-key:damaged", _("Wrapped key does not open")
    KEY_DESTROYED = "key:destroyed", _("Key pair destroyed")
    KEYS_ACCEPTED = "keys:accepted", _("Key rows accepted by an operator as they are")
    KEYS_NOT_REMEMBERED = "keys:not-remembered", _("New keys refused: rows are not as recorded")
    KEYS_COST_RAISED = "keys:cost-raised", _("Key derivation made costlier")
    MAC_KEY_ROTATED = "mac-key:rotated", _("MAC key replaced")
    SERVER_KEYS_ROTATED = "server-keys:rotated", _("Server keys replaced")
    NEW_START_ASKED = "new-start:asked", _("New start asked for")
    NEW_START_STOPPED = "new-start:stopped", _("New start stopped")
    NEW_START_DONE = "new-start:done", _("Started again with new keys")
    CONTACT_COMPARED = "contact:compared", _("Key compared")
    CONTACT_CHANGE_ACCEPTED = "contact:change-accepted", _("Changed key accepted")
    CONTACTS_REFUSED = "contacts:refused", _("List of compared contacts is not the newest")
    ORGANISATION_KEY_MADE = "organisation-key:made", _("Organisation's recovery key made")
    ORGANISATION_SLOT_MADE = "organisation-slot:made", _("Organisation can recover this account")
    ORGANISATION_REQUEST_MADE = "organisation:request-made", _("Recovery by the organisation begun")
    ORGANISATION_ANSWER_TAKEN = "organisation:answer-taken", _("Organisation's answer imported")
    ORGANISATION_ANSWER_DESTROYED = "organisation:answer-destroyed", _("Unused answer destroyed")
    ZERO_ACCESS_PROVEN = "zero-access:proven", _("Zero access at rest checked")
    RECOVERY_CODE_MADE = "recovery-code:made", _("Recovery code made")
    RECOVERY_CODE_TESTED = "recovery-code:tested", _("Recovery code tested")
    RECOVERY_CODE_CONFIRMED = "recovery-code:confirmed", _("Recovery code confirmed")
    CUSTODY_REFUSED = "custody:refused", _("Unlock cookie does not open")
    IMAGE_UPLOADED = "image:uploaded", _("Image uploaded")
    IMAGE_UPLOAD_REFUSED = "image:upload-refused", _("Upload refused")
    IMAGE_SHARED = "image:shared", _("Image shared")
    IMAGE_SHARE_REFUSED = "image:share-refused", _("Sharing refused")
    IMAGE_REVOKED = "image:revoked", _("Access revoked")
    IMAGE_RELOCKED = "image:relocked", _("Image encrypted again, under a new key")
    IMAGE_DELETED = "image:deleted", _("Image deleted")
    IMAGE_KEEP_UNTIL_SET = "image:keep-until-set", _("Date of deletion chosen")
    IMAGE_DETAILS_EDITED = "image:details-edited", _("Caption or description of an image edited")
    IMAGE_TAKEN_OVER = "image:taken-over", _("Image of a disabled owner taken over by a successor")
    IMAGE_ACKNOWLEDGED = "image:acknowledged", _("Receipt confirmed by the recipient")
    IMAGE_OPENED = "image:opened", _("Image opened")
    IMAGE_DOWNLOADED = "image:downloaded", _("Original downloaded")
    IMAGE_REFUSED = "image:refused", _("Image refused")
    IMAGE_ALTERED = "image:altered", _("Image does not verify")
    IMAGES_VERIFIED = "images:verified", _("Images verified")
    ALBUM_MADE = "album:made", _("Album made")
    ALBUM_CHANGED = "album:changed", _("Album's title, description or rules changed")
    ALBUM_SHARED = "album:shared", _("Album shared")
    ALBUM_REVOKED = "album:revoked", _("Member taken out of an album")
    ALBUM_TAKEN_OVER = "album:taken-over", _("Album of a disabled owner taken over by a successor")
    ALBUM_REKEYED = "album:rekeyed", _("Album under a new key")
    ALBUM_DELETED = "album:deleted", _("Album deleted")
    ALBUM_OPENED = "album:opened", _("Album opened")
    ALBUM_REFUSED = "album:refused", _("Album refused")
    ALBUM_ALTERED = "album:altered", _("Album does not verify")
    TEAM_MADE = "team:made", _("Team made")
    TEAM_CHANGED = "team:changed", _("Team's name, description or rules changed")
    TEAM_SHARED = "team:shared", _("Members added to a team")
    TEAM_LEFT = "team:left", _("Left a team")
    TEAM_REVOKED = "team:revoked", _("Member taken out of a team")
    TEAM_TAKEN_OVER = "team:taken-over", _("Team of a disabled owner taken over by a successor")
    TEAM_REKEYED = "team:rekeyed", _("Team under a new key")
    TEAM_DELETED = "team:deleted", _("Team deleted")
    TEAM_REFUSED = "team:refused", _("Team refused")
    TEAM_ALTERED = "team:altered", _("Team does not verify")
    SUCCESSORS_MADE = "successors:made", _("Key for successors made")
    SUCCESSORS_NAMED = "successors:named", _("Successors named")
    SUCCESSORS_REMOVED = "successors:removed", _("Successor removed")
    SUCCESSORS_REKEYED = "successors:rekeyed", _("Key of the successors replaced")
    SUCCESSORS_DELETED = "successors:deleted", _("Last successor removed")
    SUCCESSORS_REFUSED = "successors:refused", _("Act on successors refused")
    SUCCESSORS_ALTERED = "successors:altered", _("Successors do not verify")
    THUMBNAILS_OPENED = "thumbnails:opened", _("Thumbnails opened")
    NOTICE_SENT = "notice:sent", _("Notice sent")
    NOTICE_ALTERED = "notice:altered", _("Notice does not verify")
    NOTICE_MISSING = "notice:missing", _("Notice missing")
    NOTICES_MAILED = "notices:mailed", _("Mails about new notices sent")
    REQUEST_REFUSED = "request:refused", _("Request refused")
    REQUEST_FAILED = "request:failed", _("Request failed")
    AUDIT_IMPORTED = "audit:imported", _("Audit lines and entries brought together")
    AUDIT_VERIFIED = "audit:verified", _("Audit trail verified")
    STORAGE_PURGED = "storage:purged", _("Storage purged")
    DATABASES_BACKED_UP = "databases:backed-up", _("Databases backed up")


class Outcome(TextChoices):
    """How it went. INTENDED precedes what changes access; DONE or FAILED follows it."""

    DONE = "done", _("done")
    INTENDED = "intended", _("intended")
    FAILED = "failed", _("failed")
    REFUSED = "refused", _("refused")


@dataclass(slots=True)
class Pending:
    """An entry on its way to the trail; a sink that took it sets `written`, the table, which can
    be asked later, `in_table` as well."""

    told: Leaf
    leaf: bytes
    personal: Personal | None
    written: bool = field(default=False)
    in_table: bool = field(default=False)


def record(
    event: Event,
    *,
    actor: uuid.UUID | None,
    subject: uuid.UUID | None = None,
    outcome: Outcome = Outcome.DONE,
    in_table: bool = False,
    **facts: Fact,
) -> None:
    """Record that `actor` did `event` to `subject`; on return it is on the disk.

    `facts` are short and public: counts, fingerprints, error names, lists of image ids under
    `images`, and the reason staff gave for an act. Never keys, names, file names, captions, image
    bytes or request bodies.

    Raises AuditUnavailable if neither table nor file took it, with `in_table` also if only the file
    did: what the table does not know, it will not vouch for. Raises RuntimeError inside a
    transaction of the business database: that could roll back what this says was done, and
    would hold its rows while a disk syncs.
    """
    if connections[DEFAULT_DB_ALIAS].in_atomic_block:
        raise RuntimeError("record() was called inside a transaction; call it before or after")
    entry = _compose(Event(event), actor, subject, Outcome(outcome), facts)
    logger.info(event.value, extra={"audit": entry})
    if not entry.written or (in_table and not entry.in_table):
        # Operators configure logging: a level or a missing handler is silent.
        raise AuditUnavailable


def record_after(
    event: Event,
    *,
    actor: uuid.UUID | None,
    subject: uuid.UUID | None = None,
    outcome: Outcome = Outcome.DONE,
    **facts: Fact,
) -> None:
    """Record what has happened already. If the trail cannot take it, there is only an alarm.

    Refusing now would say that nothing happened, which is no longer true; the intention is on
    record.
    """
    try:
        record(event, actor=actor, subject=subject, outcome=outcome, in_table=False, **facts)
    except AuditUnavailable:
        alarm.critical(
            "Neither copy of the trail took the entry that %s is %s.", event.value, outcome.value
        )


@contextmanager
def recorded(
    event: Event,
    *,
    actor: uuid.UUID | None,
    subject: uuid.UUID,
    in_table: bool = False,
    **facts: Fact,
) -> Iterator[dict[str, Fact]]:
    """Record what changes access as intended, then as done or as failed.

    Facts that are only known once it is done are put into the yielded ones. What is missing after
    `done` was rolled back by somebody; what has `intended` alone was never finished. Raises
    AuditUnavailable before anything is done if the intention was not recorded, with `in_table` not
    in the table either.
    """
    record(
        event, actor=actor, subject=subject, outcome=Outcome.INTENDED, in_table=in_table, **facts
    )
    try:
        yield facts
    except BaseException:
        record_after(event, actor=actor, subject=subject, outcome=Outcome.FAILED)
        raise
    record_after(event, actor=actor, subject=subject, outcome=Outcome.DONE, **facts)


def _compose(
    event: Event,
    actor: uuid.UUID | None,
    subject: uuid.UUID | None,
    outcome: Outcome,
    facts: dict[str, Fact],
) -> Pending:
    for party in (actor, subject):
        if not isinstance(party, uuid.UUID | None):
            raise TypeError("actor and subject are UUIDs")
    request = current_request.get()
    personal = Personal.with_new_salt(request.address, request.agent) if request else None
    told = Leaf(
        time=timezone.now(),
        event=event.value,
        actor=actor,
        subject=subject,
        outcome=outcome.value,
        request=request.request_id if request else None,
        facts=facts,
        personal=personal.digest() if personal else None,
    )
    return Pending(told, told.encode(), personal)
