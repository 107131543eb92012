"""The thumbnails of a page in one answer: who gets which, and what is on record."""

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from gallery import storage
from gallery.forms import MAX_THUMBNAILS
from gallery.models import Circle, Grant, Rendition
from gallery.services.circles.making import make_circle
from gallery.services.circles.placing import place_image
from gallery.services.revoking import revoke
from tests.conftest import jpeg

ADDRESS = "/images/thumbnails/"
JSON = {"accept": "application/json"}


def ask(person, *image_ids):
    return post(person.client, *image_ids)


def post(client, *image_ids):
    return client.post(ADDRESS, {"images": image_ids}, headers=JSON)


def parts(answer):
    """Return what an answer says of each image: the bytes of its thumbnail, or a code."""
    body, found = answer.getvalue(), {}
    assert len(body) == int(answer.headers["Content-Length"])
    while body:
        end = 4 + int.from_bytes(body[:4], "big")
        head = json.loads(body[4:end])
        found[head.pop("id")] = head.get("code") or body[end : end + head["length"]]
        body = body[end + head.get("length", 0) :]
    return found


def entries(person, event="thumbnails:opened"):
    return AuditEntry.objects.filter(actor=person.user.pk, event=event).count()


def own(person, image_id):
    return person.client.get(f"/images/{image_id}/thumbnail").getvalue()


def stored(image, rendition):
    name = Rendition.objects.get(image=image, name=rendition).storage_name
    return settings.DATA_DIR / "images" / name


def alter(image, rendition):
    path = stored(image, rendition)
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")


def meanwhile(monkeypatch, act):
    """Let `act` happen while the first stored bytes are read."""
    reading, acts = storage.reading, [act]

    def act_and_read(name):
        while acts:
            acts.pop()()
        return reading(name)

    monkeypatch.setattr(storage, "reading", act_and_read)


def pages_on_record(person):
    rows = AuditEntry.objects.filter(actor=person.user.pk, event="thumbnails:opened")
    return [entry.images() for entry in rows.order_by("sequence")]


def test_each_is_as_it_is_by_itself_in_the_order_asked_for_and_recorded_once(upload, bob):
    ids = [str(upload(to=(bob,)).pk) for _ in range(3)]
    bob.sign_in()
    answer = ask(bob, *ids[::-1], ids[0])
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert entries(bob) == 1
    found = parts(answer)
    assert [*found] == ids[::-1]
    assert found == {one: own(bob, one) for one in ids[::-1]}
    bob.client.get("/images/")
    ask(bob, *ids)
    assert entries(bob) == 2  # the page's own, and nothing more for what is on record


def test_what_is_on_a_page_on_record_is_not_recorded_again(upload, bob):
    first = upload(to=(bob,))
    bob.sign_in().get("/images/")
    second = upload(to=(bob,))
    ask(bob, first.pk, second.pk)
    ask(bob, first.pk, second.pk)
    named = [entry.images() for entry in AuditEntry.objects.filter(event="thumbnails:opened")]
    assert sorted(named) == sorted([[str(first.pk)], [str(second.pk)]])


def test_a_stranger_a_former_reader_and_staff_get_nothing_and_keep_nothing_from_others(
    upload, alice, bob, mallory, staff
):
    kept, lost, others = upload(to=(bob,)), upload(to=(bob,)), upload()
    revoke(keyring=alice.keyring, image_id=lost.pk, recipient=bob.user)
    absent = uuid.uuid4()
    bob.sign_in()
    found = parts(ask(bob, kept.pk, lost.pk, others.pk))
    assert found.pop(str(kept.pk)) == own(bob, kept.pk)
    assert found == {str(lost.pk): "access_ended", str(others.pk): "not_found"}
    mallory.sign_in()
    codes = dict.fromkeys(map(str, (kept.pk, lost.pk, absent)), "not_found")
    assert parts(ask(mallory, kept.pk, lost.pk, absent)) == codes
    assert entries(mallory) == 0
    assert entries(mallory, "image:refused") == 3
    assert parts(post(staff, kept.pk)) == {str(kept.pk): "not_found"}


