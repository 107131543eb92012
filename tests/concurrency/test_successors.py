"""Taking over while another successor does, while staff enable the owner again, and while the owner
removes the successor: one of them wins, and nothing is half done."""

import threading
from collections import Counter
from functools import partial

import pytest

from accounts.models import User
from accounts.services.people.oversight import disable_person, enable_person
from audit.verification import verify
from gallery.errors import GalleryError
from gallery.models import Circle, SealedImage
from gallery.services.circles import rekeying
from gallery.services.circles.making import make_circle
from gallery.services.successors import keep_for_successors
from gallery.services.taking_over import take_over
from gallery.services.taking_over_circles import take_over_circle
from tests.concurrency import JSON, at_once, rounds_of_races, same_browser
from tests.conftest import Person
from tests.gallery.albums.conftest import opened
from tests.gallery.albums.test_at_rest import findings
from tests.gallery.successors.conftest import disable, dora, make_held, name

__all__ = ["disable", "dora", "make_held"]
pytestmark = [pytest.mark.usefixtures("emptied_storage"), pytest.mark.attack("F202")]


@pytest.fixture
def held(make_held, alice, bob, carol, disable):
    """An album and a team of alice's, each with an image, which bob and carol may take over."""
    held = [make_held("album"), make_held("team")]
    name(alice, bob, carol)
    disable(alice)
    return held


def owners() -> set[str]:
    rows = (*SealedImage.objects.all(), *Circle.objects.exclude(kind="successors"))
    return {row.owner.username for row in rows}


def test_of_two_successors_at_once_one_gets_each_thing(alice, bob, carol, dora, held):
    tabs = [same_browser(person.sign_in()) for person in (bob, carol)]
    form = {"owner": str(alice.user.pk)}
    answers = at_once(lambda tab: tab.post("/successors/take-over/", form, headers=JSON), tabs)
    assert [answer.status_code for answer in answers] == [200, 200], answers
    facts = [answer.json() for answer in answers]
    taken = [pk for one in facts for what in ("taken", "albums", "teams") for pk in one[what]]
    assert len(taken) == len(set(taken)) == 4
    assert owners() <= {"bob", "carol"}
    assert [one["left"] for one in facts] == [0, 0]
    address = f"/images/{held[0].image.pk}/take-over/"
    later = [tab.post(address, headers=JSON) for tab in tabs]
    assert {one.json()["code"] for one in later} == {"taken_before", "taken_by_you"}
    assert all("taken this over already" in one.json()["message"] for one in later)
    assert all(opened(dora, one.image) for one in held)
    assert findings() == []
    assert list(verify()) == []


# ---- one thing, again and again ----------------------------------------------------------------


@pytest.fixture
def make_things(alice, upload):
    """Return so many images, albums and teams of alice's."""

    def make(count: int) -> list[SealedImage | Circle]:
        about = {"keyring": alice.keyring, "title": "Lake", "description": "", "members_add": False}
        kinds = ["album", "team"] * count
        return [
            *(upload() for _ in range(count)),
            *(make_circle(**about, kind=kind) for kind in kinds[:count]),
        ]

    return make


def take(person: Person, thing: SealedImage | Circle) -> str:
    """Return what became of a try: "taken", or which refusal."""
    try:
        if isinstance(thing, Circle):
            take_over_circle(keyring=person.keyring, circle_id=thing.pk)
        else:
            take_over(keyring=person.keyring, image_id=thing.pk)
    except GalleryError as refusal:
        return type(refusal).__name__
    return "taken"


def owner_of(thing: SealedImage | Circle) -> str:
    return type(thing).objects.get(pk=thing.pk).owner.username


@rounds_of_races
def test_of_two_successors_at_once_one_gets_it(
    alice, bob, carol, make_things, disable, rounds, record_property
):
    things = make_things(len(rounds))
    name(alice, bob, carol)
    disable(alice)
    bad = 0
    for thing in things:
        answers = at_once(partial(take, thing=thing), [bob, carol])
        bad += sorted(answers) != ["TakenBefore", "taken"]
        bad += owner_of(thing) != ("bob" if answers[0] == "taken" else "carol")
    record_property("taken over by two at once", f"{len(things)} 0 {bad}")
    assert bad == 0
    assert findings() == []
    assert list(verify()) == []


