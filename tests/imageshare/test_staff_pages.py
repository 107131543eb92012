"""Every address of the admin, as every kind of staff: no word of a picture, and nothing changes."""

import re
from html import unescape

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, reverse
from django.utils import timezone

from accounts.models import FoldedRefusals, Invite, KeyPair, User, WrappedKey
from accounts.services.people.invites import make_invite
from audit.models import AuditEntry
from gallery.models import Circle, Grant, Invitation, Member, Notice, Rendition, SealedImage
from tests.accounts.marking import mark_as_staff
from tests.conftest import PASSWORD

CAPTION, FILE_NAME = "Kapitänin am Kanarienfels", "holiday.jpg"
INVITED = "Ludmilla Leopold"
ALBUM, TEAM = "Sommer am Kanarienfels", "Vogelwarte"
OVERSIGHT = [User, KeyPair, Invite, SealedImage, Circle, Invitation, Notice, AuditEntry]
PERMISSIONS = ["none", "all", "superuser"]


@pytest.fixture
def world(upload, bob, carol):
    """An image shared with two, one of whom lost access, and another that was deleted."""
    kept = upload(to=(bob, carol), caption=CAPTION)
    gone = upload(to=(bob,), caption=CAPTION)
    owner = kept.owner
    browser = Client()
    browser.post("/accounts/login/", {"username": owner.username, "password": PASSWORD})
    assert browser.post(f"/images/{kept.pk}/revoke/", {"recipient": "carol"}).status_code == 302
    assert browser.post(f"/images/{gone.pk}/delete/").status_code == 302
    bob.sign_in().get(f"/images/{kept.pk}/")
    make_invite(display_name="Dora Dune", email="", by=owner)
    form = {"display_name": INVITED, "email": "lee@example.org"}
    assert browser.post("/invitations/", form).status_code == 201
    album = browser.post("/albums/new/", {"title": ALBUM, "description": ALBUM}).url
    browser.post(f"{album}add/", {"images": str(kept.pk)})
    browser.post(f"{album}share/", {"recipients": "bob"})
    team = browser.post("/teams/new/", {"name": TEAM, "description": TEAM}).url
    invited = Invitation.objects.get().pk
    browser.post(f"{team}share/", {"recipients": ["bob", "carol"], "invitations": str(invited)})
    browser.post(f"{team}revoke/", {"recipient": "carol"})
    return kept


@pytest.fixture(params=PERMISSIONS)
def overseer(request, make_person, world):
    """Staff with no permission of Django's, with every one, and a superuser."""
    person = make_person("clerk", "Cleo Clerk")
    superuser = request.param == "superuser"
    mark_as_staff(person.user, superuser=superuser)
    if request.param == "all":
        person.user.user_permissions.set(Permission.objects.all())
    return person.sign_in()


def rows_of(model) -> list[str]:
    return [str(key) for key in model._default_manager.values_list("pk", flat=True)[:3]]


def addresses() -> list[str]:
    """Every address of the URLconf, its parameters filled with what is there and what is not."""
    found = []
    for model in admin.site._registry:
        opts = model._meta
        base = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        for pattern in admin.site._registry[model].get_urls():
            found += [base + filled for filled in _filled(str(pattern.pattern), rows_of(model))]
    for pattern in admin.site.get_urls():
        if isinstance(pattern, URLPattern):
            found += ["/admin/" + filled for filled in _filled(str(pattern.pattern), ["accounts"])]
    return sorted(set(found))


def _filled(pattern: str, values: list[str]) -> list[str]:
    if pattern.startswith("^"):
        return ["accounts/", "gallery/", "audit/"]
    pattern = pattern.removesuffix("$").replace("\\Z", "")
    if "<" not in pattern:
        return [pattern]
    return [re.sub(r"<[^>]+>", value, pattern) for value in [*values, "00000000"]]


def links_of_filters(page: str) -> set[str]:
    return {unescape(link) for link in re.findall(r'href="(\?[^"]*)"', page)}


def secrets_of_the_world() -> list[str]:
    """What no page may hold: words of pictures, where bytes lie, hashes, wrapped keys."""
    hidden = [
        CAPTION,
        "Kanarienfels",
        FILE_NAME,
        INVITED,
        "lee@example.org",
        ALBUM,
        TEAM,
        *Rendition.objects.values_list("storage_name", flat=True),
    ]
    hidden += User.objects.values_list("password", flat=True)
    for model in (Invite, Invitation):
        hidden += model.objects.values_list("token_digest", flat=True)
    wrapped = [*WrappedKey.objects.values_list("oaep_bytes", flat=True)]
    wrapped += KeyPair.objects.values_list("wrapped_private_key", flat=True)
    hidden += [bytes(one).hex() for one in wrapped]
    wrapped += Circle.objects.values_list("details", flat=True)
    hidden += [repr(bytes(one))[2:40] for one in wrapped]
    return hidden + [bytes(salt).hex() for salt in Grant.objects.values_list("salt", flat=True)]


