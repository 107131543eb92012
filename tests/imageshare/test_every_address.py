"""What holds at every address of the URLconf, so that a new one cannot be forgotten."""

from collections.abc import Iterator

import pytest
from django.core import signing
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from audit.models import AuditEntry
from gallery.models import Grant, SealedImage

JSON = {"accept": "application/json"}
OPEN_TO_ALL = {
    "",
    "about/protection/",
    "manifest.webmanifest",
    "service-worker.js",
    "offline/",
    "components/",
    "healthz",
    "readyz",
    ".well-known/change-password",
    ".well-known/security.txt",
    "accounts/login/",
    "accounts/register/",
    "accounts/recover/",
    "accounts/reset/",
    "accounts/replace-keys/",
}
CHANGES = {
    "preferences/theme/",
    "preferences/language/",
    "accounts/logout/",
    "accounts/lock/",
    "accounts/contacts/anew/",
    "images/upload/check/",
    "images/selected/share/",
    "images/selected/revoke/",
    "images/selected/delete/",
    "images/selected/album/",
    "images/thumbnails/",
    "images/zip/",
    "albums/new/",
    "albums/<uuid:album_id>/edit/",
    "teams/<uuid:team_id>/edit/",
    "teams/<uuid:team_id>/share/",
    "teams/<uuid:team_id>/revoke/",
    "teams/<uuid:team_id>/leave/",
    "teams/<uuid:team_id>/delete/",
    "successors/remove/",
    "successors/take-over/",
    "images/<uuid:image_id>/take-over/",
    "albums/<uuid:album_id>/share/",
    "albums/<uuid:album_id>/revoke/",
    "albums/<uuid:album_id>/add/",
    "albums/<uuid:album_id>/remove/",
    "albums/<uuid:album_id>/successors/remove/",
    "albums/<uuid:album_id>/zip/",
    "albums/<uuid:album_id>/delete/",
    "invitations/<uuid:invitation_id>/take-back/",
    "invitations/<uuid:invitation_id>/agree/",
    "invitations/<uuid:invitation_id>/refuse/",
    "invitations/<str:token>/claim/",
    "images/<uuid:image_id>/share/",
    "images/<uuid:image_id>/revoke/",
    "images/<uuid:image_id>/delete/",
    "images/<uuid:image_id>/acknowledge/",
    "images/<uuid:image_id>/keep/",
}
FORMS = {
    "accounts/register/",
    "accounts/invite/<str:token>/",
    "accounts/login/",
    "accounts/unlock/",
    "accounts/recover/",
    "accounts/reset/",
    "accounts/reset/<uuid:person_id>/<str:token>/",
    "accounts/replace-keys/",
    "accounts/recovery-code/",
    "accounts/recovery-code/test/",
    "accounts/name/",
    "accounts/password/",
    "accounts/first-keys/",
    "accounts/locked-keys/",
    "accounts/new-start/",
    "accounts/earlier-keys/",
    "images/search/",
    "people/",
    "teams/new/",
    "successors/",
    "albums/<uuid:album_id>/successors/",
    "activity/mails/",
    "images/waiting/",
    "images/relock/",
    "people/<username:username>/",
    "images/upload/",
    "images/<uuid:image_id>/edit/",
    "invitations/",
    "invitations/<str:token>/",
}
NOBODYS = "00000000-0000-4000-8000-000000000000"
KNOWN_SECRETS = ["", "secret", "supersecretkey", "dev", "changeme", "django-insecure", "x" * 50]
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"


def routes(patterns=None, before: str = "") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if route != "admin/":  # tests/imageshare/test_staff_pages.py crawls it
                yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and not route.startswith("admin/"):
            yield route


def address(
    route: str, image: SealedImage | None = None, *, team: str = NOBODYS, album: str = NOBODYS
) -> str:
    image_id = str(image.pk) if image else NOBODYS
    filled = {
        "<uuid:team_id>": team,
        "<uuid:image_id>": image_id,
        "<uuid:invitation_id>": NOBODYS,
        "<uuid:album_id>": album,
        "<uuid:person_id>": NOBODYS,
        "<uuid:upload_id>": NOBODYS,
        "<str:token>": "a" * 43,
        "<username:username>": "bob",
    }
    for part, value in filled.items():
        route = route.replace(part, value)
    return "/" + route


def status(client: Client, route: str, image: SealedImage) -> int:
    return client.get(address(route, image), headers=JSON).status_code


