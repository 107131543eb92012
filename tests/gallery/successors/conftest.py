"""Alice owns images and names bob her successor; staff disable her."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import connection

from accounts.keys.recipients import recipient_of
from gallery.models import Circle, SealedImage
from gallery.services.circles.making import make_circle
from gallery.services.circles.placing import place_image
from gallery.services.circles.sharing import share_circle
from gallery.services.successors import name_successors
from tests.accounts.test_oversight import act
from tests.conftest import Person
from tests.gallery.albums.conftest import DOWNLOAD, make

__all__ = ["make"]  # an album of somebody's


def name(owner: Person, *people: Person, album: Circle | None = None) -> None:
    """Name these, for everything or for one album alone, and hand over what there is."""
    readers = [recipient_of(person.user) for person in people]
    name_successors(keyring=owner.keyring, people=readers, album_id=album.pk if album else None)


@pytest.fixture
def image(upload, carol):
    """An image of alice's that carol can open, and bob cannot."""
    return upload(to=(carol,), caption="At the lake")


@pytest.fixture
def named(alice, bob, image):
    """The same image, once bob is alice's successor."""
    name(alice, bob)
    return image


@pytest.fixture
def disable(staff) -> Callable[[Person], None]:
    def disable(person: Person) -> None:
        assert act(staff, person.user, "disable").status_code == 302

    return disable


# ---- an older state ------------------------------------------------------------------------


def rows_of(table: str) -> tuple[list[str], list[tuple]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        return [column[0] for column in cursor.description], cursor.fetchall()


def put_back(table: str, old: tuple[list[str], list[tuple]]) -> None:
    columns, rows = old
    marks = ", ".join(["%s"] * len(columns))
    on_postgres = connection.vendor == "postgresql"
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        if on_postgres:  # where what points to a row keeps it from being deleted at once
            cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"DELETE FROM {table}")
        for row in rows:
            cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", row)
        if on_postgres:
            cursor.execute("SET session_replication_role = DEFAULT")


# ---- albums and teams ------------------------------------------------------------------------

TITLE = "Lake"


@dataclass
class Held:
    """A circle of alice's that dora is in, with an image of alice's in it."""

    circle: Circle
    image: SealedImage

    @property
    def pk(self):
        return self.circle.pk

    @property
    def now(self) -> Circle:
        return Circle.objects.get(pk=self.pk)


@pytest.fixture
def dora(make_person) -> Person:
    return make_person("dora", "Dora Dale")


@pytest.fixture
def make_held(alice, dora, upload) -> Callable[[str], Held]:
    def make_held(kind: str) -> Held:
        circle = make_circle(
            keyring=alice.keyring, title=TITLE, description="", members_add=True, kind=kind
        )
        add(alice, circle, dora)
        image = upload(caption="At the lake")
        place_image(keyring=alice.keyring, circle_id=circle.pk, image_id=image.pk, kind=kind)
        return Held(circle, image)

    return make_held


def add(owner: Person, circle: Circle, *people: Person) -> None:
    share_circle(
        keyring=owner.keyring,
        circle_id=circle.pk,
        recipients=[recipient_of(person.user) for person in people],
        terms=DOWNLOAD,
        kind=circle.kind,
    )
