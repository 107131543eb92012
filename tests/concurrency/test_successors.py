"""Taking over while another successor does, and while staff enable the owner again: one of them
wins, and nothing is half done."""

from functools import partial

import pytest

from accounts.models import User
from accounts.services.people.oversight import enable_person
from audit.verification import verify
from gallery.models import Circle, SealedImage
from tests.concurrency import JSON, at_once, same_browser
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
    assert {one.json()["code"] for one in later} == {"taken_before"}
    assert "has taken this over already" in later[0].json()["message"]
    assert all(opened(dora, one.image) for one in held)
    assert findings() == []
    assert list(verify()) == []


def test_while_staff_enable_the_owner_it_is_taken_over_or_not(alice, bob, dora, held):
    tab = same_browser(bob.sign_in())
    form = {"owner": str(alice.user.pk)}
    staff = User.objects.get(username="overseer")
    enable = partial(enable_person, person=alice.user, by=staff, reason="they are back")
    press = partial(tab.post, "/successors/take-over/", form, headers=JSON)
    answer, _ = at_once(lambda act: act(), [press, enable])
    assert answer.status_code in (200, 409), answer.content
    if answer.status_code == 200:
        facts = answer.json()
        taken = [*facts["taken"], *facts["albums"], *facts["teams"]]
        theirs = SealedImage.objects.filter(owner=bob.user).count()
        theirs += Circle.objects.filter(owner=bob.user).count()
        assert len(taken) == theirs == 4 - facts["failed"]
    else:
        assert answer.json()["code"] == "owner_active"
        assert owners() == {"alice"}
    assert User.objects.get(pk=alice.user.pk).is_active
    assert all(opened(dora, one.image) for one in held)
    assert findings() == []
    assert list(verify()) == []
