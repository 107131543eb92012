"""What is locked: the rows that hold keys under keys, of some people and their images."""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import Custody, KeyPair, KeySlot, MacKey, User, WrappedKey
from gallery.models import (
    Circle,
    Grant,
    Invitation,
    InvitedGrant,
    Member,
    Placement,
    Rendition,
    SealedImage,
    SuccessorCircleKey,
    SuccessorKey,
)
from gallery.sealing import MANIFEST, MEMBERSHIP, heads_of

IMAGES_PER_PERSON = 20


@dataclass(frozen=True)
class Person:
    """Somebody's keys, all of them wrapped."""

    user: User
    slots: list[KeySlot]
    custody: list[Custody]
    pairs: list[KeyPair]
    quick_keys: list[WrappedKey]
    invitations: list[Invitation]

    @property
    def versions(self) -> set[int]:
        rows: list[KeySlot | Custody | KeyPair] = [*self.slots, *self.custody, *self.pairs]
        return {row.master_key_version for row in rows}


@dataclass(frozen=True)
class Image:
    """An image under its current lock: what its manifest says, and where its bytes are."""

    pk: uuid.UUID
    owner: uuid.UUID
    lock: int
    commitment: bytes
    renditions: dict[str, Any]
    names: dict[str, str]


@dataclass(frozen=True)
class Album:
    """A circle under its current key: what its owner signed, and what is under that key: images,
    and of a team the albums it is a member of, of successors albums and teams."""

    pk: uuid.UUID
    owner: uuid.UUID
    epoch: int
    commitment: bytes
    details: bytes
    placements: list[Placement | SuccessorKey]
    albums: list[Member | SuccessorCircleKey]


@dataclass(frozen=True)
class Locked:
    """Everything that a search tries to open."""

    people: list[Person]
    images: list[Image]
    albums: list[Album]
    wrapped_keys: list[WrappedKey]
    invited: list[InvitedGrant]
    mac_keys: list[MacKey]
    fingerprints: dict[str, KeyPair] = field(default_factory=dict)


def locked(*, people: int, certainly: User | None = None) -> Locked:
    """Return what is locked of that many people chosen at random each time (0: of everybody).

    For each at most 20 images that they may open, chosen likewise; for `certainly` all.
    """
    users = list(User.objects.order_by("?")[: people or None])
    if certainly and certainly not in users:
        users.append(certainly)
    theirs = Grant.objects.filter(image=OuterRef("pk"), reader__in=users, ended_at=None)
    members = Member.objects.filter(reader__in=users, ended_at=None)
    reachable = _circles_of(members)
    placed = Placement.objects.filter(circle__in=reachable, ended_at=None)
    certain = Q(pk__in=allowed_to(certainly)) if certainly else Q(pk__in=[])
    live = SealedImage.objects.filter(deleted_at=None)
    named = Q(successor_key__circle__in=reachable)
    reached = live.filter(Exists(theirs) | Q(pk__in=placed.values("image")) | named)
    chosen = list(reached.order_by("?")[: people * IMAGES_PER_PERSON or None])
    images = {image.pk: image for image in (*chosen, *live.filter(certain))}
    albums = Circle.objects.filter(pk__in=reachable, deleted_at=None).in_bulk()
    pairs = KeyPair.objects.filter(user__in=users).exclude(wrapped_private_key=None)
    invitations = Invitation.objects.filter(inviter__in=users, used_at=None, taken_back_at=None)
    subjects = [*images, *albums, *invitations.values_list("pk", flat=True)]
    wrapped = WrappedKey.objects.filter(subject__in=subjects).select_related("key_pair")
    invited = InvitedGrant.objects.filter(invitation__in=invitations).exclude(wrapped=None)
    return Locked(
        people=[_person(user, subjects, invitations) for user in users],
        images=_with_manifests(images),
        albums=_with_memberships(albums, images),
        wrapped_keys=list(wrapped),
        invited=list(invited.select_related("invitation")),
        mac_keys=list(MacKey.objects.filter(user__in=users)),
        fingerprints={pair.fingerprint: pair for pair in pairs},
    )


def expected_of(user: User) -> set[uuid.UUID]:
    """Return the images this person's current keys open: their own, and those shared with them."""
    present = {"wrapped_key__key_pair__master_key_version": user.master_key_version}
    members = _members_of(user).filter(**present)
    return {*_grants_of(user).filter(**present).values_list("image_id", flat=True), *_in(members)}


