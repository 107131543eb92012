"""Nobody is shared with who was not meant, however a name is typed or pasted."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.forms import DisplayNameField
from accounts.usernames import is_well_formed
from gallery.models import Grant, SealedImage
from gallery.typed_names import SEPARATORS, lookups_in, read
from tests.conftest import Person

JSON = {"accept": "application/json"}
USERNAMES = ("bob", "carol", "smith", "brook", "dora.d")
# Names that hold what stands between names, and other people's.
TRICKY = st.sampled_from(
    ["Smith, bob", "bob carol", "bob", "Bob (@bob)", "bob, carol;", "x (@bob), Carol", ")", "@bob"]
)


def is_allowed(name: str) -> bool:
    try:
        return DisplayNameField().clean(name) == name
    except ValidationError:
        return False


DISPLAY_NAMES = (TRICKY | st.text(min_size=1, max_size=20)).filter(is_allowed)
PEOPLE = st.dictionaries(st.sampled_from(USERNAMES), DISPLAY_NAMES, min_size=1)


def squeezed(people: dict[str, str]) -> dict[str, str]:
    return {name: " ".join(display_name.split()) for name, display_name in people.items()}


def shown(people: dict[str, str]) -> list[str]:
    return [f"{display_name} (@{name})" for name, display_name in people.items()]


def share(owner: Person, image: SealedImage, typed: str):
    address = f"/images/{image.pk}/share/"
    return owner.sign_in().post(address, {"recipients": [typed]}, headers=JSON)


def refused(typed: str, people: dict[str, str]) -> bool:
    try:
        return any(not is_well_formed(name) for name in read(typed, squeezed(people)))
    except ValidationError:
        return True


@pytest.mark.attack("F79")
@given(people=PEOPLE, between=st.sampled_from([", ", ",", "; ", "\n", "\r\n", " "]))
def test_people_as_pages_show_them_are_those_people(people, between):
    assert read(between.join(shown(people)), squeezed(people)) == list(people)


@pytest.mark.attack("F79")
@given(
    people=PEOPLE,
    plain=st.lists(st.sampled_from(USERNAMES), max_size=3),
    between=st.sampled_from([", ", "; ", "\n", " "]),
    data=st.data(),
)
def test_a_plain_name_among_them_is_kept_or_all_is_refused(people, plain, between, data):
    typed = between.join(data.draw(st.permutations([*shown(people), *plain])))
    if not refused(typed, people):
        assert set(read(typed, squeezed(people))) == {*people, *plain}
    elif between != " ":
        raise AssertionError(typed)


@pytest.mark.attack("F79")
@given(before=DISPLAY_NAMES, now=DISPLAY_NAMES)
def test_who_is_called_otherwise_is_not_guessed_at(before, now):
    is_one_name = not set(SEPARATORS) & set(before)
    if is_one_name and before.split() != now.split():
        assert refused(f"{before} (@bob)", {"bob": now})


# ---- as typed into the page ------------------------------------------------------------------


@pytest.mark.attack("F79")
@pytest.mark.parametrize(
    "typed",
    [
        "Smith, bob (@carol)",
        "bob, x (@carol)",
        "bob carol (@carol)",
        "bob Carol Clay (@carol)",
        "Bob Brook (@carol)",
        "bob Carol Clay",
        "Bob Brook @carol",
        "Carol Clay (@carol)bob",
        "Carol Clay (@carol) bob",
        "(@carol)",
    ],
)
def test_what_is_not_clear_is_shared_with_nobody(alice, bob, carol, shared_image, typed):
    before = set(Grant.objects.values_list("pk", flat=True))
    answer = share(alice, shared_image, typed)
    (error,) = answer.json()["errors"]["recipients"]
    assert (answer.status_code, error["code"]) == (422, "unclear_recipient")
    assert "Type only usernames, with commas between them" in error["message"]
    assert set(Grant.objects.values_list("pk", flat=True)) == before


@pytest.mark.attack("F79")
@pytest.mark.parametrize("display_name", ["Smith, bob", "bob carol", "Bob Brook (@bob)", "bob"])
def test_a_display_name_that_reads_like_others_is_its_persons(
    alice, bob, carol, make_person, shared_image, display_name
):
    make_person("smith")
    make_person("dora", display_name)
    answer = share(alice, shared_image, f"carol, {display_name} (@dora)")
    assert (answer.status_code, answer.json()["added"]) == (200, ["carol", "dora"])


@pytest.mark.attack("F50")
def test_every_name_that_is_looked_up_is_counted():
    for typed, lookups in (
        ("bob", 1),
        ("bob, @carol;dora", 3),
        ("@bob @carol", 2),
        ("Bob Brook (@bob), carol", 2),
        ("(@bob)(@carol)(@dora)", 3),
        (" ,; \n", 0),
    ):
        assert lookups_in(typed) == lookups
