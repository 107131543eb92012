"""Cookies kept, copied or exchanged: none of them opens anything, and some sign nobody in."""

from collections.abc import Callable
from http.cookies import SimpleCookie

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Custody, User
from accounts.services.people import oversight
from tests.conftest import PASSWORD

JSON = {"accept": "application/json"}
UNLOCK, SESSION = settings.UNLOCK_COOKIE_NAME, settings.SESSION_COOKIE_NAME
NEW = "an entirely new one 42"
SHOWN = ["", "original", "preview", "thumbnail"]
LOCKED, SIGNED_OUT = {(401, "locked")}, {(401, "signed_out")}


def with_cookies(**cookies: str) -> Client:
    browser = Client()
    for name, value in cookies.items():
        browser.cookies[name] = value
    return browser


def kept(client: Client) -> dict[str, str]:
    """Every cookie a browser holds, as somebody copies them off the disk or the wire."""
    jar: SimpleCookie = client.cookies
    return {name: morsel.value for name, morsel in jar.items() if morsel.value}


def sign_in_again(person) -> Client:
    browser = Client()
    form = {"username": person.username, "password": PASSWORD}
    assert browser.post("/accounts/login/", form).status_code == 302
    return browser


@pytest.fixture
def opened(shared_image) -> Callable[[Client], set[tuple[int, str]]]:
    """The headers a browser gets wherever something of the image bob may see is shown."""

    def ask(client: Client) -> set[tuple[int, str]]:
        addresses = [f"/images/{shared_image.pk}/{name}" for name in SHOWN]
        answers = [client.get(address, headers=JSON) for address in addresses]
        return {(one.status_code, one.json()["code"]) for one in answers}

    return ask


def opens(client: Client, image) -> bool:
    answers = [client.get(f"/images/{image.pk}/{name}", headers=JSON) for name in SHOWN]
    return {answer.status_code for answer in answers} == {200}


# ---- the cookie that unlocks -----------------------------------------------------------------


@pytest.mark.attack("C3")
def test_another_persons_unlock_cookie_opens_nothing(shared_image, opened, bob, mallory):
    ours, theirs = kept(bob.sign_in()), kept(mallory.sign_in())
    assert opens(with_cookies(**ours), shared_image)
    assert opened(with_cookies(**{**ours, UNLOCK: theirs[UNLOCK]})) == LOCKED
    answer = with_cookies(**{**theirs, UNLOCK: ours[UNLOCK]}).get(
        f"/images/{shared_image.pk}/original", headers=JSON
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "locked")


@pytest.mark.attack("C3")
def test_one_browsers_unlock_cookie_opens_nothing_in_another_of_the_same_person(
    shared_image, opened, bob
):
    here, there = kept(bob.sign_in()), kept(sign_in_again(bob))
    assert opens(with_cookies(**here), shared_image)
    assert opens(with_cookies(**there), shared_image)
    assert opened(with_cookies(**{**here, UNLOCK: there[UNLOCK]})) == LOCKED


@pytest.mark.attack("C2", "C3")
def test_the_cookie_of_an_earlier_unlock_opens_nothing(shared_image, opened, bob):
    client = bob.sign_in()
    earlier = kept(client)
    client.post("/accounts/lock/")
    assert client.post("/accounts/unlock/", {"password": PASSWORD}).status_code == 302
    assert opens(client, shared_image)
    assert opened(with_cookies(**{**kept(client), UNLOCK: earlier[UNLOCK]})) == LOCKED
    assert opened(with_cookies(**earlier)) == SIGNED_OUT  # unlocking renews the session's id, too


@pytest.mark.attack("C2")
def test_a_copy_of_every_cookie_opens_nothing_after_locking(shared_image, opened, bob):
    client = bob.sign_in()
    copy = with_cookies(**kept(client))
    assert opens(copy, shared_image)
    client.post("/accounts/lock/")
    assert opened(copy) == LOCKED


@pytest.mark.attack("C2")
def test_a_custody_row_put_back_opens_only_with_its_own_session(shared_image, opened, bob):
    """Anybody who restores the row still needs the session that names it; locking forgets that."""
    client = bob.sign_in()
    row, copy = Custody.objects.get(user=bob.user), with_cookies(**kept(client))
    client.post("/accounts/lock/")
    row.save(force_insert=True)
    assert opened(copy) == LOCKED


# ---- the session -----------------------------------------------------------------------------


def change_password(bob, client: Client) -> None:
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/accounts/password/", form).status_code == 302


def sign_out(bob, client: Client) -> None:
    assert client.post("/accounts/logout/").status_code == 302


def recover(bob, client: Client) -> None:
    form = {"username": "bob", "recovery_code": bob.recovery_code}
    form |= {"new_password1": NEW, "new_password2": NEW}
    assert Client().post("/accounts/recover/", form, headers=JSON).status_code == 200


def end_sessions(bob, client: Client) -> None:
    staff = User.objects.create_superuser("overseer", PASSWORD)
    oversight.end_sessions(person=bob.user, by=staff, reason="a laptop was stolen")


def disable(bob, client: Client) -> None:
    staff = User.objects.create_superuser("overseer", PASSWORD)
    oversight.disable_person(person=bob.user, by=staff, reason="left")


def sign_in_elsewhere_as_somebody_else(bob, client: Client) -> None:
    User.objects.create_user("visitor", PASSWORD)
    assert client.post("/accounts/login/", {"username": "visitor", "password": PASSWORD})


@pytest.mark.attack("C2")
@pytest.mark.parametrize(
    "end",
    [change_password, sign_out, recover, end_sessions, disable, sign_in_elsewhere_as_somebody_else],
)
def test_cookies_copied_before_sign_nobody_in_after(shared_image, opened, bob, end):
    client = bob.sign_in()
    copy = with_cookies(**kept(client))
    held = client.session["custody"]
    assert opens(copy, shared_image)
    end(bob, client)
    assert opened(copy) == SIGNED_OUT
    assert copy.get("/images/", headers=JSON).status_code == 401
    assert not Custody.objects.filter(pk=held).exists()


@pytest.mark.attack("C2", "C3")
def test_a_session_cookie_alone_lists_but_opens_nothing(shared_image, opened, bob):
    copied = kept(bob.sign_in())
    assert opened(with_cookies(**{SESSION: copied[SESSION]})) == LOCKED
    assert opened(with_cookies(**{UNLOCK: copied[UNLOCK]})) == SIGNED_OUT
