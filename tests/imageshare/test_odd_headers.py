"""Headers that Django cannot read, as the server hands them over: the request is answered all the
same, by our pages with our headers."""

import io

import pytest
from django.test import RequestFactory

from audit.models import AuditEntry
from imageshare.wsgi import application

# Parameters in an encoding that is unknown, decodes nothing, or takes no replacements (RFC 2231).
ODD = ["x*=none''a", "x* = none''a", "x*0*=none''a; x*1=b", "x*=undefined''%ff", "x*=idna''%ff"]


def asked(method: str, path: str, **environ: str) -> tuple[int, dict[str, str]]:
    """Ask as the server does, which calls the application itself."""
    body = io.BytesIO(b"theme=dark")
    base = RequestFactory()._base_environ(PATH_INFO=path, REQUEST_METHOD=method)
    answered = {}

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        answered.update(status=int(status[:3]), headers=dict(headers))

    environ = {**base, "CONTENT_LENGTH": "10", "wsgi.input": body, **environ}
    response = application(environ, start)
    assert b"".join(response)
    response.close()
    return answered["status"], answered["headers"]


@pytest.mark.attack("F300")
@pytest.mark.parametrize("odd", ODD)
def test_a_type_with_a_parameter_in_no_encoding_is_no_form(odd, caplog):
    kind = f"application/x-www-form-urlencoded; {odd}"
    status, headers = asked("POST", "/preferences/theme/", CONTENT_TYPE=kind)
    assert (status, "X-Request-ID" in headers) == (415, True)
    assert "Content-Security-Policy" in headers
    assert asked("GET", "/about/protection/", CONTENT_TYPE=kind)[0] == 200
    assert "Traceback" not in caplog.text


@pytest.mark.attack("F300")
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(("path", "status"), [("/accounts/login/", 200), ("/nowhere/", 404)])
def test_nor_does_one_in_what_is_accepted_fail_a_page(odd, path, status):
    answer = asked("GET", path, HTTP_ACCEPT=f"text/html; {odd}, application/json")
    assert (answer[0], answer[1]["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert not AuditEntry.objects.filter(event="request:failed").exists()


def test_what_is_accepted_counts_as_it_did():
    _, headers = asked("GET", "/nowhere/", HTTP_ACCEPT="application/json")
    assert headers["Content-Type"] == "application/json"
