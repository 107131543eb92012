"""From one image to the next of the list its reader came from, and nowhere else."""

import re

import pytest

from audit.models import AuditEntry
from gallery import paging
from gallery.models import Grant
from gallery.services.circles.making import make_circle
from gallery.views import lists, walking
from tests.conftest import jpeg
from tests.gallery.teams.conftest import TEAM, Team, shared_with_team
from tests.gallery.test_image_lists import listed, move
from tests.gallery.test_uploading import file

JSON = {"accept": "application/json"}


def walked(client, address: str) -> list[str]:
    """Return the images one comes through from here, by the links to the next."""
    seen = []
    while address:
        seen.append(address.split("/")[2])
        assert len(seen) < 20, "there is no end"
        address = link(client, address, "next")
    return seen


def link(client, address: str, rel: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    found = re.search(rf'rel="{rel}" href="([^"]+)"', answer.content.decode())
    return found[1].replace("&amp;", "&") if found else ""


def said(client, address: str) -> str:
    return re.search(r'data-announce="([^"]*)"', client.get(address).content.decode())[1]


@pytest.fixture
def three(upload, bob):
    images = [upload(to=(bob,), data=jpeg(colour)) for colour in ("red", "blue", "green")]
    return [str(image.pk) for image in reversed(images)]  # as a list has them


@pytest.mark.parametrize("place", ["shared", "mine"])
def test_the_links_lead_through_the_list_and_back(three, alice, bob, place):
    client = (bob if place == "shared" else alice).sign_in()
    first = f"/images/{three[0]}/?from={place}"
    assert walked(client, first) == three
    assert link(client, first, "prev") == ""
    assert link(client, f"/images/{three[2]}/?from={place}", "prev").startswith(
        f"/images/{three[1]}/"
    )
    words = {"shared": "Image 2 of 3, from Alice Ardent", "mine": "Image 2 of 3"}
    assert said(client, f"/images/{three[1]}/?from={place}") == words[place]


def test_each_card_says_which_list_it_is_in(three, bob):
    page = bob.sign_in().get("/images/?when=week").content.decode()
    (first, *_) = re.findall(r'href="(/images/[^"]+from=[^"]+)"', page)
    assert walked(bob.client, first.replace("&amp;", "&")) == three


def test_the_way_back_leads_to_the_page_and_the_place(three, bob, monkeypatch):
    for module in (lists, walking):
        monkeypatch.setattr(module, "PER_PAGE", 1)
    page = bob.sign_in().get(f"/images/{three[2]}/?from=shared&who=alice").content.decode()
    assert f'href="/images/?who=alice&amp;page=3#image-{three[2]}"' in page


def test_what_was_asked_of_the_list_is_kept(three, upload, alice, bob, make_person):
    zoe = make_person("zoe", "Zoe Zimmer").sign_in()
    form = {"images": [file(jpeg())], "recipients": "bob"}
    other = zoe.post("/images/upload/", form, headers=JSON).json()["images"][0]["id"]
    client = bob.sign_in()
    assert walked(client, f"/images/{other}/?from=shared") == [other, *three]
    assert walked(client, f"/images/{three[0]}/?from=shared&who=alice") == three
    assert walked(client, f"/images/{three[0]}/?from=shared&by=sender") == [*three, other]
    old = Grant.objects.get(image=three[2], reader=bob.user).image
    move(old, 40)
    assert walked(client, f"/images/{three[0]}/?from=shared&who=alice&when=month") == three[:2]


def test_looking_through_what_is_new_leads_back_as_well(three, bob):
    client = bob.sign_in()
    assert walked(client, f"/images/{three[0]}/?from=shared&only=new") == three
    assert listed(client, "/images/?only=new") == []
    assert three[0] in link(client, f"/images/{three[1]}/?from=shared&only=new", "prev")


def test_an_album_is_walked_through_by_its_members(three, alice, bob, carol, mallory):
    form = {"images": three[:2], "title": "Lake"}
    album = alice.sign_in().post("/albums/new/", form, headers=JSON).json()
    alice.client.post(f"{album['url']}share/", {"recipients": "carol"}, headers=JSON)
    order = listed(carol.sign_in(), album["url"])
    assert set(order) == set(three[:2])
    came = f"?from={album['id']}"
    assert walked(carol.client, f"/images/{order[0]}/{came}") == order
    page = carol.client.get(f"/images/{order[0]}/{came}").content.decode()
    assert f'href="{album["url"]}?#image-{order[0]}"' in page
    # Bob can open the image, and is in no album: the album's address leads him nowhere.
    assert link(bob.sign_in(), f"/images/{order[0]}/{came}", "next") == ""
    alice.client.post(f"{album['url']}revoke/", {"recipient": "carol"}, headers=JSON)
    assert carol.client.get(f"/images/{order[0]}/{came}").status_code == 410


@pytest.mark.attack("F270")
def test_an_address_leads_to_nothing_that_its_reader_may_not_open(three, upload, alice, bob, carol):
    """Whatever it names: another list, another's album, what is no list at all."""
    hidden = str(upload().pk)
    album = alice.sign_in().post("/albums/new/", {"images": [hidden], "title": "Own"}, headers=JSON)
    client = bob.sign_in()
    names = [
        "mine",
        "search",
        "",
        "x",
        "/images/",
        album.json()["id"],
        hidden,
        "javascript:alert(1)",
    ]
    for name in names:
        answer = client.get(f"/images/{three[1]}/", {"from": name})
        assert answer.status_code == 200
        page = answer.content.decode()
        assert hidden not in page.replace(f"from={hidden}", ""), name
        assert 'rel="next"' not in page, name
        assert "alert(1)" not in re.sub(r'"[^"]*next=[^"]*"', "", page)
        assert said(client, f"/images/{three[1]}/?from={name}") == "Image from Alice Ardent"
    for query in ("who=<script>", "only=never", "when=1", "by=size"):
        assert walked(client, f"/images/{three[0]}/?from=shared&{query}")[0] == three[0]


@pytest.mark.attack("F270")
def test_an_image_that_was_taken_back_meanwhile_is_left_out_and_refused(three, alice, bob):
    client = bob.sign_in()
    second = link(client, f"/images/{three[0]}/?from=shared", "next")
    form = {"recipient": "bob"}
    alice.sign_in().post(f"/images/{three[1]}/revoke/", form, headers=JSON)
    assert client.get(second).status_code == 410
    assert walked(client, f"/images/{three[0]}/?from=shared") == [three[0], three[2]]
    assert said(client, f"/images/{three[2]}/?from=shared") == "Image 2 of 2, from Alice Ardent"


@pytest.mark.attack("F271")
def test_links_and_thumbnails_of_neighbours_open_nothing(three, bob):
    """On record as opened is what somebody went to."""
    client = bob.sign_in()
    client.get(f"/images/{three[0]}/?from=shared")
    client.post("/images/thumbnails/", {"images": three[1:]}).getvalue()
    opened = AuditEntry.objects.filter(event="image:opened", actor=bob.user.pk)
    assert {str(one.subject) for one in opened} == {three[0]}
    assert listed(client, "/images/?only=new") == three[1:]


def test_through_images_of_a_team_it_leads_as_well(alice, bob, upload):
    about = {"title": "Desk", "description": "", "members_add": False}
    team = Team(alice, make_circle(keyring=alice.keyring, kind=TEAM, **about))
    team.add(bob)
    images = [upload(to=(bob,)), upload(), upload(to=(bob,))]
    shared_with_team(team, images[1])
    client = bob.sign_in()
    order = listed(client, "/images/")
    assert len(order) == 3
    assert walked(client, f"/images/{order[0]}/?from=shared") == order
    assert walked(client, f"/images/{order[0]}/?from=shared&by=sender") == order


def test_in_a_long_list_no_number_is_said(three, bob, monkeypatch):
    for module in (paging, lists, walking):
        monkeypatch.setattr(module, "COUNTED", 2)
    client = bob.sign_in()
    assert said(client, f"/images/{three[1]}/?from=shared") == "Image from Alice Ardent"
    assert walked(client, f"/images/{three[0]}/?from=shared") == three