def everything() -> dict[str, list]:
    """Every row there is, but for sessions, the trail, and what is counted for it: they grow."""
    return {
        model._meta.label: sorted(map(repr, model._default_manager.values_list()))
        for model in apps.get_models()
        if model not in (Session, FoldedRefusals) and model._meta.app_label != "audit"
    }


def test_no_page_holds_a_word_of_a_picture_and_none_fails(overseer):
    hidden, seen = secrets_of_the_world(), 0
    for address in addresses():
        answer = overseer.get(address)
        assert answer.status_code in (200, 302, 403, 404), address
        pages = [address] if answer.status_code == 200 else []
        pages += [address + link for link in links_of_filters(answer.getvalue().decode())]
        if "?" not in address and answer.status_code == 200:
            pages += [f"{address}?{query}" for query in ("q=alice", "q=Kanarien", "o=1.-2", "p=1")]
        for page in pages:
            answer = overseer.get(page, follow=True)
            assert answer.status_code in (200, 400), page
            body = unescape(answer.getvalue().decode())
            assert [secret for secret in hidden if secret in body] == [], page
            seen += 1
    assert seen > 100


def test_every_html_page_says_that_it_shows_no_content(overseer):
    band = "Staff view: no image content is shown here"
    for address in addresses():
        answer = overseer.get(address)
        html = "text/html" in answer["Content-Type"]
        if answer.status_code == 200 and html:
            assert band in answer.content.decode(), address
            assert "<style" not in answer.content.decode(), address
            assert not re.search(r"\sstyle=|\son\w+=|<script>", answer.content.decode()), address


def test_a_post_changes_nothing(overseer):
    before, trail = everything(), AuditEntry.objects.count()
    row = {"_save": "1", "post": "yes", "action": "delete_selected", "is_superuser": "1"}
    for address in addresses():
        fields = {**row, "_selected_action": [address.split("/")[-3]], "select_across": "1"}
        answer = overseer.post(address, fields)
        assert answer.status_code in (200, 302, 403, 404, 405, 422), address
    assert everything() == before
    assert AuditEntry.objects.count() == trail


def test_all_staff_see_all_of_these_pages_and_nothing_to_fill_in(overseer):
    for model in OVERSIGHT:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert overseer.get(base).status_code == 200
        for row in rows_of(model):
            page = overseer.get(f"{base}{row}/change/")
            assert page.status_code == 200
            form = page.content.decode().split('id="content-main"')[1]
            assert not re.search(r"<(input(?! type=.hidden)|textarea|select)", form)


@pytest.mark.attack("A6")
def test_staff_can_open_no_image(overseer, world):
    for name in ("", "original", "preview", "thumbnail"):
        assert overseer.get(f"/images/{world.pk}/{name}").status_code == 404


def test_members_and_strangers_see_no_staff_page(client, alice):
    alice.sign_in()
    for address in addresses():
        for browser in (client, alice.client):
            answer = browser.get(address)
            assert answer.status_code in (301, 302), address
            assert "/accounts/" in answer.url or "/admin/login/" in answer.url


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (User, "password__startswith=argon2"),
        (User, "password__startswith=x"),
        (User, "email__startswith=a"),
        (User, "key_slots__wrapped_master_key__gte=a"),
        (Invite, "token_digest__startswith=a"),
        (Invite, "made_by__password__startswith=a"),
        (KeyPair, "wrapped_private_key__startswith=a"),
        (KeyPair, "user__password__startswith=a"),
        (SealedImage, "renditions__storage_name__startswith=a"),
        (SealedImage, "owner__password__startswith=a"),
        (Circle, "details__startswith=a"),
        (Circle, "members__reader__password__startswith=a"),
        (Notice, "body__contains=shared"),
        (AuditEntry, "leaf__contains=a"),
    ],
)
def test_no_hidden_column_can_be_guessed_by_filtering(staff, model, query):
    opts = model._meta
    page = staff.get(f"/admin/{opts.app_label}/{opts.model_name}/?{query}")
    assert page.status_code == 400


def test_a_list_asks_as_often_for_many_rows_as_for_few(staff, world, upload, make_person):
    pages = [f"/admin/{m._meta.app_label}/{m._meta.model_name}/" for m in OVERSIGHT]
    few = [_queries(staff, page) for page in pages]
    for number in range(3):
        person = make_person(f"reader{number}")
        upload(to=(person,))
        make_invite(display_name=f"Guest {number}", email="", by=person.user)
        assert person.sign_in().post("/invitations/", {"display_name": "Lee"}).status_code == 201
        assert person.client.post("/albums/new/", {"title": "Lake"}).status_code == 302
    assert [_queries(staff, page) for page in pages] == few
    few_of = dict(zip(OVERSIGHT, few, strict=True))
    # Ids of the trail and of notices have names beside them, certified by people's pairs.
    named = [few_of.pop(AuditEntry), few_of.pop(Notice)]
    assert (max(few_of.values()) < 19, max(named) < 23) == (True, True)