def test_signed_out_and_locked_get_nothing(client, upload, bob):
    image = upload(to=(bob,))
    assert post(client, image.pk).status_code == 401
    bob.sign_in().cookies.pop(settings.UNLOCK_COOKIE_NAME)
    answer = ask(bob, image.pk)
    assert (answer.status_code, answer.json()["code"]) == (401, "locked")
    assert entries(bob) == 0


def test_one_altered_thumbnail_keeps_no_other_from_being_seen(upload, bob):
    good, bad = upload(to=(bob,)), upload(to=(bob,))
    alter(bad, "thumbnail")
    bob.sign_in()
    found = parts(ask(bob, bad.pk, good.pk))
    assert found == {str(bad.pk): "altered", str(good.pk): own(bob, good.pk)}
    assert entries(bob, "image:altered") == 1
    (entry,) = AuditEntry.objects.filter(event="thumbnails:opened")
    assert entry.images() == [str(good.pk)]


@pytest.mark.attack("F161")
def test_swapped_thumbnails_in_the_middle_are_altered_and_the_others_come(upload, bob):
    """Genuine bytes, each in the place of the other: by the files, and by the rows."""
    colours = ("red", "olive", "navy", "gold")
    first, second, third, last = (upload(to=(bob,), data=jpeg(one)) for one in colours)
    paths = [stored(one, "thumbnail") for one in (second, third)]
    swapped = [path.read_bytes() for path in paths[::-1]]
    for path, data in zip(paths, swapped, strict=True):
        path.write_bytes(data)
    bob.sign_in()
    asked = [one.pk for one in (first, second, third, last)]
    expected = {str(one.pk): own(bob, one.pk) for one in (first, last)}
    expected |= dict.fromkeys((str(second.pk), str(third.pk)), "altered")
    assert parts(ask(bob, *asked)) == expected
    for path, data in zip(paths, swapped[::-1], strict=True):
        path.write_bytes(data)
    names = {one.pk: stored(one, "thumbnail").name for one in (second, third)}
    rows = {pk: Rendition.objects.get(image=pk, name="thumbnail") for pk in names}
    one, other = (rows[pk].storage_name for pk in names)
    Rendition.objects.filter(pk=rows[second.pk].pk).update(storage_name="between")
    Rendition.objects.filter(pk=rows[third.pk].pk).update(storage_name=one)
    Rendition.objects.filter(pk=rows[second.pk].pk).update(storage_name=other)
    assert parts(ask(bob, *asked)) == expected


@pytest.mark.attack("F161")
def test_an_altered_row_in_the_middle_is_altered_and_the_others_come(upload, bob):
    first, second, last = (upload(to=(bob,)) for _ in range(3))
    Grant.objects.filter(image=second, reader=bob.user).update(rights="view")
    bob.sign_in()
    found = parts(ask(bob, first.pk, second.pk, last.pk))
    assert found.pop(str(second.pk)) == "altered"
    assert found == {str(one.pk): own(bob, one.pk) for one in (first, last)}


@pytest.mark.attack("F161")
def test_a_row_copied_to_a_stranger_opens_nothing(upload, bob, mallory):
    image = upload(to=(bob,))
    grant = Grant.objects.get(image=image, reader=bob.user)
    Grant.objects.filter(pk=grant.pk).update(wrapped_key=None)
    grant.pk, grant.reader = uuid.uuid4(), mallory.user
    grant.save(force_insert=True)
    mallory.sign_in()
    assert parts(ask(mallory, image.pk)) == {str(image.pk): "altered"}
    assert entries(mallory) == 0


@pytest.mark.attack("F161")
@pytest.mark.parametrize("act", ["revoke", "delete"])
def test_an_access_that_ends_while_others_are_read_gives_nothing(
    upload, alice, bob, monkeypatch, act
):
    first, second = (upload(to=(bob,)) for _ in range(2))
    bob.sign_in()
    address, form = f"/images/{second.pk}/{act}/", {"recipient": "bob"}
    meanwhile(monkeypatch, lambda: alice.client.post(address, form))
    found = parts(ask(bob, first.pk, second.pk))
    assert found == {str(first.pk): own(bob, first.pk), str(second.pk): "access_ended"}
    assert [page for page in pages_on_record(bob) if str(second.pk) in page] == []


