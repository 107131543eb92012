"""What successors have and could not use: found and made again at a page of its owner, whose keys
are open; nobody else's page touches it."""

import pytest

from accounts.models import WrappedKeyCheck
from audit.models import AuditEntry
from gallery.models import Circle, SealedImage, SuccessorCircleKey, SuccessorKey
from gallery.services import own_keys
from gallery.services.successors import circle_of
from gallery.services.taking_over import take_over
from gallery.services.taking_over_circles import take_over_circle
from tests.conftest import Person
from tests.gallery.successors.conftest import add, name
from tests.gallery.test_own_keys import told

pytestmark = pytest.mark.attack("F290")
each = pytest.mark.parametrize("what", ["image", "album", "team", "album alone"])
Kept = SuccessorKey | SuccessorCircleKey


@pytest.fixture
def subject(what, alice, bob, carol, upload, make_held) -> SealedImage | Circle:
    """Bob is alice's successor; what he is given, carol and he can open anyway."""
    if what == "image":
        image = upload(to=(bob, carol))
        name(alice, bob)
        return image
    held = make_held(what.split()[0])
    add(alice, held.circle, bob, carol)
    name(alice, bob, album=held.circle if what == "album alone" else None)
    return held.circle


def kept(subject: SealedImage | Circle) -> Kept:
    if isinstance(subject, Circle):
        return SuccessorCircleKey.objects.get(circle=subject)
    return SuccessorKey.objects.get(image=subject)


def damage(subject: SealedImage | Circle, wrapped: bytes | None = None) -> bytes:
    row = kept(subject)
    row.wrapped = wrapped or bytes([*row.wrapped[:-1], row.wrapped[-1] ^ 1])
    row.save()
    return row.wrapped


def look(person: Person) -> int:
    """Return how many keys a page of theirs with open keys looked at: all of a round."""
    client = person.sign_in()
    WrappedKeyCheck.objects.filter(user=person.user).delete()
    assert client.get("/images/").status_code == 200
    return WrappedKeyCheck.objects.get(user=person.user).checked


@pytest.fixture(autouse=True)
def time_for_all(monkeypatch):
    monkeypatch.setattr(own_keys, "SECONDS", 60)


# ---- by whom it is left ------------------------------------------------------------------------


@each
def test_no_page_of_the_successor_s_a_reader_s_or_a_stranger_s_touches_it(
    subject, bob, carol, mallory
):
    damaged = damage(subject)
    assert [look(person) > 0 for person in (bob, carol, mallory)] == [True, True, False]
    assert bytes(kept(subject).wrapped) == damaged
    assert told("wrapped-key:damaged") == []


@pytest.mark.parametrize("what", ["image"])
def test_nor_does_a_locked_page_of_its_owner_s(subject, alice):
    client = alice.sign_in()
    WrappedKeyCheck.objects.filter(user=alice.user).delete()
    client.post("/accounts/lock/")
    damaged = damage(subject)
    client.get("/images/")
    assert bytes(kept(subject).wrapped) == damaged


@pytest.mark.parametrize("what", ["image"])
def test_nor_any_where_the_owner_s_list_of_successors_was_altered(subject, alice):
    damaged = damage(subject)
    Circle.objects.filter(owner=alice.user, kind="successors").update(members_add=True)
    circle_of(alice.user).members.update(rights="view")
    assert look(alice)
    assert bytes(kept(subject).wrapped) == damaged


@each
def test_one_that_opens_stays_as_it_is(subject, alice):
    before = bytes(kept(subject).wrapped)
    assert look(alice)
    assert bytes(kept(subject).wrapped) == before
    assert told("wrapped-key:damaged") == []


# ---- what it is good for -----------------------------------------------------------------------


@each
@pytest.mark.parametrize("wrapped", [None, b"x"], ids=["a flipped bit", "too short"])
def test_one_that_does_not_open_is_made_again_and_takes_over(subject, alice, bob, disable, wrapped):
    damaged = damage(subject, wrapped)
    assert look(alice)
    assert bytes(kept(subject).wrapped) != damaged
    named_in = str(Circle.objects.get(owner=alice.user, kind="successors").pk)
    assert told("wrapped-key:damaged") == [("failed", subject.pk, {"successors": named_in})]
    assert WrappedKeyCheck.objects.get(user=alice.user).damaged == 0
    assert look(alice)
    assert AuditEntry.objects.filter(event="wrapped-key:damaged").count() == 1
    disable(alice)
    if isinstance(subject, Circle):
        take_over_circle(keyring=bob.keyring, circle_id=subject.pk)
    else:
        take_over(keyring=bob.keyring, image_id=subject.pk)
    assert type(subject).objects.get(pk=subject.pk).owner == bob.user
