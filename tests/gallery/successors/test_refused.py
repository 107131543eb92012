"""Who cannot take over an image, an album or a team: everybody but a successor of its disabled
owner, as what was signed and the trail have it."""

from dataclasses import dataclass

import pytest

from accounts.models import User
from audit import events
from audit.models import AuditEntry
from gallery.beside import successor_circle_key, successor_key
from gallery.errors import (
    Altered,
    GalleryError,
    NotHandedOver,
    NotYours,
    OtherSigner,
    OwnerActive,
    TakenBefore,
    TakenByYou,
)
from gallery.models import (
    Circle,
    Grant,
    Member,
    SealedImage,
    Statement,
    SuccessorCircleKey,
    SuccessorKey,
)
from gallery.opening import Opener
from gallery.services import taking_over, taking_over_circles
from gallery.services.circles.ended import rekey_ended
from gallery.services.successors import circle_of, keep_for_successors, remove_successor
from gallery.services.taking_over import take_over
from gallery.services.taking_over_circles import take_over_circle
from tests.accounts.test_oversight import act
from tests.conftest import Person
from tests.gallery.successors.conftest import name, put_back, rows_of

pytestmark = [pytest.mark.attack("F151"), pytest.mark.attack("F200"), pytest.mark.attack("F220")]
SUCCESSORS = (
    *("gallery_circle", "gallery_member", "gallery_statement"),
    *("accounts_wrappedkey", "gallery_successorkey", "gallery_successorcirclekey"),
)


@dataclass
class Thing:
    """An image, an album or a team of alice's that dora can open, and bob is to take over."""

    subject: SealedImage | Circle
    album: Circle | None  # for which bob is named alone

    @property
    def named_in(self) -> Circle:
        circle = circle_of(self.subject.owner, self.album.pk if self.album else None)
        assert circle
        return circle

    def take(self, person: Person) -> None:
        if isinstance(self.subject, Circle):
            take_over_circle(keyring=person.keyring, circle_id=self.subject.pk)
        else:
            take_over(keyring=person.keyring, image_id=self.subject.pk)

    def refused(self, person: Person, error: type[GalleryError]) -> GalleryError:
        """Return why; nothing has changed then."""
        before = everything()
        with pytest.raises(error) as raised:
            self.take(person)
        assert everything() == before
        return raised.value


def everything() -> list:
    models = (Circle, Member, SealedImage, Grant, Statement, SuccessorKey, SuccessorCircleKey)
    return [list(model.objects.order_by("pk").values_list()) for model in models]


@pytest.fixture(params=["image", "album", "team", "one album"])
def thing(request, make_held, upload, alice, bob, dora) -> Thing:
    if request.param == "image":
        thing = Thing(upload(to=(dora,)), None)
    else:
        circle = make_held(request.param.removeprefix("one ")).circle
        thing = Thing(circle, circle if request.param == "one album" else None)
    name(alice, bob, album=thing.album)
    return thing


def test_a_stranger_a_reader_and_the_owner_cannot(alice, dora, mallory, thing, disable):
    thing.refused(alice, NotYours)
    disable(alice)
    for person in (mallory, dora):
        thing.refused(person, NotYours)


def test_a_successor_cannot_while_the_owner_is_active(bob, thing):
    thing.refused(bob, OwnerActive)


def test_nor_once_the_owner_is_disabled_only_by_a_column(alice, bob, thing):
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    thing.refused(bob, OwnerActive)


def test_nor_after_the_owner_was_enabled_again_whatever_the_column_says(
    alice, bob, thing, disable, staff
):
    disable(alice)
    act(staff, alice.user, "enable")
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    thing.refused(bob, OwnerActive)


def test_nor_while_the_row_says_that_the_owner_is_active(alice, bob, thing, disable):
    disable(alice)
    User.objects.filter(pk=alice.user.pk).update(is_active=True)
    thing.refused(bob, OwnerActive)


def remove(owner: Person, person: Person, thing: Thing) -> None:
    album_id = thing.album.pk if thing.album else None
    remove_successor(keyring=owner.keyring, person=person.user, album_id=album_id)


def test_a_former_successor_cannot(alice, bob, carol, thing, disable):
    name(alice, carol, album=thing.album)
    remove(alice, bob, thing)
    rekey_ended(alice.keyring)
    keep_for_successors(alice.keyring)
    disable(alice)
    thing.refused(bob, NotYours)
    thing.take(carol)


