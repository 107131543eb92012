"""People, and the keys kept for them.

No row here opens anything by itself: master keys are wrapped under a password, a recovery code or
a cookie; private keys under the master key; MAC keys under the key file (docs/format.md).
"""

import hashlib
import uuid
from collections.abc import Iterable
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import usernames
from accounts.fingerprints import grouped
from audit.events import Event, recorded
from audit.fields import RawBytesField


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=usernames.fold(username or ""))

    def create_user(self, username: str, password: str | None = None, **fields: object) -> "User":
        """Make an account without keys; they are made at its first sign-in.

        The trail keeps that it was made, and with which rights: without that entry no first keys
        are made and its rights are not believed. Raises ValidationError for a name that is
        malformed, taken or looks like a taken one, AuditUnavailable without a trail.
        """
        user = self.model(**self.free_columns(username), **fields)
        user.display_name = user.display_name or user.username
        user.set_password(password)
        with recorded(
            Event.ACCOUNT_MADE_BY_COMMAND, actor=None, subject=user.pk, rights=user.rights_in_row
        ):
            user.save(using=self._db)
        return user

    def free_columns(self, username: str) -> dict[str, str]:
        """Return the columns of a free name. Raises ValidationError, saying what is wrong."""
        folded = usernames.fold(username)
        if not usernames.is_well_formed(folded):
            raise ValidationError(usernames.RULE, code="invalid_username")
        skeleton = usernames.skeleton(folded)
        if self.filter(skeleton=skeleton).exists():
            raise ValidationError(usernames.TAKEN, code="username_taken")
        return {"username": folded, "skeleton": skeleton}

    def create_superuser(
        self, username: str, password: str | None = None, **fields: object
    ) -> "User":
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Everywhere outside this table a person is this UUID."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(_("username"), max_length=32, unique=True)
    # What is left of a name when look-alikes are folded; unique, so that the database itself
    # refuses the second of two that a sharer could mistake for one another.
    skeleton = models.CharField(max_length=64, unique=True, editable=False)
    display_name = models.CharField(_("display name"), max_length=80, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)
    master_key_version = models.PositiveIntegerField(default=0, editable=False)
    # Part of every session's hash: one more, and all sessions of this person have ended.
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    # When they were notified that the organisation can recover accounts; until then it cannot
    # recover this one.
    organisation_told_at = models.DateTimeField(null=True, editable=False)
    # Of mails, and of the next browser they sign in with; empty: the site's. Whoever changes it has
    # changed a language, and any value but one of LANGUAGES counts as empty.
    language = models.CharField(max_length=16, blank=True, editable=False)
    # None: DEFAULT_QUOTA_BYTES. 0: no limit.
    quota_bytes = models.PositiveBigIntegerField(null=True, editable=False)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.display_name or self.username

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's own, over the epoch too; a change of either ends every session."""
        return salted_hmac(
            "accounts.session", f"{self.session_epoch} {self.password}", secret, algorithm="sha256"
        ).hexdigest()

    @property
    def rights_in_row(self) -> str:
        """What the row says of staff rights; believed only with the act that gave them
        (accounts/staff_rights.py)."""
        if self.is_superuser:
            return "superuser"
        return "staff" if self.is_staff else "none"

    @property
    def quota(self) -> int:
        """How many bytes this person may store; 0 for no limit."""
        own = self.quota_bytes
        return settings.DEFAULT_QUOTA_BYTES if own is None else own

    @property
    def present_slots(self) -> "models.QuerySet[KeySlot]":
        """The ways to the master key this person has now."""
        return self.key_slots.filter(master_key_version=self.master_key_version)

    @property
    def earlier_slots(self) -> "models.QuerySet[KeySlot]":
        """The ways to master keys of the time before a new start, newest first."""
        older = self.key_slots.filter(master_key_version__lt=self.master_key_version)
        return older.order_by("-master_key_version")

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """False, of everybody. Groups, permissions and `is_superuser` are rows that anybody writes
        who has the database; staff pages ask accounts/staff_rights.py."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)


class KeySlot(models.Model):
    """One way to a person's master key: 32 bytes wrapped under a KEK (AES-KWP, 40 bytes).

    Of the organisation, and of its answer: the opening branch alone, under the organisation's
    public key (RSA-OAEP, 384 bytes) and under a one-time code. Slots of an earlier master key stay
    after a new start, so that who finds the old password or code has not lost the old keys.
    """

    class Kind(models.TextChoices):
        PASSWORD = "password", _("password")
        RECOVERY_CODE = "recovery-code", _("recovery code")
        ORGANISATION = "organisation", _("the organisation")
        # What the organisation's offline key opened, under a one-time code, for one recovery.
        ANSWER = "answer", _("the organisation's answer")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="key_slots")
    kind = models.CharField(max_length=16, choices=Kind)
    master_key_version = models.PositiveIntegerField()
    wrapped_master_key = RawBytesField()
    salt = RawBytesField()
    # Argon2id cost of a password slot; a recovery code has 150 bits and needs none.
    time_cost = models.PositiveIntegerField(null=True)
    memory_kib = models.PositiveIntegerField(null=True)
    parallelism = models.PositiveIntegerField(null=True)
    # The two groups of a recovery code to be typed back, wrapped under the opening key.
    wrapped_confirmation = RawBytesField(null=True)
    confirm_first = models.PositiveSmallIntegerField(null=True)
    confirm_second = models.PositiveSmallIntegerField(null=True)
    # Which of the organisation's keys a slot is wrapped to: the fingerprint.
    organisation_key = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)
    # An answer of the organisation opens for a few days.
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind", "master_key_version"], name="one_slot_of_each_kind"
            )
        ]


class KeyPair(models.Model):
    """One RSA key pair of one person, its private half wrapped under the master key."""

    class Purpose(models.TextChoices):
        SIGNING = "signing", _("signing")
        ENCRYPTION = "encryption", _("reading")

    class State(models.TextChoices):
        PRIMARY = "primary", _("in use")
        OPEN_ONLY = "open-only", _("opens earlier images")
        COMPROMISED = "compromised", _("compromised")
        DESTROYED = "destroyed", _("destroyed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="key_pairs")
    purpose = models.CharField(max_length=16, choices=Purpose)
    epoch = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=State, default=State.PRIMARY)
    public_key = RawBytesField()
    fingerprint = models.CharField(max_length=64, unique=True)
    wrapped_private_key = RawBytesField(null=True)
    master_key_version = models.PositiveIntegerField()
    # The `key` statement that certifies the public half: by the instance key for a signing key,
    # by its owner's signing key for an encryption key.
    certificate = RawBytesField()
    certificate_signature = RawBytesField()
    # A signing key's successor is endorsed by the key before it: the same statement, signed by its
    # owner. Empty after a theft or a new start: then only the instance key vouches for it.
    endorsement = RawBytesField(null=True)
    endorsement_signature = RawBytesField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # From then on its signatures count only where the trail saw them earlier.
    compromised_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("key pair")
        verbose_name_plural = _("key pairs")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "purpose", "epoch"], name="one_key_pair_per_epoch"
            ),
            models.UniqueConstraint(
                fields=["user", "purpose"],
                condition=Q(state="primary"),
                name="one_primary_key_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.epoch} {self.fingerprint[:16]}"

    @property
    def grouped_fingerprint(self) -> str:
        return grouped(self.fingerprint)


class WrappedKeyQuerySet(models.QuerySet["WrappedKey"]):
    def next_of(
        self, pairs: Iterable[KeyPair], *, after: uuid.UUID | None, at_most: int
    ) -> "list[WrappedKey]":
        """Return the next of what is wrapped to these pairs, in the order of ids. One query for
        each pair: asked for all of them at once, SQLite sorts everything a person has."""
        found: list[WrappedKey] = []
        for pair in pairs:
            rows = self.filter(key_pair=pair, **({"pk__gt": after} if after else {}))
            for row in rows.order_by("pk")[:at_most]:
                row.key_pair = pair
                found.append(row)
        return sorted(found, key=lambda row: row.pk)[:at_most]


class WrappedKey(models.Model):
    """One content key wrapped to one person's encryption key.

    `quick_key` is the same content key under the person's opening key: a cache that spares an RSA
    operation, checked against the key commitment like any other way in.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key_pair = models.ForeignKey(KeyPair, models.PROTECT, related_name="wrapped_keys")
    subject = models.UUIDField(db_index=True)
    lock = models.PositiveIntegerField()
    oaep_bytes = RawBytesField()
    quick_key = RawBytesField(null=True)

    objects = WrappedKeyQuerySet.as_manager()

    class Meta:
        # The order in which a person's own are looked at, and wrapped again.
        indexes = [models.Index(fields=["key_pair", "id"], name="wrapped_keys_of_a_pair")]
        constraints = [
            models.UniqueConstraint(
                fields=["key_pair", "subject", "lock"], name="one_wrapped_key_per_lock"
            )
        ]


