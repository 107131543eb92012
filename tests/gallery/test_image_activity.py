"""What happened to an image: for its owner alone, as the trail vouches for it."""

import csv
import io
import uuid
from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.events import AuditUnavailable, Event, Outcome, record
from gallery import image_activity
from gallery.models import Grant
from gallery.services.notices import PEOPLE_PER_ENTRY, NoticeKind, Sent, record_notices
from tests.gallery.test_acknowledging import acknowledge
from tests.gallery.test_revoking import post_revoke
from tests.gallery.test_sharing import share
from tests.triggers import drop_triggers, install_triggers

JSON = {"accept": "application/json"}


def address(image) -> str:
    return f"/images/{image.pk}/activity/"


def acts(viewer, image, **asked):
    return viewer.sign_in().get(address(image), asked, headers=JSON).json()["acts"]


def whats(viewer, image, **asked) -> list[str]:
    return [act["what"] for act in acts(viewer, image, **asked)]


@pytest.fixture
def busy(shared_image, alice, bob, carol):
    """Bob opens, downloads and confirms it; alice shares it with carol, and ends bob's access."""
    client = bob.sign_in()
    assert client.get(f"/images/{shared_image.pk}/preview").status_code == 200
    assert b"".join(client.get(f"/images/{shared_image.pk}/original").streaming_content)
    acknowledge(bob, shared_image)
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    share(alice, shared_image, carol, rights="view", ends_at=tomorrow)
    post_revoke(alice, shared_image)
    return shared_image


ALL = ["ended", "shared", "acknowledged", "downloaded", "opened", "shared", "uploaded"]


def test_only_the_owner_sees_it_locked_too(busy, alice, bob, carol, mallory, client):
    assert client.get(address(busy), headers=JSON).status_code == 401
    assert mallory.sign_in().get(address(busy), headers=JSON).status_code == 404
    assert bob.sign_in().get(address(busy), headers=JSON).status_code == 410
    answer = carol.sign_in().get(address(busy), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert carol.client.get(address(busy), {"format": "csv"}).status_code == 403
    alice.sign_in().post("/accounts/lock/")
    assert alice.client.get(address(busy)).status_code == 200


def test_it_says_what_happened_newest_first(busy, alice):
    assert whats(alice, busy) == ALL
    page = alice.client.get(address(busy)).content.decode()
    for sentence in (
        "You ended Bob Brook’s access.",
        "You shared it with Carol Clay (view only, until ",
        "You shared it with Bob Brook (view and download, no end date).",
        "Bob Brook confirmed that they have received it.",
        "Bob Brook downloaded this image.",
        "You uploaded this image.",
    ):
        assert sentence in page


def test_a_change_of_terms_is_not_called_a_share(shared_image, alice, bob):
    share(alice, shared_image, bob, rights="view")
    (changed, *_) = acts(alice, shared_image)
    assert (changed["what"], changed["rights"], changed["ends_at"]) == ("changed", "view", None)
    page = alice.client.get(address(shared_image)).content.decode()
    assert "You changed what Bob Brook may do (view only, no end date)." in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"what": "opened"}, ["opened"]),
        ({"what": "downloaded"}, ["downloaded"]),
        ({"what": "sharing"}, ["ended", "shared", "shared", "uploaded"]),
        ({"what": "acknowledged"}, ["acknowledged"]),
        ({"what": "nonsense"}, ALL),
        ({"person": "bob"}, ["ended", "acknowledged", "downloaded", "opened", "shared"]),
        ({"person": "carol"}, ["shared"]),
        ({"person": "carol", "what": "opened"}, []),
        ({"person": "mallory"}, []),
        ({"person": "alice"}, []),
    ],
)
def test_one_kind_and_one_person_can_be_asked_for(busy, alice, mallory, asked, found):
    assert whats(alice, busy, **asked) == found
    assert len(table(alice, busy, **asked)) == len(found)


def test_a_person_can_be_chosen_without_a_script(busy, alice, bob):
    page = alice.sign_in().get(address(busy)).content.decode()
    assert f'<option value="{bob.user.pk}">Bob Brook (@bob)</option>' in page
    assert whats(alice, busy, person=str(bob.user.pk)) == whats(alice, busy, person="bob")


def test_the_image_page_leads_to_it(shared_image, alice, bob):
    bob.sign_in().get(f"/images/{shared_image.pk}/preview")
    page = alice.sign_in().get(f"/images/{shared_image.pk}/").content.decode()
    assert f'href="{address(shared_image)}"' in page
    assert f'href="{address(shared_image)}?person={bob.user.pk}"' in page


def test_older_ones_are_a_page_away_and_none_is_missing(busy, alice, monkeypatch):
    monkeypatch.setattr(image_activity, "PER_PAGE", 2)
    alice.sign_in()
    found, before = [], ""
    while before is not None:
        asked = {"before": before, "person": "bob"}
        answer = alice.client.get(address(busy), asked, headers=JSON).json()
        found, before = found + [act["what"] for act in answer["acts"]], answer["before"]
    assert found == ["ended", "acknowledged", "downloaded", "opened", "shared"]
    page = alice.client.get(address(busy), {"what": "sharing"}).content.decode()
    assert "?what=sharing&amp;before=" in page
    assert len(table(alice, busy)) == len(ALL)


