"""What anybody can have refused as often as they like fills no trail, and no count is lost."""

import io
from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import folding
from accounts.models import FoldedRefusals
from audit.events import AuditUnavailable
from audit.models import AuditEntry, PersonalFacts
from audit.verification import verify
from tests.concurrency import at_once
from tests.conftest import PASSWORD

JSON = {"accept": "application/json"}
LOGIN = "/accounts/login/"


def without_token(address: str = "203.0.113.9", path: str = LOGIN):
    strict = Client(enforce_csrf_checks=True, REMOTE_ADDR=address)
    answer = strict.post(path, {"username": "alice"}, headers=JSON)
    assert answer.status_code == 403
    return answer


def entries(event: str = "request:refused") -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(event=event).order_by("sequence"))


def facts(entry: AuditEntry) -> dict:
    return dict(entry.parsed().facts)


def end_windows() -> None:
    FoldedRefusals.objects.update(ends_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.attack("F63")
def test_a_hundred_posts_without_a_token_are_one_entry_and_one_count(settings, tmp_path):
    settings.AUDIT_FILE = tmp_path / "audit.jsonl"
    first = without_token()
    for number in range(99):
        without_token(f"203.0.113.{number}")
    assert [facts(entry) for entry in entries()] == [{"reason": "csrf"}]
    end_windows()
    without_token()
    begun, counted, later = entries()
    assert begun.request == first["X-Request-ID"]
    assert facts(counted) == {"reason": "csrf", "repeats": 99, "of": begun.request}
    assert facts(later) == {"reason": "csrf"}
    assert list(verify()) == []


@pytest.mark.attack("F63")
def test_the_next_person_refused_is_not_named_for_it():
    for _ in range(2):
        without_token("203.0.113.9")
    end_windows()
    without_token("198.51.100.1")
    named = [entry.address for entry in PersonalFacts.objects.order_by("entry__sequence")]
    assert named == ["203.0.113.0/24", "198.51.100.0/24"]
    counted = entries()[1]
    assert (counted.request, facts(counted)["repeats"]) == (None, 1)


def test_each_network_and_each_kind_has_an_entry_of_its_own(settings):
    settings.SIGN_IN_TRIES = 0
    for network in ("203.0.113.9", "198.51.100.1"):
        for _ in range(3):
            without_token(network)
            browser = Client(REMOTE_ADDR=network)
            assert browser.post(LOGIN, {"username": "a", "password": "b"}).status_code == 429
    assert len(entries("request:refused")) == len(entries("account:throttled")) == 2


@pytest.mark.attack("F63")
@pytest.mark.parametrize("event", ["account:throttled", "invite:refused"])
def test_every_refusal_that_a_stranger_causes_at_will_is_folded(settings, event):
    settings.SIGN_IN_TRIES = 0
    for _ in range(5):
        if event == "invite:refused":
            assert Client().get("/accounts/invite/guessed/").status_code == 404
        else:
            assert Client().post(LOGIN, {"username": "a", "password": "b"}).status_code == 429
    assert len(entries(event)) == 1
    assert FoldedRefusals.objects.get().count == 4


def test_somebody_signed_in_is_counted_by_who_they_are(alice):
    alice.sign_in()
    alice.client.handler.enforce_csrf_checks = True
    for address in ("203.0.113.9", "198.51.100.1", "192.0.2.1"):
        alice.client.post("/accounts/lock/", REMOTE_ADDR=address)
    end_windows()
    folding.write_ended()
    assert [(entry.actor, facts(entry).get("repeats")) for entry in entries()] == [
        (alice.user.pk, None),
        (alice.user.pk, 2),
    ]


def test_many_at_once_are_counted_exactly():
    at_once(lambda number: without_token(), range(20))
    recorded = len(entries())
    assert recorded + FoldedRefusals.objects.get().count == 20


def test_a_count_is_written_once_though_many_come_upon_it():
    for _ in range(3):
        without_token()
    end_windows()
    at_once(lambda number: without_token(f"198.51.{number}.1"), range(10))
    assert Counter(facts(entry).get("repeats") for entry in entries()) == {None: 11, 2: 1}


def nothing_takes_it(*entry, **facts) -> None:
    raise AuditUnavailable


def test_a_count_that_could_not_be_written_is_kept(monkeypatch):
    for _ in range(3):
        without_token()
    end_windows()
    with monkeypatch.context() as away:
        away.setattr(folding, "record", nothing_takes_it)
        with pytest.raises(AuditUnavailable):
            folding.write_ended()
    end_windows()
    folding.write_ended()
    assert facts(entries()[-1])["repeats"] == 2
    assert not FoldedRefusals.objects.exists()


def test_purge_writes_what_nobody_came_back_for():
    for _ in range(3):
        without_token()
    end_windows()
    call_command("purge", stdout=io.StringIO())
    assert facts(entries()[-1])["repeats"] == 2
    assert not FoldedRefusals.objects.exists()


@pytest.mark.attack("F63")
def test_very_many_networks_are_one_after_the_first_hundred(monkeypatch):
    monkeypatch.setattr(folding, "MOST_NETWORKS", 3)
    for number in range(10):
        without_token(f"203.0.{number}.1")
    assert len(entries()) == 4
    assert sorted(row.count for row in FoldedRefusals.objects.all()) == [0, 0, 0, 6]


def test_a_right_password_after_it_is_recorded_like_any_other(alice):
    without_token("127.0.0.1")
    alice.sign_in()
    assert entries("account:signed-in")
    assert PASSWORD not in str([entry.leaf for entry in entries()])