class WrappedKeyCheck(models.Model):
    """How far the round of looks at a person's own wrapped keys came, in the order of ids."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True)
    up_to = models.UUIDField(null=True)
    checked = models.PositiveIntegerField(default=0)
    damaged = models.PositiveIntegerField(default=0)
    looked_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)


class MacKey(models.Model):
    """The 32 bytes that MAC a person's notices, wrapped under the notice key of the key file."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="mac_keys")
    epoch = models.PositiveIntegerField()
    wrapped_key = RawBytesField()
    notice_key_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "epoch"], name="one_mac_key_per_epoch")
        ]


class KeyOrderManager(models.Manager["KeyOrder"]):
    def order_rewrapping(self, user: User) -> None:
        """Order that what is wrapped to earlier pairs be wrapped again. An order that is open
        already does that, too."""
        purpose, reason = KeyPair.Purpose.ENCRYPTION, KeyOrder.Reason.REWRAP
        if not self.filter(user=user, purpose=purpose, done_at=None).exists():
            self.create(user=user, purpose=purpose, reason=reason, replaced_at=timezone.now())


class KeyOrder(models.Model):
    """An operator's order to replace somebody's key pair, done where their master key is open.

    It stays open until the pair it replaces is destroyed: that may take several page requests.
    """

    class Reason(models.TextChoices):
        ROUTINE = "routine", _("planned")
        COMPROMISED = "compromised", _("may be known to somebody else")
        # Nothing new is made; earlier keys are brought under the current ones.
        REWRAP = "rewrap", _("brought together")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="key_orders")
    purpose = models.CharField(max_length=16, choices=KeyPair.Purpose)
    reason = models.CharField(max_length=16, choices=Reason)
    ordered_at = models.DateTimeField(default=timezone.now)
    # Anybody who carries it out holds it until then; a process that died lets go by itself.
    lease_ends_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)
    # The last wrapped key that was tried, in the order of ids: one that does not open is not tried
    # again at every request.
    rewrapped_up_to = models.UUIDField(null=True)
    done_at = models.DateTimeField(null=True)
    # SHA-256 of an operator's one-time code, one of the proofs asked for after a theft.
    proof_digest = models.CharField(max_length=64, blank=True)

    objects = KeyOrderManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "purpose"],
                condition=Q(done_at=None),
                name="one_open_order_per_purpose",
            )
        ]


