"""People who share images, with a row in every table: what tests/rows alters, and looks at."""

import io
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from accounts.keys.recipients import recipient_of
from accounts.models import KeyOrder, NewStart, User
from accounts.services.people.invites import make_invite
from accounts.services.rotating.ordering import order_pairs
from accounts.web.sessions import row_key
from gallery.models import Circle, SealedImage
from gallery.services.circles.making import make_circle
from gallery.services.circles.placing import place_image
from gallery.services.circles.sharing import share_circle
from gallery.services.uploading import Terms
from tests.accounts.test_person_page import compare
from tests.conftest import Person, jpeg
from tests.rows.flips import Flip, keys_of, value_of

JSON = {"accept": "application/json"}
BYTES = ("original", "preview", "thumbnail")
# Nothing happens to these people, and to these images.
KEPT_PEOPLE, KEPT_IMAGES = ("dave", "erin", "overseer"), ("kept", "daves", "erins", "in kept")
SHOWN_TO = {"first": "bob", "second": "carol", "kept": "bob", "daves": "bob", "erins": "erin"}
SHOWN_TO |= {"placed": "bob", "in kept": "erin"}


@dataclass
class World:
    """Alice shares images with bob and carol; dave shares one with bob, and one with erin. Each of
    them has an album with one image more in it."""

    people: dict[str, Person]
    clients: dict[str, Client]
    images: dict[str, SealedImage]
    albums: dict[str, Circle]
    invite: str = ""
    link: str = ""  # of an open invitation of alice's
    released: dict[str, bytes] = field(default_factory=dict)  # by address

    def place(self, image: str, name: str = "") -> str:
        return f"/images/{self.images[image].pk}/{name}"

    def album(self, name: str, act: str = "") -> str:
        return f"/albums/{self.albums[name].pk}/{act}"

    def fill(self, place: str) -> str:
        ids = {name: image.pk for name, image in self.images.items()}
        album = self.albums["altered"].pk
        return place.format(**ids, album=album, invite=self.invite, link=self.link)

    def belongs_to(self, name: str, flip: Flip) -> bool:
        """Whether a changed row, or the one it takes from, is this person's own."""
        person = self.people[name].user.pk
        if flip.model is Session:
            return self.session_of(name) in (flip.key, flip.other)
        columns = {column.column for column in flip.model._meta.concrete_fields}
        owner = "id" if flip.model is User else "user_id"
        if owner not in columns:
            return False
        owners = [value_of(flip.model, key, owner) for key in (flip.key, flip.other)]
        return bool({person, person.hex}.intersection(owners))

    def session_of(self, name: str) -> str:
        return row_key(self.clients[name].cookies["sessionid"].value)

    def altered_keys(self, model: type[Model]) -> list[Any]:
        """Return the keys of the rows of a table that are altered."""
        people = list(User.objects.filter(username__in=KEPT_PEOPLE).values_list("pk", flat=True))
        images = [self.images[name].pk for name in KEPT_IMAGES]
        kept_album = [self.albums["kept"].pk]
        of_kept = {"user_id": people, "person_id": people, "image_id": images}
        of_kept |= {"subject": images + kept_album, "circle_id": kept_album}
        if model is User:
            of_kept = {"id": people}
        elif model is SealedImage:
            of_kept = {"id": images}
        elif model is Circle:
            of_kept = {"id": kept_album}
        elif model is Session:
            kept = [self.session_of(name) for name in ("dave", "erin", "overseer")]
            of_kept = {"session_key": kept}
        rows = model._base_manager.all()
        for column in model._meta.concrete_fields:
            rows = rows.exclude(**{f"{column.attname}__in": of_kept.get(column.attname, [])})
        altered = {getattr(key, "hex", key) for key in rows.values_list("pk", flat=True)}
        keys = [key for key in keys_of(model) if getattr(key, "hex", key) in altered]
        # Django's own lists of what there is, alike and many.
        return keys[:2] if model in (ContentType, Permission) else keys


