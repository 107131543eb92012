"""Tables of staff: names beside ids, a search by name, tables to keep, labels for a phone."""

import csv
import io
import re

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit import admin as audit_admin
from audit.models import AuditEntry
from gallery.models import Circle, Invitation, Notice
from tests.conftest import PASSWORD

TRAIL, PEOPLE = "/admin/audit/auditentry/", "/admin/accounts/user/"
CAPTION, ALBUM = "Kapitänin am Kanarienfels", "Sommer am Kanarienfels"


@pytest.fixture
def image(upload, bob):
    """An image of alice's shared with bob, an album, a team and an invitation of hers."""
    image = upload(to=(bob,), caption=CAPTION)
    browser = Client()
    browser.post("/accounts/login/", {"username": image.owner.username, "password": PASSWORD})
    browser.post("/albums/new/", {"title": ALBUM})
    browser.post("/teams/new/", {"name": ALBUM})
    browser.post("/invitations/", {"display_name": "Lee"})
    return image


def rows(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


def test_the_trail_names_people_and_whose_a_thing_is_beside_every_id(staff, image):
    page = staff.get(TRAIL).content.decode()
    assert re.search(rf'alice <span class="id">{image.owner_id}</span>', page)
    assert re.search(rf'image of alice <span class="id">{image.pk}</span>', page)
    for circle in Circle.objects.all():
        assert f'{circle.kind} of alice <span class="id">{circle.pk}</span>' in page
    invitation = Invitation.objects.get()
    assert f'invitation by alice <span class="id">{invitation.pk}</span>' in page
    assert CAPTION not in page
    assert ALBUM not in page
    entry = AuditEntry.objects.filter(subject=image.pk).first()
    page = staff.get(f"{TRAIL}{entry.sequence}/change/").content.decode()
    assert f'image of alice <span class="id">{image.pk}</span>' in page


def test_who_is_gone_stays_an_id(staff, image):
    image.owner.username = "al<b>ice"
    User.objects.filter(pk=image.owner_id).update(username="al<b>ice")
    page = staff.get(TRAIL).content.decode()
    assert "al<b>ice" not in page
    assert "al&lt;b&gt;ice" in page
    AuditEntry.objects.filter(subject=image.pk).first()
    Notice.objects.all().delete()
    assert staff.get(f"{TRAIL}?event=account:signed-in").status_code == 200


def test_a_notice_names_who_did_it_and_whose_image_it_is_about(staff, image):
    notice = Notice.objects.filter(person__username="bob").first()
    page = staff.get(f"/admin/gallery/notice/{notice.pk}/change/").content.decode()
    assert f'alice <span class="id">{image.owner_id}</span>' in page
    assert f'image of alice <span class="id">{image.pk}</span>' in page


@pytest.mark.parametrize(("typed", "is_found"), [("alice", True), ("ALICE", True), ("ali", False)])
def test_the_trail_is_searched_by_username(staff, image, typed, is_found):
    changelist = staff.get(TRAIL, {"q": typed}).context["cl"]
    assert bool(changelist.result_count) == is_found
    assert all(image.owner_id in (row.actor, row.subject) for row in changelist.result_list)


def test_the_trail_is_kept_as_a_table_under_its_search_and_filters(staff, image):
    everything = rows(staff.get(f"{TRAIL}export/"))
    assert len(everything) >= AuditEntry.objects.count() - 1
    kept = rows(staff.get(f"{TRAIL}export/", {"q": "alice", "event": "image:uploaded"}))
    assert {row["event"] for row in kept} == {"image:uploaded"}
    assert kept[0]["actor_name"] == "alice"
    assert kept[0]["subject"] == str(image.pk)
    assert kept[0]["subject_name"] == "image of alice"
    assert CAPTION not in str(everything)


def test_people_are_kept_as_a_table_and_no_name_is_a_formula(staff, make_person):
    make_person("calc", "=HYPERLINK(1)")
    answer = staff.get(f"{PEOPLE}export/")
    assert answer["Content-Disposition"].startswith('attachment; filename="user-')
    assert "no-store" in answer["Cache-Control"]
    found = {row["username"]: row for row in rows(answer)}
    assert found["calc"]["display_name"] == "'=HYPERLINK(1)"
    assert found["calc"]["active"] == "yes"
    assert found["calc"]["staff"] == "no"
    assert set(found["calc"]) & {"password", "email"} == set()
    assert "argon2" not in answer.getvalue().decode()


def test_a_table_to_keep_ends_where_it_would_be_too_long(staff, image, monkeypatch):
    monkeypatch.setattr(audit_admin, "EXPORTED_AT_MOST", 3)
    monkeypatch.setattr(audit_admin, "EXPORTED_AT_ONCE", 2)
    assert len(rows(staff.get(f"{TRAIL}export/"))) == 3


@pytest.mark.parametrize("query", ["password__startswith=a", "leaf__contains=a", "event=x"])
def test_no_hidden_column_can_be_guessed_from_a_table_to_keep(staff, query):
    for address in (TRAIL, PEOPLE):
        answer = staff.get(f"{address}export/?{query}")
        if answer.status_code == 200:
            assert rows(answer) == []
        else:
            assert answer.status_code == 400


@pytest.mark.parametrize("address", [TRAIL, PEOPLE])
def test_nobody_but_staff_keeps_a_table_and_none_is_posted_to(staff, alice, client, address):
    assert client.get(f"{address}export/").status_code == 302
    assert alice.sign_in().get(f"{address}export/").status_code == 302
    assert staff.post(f"{address}export/").status_code == 405
    assert staff.get("/admin/gallery/notice/export/").status_code in (302, 404)


def test_every_cell_says_which_column_it_is_of(staff, image):
    page = staff.get(TRAIL).content.decode()
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    labels = re.findall(r'<t[hd] data-label="([^"]*)"', body)
    assert len(labels) == len(re.findall(r"<t[hd]\b", body))
    assert set(labels) == {"Number", "Time", "Event", "Outcome", "By", "About", "Request"}


def test_names_are_asked_for_once_for_a_page(staff, image, upload, make_person):
    few = queries(staff)
    for number in range(3):
        upload(to=(make_person(f"reader{number}"),))
    assert queries(staff) == few


def queries(client) -> int:
    client.get(TRAIL)
    with (
        CaptureQueriesContext(connections["default"]) as asked,
        CaptureQueriesContext(connections["audit"]) as asked_of_audit,
    ):
        assert client.get(TRAIL).status_code == 200
    return len(asked) + len(asked_of_audit)