class NewStart(models.Model):
    """Somebody who lost every way to their keys asked for new ones. It waits; it can be stopped."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="new_starts")
    asked_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(stopped_at=None, done_at=None),
                name="one_waiting_new_start",
            )
        ]


class Pins(models.Model):
    """Whose fingerprints a person compared: one document, MACed under their opening key."""

    user = models.OneToOneField(User, models.CASCADE, related_name="pins", primary_key=True)
    body = RawBytesField()
    tag = RawBytesField()


class Custody(models.Model):
    """A person's master key while they are unlocked, wrapped under what a cookie and an unlock key
    of the server's hold together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="custody")
    master_key_version = models.PositiveIntegerField()
    wrapped_master_key = RawBytesField()
    unlock_key = models.CharField(max_length=32)  # its name (imageshare/unlockkeys.py)
    created_at = models.DateTimeField(auto_now_add=True)
    idle_ends_at = models.DateTimeField(db_index=True)
    absolute_ends_at = models.DateTimeField()


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class InviteQuerySet(models.QuerySet["Invite"]):
    def open(self) -> "InviteQuerySet":
        return self.filter(used_at=None, taken_back_at=None, ends_at__gt=timezone.now())

    def of_token(self, token: str) -> "InviteQuerySet":
        return self.filter(token_digest=token_digest(token))


class Invite(models.Model):
    """A one-time link by which somebody makes their account: of its token only the SHA-256."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        USED = "used", _("used")
        ENDED = "ended", _("ended")
        TAKEN_BACK = "taken-back", _("taken back")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    display_name = models.CharField(_("name"), max_length=80)
    email = models.EmailField(_("e-mail"), blank=True)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="invites")
    made_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    taken_back_at = models.DateTimeField(null=True)

    objects = InviteQuerySet.as_manager()

    class Meta:
        verbose_name = _("invite")
        verbose_name_plural = _("invites")

    def __str__(self) -> str:
        return self.display_name

    @property
    def state(self) -> State:
        if self.used_at:
            return self.State.USED
        if self.taken_back_at:
            return self.State.TAKEN_BACK
        return self.State.OPEN if self.ends_at > timezone.now() else self.State.ENDED


class ThrottleWindow(models.Model):
    """How often somebody did something in a window of time."""

    scope = models.CharField(max_length=32)
    subject = models.CharField(max_length=64)
    ends_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "subject"], name="one_window_per_subject")
        ]


class FoldedRefusals(models.Model):
    """Refusals of one kind after the first, of one network or person: not in the trail yet."""

    kind = models.CharField(max_length=64, unique=True)
    event = models.CharField(max_length=64)
    whose = models.CharField(max_length=64, db_index=True)
    actor = models.UUIDField(null=True)
    about = models.UUIDField(null=True)
    facts = models.TextField()
    request = models.CharField(max_length=32)
    count = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)