def made(make_person: Any, cast: list[Person], staff: Client, upload: Any) -> World:
    """Return a world of alice, bob, carol and mallory, and of dave and erin beside them."""
    alice, bob, carol, _ = cast
    dave, erin = make_person("dave"), make_person("erin")
    people = {person.username: person for person in (*cast, dave, erin)}
    for person in people.values():
        person.sign_in()
    compare(alice.client, "bob")
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    images = {
        "first": upload(to=(bob, carol), data=jpeg("red"), ends_at=tomorrow),
        "second": upload(to=(bob,), data=jpeg("blue")),
        "kept": upload(to=(bob,), data=jpeg("green")),
        "deleted": upload(to=(bob,), data=jpeg("brown")),
        "daves": sent(dave, bob, "gold"),
        "erins": sent(dave, erin, "gray"),
        "placed": upload(data=jpeg("pink")),
        "in kept": sent(dave, dave, "navy"),
    }
    albums = {
        "altered": _album(alice, images["placed"], bob, carol),
        "kept": _album(dave, images["in kept"], erin),
    }
    clients = {name: person.client for name, person in people.items()}
    world = World(people, clients | {"overseer": staff, "nobody": Client()}, images, albums)
    for image in ("first", "second"):
        bob.client.post(world.place(image, "acknowledge/"))
    alice.client.post(world.place("second", "revoke/"), {"recipient": "bob"})
    alice.client.post(world.place("second", "share/"), {"recipients": ["carol"]})
    alice.client.post(world.place("deleted", "delete/"))
    world.invite = _fill_what_is_empty(alice.user, bob.user, carol.user)
    world.link = _invited(alice, images["first"], images["second"])
    for image, reader in SHOWN_TO.items():
        for place in (world.place(image, name) for name in BYTES):
            world.released[place] = clients[reader].get(place).getvalue()
    for client in world.clients.values():
        client.raise_request_exception = False
    return world


def sent(owner: Person, reader: Person, colour: str) -> SealedImage:
    file = io.BytesIO(jpeg(colour))
    file.name = "one.jpg"
    form = {"images": [file], "recipients": [reader.username], "upload_id": str(uuid.uuid4())}
    answer = owner.client.post("/images/upload/", form, headers=JSON)
    return SealedImage.objects.get(pk=answer.json()["images"][0]["id"])


def _album(owner: Person, image: SealedImage, *members: Person) -> Circle:
    about = {"title": "Lake", "description": "", "members_add": True}
    album = make_circle(keyring=owner.keyring, **about)
    place_image(keyring=owner.keyring, circle_id=album.pk, image_id=image.pk)
    readers, terms = [recipient_of(member.user) for member in members], Terms("download", None)
    share_circle(keyring=owner.keyring, circle_id=album.pk, recipients=readers, terms=terms)
    return album


def _invited(owner: Person, *images: SealedImage) -> str:
    """Return the link of the second of two invitations that carry these."""
    path = ""
    for name in ("Dr. Lee", "Mx. Moss"):
        answer = owner.client.post("/invitations/", {"display_name": name}, headers=JSON)
        made = answer.json()["invitation"]
        path = urlsplit(made["link"]).path
        for image in images:
            form = {"invitations": [made["id"]]}
            shared = owner.client.post(f"/images/{image.pk}/share/", form, headers=JSON)
            assert shared.status_code == 200, shared.content
    return path


def _fill_what_is_empty(alice: User, bob: User, carol: User) -> str:
    """Return the token of an invite."""
    now = timezone.now()
    order_pairs(alice, ["encryption"])
    order_pairs(carol, ["signing"])
    KeyOrder.objects.update(lease_ends_at=now + timedelta(hours=1))  # nobody carries them out
    NewStart.objects.create(user=alice, due_at=now + timedelta(days=3))
    NewStart.objects.create(user=bob, due_at=now, stopped_at=now)
    group = Group.objects.create(name="some")
    Group.objects.create(name="others")
    for person in (alice, carol):
        person.groups.add(group)
        person.user_permissions.add(*Permission.objects.all()[:1])
        LogEntry.objects.create(user=person, action_flag=1, object_repr="x")
    group.permissions.add(*Permission.objects.all()[:2])
    make_invite(display_name="Emil Eck", email="", by=alice)
    return make_invite(display_name="Dora Dune", email="dora@example.org", by=bob).token