@rounds_of_races
def test_of_a_successor_for_everything_and_one_for_the_album_alone_one_gets_it(
    alice, bob, carol, make_things, disable, rounds, record_property
):
    name(alice, bob)
    albums = [one for one in make_things(len(rounds)) if getattr(one, "kind", "") == "album"]
    for album in albums:
        name(alice, carol, album=album)
    disable(alice)
    bad = 0
    for album in albums:
        answers = at_once(partial(take, thing=album), [bob, carol])
        bad += sorted(answers) != ["TakenBefore", "taken"]
        bad += owner_of(album) != ("bob" if answers[0] == "taken" else "carol")
    record_property("taken over for everything and for itself", f"{len(albums)} 0 {bad}")
    assert bad == 0
    assert findings() == []
    assert list(verify()) == []


@rounds_of_races
def test_while_staff_enable_the_owner_it_is_taken_over_or_not(
    alice, bob, make_things, disable, rounds, record_property
):
    things = make_things(len(rounds))
    name(alice, bob)
    disable(alice)
    about = {"person": alice.user, "by": User.objects.get(username="overseer"), "reason": "back"}
    met, bad = Counter(), 0
    for thing in things:
        answer, _ = at_once(
            lambda act: act(), [partial(take, bob, thing), partial(enable_person, **about)]
        )
        met[answer] += 1
        bad += owner_of(thing) != ("bob" if answer == "taken" else "alice")
        before = owner_of(thing)
        bad += take(bob, thing) == "taken" or owner_of(thing) != before
        disable_person(**about)
    record_property("enabled against taken over", f"{len(things)} 0 {bad}")
    assert met.keys() <= {"taken", "OwnerActive"}
    assert bad == 0
    assert findings() == []
    assert list(verify()) == []


@pytest.fixture
def storing(monkeypatch) -> list[threading.Event]:
    """The newest of these is notified when the next key is being stored."""
    acts: list[threading.Event] = []
    hold_invitations = rekeying.hold_invitations

    def tell_and_hold(rows) -> None:
        if acts:
            acts[-1].set()
        hold_invitations(rows)

    monkeypatch.setattr(rekeying, "hold_invitations", tell_and_hold)
    return acts


@rounds_of_races
def test_who_was_removed_takes_nothing_over_whenever_the_owner_is_disabled(
    alice, bob, carol, make_things, disable, rounds, storing, record_property
):
    """The owner's act may be on its way when staff disable her, all of them as they like, or while
    it is being stored: what counts is which came first."""
    about = {"person": alice.user, "by": User.objects.get(username="overseer"), "reason": "gone"}
    name(alice, bob, carol)
    met, bad = Counter(), 0
    for number in rounds:
        browser, removed = same_browser(alice.sign_in()), threading.Event()
        things = make_things(1)
        keep_for_successors(alice.keyring)
        storing.append(threading.Event())

        def remove(browser=browser, removed=removed) -> int:
            answer = browser.post("/successors/remove/", {"recipient": "bob"}, headers=JSON)
            storing[-1].set()
            if answer.status_code == 200:
                removed.set()
            return answer.status_code

        def disable_and_take(things=things, removed=removed, wait=number % 2) -> tuple[bool, list]:
            assert not wait or storing[-1].wait(timeout=60)
            disable_person(**about)
            return removed.is_set(), [take(bob, thing) for thing in things]

        status, (was_removed, answers) = at_once(lambda act: act(), [remove, disable_and_take])
        later = [take(bob, thing) for thing in things]
        met[status] += 1
        bad += was_removed and "taken" in answers
        bad += status == 200 and "taken" in later
        bad += sum(owner_of(thing) not in ("alice", "bob") for thing in things)
        enable_person(**about)
        name(alice, bob)
    record_property("removed against taken over", f"{len(rounds)} 0 {bad}")
    assert met.keys() <= {200, 401, 503}
    assert bad == 0
    assert findings() == []
    assert list(verify()) == []
