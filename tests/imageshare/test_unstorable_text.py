"""What PostgreSQL cannot store, NUL, and what is no text at all: an ordinary answer everywhere."""

from urllib.parse import quote

import pytest
from django.test import Client

JSON = {"accept": "application/json"}
FORM = "application/x-www-form-urlencoded"
TEXTS = {"NUL": b"\0", "NUL inside": b"a\0b", "surrogate": b"a\xed\xa0\x80", "not UTF-8": b"\xff"}
texts = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())

FIELDS = {
    "/accounts/login/": ["username", "password"],
    "/accounts/register/": ["username", "display_name", "email", "password1", "password2"],
    "/accounts/recover/": ["username", "recovery_code", "new_password1", "new_password2"],
    "/accounts/unlock/": ["password", "next"],
    "/accounts/password/": ["old_password", "new_password1", "new_password2"],
    "/accounts/recovery-code/": ["confirm_1", "confirm_2"],
    "/images/upload/": ["recipients", "rights", "ends_at", "caption", "upload_id"],
    "/images/{image}/share/": ["recipients", "rights", "ends_at"],
    "/images/{image}/revoke/": ["recipient"],
}


def fill(client: Client, address: str, fields: list[str], text: bytes):
    body = "&".join(f"{field}={quote(text)}" for field in fields)
    return client.generic("POST", address, body, content_type=FORM, headers=JSON)


@texts
def test_a_form_filled_with_it_is_refused(shared_image, alice, text):
    for address, fields in FIELDS.items():
        answer = fill(alice.sign_in(), address.format(image=shared_image.pk), fields, text)
        assert answer.status_code == 422, address


@texts
def test_an_address_that_names_it_is_answered(alice, text):
    client = alice.sign_in()
    assert client.get(f"/images/{quote(text)}/").status_code == 404
    assert client.get(f"/images/?page={quote(text)}").status_code == 200


@texts
def test_a_session_cookie_with_it_is_nobodys(client, settings, text):
    escaped = "".join(f"\\{byte:03o}" for byte in b"abcdefgh" + text)
    cookie = f'{settings.SESSION_COOKIE_NAME}="{escaped}"'
    assert client.get("/images/", headers={"cookie": cookie, **JSON}).status_code == 401


@texts
@pytest.mark.parametrize(
    "parameter", ["q", "event", "outcome", "from", "to", "sequence", "time__gte", "p"]
)
def test_the_admin_is_asked_for_it(staff, parameter, text):
    answer = staff.get(f"/admin/audit/auditentry/?{parameter}={quote(text)}")
    assert answer.status_code in (200, 302, 400)


@pytest.mark.parametrize("number", ["9" * 30, str(2**63), str(-(2**63) - 1)])
def test_a_number_no_column_holds_is_found_nowhere(staff, number):
    assert staff.get(f"/admin/audit/auditentry/{number}/change/").status_code == 302
    assert staff.get(f"/admin/audit/auditentry/?p={number}").status_code == 200
    assert staff.get(f"/images/?page={number}").status_code == 200