@pytest.mark.attack("F161")
def test_a_date_that_passes_while_others_are_read_gives_nothing(
    upload, bob, monkeypatch, days_later
):
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    lasting, ending = upload(to=(bob,)), upload(to=(bob,), ends_at=tomorrow)
    bob.sign_in()
    meanwhile(monkeypatch, lambda: days_later(2))
    found = parts(ask(bob, ending.pk, lasting.pk))
    assert len(found.pop(str(lasting.pk))) > 100
    assert found == {str(ending.pk): "access_ended"}


@pytest.mark.attack("F161")
def test_as_many_as_a_page_may_ask_for_by_one_id_are_one(upload, bob):
    image = upload(to=(bob,))
    bob.sign_in()
    found = parts(ask(bob, *[image.pk] * MAX_THUMBNAILS))
    assert found == {str(image.pk): own(bob, image.pk)}
    assert ask(bob, *[image.pk] * (MAX_THUMBNAILS + 1)).status_code == 422


@pytest.mark.parametrize(
    "ids", [[], ["x"], [str(uuid.uuid4())] * (MAX_THUMBNAILS + 1)], ids=["none", "no-id", "many"]
)
def test_what_is_no_page_of_images_is_refused(bob, ids):
    bob.sign_in()
    answer = ask(bob, *ids)
    assert answer.status_code == 422
    assert answer.json()["errors"]["images"]
    assert bob.client.get(ADDRESS).status_code == 405


# ---- what a page of cards records ------------------------------------------------------------


@dataclass
class Pages:
    """Two images of alice's on each page that shows cards; one's description is then altered."""

    client: Client
    good: str
    bad: str
    album: uuid.UUID
    team: uuid.UUID

    def mine(self):
        return self.client.get("/images/mine/")

    def of_album(self):
        return self.client.get(f"/albums/{self.album}/")

    def of_team(self):
        return self.client.get(f"/teams/{self.team}/")

    def search(self):
        return self.client.post("/images/search/", {"q": "lake"})

    def before_an_act(self):
        form = {"images": [self.good, self.bad]}
        return self.client.post("/images/selected/delete/", form)


@pytest.fixture
def pages(upload, alice):
    about = {"title": "Lake", "description": "", "members_add": False}
    album = make_circle(keyring=alice.keyring, **about)
    team = make_circle(keyring=alice.keyring, **about, kind=Circle.Kind.TEAM)
    good, bad = (upload(caption="At the lake") for _ in range(2))
    for image in (good, bad):
        place_image(keyring=alice.keyring, circle_id=album.pk, image_id=image.pk)
        form = {"teams": [team.pk], "team_joins": [team.pk]}
        assert alice.client.post(f"/images/{image.pk}/share/", form).status_code == 302
    shown = Pages(alice.client, str(good.pk), str(bad.pk), album.pk, team.pk)
    shown.search()  # keeps the words of both
    alter(bad, "description")
    return shown


@pytest.mark.attack("F160")
def test_a_page_records_what_it_showed_and_nothing_else(pages, alice):
    before = len(pages_on_record(alice))
    looks = [pages.mine, pages.of_album, pages.of_team, pages.search, pages.before_an_act]
    assert [look().status_code for look in looks] == [200] * len(looks)
    assert pages_on_record(alice)[before:] == [[pages.good]] * len(looks)


@pytest.mark.attack("F160")
def test_what_no_page_showed_is_recorded_once_it_is_shown(upload, bob):
    good, bad = (str(upload(to=(bob,)).pk) for _ in range(2))
    alter(bad, "description")
    bob.sign_in().get("/images/")
    found = parts(ask(bob, good, bad))
    assert found == {one: own(bob, one) for one in (good, bad)}  # both are as they were signed
    assert pages_on_record(bob) == [[good], [bad]]


@pytest.mark.attack("F160")
def test_a_list_of_albums_records_the_titles_it_showed_and_no_other(pages, alice):
    other = make_circle(keyring=alice.keyring, title="Sea", description="", members_add=False)
    Circle.objects.filter(pk=pages.album).update(details=bytes(64))
    assert alice.client.get("/albums/").status_code == 200
    entry = AuditEntry.objects.filter(event="album:opened").latest("sequence")
    assert entry.parsed().facts["albums"] == [str(other.pk)]
