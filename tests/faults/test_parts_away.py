"""Over HTTP, on a real server: a copy of the trail, both, or the business database is unavailable.

The trail's table says whether the stored state of an image is the newest: without it nothing is
opened or signed. Without its file all goes on. With both gone, or while somebody else has the
database, nothing is released and nothing changes. Once the part is back, nobody has to do anything.
"""

import pytest

from tests import postgres
from tests.faults.conftest import locked_business, without_file, without_table, without_trail

EVENTS = {"upload": "image:uploaded", "revoke": "image:revoked", "open": "image:downloaded"}
ACTS = list(EVENTS)
DONE = {"upload": 201, "revoke": 200, "open": 200}


def act(site, name, image):
    return site.upload() if name == "upload" else getattr(site, name)(image)


def done_with(site, name, image, answer):
    """Check that the act was done, all of it: bob opens the picture, or cannot any more.

    Return which image it was about.
    """
    assert answer.status == DONE[name], answer.body
    if name == "upload":
        image = answer.json()["images"][0]["id"]
    opened = site.open(image)
    may_open = name != "revoke"
    assert (opened.status, opened.body == site.picture) == (200 if may_open else 410, may_open)
    return image


@pytest.mark.attack("F4")
def test_without_the_table_lists_are_shown_and_say_that_images_are_away(site):
    image = site.shared()
    with without_table(site):
        answer = site.bob.get("/images/")
        (card,) = [card for card in answer.json()["images"] if card["id"] == image]
        assert (answer.status, card["state"]) == (200, "away")
        assert site.alice.get("/accounts/security/").status == 200
    assert not site.in_file("thumbnails:opened", image)  # nothing of it was shown
    assert site.open(image).status == 200


@pytest.mark.attack("F4")
def test_without_the_table_a_draft_waits_as_well(site):
    """Its statements would be in the file alone, and nobody could open it."""
    before = site.kept()
    with without_table(site):
        draft = site.alice.upload([("x.jpg", site.picture)], keep_details="1")
    assert (draft.status, site.kept()) == (503, before)


@pytest.mark.attack("F4")
def test_without_the_table_an_image_is_deleted_all_the_same(site):
    image = site.shared()
    with without_table(site):
        assert site.alice.post(f"/images/{image}/delete/", {}).status == 200
    assert "The audit table took no entry" in site.server.log.read_text()
    assert site.open(image).status == 410
    assert site.in_file("image:deleted", image)


@pytest.mark.parametrize("name", ACTS)
def test_without_the_file_the_table_has_the_entry_and_an_alarm_is_raised(site, name):
    image = site.shared()
    with without_file(site):
        about = done_with(site, name, image, act(site, name, image))
    assert site.in_table(EVENTS[name], about)
    assert not site.in_file(EVENTS[name], about)
    assert "The audit file took no line" in site.server.log.read_text()


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("fault", [without_table, without_trail, locked_business])
def test_without_it_nothing_is_done_and_once_it_is_back_all_is(site, fault, name):
    """The first opening, too, writes to the business database: its reader's quick key."""
    image = site.shared()
    before = site.kept(), site.in_table(EVENTS[name])
    with fault(site):
        answer = act(site, name, image)
    assert (answer.status, answer.json()["code"]) == (503, "busy")
    assert "Retry-After" in answer.headers
    assert site.picture not in answer.body
    assert (site.kept(), site.in_table(EVENTS[name])) == before
    done_with(site, name, image, act(site, name, image))


@pytest.mark.skipif(bool(postgres.SERVER), reason="PostgreSQL has locks that keep readers out")
def test_an_image_is_opened_and_recorded_while_somebody_else_writes(site):
    image = site.shared()
    with locked_business(site):
        assert site.alice.get(f"/images/{image}/original").body == site.picture
    assert site.in_table("image:downloaded", image)
