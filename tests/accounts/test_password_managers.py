"""Every form that asks for a password says whose it is, so that a password manager knows."""

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from tests.accounts.test_new_start import sign_in_with_foreign_password

FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
ASKS_FOR_PASSWORD = re.compile(r'autocomplete="(current|new)-password"')
WHOSE = re.compile(r'<input type="text" autocomplete="username" value="(\w*)" readonly hidden>')


def forms_for_passwords(page: str) -> list[str]:
    return [form for form in FORM.findall(page) if ASKS_FOR_PASSWORD.search(form)]


@pytest.mark.parametrize("page", ["unlock", "password", "recovery-code"])
def test_a_signed_in_persons_forms_name_them(alice, page):
    forms = forms_for_passwords(alice.sign_in().get(f"/accounts/{page}/").content.decode())
    assert forms
    assert [WHOSE.findall(form) for form in forms] == [["alice"]] * len(forms)


@pytest.mark.parametrize("page", ["locked-keys", "new-start"])
def test_so_do_those_of_somebody_with_locked_keys(bob, page):
    client = sign_in_with_foreign_password(bob)
    forms = forms_for_passwords(client.get(f"/accounts/{page}/").content.decode())
    assert forms
    assert [WHOSE.findall(form) for form in forms] == [["bob"]] * len(forms)


def test_so_does_the_page_behind_a_mailed_link(alice, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    User.objects.filter(pk=alice.user.pk).update(email="alice@example.org")
    Client().post("/accounts/reset/", {"username": "alice"})
    link = re.search(r"/accounts/reset/\S+", mail.outbox[0].body).group(0)
    (form,) = forms_for_passwords(Client().get(link, follow=True).content.decode())
    assert WHOSE.findall(form) == ["alice"]


@pytest.mark.parametrize("page", ["login", "register", "recover", "replace-keys"])
def test_where_a_name_is_typed_the_field_says_so_itself(page):
    (form,) = forms_for_passwords(Client().get(f"/accounts/{page}/").content.decode())
    assert 'name="username"' in form
    assert form.count('autocomplete="username"') == 1