def _queries(client, address) -> int:
    client.get(address)
    with (
        CaptureQueriesContext(connections["default"]) as asked,
        CaptureQueriesContext(connections["audit"]) as asked_of_audit,
    ):
        assert client.get(address).status_code == 200
    return len(asked) + len(asked_of_audit)


def test_pages_show_what_oversight_needs(staff, world, bob):
    image = staff.get(f"/admin/gallery/sealedimage/{world.pk}/change/").content.decode()
    assert "alice" in image
    assert "bob" in image
    assert "carol" not in image  # her access ended
    person = staff.get(f"/admin/accounts/user/{bob.user.pk}/change/").content.decode()
    assert "Bob Brook" in person
    pair = bob.user.key_pairs.get(purpose="encryption")
    key = staff.get(f"/admin/accounts/keypair/{pair.pk}/change/").content.decode()
    assert pair.fingerprint in key
    notice = Notice.objects.filter(person=bob.user).first()
    page = staff.get(f"/admin/gallery/notice/{notice.pk}/change/").content.decode()
    assert "shared" in page
    assert str(world.owner_id) in page


def test_staff_see_whose_an_album_or_team_is_how_large_and_what_waits(staff, world):
    by_kind = {circle.kind: circle for circle in Circle.objects.all()}
    shown = {
        kind: text_of(staff.get(f"/admin/gallery/circle/{circle.pk}/change/").content.decode())
        for kind, circle in by_kind.items()
    }
    assert "Owner: alice" in shown["album"]
    assert "People: 2 Teams: 0 Invitations: 0 Images: 1 What waits: –" in shown["album"]
    assert "People: 2 Teams: 0 Invitations: 1 Images: 0 What waits: –" in shown["team"]
    assert "Who they are: alice, bob" in shown["team"]
    SealedImage.objects.filter(pk=world.pk).update(relock_after=timezone.now())
    Circle.objects.update(rekey_after=timezone.now())
    Member.objects.filter(reader__username="bob").update(wrapped_key=None)
    page = text_of(staff.get("/admin/gallery/circle/?kind=album").content.decode())
    waits = "due for a new key, people without a key: 1, images due for a new lock: 1"
    assert waits in page
    assert str(by_kind["team"].pk) not in page


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_a_notice_that_does_not_read_is_said_to(staff, world):
    Notice.objects.update(body=b"\xff")
    assert b"does not read" in staff.get("/admin/gallery/notice/").content


@pytest.mark.parametrize(
    ("page", "term", "count"),
    [
        ("accounts/user", "ALI", 1),
        ("accounts/user", "brook", 1),
        ("accounts/user", "nobody", 0),
        ("accounts/keypair", "bob", 2),
        ("gallery/sealedimage", "alice", 2),
        ("gallery/sealedimage", "bob", 0),
        ("gallery/circle", "ALICE", 2),
        ("gallery/circle", "bob", 0),
        ("gallery/notice", "carol", 4),
    ],
)
def test_search_finds_by_name(staff, world, page, term, count):
    found = staff.get(f"/admin/{page}/", {"q": term}).context["cl"].result_count
    assert found == count


@pytest.mark.parametrize("term", ["Öztürk", "öztürk", "ÖZTÜRK", "öZTÜRK", "ztür"])
def test_search_folds_the_letters_of_every_script(staff, make_person, term):
    make_person("gul", "Gül Öztürk")
    assert staff.get("/admin/accounts/user/", {"q": term}).context["cl"].result_count == 1


def test_search_finds_by_id(staff, world):
    for page in ("accounts/user", "gallery/sealedimage"):
        wanted = world.owner_id if page == "accounts/user" else world.pk
        found = staff.get(f"/admin/{page}/", {"q": str(wanted)}).context["cl"].result_count
        assert found == 1


def test_the_history_of_a_row_is_in_the_trail(staff, world):
    answer = staff.get(f"/admin/gallery/sealedimage/{world.pk}/history/")
    assert answer.url == f"/admin/audit/auditentry/?q={world.pk}"
    assert staff.get(answer.url).context["cl"].result_count > 2


def test_groups_and_permissions_have_no_page(staff):
    assert {model.__name__ for model in admin.site._registry} >= {m.__name__ for m in OVERSIGHT}
    assert staff.get("/admin/auth/group/").status_code == 404


def test_no_address_of_the_admin_sets_a_password(staff):
    person = User.objects.get()
    assert staff.get("/admin/password_change/").url == "/accounts/password/"
    assert staff.get("/admin/password_change/done/").url == "/accounts/password/"
    for place in (f"{person.pk}/password/", f"{person.pk}/change/password/"):
        assert b'type="password"' not in staff.get(f"/admin/accounts/user/{place}").content
