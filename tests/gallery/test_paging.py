"""Long lists: a page counts no further than it needs, and every row is on one page."""

import re
from html import unescape

import pytest

from gallery import context_processors, paging
from gallery.services import inbox
from gallery.services.circles.making import make_circle
from gallery.views import albums, lists
from tests.conftest import jpeg
from tests.gallery.teams.conftest import TEAM, Team, shared_with_team
from tests.gallery.test_query_counts import upload as upload_some

JSON = {"accept": "application/json"}
MANY = 5


@pytest.fixture
def long_list(monkeypatch, alice, bob):
    """A list of five images, one on a page, of which two are counted."""
    monkeypatch.setattr(paging, "COUNTED", 2)
    for module in (lists, albums, inbox):
        monkeypatch.setattr(module, "PER_PAGE", 1)
    upload_some(alice, bob, MANY)


def text(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.mark.parametrize("whose", ["reader", "owner"])
def test_a_page_counts_as_far_as_the_next_one(long_list, alice, bob, whose):
    person, address = {"reader": (bob, "/images/"), "owner": (alice, "/images/mine/")}[whose]
    client = person.sign_in()
    first = text(client, address)
    assert "2+ images" in first
    assert "Page 1" in first
    assert "of 5" not in first
    assert "Older" in first
    assert "of 5" not in text(client, f"{address}?page=4")
    last = text(client, f"{address}?page=5")
    assert "5 images" in last
    assert "Older" not in last
    assert text(client, f"{address}?page=99") == last


@pytest.mark.parametrize("address", ["/images/", "/activity/"])
def test_walking_from_page_to_page_shows_every_row_once(long_list, bob, address):
    client, place, seen = bob.sign_in(), address, []
    while place:
        html = client.get(place).content.decode()
        seen += re.findall(r'href="(/images/[0-9a-f-]{36}/)["?]', html)[:1]
        older = re.search(r'rel="next" href="([^"]+)"', html)
        place = f"{address}{unescape(older[1])}" if older else None
    assert len(seen) == len(set(seen)) == MANY


def test_a_script_is_told_how_many_there_are(long_list, alice, bob):
    listed = bob.sign_in().get("/images/", headers=JSON).json()
    assert (listed["pages"], listed["total"]) == (MANY, MANY)
    assert bob.client.get("/activity/", headers=JSON).json()["pages"] == MANY
    assert alice.sign_in().get("/images/mine/", headers=JSON).json()["total"] == MANY


def test_any_number_gives_a_page(long_list, bob):
    client = bob.sign_in()
    for number in ("", "x", "0", "-7", "1.5", "9" * 30, "9" * 4000):
        for address in ("/images/", "/albums/", "/activity/"):
            assert client.get(f"{address}?page={number}").status_code == 200, number


def test_an_album_says_likewise_how_many_images_it_has(long_list, alice, upload):
    images = [str(upload(data=jpeg(colour)).pk) for colour in ("red", "blue", "green")]
    form = {"images": images, "title": "Lake"}
    address = alice.sign_in().post("/albums/new/", form, headers=JSON).json()["url"]
    assert "2+ images" in text(alice.client, address)
    assert alice.client.get(address, headers=JSON).json()["total"] == len(images)
    assert alice.client.get("/albums/", headers=JSON).json()["albums"][0]["images"] == len(images)


def test_more_new_notices_than_are_counted_are_said_so(long_list, bob, monkeypatch):
    client = bob.sign_in()
    assert ">5<" in client.get("/images/").content.decode()
    monkeypatch.setattr(context_processors, "MOST_SHOWN", 4)
    assert ">4+<" in client.get("/images/").content.decode()


def test_a_list_with_images_of_a_team_counts_likewise(alice, bob, upload, monkeypatch):
    monkeypatch.setattr(paging, "COUNTED", 2)
    monkeypatch.setattr(lists, "PER_PAGE", 1)
    about = {"title": "Desk", "description": "", "members_add": False}
    team = Team(alice, make_circle(keyring=alice.keyring, kind=TEAM, **about))
    team.add(bob)
    upload(to=(bob,))
    for _ in range(3):
        shared_with_team(team, upload())
    client = bob.sign_in()
    assert "2+ images" in text(client, "/images/")
    assert "Page 4 of 4" in text(client, "/images/?page=4")
