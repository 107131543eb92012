"""The thumbnails of a page in one answer: who gets which, and what is on record."""

import json
import uuid
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.test import Client

from audit.models import AuditEntry
from gallery.forms import MAX_THUMBNAILS
from gallery.models import Circle, Rendition
from gallery.services.albums.making import make_album
from gallery.services.albums.placing import place_image
from gallery.services.revoking import revoke

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
    album = make_album(keyring=alice.keyring, **about)
    team = make_album(keyring=alice.keyring, **about, kind=Circle.Kind.TEAM)
    good, bad = (upload(caption="At the lake") for _ in range(2))
    for image in (good, bad):
        place_image(keyring=alice.keyring, album_id=album.pk, image_id=image.pk)
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
    other = make_album(keyring=alice.keyring, title="Sea", description="", members_add=False)
    Circle.objects.filter(pk=pages.album).update(details=bytes(64))
    assert alice.client.get("/albums/").status_code == 200
    entry = AuditEntry.objects.filter(event="album:opened").latest("sequence")
    assert entry.parsed().facts["albums"] == [str(other.pk)]