def test_nor_by_an_older_list_put_back(alice, bob, carol, thing, disable):
    name(alice, carol, album=thing.album)
    old = {table: rows_of(table) for table in SUCCESSORS}
    remove(alice, bob, thing)
    for table in reversed(SUCCESSORS):
        put_back(table, old[table])
    disable(alice)
    thing.refused(bob, Altered)


def test_a_row_that_nobody_signed_makes_no_successor(alice, bob, mallory, thing, disable):
    row = Member.objects.get(circle=thing.named_in, reader=bob.user)
    row.pk, row.reader, row.wrapped_key = Member().pk, mallory.user, None
    row._state.adding = True
    row.save()
    disable(alice)
    thing.refused(mallory, Altered)


def test_the_owners_column_turned_to_somebody_who_named_one_gives_them_nothing(
    bob, mallory, thing, disable
):
    name(mallory, bob)
    disable(mallory)
    type(thing.subject).objects.filter(pk=thing.subject.pk).update(owner=mallory.user)
    thing.refused(bob, Altered)


def test_a_key_that_is_not_its_own_is_refused(alice, bob, thing, disable):
    named_in = thing.named_in
    key = Opener(bob.keyring).own_circle_key(named_in)  # as bob has it, writing to the rows
    if isinstance(thing.subject, Circle):
        forged = successor_circle_key(thing.subject, b"k" * 32, named_in, key)
        SuccessorCircleKey.objects.filter(circle=thing.subject).update(wrapped=forged.wrapped)
    else:
        forged = successor_key(thing.subject, b"k" * 32, named_in, key)
        SuccessorKey.objects.filter(image=thing.subject).update(wrapped=forged.wrapped)
    disable(alice)
    assert thing.refused(bob, Altered).step == "commitment"


def test_what_was_never_handed_over_stays(alice, bob, thing, disable):
    for keys in (SuccessorKey.objects, SuccessorCircleKey.objects):
        keys.all().delete()
    disable(alice)
    thing.refused(bob, NotHandedOver)


def test_a_signer_who_is_not_as_compared_is_refused(alice, bob, thing, disable, monkeypatch):
    def differs(self, *_args):
        raise OtherSigner(alice.user, None)

    monkeypatch.setattr("gallery.signers.Signers.check", differs)
    disable(alice)
    thing.refused(bob, OtherSigner)


def test_only_the_first_of_two_successors_gets_it_and_each_is_told_so(
    alice, bob, carol, dora, thing, disable
):
    name(alice, carol, album=thing.album)
    disable(alice)
    thing.take(carol)
    thing.refused(bob, TakenBefore)
    thing.refused(carol, TakenByYou)
    thing.refused(dora, NotYours)


def test_who_has_read_it_when_another_takes_it_over_is_told_so(
    alice, bob, carol, thing, disable, monkeypatch
):
    name(alice, carol, album=thing.album)
    disable(alice)
    module = taking_over_circles if isinstance(thing.subject, Circle) else taking_over
    places = module.places_to_take_over

    def first_carols(*about, **reader):
        monkeypatch.setattr(module, "places_to_take_over", places)
        thing.take(carol)
        return places(*about, **reader)

    monkeypatch.setattr(module, "places_to_take_over", first_carols)
    with pytest.raises(TakenBefore):
        thing.take(bob)
    assert not AuditEntry.objects.filter(event__endswith=":altered").exists()


def test_so_it_is_while_the_trail_lacks_the_end_of_it_and_a_stranger_still_learns_nothing(
    alice, bob, carol, dora, mallory, thing, disable, monkeypatch
):
    name(alice, carol, album=thing.album)
    disable(alice)
    with monkeypatch.context() as patched:
        patched.setattr(events, "record_after", lambda *about, **facts: None)
        thing.take(carol)
    thing.refused(bob, TakenBefore)
    thing.refused(carol, TakenByYou)
    for person in (dora, mallory):
        thing.refused(person, NotYours)


def test_nor_does_a_stranger_by_an_altered_one(mallory, thing, disable, alice):
    disable(alice)
    Statement.objects.filter(subject=thing.subject.pk).update(signature=b"")
    thing.refused(mallory, NotYours)
