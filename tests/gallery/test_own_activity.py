"""What a person did with images: theirs alone, as the trail vouches for it, on a page and as a
table."""

import csv
import io

import pytest
from django.db import connections

from audit.events import AuditUnavailable
from gallery import own_activity
from gallery.services.circles.making import make_circle
from tests.accounts.test_new_start import make_new_start
from tests.gallery.albums.conftest import Album
from tests.gallery.successors.conftest import name
from tests.gallery.test_revoking import post_revoke
from tests.gallery.test_sharing import share
from tests.gallery.test_waiting_readers import share_again
from tests.triggers import drop_triggers, install_triggers

JSON = {"accept": "application/json"}
ADDRESS = "/activity/mine/"


def acts(person, **asked):
    return person.sign_in().get(ADDRESS, asked, headers=JSON).json()["acts"]


def events(person, **asked) -> list[str]:
    return [act["event"] for act in acts(person, **asked)]


@pytest.fixture
def busy(shared_image, alice, bob, carol):
    """Alice shares with carol, too, and ends bob's access; bob opened and downloaded it before."""
    client = bob.sign_in()
    assert client.get(f"/images/{shared_image.pk}/preview").status_code == 200
    assert b"".join(client.get(f"/images/{shared_image.pk}/original").streaming_content)
    share(alice, shared_image, carol)
    post_revoke(alice, shared_image)
    return shared_image


def test_each_sees_what_they_did_and_nothing_of_anybody_else(busy, alice, bob, mallory):
    assert events(alice) == ["image:revoked", "image:shared", "image:uploaded"]
    assert events(bob) == ["image:downloaded", "image:opened"]
    assert events(mallory) == []
    (ended,) = acts(alice, what="ended")
    assert (ended["image"], ended["reader"]) == (str(busy.pk), "bob")


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("opened", ["image:opened"]),
        ("downloaded", ["image:downloaded"]),
        ("shared", []),
        ("nonsense", ["image:downloaded", "image:opened"]),
    ],
)
def test_one_kind_can_be_asked_for(busy, bob, what, found):
    assert events(bob, what=what) == found


def test_the_page_says_it_in_sentences(busy, alice, bob):
    page = alice.sign_in().get(ADDRESS).content.decode()
    assert "You ended Bob Brook’s access to an image." in page
    page = bob.sign_in().get(ADDRESS).content.decode()
    assert "You downloaded an image of Alice Ardent." in page


def test_a_key_given_again_is_not_a_new_share_nor_a_new_successor(upload, alice, bob):
    image = upload(to=(bob,))
    name(alice, bob)
    about = {"title": "Lake", "description": "", "members_add": False}
    Album(alice, make_circle(keyring=alice.keyring, **about)).share(bob)
    make_new_start(bob)
    assert share_again(alice).json()["shared_again"] == 3
    page = alice.client.get(ADDRESS).content.decode()
    for what in ("an image again with Bob Brook: its", "an album again with Bob Brook: its"):
        assert page.count(f"You shared {what} key was missing.") == 1
    assert page.count("You shared again with your successor Bob Brook: their key was missing.") == 1
    assert page.count("You named successors.") == 1
    share(alice, image, bob, rights="view")
    page = alice.client.get(ADDRESS).content.decode()
    assert page.count("You shared an image, or changed permissions.") == 1


def test_locked_it_can_be_read_and_signed_out_it_cannot(busy, alice, client):
    alice.sign_in().post("/accounts/lock/")
    assert alice.client.get(ADDRESS).status_code == 200
    assert client.get(ADDRESS, headers=JSON).status_code == 401
    assert client.get(ADDRESS, {"format": "csv"}).status_code == 302


def test_older_ones_are_a_page_away_and_none_is_missing(busy, alice, monkeypatch):
    monkeypatch.setattr(own_activity, "PER_PAGE", 2)
    first = alice.sign_in().get(ADDRESS, headers=JSON).json()
    second = alice.client.get(ADDRESS, {"before": first["before"]}, headers=JSON).json()
    assert [len(first["acts"]), len(second["acts"]), second["before"]] == [2, 1, None]
    assert "Older" in alice.client.get(ADDRESS).content.decode()
    assert len(table(alice)) == 3


@pytest.mark.parametrize("before", ["", "-1", "x", "9" * 30, "²"])
def test_a_number_that_is_none_begins_with_the_newest(busy, alice, before):
    assert len(acts(alice, before=before)) == 3


def table(person) -> list[dict[str, str]]:
    answer = person.sign_in().get(ADDRESS, {"format": "csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Cache-Control"] == "private, no-store"
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_says_the_same_as_the_json(busy, alice):
    assert table(alice) == acts(alice)


@pytest.mark.attack("F100")
@pytest.mark.parametrize("name", ['=HYPERLINK("http://a.example")', "+1", "-1", "@SUM(A1)"])
def test_a_name_is_no_formula_of_a_spreadsheet(make_person, upload, alice, name):
    eve = make_person("eve")
    assert eve.sign_in().post("/accounts/name/", {"display_name": name}).status_code == 302
    image = upload(to=(eve,))
    post_revoke(alice, image, recipient="eve")
    cells = [cell for row in table(alice) for cell in row.values()]
    assert f"'{name}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.attack("F100")
def test_an_entry_somebody_wrote_is_not_shown(busy, alice, mallory):
    drop_triggers()
    connections["audit"].cursor().execute(
        "UPDATE audit_auditentry SET actor = %s WHERE event = 'image:downloaded'",
        [alice.user.pk.hex if connections["audit"].vendor == "sqlite" else alice.user.pk],
    )
    install_triggers()
    assert "image:downloaded" not in events(alice)


def test_an_image_that_was_deleted_is_named_without_a_link(shared_image, alice):
    alice.sign_in().post(f"/images/{shared_image.pk}/delete/")
    assert events(alice)[0] == "image:deleted"
    page = alice.client.get(ADDRESS).content.decode()
    assert f"/images/{shared_image.pk}/" not in page


def test_without_the_trail_it_is_refused_and_no_table_looks_whole(busy, alice, monkeypatch):
    def away(*arguments, **named):
        raise AuditUnavailable

    monkeypatch.setattr(own_activity, "vouched_before", away)
    alice.sign_in().raise_request_exception = False
    for asked in ({}, {"format": "csv"}):
        assert alice.client.get(ADDRESS, asked).status_code == 503
