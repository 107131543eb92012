"""The first page of staff: what it counts, who sees what of it, and that it never asks for more."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import KeyPair
from audit.models import AuditEntry
from audit.panels import DAYS, HasPanels, chart_of
from gallery.models import Circle, Invitation, SealedImage
from imageshare import health
from tests.conftest import PASSWORD

CAPTION, ALBUM = "Kapitänin am Kanarienfels", "Sommer am Kanarienfels"


def panels_of(client: Client) -> dict[str, dict[str, object]]:
    """Return the figures of each panel, by their names."""
    shown = client.get("/admin/").context["panels"]
    return {str(p.title): {str(f.name): f.value for f in p.figures} for p in shown}


def bad_of(client: Client) -> set[str]:
    shown = client.get("/admin/").context["panels"]
    return {str(figure.name) for panel in shown for figure in panel.figures if figure.is_bad}


def test_it_counts_people_images_albums_and_keys(staff, upload, bob):
    image = upload(to=(bob,), caption=CAPTION)
    browser = Client()
    login = {"username": image.owner.username, "password": PASSWORD}
    browser.post("/accounts/login/", login)
    browser.post("/albums/new/", {"title": ALBUM})
    assert browser.post("/invitations/", {"display_name": "Lee"}).status_code == 201
    shown = panels_of(staff)
    assert shown["People"]["people"] == 3
    assert shown["People"]["staff"] == 1
    assert shown["Images"]["images"] == 1
    assert "alice" in shown["Storage"]
    assert "bob" not in shown["Storage"]
    assert shown["Albums and teams"] == {"albums": 1, "teams": 0, "due for a new key": 0}
    assert shown["Invitations"]["open"] == 1
    assert shown["Keys"]["key pairs in use"] == KeyPair.objects.count()
    assert shown["Sharing"]["images shared"] == 1
    page = staff.get("/admin/").content.decode()
    assert CAPTION not in page
    assert ALBUM not in page
    assert "style=" not in page


def test_refused_sign_ins_are_counted_on_their_day_and_linked_to_the_trail(staff, alice):
    assert panels_of(staff)["Signing in"]["refused"] == 0
    Client().post("/accounts/login/", {"username": "alice", "password": "wrong"})
    assert panels_of(staff)["Signing in"]["refused"] == 1
    page = staff.get("/admin/")
    (panel,) = [panel for panel in page.context["panels"] if str(panel.title) == "Signing in"]
    assert [bar.count for bar in panel.chart.bars] == [0] * (DAYS - 1) + [1]
    link = "/admin/audit/auditentry/?event=account:sign-in-refused"
    assert link in page.content.decode()
    assert staff.get(link).context["cl"].result_count == 1


def test_a_check_that_never_ran_failed_or_is_late_is_marked(staff, monkeypatch):
    assert {"verify_audit", "verify_keys", "verify_images"} <= bad_of(staff)
    call_command("verify_audit")
    assert "verify_audit" not in bad_of(staff)
    assert "all well" in str(panels_of(staff)["Checks"]["verify_audit"])
    monkeypatch.setattr("audit.trail_panels.CHECKED_WITHIN", timedelta(seconds=-1))
    assert "verify_audit" in bad_of(staff)


def test_a_check_that_the_audit_key_does_not_vouch_for_counts_as_none(staff, monkeypatch):
    call_command("verify_keys")
    assert "verify_keys" not in bad_of(staff)
    vouched_for = AuditEntry.is_authentic
    monkeypatch.setattr(
        AuditEntry,
        "is_authentic",
        lambda entry: entry.event != "keys:verified" and vouched_for(entry),
    )
    assert "verify_keys" in bad_of(staff)


def test_what_does_not_answer_is_marked(staff, monkeypatch):
    assert panels_of(staff)["Health"]["image storage"] == "ready"
    monkeypatch.setattr(health, "parts", lambda: {"storage": False})
    assert "image storage" in bad_of(staff)


def test_storage_that_is_nearly_full_is_marked(staff, upload):
    image = upload()
    owner = image.owner
    owner.quota_bytes = image.stored_bytes
    owner.save(update_fields=["quota_bytes"])
    assert "alice" in bad_of(staff)
    assert (
        '<meter min="0" max="100" high="90" value="100">' in staff.get("/admin/").content.decode()
    )


def test_whoever_may_not_see_a_table_sees_no_panel_of_it_and_none_is_counted(staff, monkeypatch):
    everything = set(panels_of(staff))
    for page in admin.site._registry.values():
        if not isinstance(page, HasPanels) or not (own := page.panels()):
            continue
        with monkeypatch.context() as refused:
            refused.setattr(page, "has_view_permission", lambda request, obj=None: False)
            refused.setattr(page, "panels", lambda: pytest.fail("counted"))
            assert set(panels_of(staff)) == everything - {str(panel.title) for panel in own}


def test_members_see_no_first_page_of_staff(alice):
    assert alice.sign_in().get("/admin/").status_code == 302


def test_it_asks_as_often_for_much_as_for_little(staff, upload, make_person):
    few = queries(staff)
    for number in range(4):
        person = make_person(f"reader{number}")
        upload(to=(person,))
        person.sign_in().post("/albums/new/", {"title": "Lake"})
        person.client.post("/invitations/", {"display_name": "Lee"})
        Client().post("/accounts/login/", {"username": person.user.username, "password": "no"})
    assert SealedImage.objects.count() == Circle.objects.count() == 4
    assert Invitation.objects.count() == 4
    assert queries(staff) == few < 50


def queries(client: Client) -> int:
    client.get("/admin/")
    with (
        CaptureQueriesContext(connections["default"]) as asked,
        CaptureQueriesContext(connections["audit"]) as asked_of_audit,
    ):
        assert client.get("/admin/").status_code == 200
    return len(asked) + len(asked_of_audit)


def test_a_chart_is_a_table_too_and_is_left_out_where_nothing_happened(staff, upload, bob):
    assert "Refused sign-ins by day" not in staff.get("/admin/").content.decode()
    upload(to=(bob,))
    page = staff.get("/admin/").content.decode()
    drawn = re.findall(r"<svg [^>]*aria-hidden=\"true\".*?</svg>", page, re.DOTALL)
    assert len(drawn) == len(re.findall(r"<details>.*?<table>.*?</table>", page, re.DOTALL)) == 2
    today = timezone.localdate()
    bars = chart_of("", {today: 1000, today - timedelta(days=1): 1}).bars
    assert (bars[-1].height, bars[-2].height, bars[-3].height) == (40, 1, 0)
