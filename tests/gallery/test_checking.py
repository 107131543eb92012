"""What an upload would be refused for is said before its files are sent, and no more than that."""

import re
import uuid
from urllib.parse import quote

import pytest
from django.test import Client

from accounts.models import User
from audit.models import AuditEntry
from gallery.errors import OwnKeyRefused
from gallery.views import uploading
from tests.conftest import jpeg
from tests.gallery.test_uploading import ADDRESS, file, nothing_was_stored, post, stored_files

CHECK = "/images/upload/check/"
JSON = {"accept": "application/json"}
WRONG = {
    "unknown": {"recipients": ["nobody-here"]},
    "one unknown": {"recipients": ["bob", "nobody-here"]},
    "no name": {"recipients": ["bo\u202eb"]},
    "no keys": {"recipients": ["dora"]},
    "disabled": {"recipients": ["carol"]},
    "too many": {"recipients": [f"name{number}" for number in range(501)]},
    "over already": {"recipients": ["bob"], "ends_at": "2020-01-01T00:00"},
    "rights": {"recipients": ["bob"], "rights": "all"},
    "caption": {"caption": "x" * 501},
    "upload_id": {"upload_id": "x"},
}


def check(person, **fields):
    return person.sign_in().post(CHECK, fields, headers=JSON)


@pytest.mark.attack("F50")
@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG.keys())
def test_it_refuses_what_the_upload_refuses_in_the_same_words(
    alice, bob, carol, make_person, fields
):
    make_person("dora", "Dora", with_code=False)
    User.objects.filter(pk=carol.user.pk).update(is_active=False)
    checked, uploaded = check(alice, **fields), post(alice, **fields)
    assert checked.status_code == uploaded.status_code == 422
    assert checked.json() == uploaded.json()


@pytest.mark.attack("F50")
def test_it_stores_nothing_and_says_whom_it_found(alice, bob, carol):
    before = stored_files()
    answer = check(alice, recipients=["bob", " CAROL", "alice", ""], caption="At the lake")
    assert (answer.status_code, answer.json()) == (200, {"recipients": ["bob", "carol"]})
    assert nothing_was_stored(before)
    assert not AuditEntry.objects.filter(event__startswith="image:").exists()


@pytest.mark.attack("F50")
def test_names_are_counted_with_every_other_look_at_names(alice, bob, settings):
    settings.NAME_LOOKUPS_PER_HOUR = 3
    assert check(alice, recipients=["bob"]).status_code == 200
    assert alice.client.get("/people/bob/", headers=JSON).status_code == 200
    assert check(alice, recipients=["bob"]).status_code == 200
    answer = check(alice, recipients=["nobody-here"])
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert post(alice, recipients=["bob"]).status_code == 429