def allowed_to(user: User) -> set[uuid.UUID]:
    """Return also the images that wait for this person: earlier keys of theirs may open those."""
    grants = _grants_of(user).values_list("image_id", flat=True)
    return {*grants, *_in(_members_of(user))}


def _members_of(user: User) -> QuerySet[Member]:
    return Member.objects.filter(reader=user, ended_at=None).exclude(wrapped_key=None)


def _circles_of(members: QuerySet[Member]) -> set[uuid.UUID]:
    """Return the circles of these memberships, what the successors among them can take over, and
    the albums of the teams among all these."""
    direct = set(members.values_list("circle", flat=True))
    named = SuccessorCircleKey.objects.filter(team__in=direct, epoch=F("circle__epoch"))
    direct |= set(named.values_list("circle", flat=True))
    through = Member.objects.filter(team__in=direct, ended_at=None).exclude(wrapped=None)
    return direct | set(through.values_list("circle", flat=True))


def _in(members: QuerySet[Member]) -> set[uuid.UUID]:
    """Return the images in the circles of these memberships, without those that wait; and those
    whose keys successors have, though the site refuses them."""
    circles = _circles_of(members)
    placed = Placement.objects.filter(circle__in=circles, ended_at=None).exclude(wrapped=None)
    named = SuccessorKey.objects.filter(circle__in=circles, lock=F("image__lock"))
    ids = placed.values_list("image_id", flat=True)
    return {*ids, *named.values_list("image_id", flat=True)}


def _grants_of(user: User) -> QuerySet[Grant]:
    return Grant.objects.filter(reader=user, ended_at=None).exclude(wrapped_key=None)


def _person(user: User, subjects: Iterable[uuid.UUID], invitations: QuerySet[Invitation]) -> Person:
    theirs = WrappedKey.objects.filter(key_pair__user=user, subject__in=subjects)
    quick = theirs.exclude(quick_key=None)
    return Person(
        user=user,
        slots=list(user.key_slots.all()),
        custody=list(user.custody.all()),
        pairs=list(user.key_pairs.exclude(wrapped_private_key=None)),
        quick_keys=list(quick),
        invitations=[one for one in invitations if one.inviter_id == user.pk],
    )


def _with_manifests(images: Mapping[uuid.UUID, SealedImage]) -> list[Image]:
    manifests = {
        head.subject: json.loads(bytes(head.body))
        for head in heads_of(images)
        if head.kind == MANIFEST
    }
    names: dict[uuid.UUID, dict[str, str]] = {pk: {} for pk in images}
    for row in Rendition.objects.filter(image__in=images):
        names[row.image_id][row.name] = row.storage_name
    return [
        Image(
            pk=pk,
            owner=images[pk].owner_id,
            lock=images[pk].lock,
            commitment=bytes.fromhex(manifests[pk]["key_commitment"]),
            renditions=manifests[pk]["renditions"],
            names=names[pk],
        )
        for pk in images
        if pk in manifests
    ]


def _with_memberships(
    albums: Mapping[uuid.UUID, Circle], images: Iterable[uuid.UUID]
) -> list[Album]:
    signed = {
        head.subject: json.loads(bytes(head.body))
        for head in heads_of(albums)
        if head.kind == MEMBERSHIP
    }
    placed: dict[uuid.UUID, list[Placement | SuccessorKey]] = {pk: [] for pk in albums}
    these = {"circle__in": albums, "image__in": images}
    for place in Placement.objects.filter(**these, ended_at=None):
        placed[place.circle_id].append(place)
    for row in SuccessorKey.objects.filter(**these):
        placed[row.circle_id].append(row)
    teams: dict[uuid.UUID, list[Member | SuccessorCircleKey]] = {pk: [] for pk in albums}
    shared = Member.objects.filter(team__in=albums, circle__in=albums, ended_at=None)
    for one in shared.select_related("circle"):
        if one.team_id:
            teams[one.team_id].append(one)
    kept = SuccessorCircleKey.objects.filter(team__in=albums, circle__in=albums)
    for key in kept.select_related("circle"):
        teams[key.team_id].append(key)
    return [
        Album(
            pk=pk,
            owner=album.owner_id,
            epoch=album.epoch,
            commitment=bytes.fromhex(signed[pk]["key_commitment"]),
            details=bytes(album.details),
            placements=placed[pk],
            albums=teams[pk],
        )
        for pk, album in albums.items()
        if pk in signed
    ]
