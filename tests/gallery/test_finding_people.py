"""Finding people by a part of their name: whom one may see, and whom nobody finds."""

import pytest
from django.core.checks import run_checks

from accounts.models import User
from audit.models import AuditEntry
from tests.gallery.test_uploading import post

JSON = {"accept": "application/json"}


def ask(person, text):
    return person.client.post("/people/", {"q": text}, headers=JSON)


def names(person, text) -> list[str]:
    answer = ask(person, text)
    assert answer.status_code == 200, answer.content
    return [one["username"] for one in answer.json()["people"]]


@pytest.fixture
def exchanged(alice, bob):
    """Alice shared an image with bob."""
    post(alice, recipients=["bob"])
    bob.sign_in()


def test_people_one_exchanged_images_with_are_found_by_any_part(alice, bob, exchanged):
    for text in ("bo", "BROOK", "bob bro", "@bob", "rook"):
        assert names(alice, text) == ["bob"], text
    assert names(bob, "ardent") == ["alice"]
    assert ask(alice, "bo").json()["people"][0]["first_time"] is False
    assert ask(bob, "ali").json()["people"][0]["first_time"] is True


@pytest.mark.attack("F132")
def test_a_stranger_is_found_by_the_exact_username_alone(alice, bob, mallory, exchanged):
    mallory.sign_in()
    for text in ("bo", "brook", "bob brook", "o", "bobb"):
        assert names(mallory, text) == [], text
    assert names(mallory, "BOB") == ["bob"] == names(mallory, "@bob")


def test_nobody_finds_themselves(alice, exchanged):
    assert names(alice, "alice") == []
    assert names(alice, "a") == []


@pytest.mark.parametrize(
    ("word", "found"), [("exact", []), ("known", ["bob"]), ("everybody", ["bob"]), ("all", [])]
)
def test_the_operator_widens_and_narrows(alice, exchanged, settings, word, found):
    settings.PEOPLE_SEARCH = word
    assert names(alice, "brook") == found
    assert names(alice, "bob") == ["bob"]


def test_everybody_is_everybody_with_keys(alice, bob, mallory, settings):
    settings.PEOPLE_SEARCH = "everybody"
    User.objects.create_superuser("overseer", "correct horse battery")
    alice.sign_in()
    assert names(alice, "m") == ["mallory"]
    assert names(alice, "seer") == []


@pytest.mark.attack("F132")
def test_trying_names_is_counted_and_typing_a_known_one_is_not(alice, exchanged, settings):
    settings.NAME_LOOKUPS_PER_HOUR = 4  # one was used when the image was shared
    for _ in range(8):
        assert names(alice, "bob") == ["bob"]
    answers = [ask(alice, f"stranger{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


def test_a_name_that_does_not_verify_and_a_disabled_person_are_not_found(alice, bob, exchanged):
    User.objects.filter(pk=bob.user.pk).update(display_name="Bob Brooke")
    assert names(alice, "brooke") == [] == names(alice, "bob")
    User.objects.filter(pk=bob.user.pk).update(display_name="Bob Brook", is_active=False)
    assert names(alice, "bob") == []


def test_signed_out_nobody_is_found_and_locked_one_still_searches(alice, exchanged, client):
    assert client.post("/people/", {"q": "bob"}, headers=JSON).status_code == 401
    alice.client.post("/accounts/lock/")
    assert names(alice, "bro") == ["bob"]


@pytest.mark.parametrize("text", ["", " ", "x" * 101, "\x00"])
def test_a_text_that_is_none_is_refused(alice, exchanged, text):
    assert ask(alice, text).status_code == 422
    assert alice.client.post("/people/", {"q": text}).status_code == 422


@pytest.mark.parametrize("text", ["%", "_", "'; DROP", "😀", "ⅷ"])
def test_any_text_is_answered(alice, exchanged, text):
    assert names(alice, text) == []


def test_the_page_says_whom_it_found_and_what_to_do_otherwise(alice, exchanged):
    recent = alice.client.get("/people/").content.decode()
    assert "/people/bob/" in recent
    assert "/people/bob/" in alice.client.post("/people/", {"q": "bro"}).content.decode()
    none = alice.client.post("/people/", {"q": "carol"}).content.decode()
    assert "Ask the person for their exact username" in none


def test_what_is_typed_is_not_in_the_trail(alice, exchanged):
    ask(alice, "unheard.of")
    assert "unheard.of" not in " ".join(map(str, AuditEntry.objects.values_list("leaf", flat=True)))


@pytest.mark.parametrize(("word", "problems"), [("known", 0), ("nobody", 1)])
def test_a_word_we_do_not_know_is_said_at_the_start(settings, word, problems):
    settings.PEOPLE_SEARCH = word
    assert len([one for one in run_checks() if one.id == "gallery.E003"]) == problems
