"""Staff read the trail and change nothing."""

import uuid

import pytest
from django.urls import reverse

from audit.admin import AuditEntryAdmin, ReadOnlyAdmin
from audit.context import RequestContext, current_request
from audit.events import Event, Outcome, record
from audit.models import AuditEntry, PersonalFacts
from tests.audit.conftest import ALICE, BOB, IMAGE, entries, findings, tamper

ITS_DAY = "the day of the newest entry"  # midnight may come between writing and asking
LIST = "admin:audit_auditentry_changelist"


def address(name: str, *args) -> str:
    return reverse(f"admin:audit_auditentry_{name}", args=args)


@pytest.fixture
def three_entries(staff):
    """Alice opens, bob is refused, over one request; then an upload without one."""
    token = current_request.set(RequestContext("ab" * 16, "192.0.2.0/24", "Firefox " * 20))
    record(Event.IMAGE_OPENED, actor=ALICE, subject=IMAGE, rendition="preview")
    current_request.reset(token)
    record(Event.IMAGE_REFUSED, actor=BOB, subject=IMAGE, outcome=Outcome.REFUSED)
    record(Event.IMAGE_UPLOADED, actor=ALICE, images=[str(IMAGE)])
    return AuditEntry.objects.order_by("-sequence")[:3]


def told_about(page) -> list[tuple[str, uuid.UUID | None]]:
    return [(entry.event, entry.actor) for entry in page.context["cl"].result_list]


@pytest.mark.parametrize("name", ["add", "change", "delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_superuser_can_neither_add_change_nor_delete(staff, three_entries, name, method):
    before = len(entries())
    where = address(name) if name == "add" else address(name, three_entries[0].pk)
    answer = getattr(staff, method)(where, {"event": "x", "post": "yes"})
    assert answer.status_code == (200 if (name, method) == ("change", "get") else 403)
    assert len(entries()) == before
    assert findings() == []


def test_no_action_is_offered_and_none_is_taken(staff, three_entries):
    page = staff.get(reverse(LIST))
    assert b"delete_selected" not in page.content
    answer = staff.post(
        reverse(LIST), {"action": "delete_selected", "_selected_action": three_entries[0].pk}
    )
    assert answer.status_code == 403
    assert findings() == []


def test_a_change_page_has_nothing_to_fill_in_or_to_save(staff, three_entries):
    page = staff.get(address("change", three_entries[0].pk)).content.decode()
    assert 'name="_save"' not in page
    assert "<textarea" not in page
    assert 'name="event"' not in page


def test_people_who_are_not_staff_see_nothing(client, alice, three_entries):
    assert alice.sign_in().get(reverse(LIST)).status_code == 302
    assert client.get(reverse(LIST)).status_code == 302


def test_every_column_can_be_read_and_hashes_are_shown_as_hex(staff, three_entries):
    opened = three_entries[2]
    page = staff.get(address("change", opened.pk)).content.decode()
    for shown in (
        str(ALICE),
        str(IMAGE),
        "image:opened",
        "ab" * 16,
        "rendition: preview",
        "192.0.2.0/24",
        bytes(opened.chain).hex(),
        bytes(opened.previous).hex(),
        bytes(opened.leaf_hash).hex(),
    ):
        assert shown in page
    assert "b&#x27;" not in page
    assert "Firefox " * 7 in page
    assert "Firefox " * 9 not in page


def test_an_entry_whose_personal_facts_were_erased_can_be_read(staff, three_entries):
    PersonalFacts.objects.all().delete()
    assert staff.get(address("change", three_entries[2].pk)).status_code == 200


def test_a_tampered_leaf_is_said_to_be_one(staff, three_entries):
    tamper(
        "UPDATE audit_auditentry SET leaf = %s WHERE sequence = %s", b"\xff", three_entries[0].pk
    )
    page = staff.get(address("change", three_entries[0].pk))
    assert "This entry does not verify." in page.content.decode()


@pytest.mark.attack("E11")
def test_what_a_page_shows_is_escaped(staff):
    record(Event.REQUEST_REFUSED, actor=None, reason="<script>alert(1)</script>")
    newest = AuditEntry.objects.latest("sequence")
    page = staff.get(address("change", newest.pk)).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("term", "found"),
    [
        (str(BOB), [("image:refused", BOB)]),
        (BOB.hex, [("image:refused", BOB)]),
        (str(IMAGE), [("image:refused", BOB), ("image:opened", ALICE)]),
        ("ab" * 16, [("image:opened", ALICE)]),
        (str(uuid.UUID(int=7)), []),
        ("alice", []),
        ("' OR 1=1 --", []),
    ],
)
def test_search_takes_the_id_of_a_person_a_thing_or_a_request(staff, three_entries, term, found):
    assert told_about(staff.get(reverse(LIST), {"q": f" {term} "})) == found


def test_the_list_asks_no_table_but_its_own(staff, three_entries, django_assert_num_queries):
    staff.get(reverse(LIST))
    # Two for the list; who gave these staff their rights; and what the trail says of their account,
    # once when their keys are opened and once when these are proven to be their own.
    with django_assert_num_queries(5, using="audit"):
        staff.get(reverse(LIST), {"q": str(ALICE)})


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"event": "image:opened"}, 1),
        ({"event": "image:opened", "outcome": "refused"}, 0),
        ({"event": "image:refused", "outcome": "refused"}, 1),
        ({"event": "image:opened", "time__gte": "2020-01-01 00:00:00+00:00"}, 1),
        ({"event": "image:opened", "time__lt": "2020-01-01 00:00:00+00:00"}, 0),
        ({"event": "image:opened", "from": ITS_DAY, "to": ITS_DAY}, 1),
        ({"event": "image:opened", "from": "2020-01-01"}, 1),
        ({"event": "image:opened", "to": "2020-01-01"}, 0),
        ({"event": "image:opened", "from": "2999-01-01"}, 0),
        ({"event": "image:opened", "from": "no day", "to": "9999-12-31"}, 1),
        ({"event": "image:opened", "from": "2026-02-30", "to": ""}, 1),
    ],
)
def test_entries_are_filtered_by_event_outcome_and_time(staff, three_entries, filters, count):
    asked = {name: value.replace(ITS_DAY, its_day()) for name, value in filters.items()}
    assert len(told_about(staff.get(reverse(LIST), asked))) == count


def its_day() -> str:
    return AuditEntry.objects.latest("sequence").time.date().isoformat()


def test_choosing_days_keeps_what_else_was_asked_for(staff, three_entries):
    asked = {"event": "image:opened", "q": str(ALICE), "from": its_day()}
    page = staff.get(reverse(LIST), asked)
    form = page.content.decode().split('class="days"')[1].split("</form>")[0]
    assert 'name="event" value="image:opened"' in form
    assert f'name="q" value="{ALICE}"' in form
    assert f'name="from" value="{asked["from"]}"' in form


def test_no_model_here_can_be_written_in_the_admin():
    from django.contrib import admin

    registered = {m: a for m, a in admin.site._registry.items() if m._meta.app_label == "audit"}
    assert list(registered) == [AuditEntry]
    assert isinstance(registered[AuditEntry], AuditEntryAdmin)
    assert issubclass(AuditEntryAdmin, ReadOnlyAdmin)