def table(viewer, image, **asked) -> list[dict[str, str]]:
    answer = viewer.sign_in().get(address(image), {"format": "csv", **asked})
    assert answer["Cache-Control"] == "private, no-store"
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


@pytest.mark.attack("F113")
@pytest.mark.parametrize("name", ['=HYPERLINK("http://a.example")', "@SUM(A1)"])
def test_a_name_is_no_formula_of_a_spreadsheet(make_person, upload, alice, name):
    eve = make_person("eve")
    assert eve.sign_in().post("/accounts/name/", {"display_name": name}).status_code == 302
    image = upload(to=(eve,))
    cells = [cell for row in table(alice, image) for cell in row.values()]
    assert f"'{name}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.attack("F113")
def test_an_entry_somebody_changed_is_not_shown(busy, shared_image, alice, upload):
    """Its search columns are moved to this image, or say another event."""
    other = upload()
    drop_triggers()
    key = other.pk.hex if connections["audit"].vendor == "sqlite" else other.pk
    cursor = connections["audit"].cursor()
    cursor.execute("UPDATE audit_auditentry SET subject = %s WHERE event LIKE 'image:%%'", [key])
    opened = "UPDATE audit_auditentry SET event = 'image:opened' WHERE event = 'image:shared'"
    cursor.execute(opened)
    install_triggers()
    assert whats(alice, other) == ["uploaded"]


@pytest.mark.attack("F113")
def test_a_name_that_is_not_certified_is_not_shown(busy, alice, bob):
    User.objects.filter(pk=bob.user.pk).update(display_name="Carol Clay")
    page = alice.sign_in().get(address(busy)).content.decode()
    assert "Somebody whose name does not verify downloaded this image." in page
    assert "Carol Clay downloaded" not in page
    assert whats(alice, busy, person="bob") == []


def test_without_the_trail_it_is_refused_and_no_table_looks_whole(busy, alice, monkeypatch):
    def away(*arguments, **named):
        raise AuditUnavailable

    monkeypatch.setattr(image_activity, "vouched_before", away)
    alice.sign_in().raise_request_exception = False
    for asked in ({}, {"format": "csv"}):
        assert alice.client.get(address(busy), asked).status_code == 503


def test_whose_notice_could_not_be_written_was_given_access_all_the_same(shared_image, alice):
    grant = Grant.objects.get(image=shared_image, reader__username="bob")
    record_notices([Sent(NoticeKind.SHARED, untold=[grant])])
    assert whats(alice, shared_image)[0] == "shared"


def test_an_act_that_failed_did_not_happen(shared_image, alice):
    facts = {"actor": alice.user.pk, "subject": shared_image.pk}
    record(Event.IMAGE_REVOKED, **facts, outcome=Outcome.FAILED)
    assert whats(alice, shared_image) == ["shared", "uploaded"]


def test_as_many_people_as_one_entry_names_fit_with_their_terms(shared_image, bob):
    grant = Grant.objects.get(image=shared_image, reader=bob.user)
    grant.ends_at = timezone.now()
    record_notices([Sent(NoticeKind.CHANGED, told=[grant] * PEOPLE_PER_ENTRY)])


def test_many_people_are_counted_in_the_sentence_and_named_in_the_table(upload, make_person, alice):
    people = tuple(make_person(f"reader{number}", f"R{number}") for number in range(5))
    image = upload(to=people)
    page = alice.sign_in().get(address(image)).content.decode()
    assert "You shared it with R0, R1, R2 and 2 more (view and download, no end date)." in page
    named = [row["username"] for row in table(alice, image, what="sharing") if row["username"]]
    assert sorted(named) == [f"reader{number}" for number in range(5)]


def test_it_asks_as_often_for_sixty_entries_as_for_one(shared_image, alice, bob, make_person):
    people = [bob, *(make_person(f"reader{number}") for number in range(4))]

    def queries() -> tuple[int, int]:
        with (
            CaptureQueriesContext(connections["default"]) as business,
            CaptureQueriesContext(connections["audit"]) as trail,
        ):
            answer = alice.client.get(address(shared_image), {"what": "opened"}, headers=JSON)
        assert len(answer.json()["acts"]) == entries
        return len(business), len(trail)

    alice.sign_in()
    entries = 1
    record(Event.IMAGE_OPENED, actor=bob.user.pk, subject=shared_image.pk)
    queries()
    few = queries()
    for number in range(59):
        actor = people[number % len(people)].user.pk
        record(Event.IMAGE_OPENED, actor=actor, subject=shared_image.pk)
    entries = 60
    assert queries() == few


def test_what_somebody_did_who_is_gone_is_said_of_somebody(shared_image, alice):
    record(Event.IMAGE_OPENED, actor=uuid.uuid4(), subject=shared_image.pk)
    page = alice.sign_in().get(address(shared_image)).content.decode()
    assert "somebody opened this image." in page