@pytest.mark.attack("F50")
@pytest.mark.parametrize("names", ["bob, nobody-here, carol", "@bob @carol; Dora (@dora)"])
def test_several_names_in_one_value_count_as_several(alice, shared_image, settings, names):
    settings.NAME_LOOKUPS_PER_HOUR = 2
    for address in (CHECK, ADDRESS, f"/images/{shared_image.pk}/share/"):
        answer = alice.client.post(address, {"recipients": [names]}, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (429, "throttled")


def test_it_is_only_for_people_who_may_upload(alice, make_person, client):
    assert client.post(CHECK, headers=JSON).json()["code"] == "signed_out"
    signed_in = alice.sign_in()
    signed_in.post("/accounts/lock/")
    assert signed_in.post(CHECK, headers=JSON).json()["code"] == "locked"
    dora = make_person("dora", "Dora", with_code=False)
    assert check(dora).json()["code"] == "recovery_code_needed"
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(CHECK, headers=JSON).json()["code"] == "csrf"


def test_who_is_not_vouched_for_learns_it_before_sending(alice, bob, monkeypatch):
    def refuse(keyring):
        raise OwnKeyRefused

    monkeypatch.setattr(uploading, "own_signing_pair", refuse)
    answer = check(alice, recipients=["bob"])
    assert (answer.status_code, answer.json()["code"]) == (409, "own_key_refused")


# ---- the page --------------------------------------------------------------------------------


@pytest.mark.attack("F45")
def test_in_the_page_with_the_files_every_field_comes_before_them(alice, bob):
    """Browsers send a form in the order of the page, and a broken connection cuts its end."""
    fields = {"recipients": ["bob"], "rights": "view", "caption": "At the lake", "ends": "7"}
    page = alice.sign_in().post(CHECK, {**fields, "upload_id": str(uuid.uuid4())}).content.decode()
    (form,) = re.findall(r"<form[^>]*data-ask-first.*?</form>", page, re.DOTALL)
    names = re.findall(r'\bname="([^"]+)"', form)
    assert {"upload_id", *fields} < set(names[: names.index("images")])
    assert set(names[names.index("images") + 1 :]) == {"confirmed"}


@pytest.mark.attack("F51")
@pytest.mark.parametrize("address", [CHECK, ADDRESS])
def test_a_page_of_one_person_uploads_nothing_as_another(alice, bob, address):
    """The page's script sends the token of the moment: somebody else may have signed in since."""
    before, page = stored_files(), alice.sign_in().get(ADDRESS).content.decode()
    (person,) = re.findall(r'name="person" value="([^"]+)"', page)
    answer = bob.sign_in().post(address, {"images": [file(jpeg())], "person": person})
    assert answer.status_code == 422
    assert b"you are signed in as @bob now" in answer.content
    assert f'name="person" value="{bob.user.pk}"'.encode() in answer.content
    assert nothing_was_stored(before)
    assert alice.client.post(CHECK, {"person": person}).status_code == 200


@pytest.mark.attack("F50")
def test_without_scripts_a_refused_form_keeps_its_fields_and_says_what_it_cannot_keep(alice, bob):
    fields = {"caption": "At the lake", "rights": "view", "keep_details": "1"}
    for files, names in (([file(b"no picture")], ["bob"]), ([file(jpeg())], ["nobody-here"])):
        answer = alice.sign_in().post(ADDRESS, {"images": files, "recipients": names, **fields})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert f'value="{names[0]}"' in page
        assert 'value="At the lake"' in page
        assert re.search(r'value="view" checked', page)
        assert re.search(r'name="keep_details" value="1" checked', page)
        assert "Choose your images again" in page


@pytest.mark.attack("F50")
def test_what_is_too_much_leads_back_to_the_upload_page(alice, settings):
    settings.MAX_REQUEST_BYTES, settings.DATA_UPLOAD_MAX_NUMBER_FILES = 20_000, 1
    for files in ([file(jpeg() + bytes(20_000))], [file(jpeg()), file(jpeg())]):
        answer = alice.sign_in().post(ADDRESS, {"images": files})
        assert answer.status_code == 413
        assert f'href="{ADDRESS}">Back to the upload page' in answer.content.decode()


# ---- back to where one was -------------------------------------------------------------------


def locked(person) -> Client:
    client = person.sign_in()
    client.post("/accounts/lock/")
    return client


@pytest.mark.attack("F51")
@pytest.mark.parametrize(
    ("came_from", "next_"),
    [
        ("http://testserver/images/upload/", "/images/upload/"),
        ("http://testserver/images/mine/?page=2", "/images/mine/?page=2"),
        ("http://evil.example/images/upload/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_who_was_locked_meanwhile_is_led_back_to_their_page(alice, came_from, next_):
    answer = locked(alice).post(ADDRESS, {"caption": "x"}, headers={"referer": came_from})
    assert answer.url == f"/accounts/unlock/?next={quote(next_, safe='')}"
    page = alice.client.get(answer.url).content.decode()
    assert "nothing was done" in page


@pytest.mark.attack("F51")
def test_a_large_upload_is_led_back_before_it_is_read(alice):
    large = file(jpeg() + bytes(100_000))
    page = {"referer": "http://testserver/images/upload/"}
    answer = locked(alice).post(ADDRESS, {"images": [large]}, headers=page)
    assert answer.url == f"/accounts/unlock/?next={quote(ADDRESS, safe='')}"
    assert b"nothing was done" in alice.client.get(answer.url).content


@pytest.mark.attack("F51")
def test_the_link_to_unlock_leads_back_to_the_page_it_stands_on(alice):
    client = locked(alice)
    assert (
        b'href="/accounts/unlock/?next=/images/mine/%3Fpage%3D1"'
        in client.get("/images/mine/?page=1").content
    )
    assert b'href="/accounts/unlock/"' in client.get("/accounts/unlock/?next=/images/").content