def test_who_is_not_signed_in_sees_only_what_is_open_to_all(client, shared_image):
    for route in routes():
        expected = {401}
        if route in OPEN_TO_ALL:
            expected = {200, 302, 404}  # security.txt is absent until its contact is set
        elif route in CHANGES:
            expected = {401, 405}
        elif "token" in route:
            expected = {404}
        assert status(client, route, shared_image) in expected, route


@pytest.mark.attack("C10")
def test_a_stranger_gets_404_at_every_address_of_an_image(shared_image, mallory, staff):
    mallory.sign_in()
    staffs = {404, 401}  # locked or not, staff open nothing
    for route in filter(lambda route: "image_id" in route, routes()):
        if route in CHANGES:
            answer = mallory.client.post(address(route, shared_image), headers=JSON)
            assert answer.status_code == 404, route
        else:
            assert status(mallory.client, route, shared_image) == 404, route
            assert status(staff, route, shared_image) in staffs, route


@pytest.mark.attack("C12")
def test_a_former_recipient_gets_410_at_every_address_of_an_image(shared_image, alice, bob):
    alice.client.post(f"/images/{shared_image.pk}/revoke/", {"recipient": "bob"})
    bob.sign_in()
    for route in filter(lambda route: "image_id" in route, routes()):
        if route not in CHANGES:
            assert status(bob.client, route, shared_image) == 410, route


@pytest.mark.attack("E9")
def test_every_form_needs_the_token_and_no_other_site_has_it(shared_image, alice):
    alice.client = Client(enforce_csrf_checks=True)
    token = _token(alice.client)
    form = {"username": "alice", "password": alice.password, "csrfmiddlewaretoken": token}
    assert alice.client.post("/accounts/login/", form).status_code == 302
    token = _token(alice.client, "/accounts/security/")
    before = SealedImage.objects.count(), Grant.objects.filter(ended_at=None).count()
    for route in CHANGES | FORMS:
        place = address(route, shared_image)
        for headers in ({}, {"x-csrftoken": "a" * 64}):
            assert alice.client.post(place, headers={**headers, **JSON}).status_code == 403, route
        foreign = {"x-csrftoken": token, "origin": "https://evil.example", **JSON}
        assert alice.client.post(place, headers=foreign).status_code == 403, route
    assert before == (
        SealedImage.objects.count(),
        Grant.objects.filter(ended_at=None).count(),
    )


def _token(client: Client, place: str = "/accounts/login/") -> str:
    client.get(place)
    return client.cookies["csrftoken"].value


@pytest.mark.attack("E9")
def test_what_changes_something_refuses_to_be_got(shared_image, alice):
    alice.sign_in()
    for route in CHANGES:
        assert status(alice.client, route, shared_image) == 405, route


def test_every_address_that_is_posted_to_is_in_this_test(shared_image, alice):
    """A view that takes a post and is not listed above would escape the tests of the token."""
    alice.sign_in()
    for route in set(routes()) - CHANGES - FORMS:
        answer = alice.client.post(address(route, shared_image), headers=JSON)
        assert answer.status_code in (405, 302), route  # 302: a redirect to a page, nothing done


@pytest.mark.attack("C1")
@pytest.mark.parametrize("secret", KNOWN_SECRETS, ids=range(len(KNOWN_SECRETS)))
def test_a_cookie_signed_with_a_known_secret_is_nobodys(alice, secret, settings):
    said = {"_auth_user_id": str(alice.user.pk), "username": "alice"}
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = signing.dumps(
        said, key=secret or "x", salt="django.contrib.sessions.backends.signed_cookies"
    )
    assert client.get("/images/", headers=JSON).status_code == 401


@pytest.mark.attack("A10")
def test_password_hashes_are_memory_hard_salted_and_kept_to_ourselves(alice, bob):
    alice.user.refresh_from_db()
    bob.user.refresh_from_db()
    assert alice.user.password.startswith("argon2$argon2id$")
    assert alice.user.password != bob.user.password  # of the same password
    alice.sign_in()
    for route in routes():
        content = getattr(alice.client.get(address(route)), "content", b"")
        assert b"argon2" not in content, route


@pytest.mark.attack("E11")
def test_markup_in_names_captions_and_file_names_is_text_on_every_page(
    alice, bob, upload, make_person
):
    hostile = make_person("eve", MARKUP[:80])
    image = upload(to=(bob, hostile), caption=MARKUP)
    for person in (alice, bob, hostile):
        person.sign_in()
        for route in routes():
            answer = person.client.get(address(route, image))
            content = getattr(answer, "content", b"").decode("utf-8", "replace")
            assert "<script>alert" not in content, route
            assert "<img src=x" not in content, route
            assert "onerror=alert(1)>49" not in content, route
    assert AuditEntry.objects.filter(event="request:failed").count() == 0
