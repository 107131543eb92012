"""What lists say of images: in whose shape, under which day, who opened them, and what is asked of
a list by its address."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from gallery.day_words import end_said, said
from gallery.models import Grant, SealedImage
from gallery.services.circles.making import make_circle
from gallery.shapes import SHAPES, shape_of
from gallery.views import lists
from tests.audit.conftest import tamper
from tests.conftest import jpeg
from tests.gallery.teams.conftest import TEAM, Team, shared_with_team
from tests.gallery.test_paging import text
from tests.gallery.test_uploading import file

JSON = {"accept": "application/json"}


def listed(client, address: str) -> list[str]:
    answer = client.get(address, headers=JSON)
    assert answer.status_code == 200, answer.content
    return [image["id"] for image in answer.json()["images"]]


def headings(client, address: str) -> list[str]:
    return re.findall(r"<h2>(.+?)</h2>", client.get(address).content.decode())


def move(image: SealedImage, days: float) -> None:
    """Say in the rows that it was shared some days ago: an index, as the signed list has none."""
    then = timezone.now() - timedelta(days=days)
    Grant.objects.filter(image=image).update(granted_at=then)


# ---- shapes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((300, 200), "3x2"),
        ((200, 300), "2x3"),
        ((1, 1), "1x1"),
        ((4000, 10), "3x1"),
        ((10, 4000), "9x21"),
        ((0, 10), "1x1"),
        ((None, None), "1x1"),
    ],
)
def test_a_shape_is_the_nearest_class(size, shape):
    assert shape_of(*size) == shape


def test_every_shape_has_its_class_in_the_style_sheet():
    with open("static/css/site.css") as sheet:
        declared = dict(re.findall(r"\.shape-(\w+) \{ --shape: ([^;]+); \}", sheet.read()))
    assert declared.keys() == SHAPES.keys()
    for name, value in declared.items():
        numerator, _, denominator = value.removeprefix("calc(").removesuffix(")").partition("/")
        assert float(numerator) / float(denominator or 1) == pytest.approx(SHAPES[name])


def test_a_card_has_its_pictures_shape_and_while_locked_a_square(upload, alice):
    image = upload(data=jpeg(size=(160, 90)))
    card = f'<li class="shape-{{}}" id="image-{image.pk}">'
    assert card.format("16x9") in alice.client.get("/images/mine/").content.decode()
    alice.client.post("/accounts/lock/")
    assert card.format("1x1") in alice.client.get("/images/mine/").content.decode()


# ---- days ------------------------------------------------------------------------------------


def test_days_are_said_as_people_say_them():
    today = timezone.localdate()
    assert said(today) == "Today"
    assert said(today - timedelta(days=1)) == "Yesterday"
    assert said(today - timedelta(days=3)) == f"{today - timedelta(days=3):%A}"
    week = today - timedelta(days=7)
    assert str(week.day) in said(week)
    assert said(week) != f"{week:%A}"
    assert "2019" in said(today.replace(year=2019, day=1))


@pytest.mark.parametrize(("days", "words"), [(0, "Ends today"), (1, "Ends tomorrow")])
def test_an_end_that_is_near_is_said_so(days, words):
    assert end_said(timezone.now() + timedelta(days=days)) == words


def test_images_stand_under_their_days_each_once(upload, alice, bob):
    first, second, third = (upload(to=(bob,)) for _ in range(3))
    move(first, 400)
    move(second, 1)
    client = bob.sign_in()
    found = headings(client, "/images/")
    assert found[:2] == ["Today", "Yesterday"]
    assert len(found) == 3
    assert listed(client, "/images/") == [str(one.pk) for one in (third, second, first)]


def test_by_sender_everybodys_images_stand_together(upload, alice, bob, carol, make_person):
    ids = [str(upload(to=(carol,)).pk)]
    zoe = make_person("zoe", "Zoe Zimmer").sign_in()
    for _ in range(2):
        form = {"images": [file(jpeg())], "recipients": "carol"}
        ids.append(zoe.post("/images/upload/", form, headers=JSON).json()["images"][0]["id"])
    move(SealedImage.objects.get(pk=ids[0]), 0.1)
    assert headings(carol.sign_in(), "/images/?by=sender") == ["Alice Ardent", "Zoe Zimmer"]
    assert listed(carol.client, "/images/?by=sender") == [ids[0], ids[2], ids[1]]
    assert listed(carol.client, "/images/?who=zoe") == [ids[2], ids[1]]
    assert listed(carol.client, "/images/?who=nobody") == []
    page = text(carol.client, "/images/?who=nobody")
    assert "None of the images here are like that." in page
    assert "Show all" in page


# ---- what is asked for -----------------------------------------------------------------------


def test_a_list_is_narrowed_by_when(upload, bob):
    images = [upload(to=(bob,)) for _ in range(4)]
    for image, days in zip(images, (0, 4, 20, 100), strict=True):
        move(image, days)
    client = bob.sign_in()
    counts = {
        when: len(listed(client, f"/images/?when={when}"))
        for when in ("", "today", "week", "month", "year")
    }
    assert counts == {"": 4, "today": 1, "week": 2, "month": 3, "year": 4}


def test_new_is_what_was_never_opened(upload, bob):
    opened, new = upload(to=(bob,)), upload(to=(bob,))
    client = bob.sign_in()
    client.get(f"/images/{opened.pk}/")
    assert listed(client, "/images/?only=new") == [str(new.pk)]


def test_ending_soon_is_said_to_its_reader_and_to_its_owner(upload, alice, bob, carol):
    soon = (timezone.now() + timedelta(days=1)).isoformat()
    late = (timezone.now() + timedelta(days=60)).isoformat()
    ending, lasting = upload(to=(bob, carol), ends_at=soon), upload(to=(bob,), ends_at=late)
    client = bob.sign_in()
    assert listed(client, "/images/?only=ending") == [str(ending.pk)]
    assert text(client, "/images/").count("Ends ") == 1
    assert listed(alice.unlocked(), "/images/mine/?only=ending") == [str(ending.pk)]
    assert text(alice.client, "/images/mine/").count("Ends ") == 1
    assert str(lasting.pk) in listed(client, "/images/")


def test_a_reader_is_not_told_when_the_access_of_others_ends(upload, alice, bob, carol):
    image = upload(to=(bob,))
    soon = (timezone.now() + timedelta(days=1)).isoformat()
    form = {"recipients": "carol", "ends_at": soon}
    answer = alice.client.post(f"/images/{image.pk}/share/", form, headers=JSON)
    assert answer.status_code == 200, answer.content
    assert "Ends" not in text(bob.sign_in(), "/images/")
    assert listed(bob.client, "/images/?only=ending") == []
    assert listed(alice.client, "/images/mine/?only=ending") == [str(image.pk)]


def test_not_shared_yet_is_what_nobody_else_can_open(upload, alice, bob):
    shared, draft, placed = upload(to=(bob,)), upload(), upload()
    form = {"images": [str(placed.pk)], "title": "Lake"}
    alice.client.post("/albums/new/", form, headers=JSON)
    assert listed(alice.client, "/images/mine/?only=unshared") == [str(draft.pk)]
    assert len(listed(alice.client, "/images/mine/")) == 3
    assert str(shared.pk) in listed(alice.client, "/images/mine/")


def test_images_of_a_team_are_narrowed_too(alice, bob, upload):
    about = {"title": "Desk", "description": "", "members_add": False}
    team = Team(alice, make_circle(keyring=alice.keyring, kind=TEAM, **about))
    team.add(bob)
    upload(to=(bob,))
    image = upload()
    shared_with_team(team, image)
    client = bob.sign_in()
    for query in ("who=alice", "by=sender", "when=today", "only=new"):
        assert len(listed(client, f"/images/?{query}")) == 2, query
    client.get(f"/images/{image.pk}/")
    assert len(listed(client, "/images/?only=new")) == 1
    assert listed(client, "/images/?only=ending") == []


@pytest.mark.parametrize("query", ["only=unshared", "when=always", "by=size", "who=" + "a" * 99])
def test_a_wrong_wish_refuses_a_script_and_asks_nothing_of_a_page(shared_image, bob, query):
    client = bob.sign_in()
    answer = client.get(f"/images/?{query}", headers=JSON)
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json()["errors"]
    assert "At the lake" in text(client, f"/images/?{query}")


def test_pages_keep_what_is_asked_for(upload, bob, monkeypatch):
    monkeypatch.setattr(lists, "PER_PAGE", 1)
    for _ in range(2):
        upload(to=(bob,))
    page = bob.sign_in().get("/images/?who=alice&when=week").content.decode()
    assert 'rel="next" href="?who=alice&amp;when=week&amp;page=2"' in page
    assert "?from=shared&amp;when=week&amp;who=alice" in page


# ---- who opened it ---------------------------------------------------------------------------


def test_its_owner_reads_on_the_card_how_many_opened_it(upload, alice, bob, carol):
    image = upload(to=(bob, carol))
    assert "0 of 2 opened" in text(alice.client, "/images/mine/")
    bob.sign_in().get(f"/images/{image.pk}/")
    alice.client.get(f"/images/{image.pk}/")  # one's own openings are nobody's receipt
    assert "1 of 2 opened" in text(alice.client, "/images/mine/")
    card = alice.client.get("/images/mine/", headers=JSON).json()["images"][0]
    assert (card["opened"], card["recipients"]) == (1, 2)
    assert bob.client.get("/images/", headers=JSON).json()["images"][0]["opened"] is None


def test_without_the_trail_a_card_says_only_with_how_many_it_is_shared(shared_image, alice):
    alice.unlocked().post("/accounts/lock/")
    tamper("ALTER TABLE audit_auditentry RENAME TO elsewhere")
    try:
        assert "Shared with 1 person" in text(alice.client, "/images/mine/")
    finally:
        tamper("ALTER TABLE elsewhere RENAME TO audit_auditentry")


def test_somebody_whose_access_ended_is_not_among_those_who_opened_it(upload, alice, bob, carol):
    image = upload(to=(bob, carol))
    bob.sign_in().get(f"/images/{image.pk}/")
    alice.client.post(f"/images/{image.pk}/revoke/", {"recipient": "bob"}, headers=JSON)
    assert "0 of 1 opened" in text(alice.client, "/images/mine/")


def test_thumbnails_of_a_list_are_no_openings(shared_image, alice, bob):
    bob.sign_in().get("/images/")
    bob.client.post("/images/thumbnails/", {"images": [str(shared_image.pk)]})
    assert AuditEntry.objects.filter(event="thumbnails:opened", actor=bob.user.pk).exists()
    assert "0 of 1 opened" in text(alice.unlocked(), "/images/mine/")
