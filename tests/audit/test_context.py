"""Where a request came from, and the id it is given."""

import uuid

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from audit.context import client_address, current_request
from audit.events import Event, record
from audit.middleware import RequestContextMiddleware
from audit.models import AuditEntry, PersonalFacts
from tests.audit.conftest import findings, lines


def request(**meta: str):
    return RequestFactory().get("/", **{"REMOTE_ADDR": "192.0.2.7", **meta})


def serve(view, **meta: str) -> HttpResponse:
    return RequestContextMiddleware(view)(request(**meta))


def record_and_answer(served) -> HttpResponse:
    record(Event.REQUEST_REFUSED, actor=None)
    return HttpResponse("x")


# ---- the address -----------------------------------------------------------------------------


def test_without_a_proxy_of_ours_nobody_chooses_their_address(settings):
    settings.TRUSTED_PROXIES = 0
    assert client_address(request(HTTP_X_FORWARDED_FOR="198.51.100.1")) == "192.0.2.7"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.9, 198.51.100.1:4711", "198.51.100.1"),
        (2, "203.0.113.9, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
    ],
)
def test_behind_proxies_of_ours_the_hop_they_saw_counts(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    assert client_address(request(HTTP_X_FORWARDED_FOR=forwarded)) == address


@pytest.mark.attack("F55")
@pytest.mark.parametrize("forwarded", ["", "unknown", "203.0.113.9, nonsense\r\nX: y"])
def test_the_proxys_own_address_is_nobodys(settings, forwarded):
    settings.TRUSTED_PROXIES = 1
    assert client_address(request(HTTP_X_FORWARDED_FOR=forwarded)) == ""
    assert client_address(request()) == ""


@pytest.mark.parametrize("seen", ["", "nonsense", "/run/gunicorn.sock"])
def test_no_address_is_an_empty_one(settings, seen):
    settings.TRUSTED_PROXIES = 0
    assert client_address(request(REMOTE_ADDR=seen)) == ""


# ---- the middleware --------------------------------------------------------------------------


def test_a_request_id_from_outside_is_not_taken_over():
    answer = serve(record_and_answer, HTTP_X_REQUEST_ID="ab" * 16)
    assert answer.headers["X-Request-ID"] != "ab" * 16


def test_the_answer_names_the_request_that_the_entry_names():
    answer = serve(record_and_answer)
    entry = AuditEntry.objects.get()
    assert entry.request == answer.headers["X-Request-ID"]
    assert uuid.UUID(entry.request).version == 4


def test_two_requests_have_two_ids():
    assert serve(record_and_answer)["X-Request-ID"] != serve(record_and_answer)["X-Request-ID"]


def test_nothing_of_a_request_is_left_when_it_is_over():
    def fail(served):
        raise LookupError

    serve(record_and_answer)
    with pytest.raises(LookupError):
        serve(fail)
    assert current_request.get() is None


def test_an_agent_is_cut_and_shows_no_control_characters(trail_file):
    agent = 'Mozilla\r\n{"forged":1}\x1b[31m\x00\x9b' + "x" * 300
    serve(record_and_answer, HTTP_USER_AGENT=agent)
    kept = PersonalFacts.objects.get().agent
    assert len(kept) == 200
    assert kept.startswith('Mozilla\ufffd\ufffd{"forged":1}\ufffd[31m\ufffd\ufffdx')
    assert len(lines(trail_file)) == 1
    assert findings() == []


def test_an_agent_no_encoding_can_hold_is_kept_without_it():
    serve(record_and_answer, HTTP_USER_AGENT="a\udcffb")
    assert PersonalFacts.objects.get().agent == "a\ufffdb"


def test_the_network_is_kept_and_the_machine_is_not(settings):
    settings.TRUSTED_PROXIES = 0
    serve(record_and_answer)
    assert PersonalFacts.objects.get().address == "192.0.2.0/24"
