"""Before anybody gets access its owner reads who will be able to open what, and says yes."""

import re
from html import unescape

import pytest

from audit.models import AuditEntry
from gallery.models import Grant, Invitation, Member, SealedImage
from tests.conftest import jpeg

JSON = {"accept": "application/json"}


def post(person, place, **fields):
    return person.unlocked().post(place, fields)


def made(person, place, **fields) -> str:
    answer = person.unlocked().post(place, fields, headers=JSON)
    assert answer.status_code == 201, answer.content
    return answer.json()["url"]


def text_of(answer) -> str:
    """Return what a page says, as one reads it."""
    main = answer.content.decode().partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def fields_of(answer) -> dict[str, list[str]]:
    """Return what the check's form sends on."""
    form = answer.content.decode().partition("<main")[2]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(unescape(value))
    found.pop("csrfmiddlewaretoken", None)
    return found


def confirm(person, place, asked, **more):
    return post(person, place, **{**fields_of(asked), "confirmed": "1", **more})


def state() -> tuple[int, ...]:
    shares = AuditEntry.objects.filter(event__contains="shared").count()
    live = Grant.objects.filter(ended_at=None).count()
    return shares, live, Member.objects.filter(ended_at=None).count(), Invitation.objects.count()


@pytest.fixture
def image(upload) -> SealedImage:
    return upload(caption="At the lake")


@pytest.fixture
def album(alice) -> str:
    return made(alice, "/albums/new/", title="Lake")


@pytest.fixture
def team(alice, bob) -> str:
    """Alice's team with bob in it."""
    place = made(alice, "/teams/new/", name="Desk")
    assert post(alice, f"{place}share/", recipients="bob").status_code == 302
    return place


def id_in(place: str) -> str:
    return place.split("/")[2]


@pytest.fixture(params=["image", "album", "team"])
def gives_access(request, alice, image) -> tuple[str, str]:
    """A form's page, and where it goes."""
    if request.param == "image":
        return f"/images/{image.pk}/", f"/images/{image.pk}/share/"
    titles = {"title": "Lake", "name": "Lake"}
    place = made(alice, f"/{request.param}s/new/", **titles)
    return place, f"{place}share/"


# ---- every form asks first ---------------------------------------------------------------------


def test_a_form_asks_first_names_everybody_and_does_it_then(gives_access, alice, bob, carol):
    page, place = gives_access
    form = alice.unlocked().get(page).content.decode()
    assert re.search(rf'action="{place}"[^>]*>.*?name="confirmed" value="0"', form, re.DOTALL)
    before = state()
    asked = post(alice, place, recipients=["bob, carol"], rights="view", confirmed="0")
    assert asked.status_code == 200
    assert "Bob Brook (@bob), Carol Clay (@carol)" in text_of(asked)
    assert "for the first time. Are these the right people?" in text_of(asked)
    assert state() == before
    assert fields_of(asked)["recipients"] == ["bob", "carol"]
    assert confirm(alice, place, asked).status_code == 302
    shown = text_of(alice.client.get(page))
    assert "@bob" in shown
    assert "@carol" in shown
    again = text_of(post(alice, place, recipients="bob", confirmed="0"))
    assert "for the first time" not in again


def test_a_word_that_is_no_answer_is_asked_again(gives_access, alice, bob):
    _page, place = gives_access
    for word in ("", "yes", "2"):
        before = state()
        asked = post(alice, place, recipients="bob", confirmed=word)
        assert "Check before you" in text_of(asked)
        assert state() == before


def test_what_was_chosen_is_kept_on_the_way_back(gives_access, alice, bob, carol):
    page, place = gives_access
    asked = post(alice, place, recipients="bob", rights="view", confirmed="0")
    back = confirm(alice, place, asked, confirmed="change")
    assert back.status_code == 200
    html = back.content.decode()
    assert 'name="recipients" value="bob"' in html
    assert f'formaction="{place}#' in asked.content.decode()
    assert not Grant.objects.filter(reader=bob.user).exists()
    assert "team" in page or 'value="view" checked' in html


def test_what_is_wrong_is_said_on_the_form_and_not_after_the_check(gives_access, alice, bob):
    _page, place = gives_access
    for names in ("nobody-here", ""):
        answer = post(alice, place, recipients=["bob", names] if names else "", confirmed="0")
        assert answer.status_code == 422
        assert "Check before you" not in text_of(answer)


@pytest.mark.attack("F172")
def test_nobody_else_is_told_or_asks_for_it(gives_access, alice, bob, mallory):
    _page, place = gives_access
    for step in ("0", "1", "change"):
        answer = post(mallory, place, recipients="bob", confirmed=step)
        assert answer.status_code == 404
        assert "Bob Brook" not in text_of(answer)


@pytest.mark.attack("F172")
def test_asking_counts_the_names_that_are_looked_up(gives_access, alice, bob, settings):
    _page, place = gives_access
    settings.NAME_LOOKUPS_PER_HOUR = 3
    tries = [post(alice, place, recipients=f"name{n}", confirmed="0") for n in range(4)]
    assert [answer.status_code for answer in tries] == [422, 422, 422, 429]


# ---- the sentence is true ----------------------------------------------------------------------


@pytest.mark.attack("F171")
def test_only_is_said_while_nobody_else_can_open_it(image, album, team, alice, bob, carol):
    place = f"/images/{image.pk}/share/"
    asked = text_of(post(alice, place, recipients="bob", confirmed="0"))
    assert "Only Bob Brook (@bob) and you will be able to open this image." in asked
    post(alice, f"{album}add/", images=str(image.pk))
    asked = text_of(post(alice, place, recipients="bob", confirmed="0"))
    assert "Bob Brook (@bob) and you will be able to open this image." in asked
    assert "Only" not in asked
    assert "Who can open it already: the album “Lake”" in asked
    post(alice, place, teams=id_in(team), team_joins=id_in(team))
    post(alice, place, recipients="carol")
    invited = {"invite-display_name": "Dr. Lee"}
    assert post(alice, place, **invited).status_code == 201
    asked = text_of(post(alice, place, recipients="bob", confirmed="0"))
    others = "Carol Clay (@carol) the album “Lake” the people in the team “Desk” Dr. Lee (invited)"
    assert f"Who can open it already: {others}" in asked


@pytest.mark.attack("F171")
def test_the_check_of_an_album_names_who_is_in_it(album, team, image, alice, bob, carol):
    post(alice, f"{album}add/", images=str(image.pk))
    asked = text_of(post(alice, f"{album}share/", recipients="carol", confirmed="0"))
    assert (
        "Only Carol Clay (@carol) and you will be able to open the album “Lake”: 1 image" in asked
    )
    fields = {"teams": id_in(team), "team_joins": id_in(team)}
    asked = post(alice, f"{album}share/", confirmed="0", **fields)
    assert "Only the people in the team “Desk” and you" in text_of(asked)
    assert "In the team “Desk” are 2 people now." in text_of(asked)
    assert "Alice Ardent decides who that is" in text_of(asked)
    assert confirm(alice, f"{album}share/", asked).status_code == 302
    asked = text_of(post(alice, f"{album}share/", recipients="carol", confirmed="0"))
    assert "Who can open it already: the people in the team “Desk”" in asked
    assert "Only" not in asked


@pytest.mark.attack("F171")
def test_a_title_cannot_speak_for_the_page(image, alice, bob):
    title = "<b>x</b>” and nobody else"
    album = made(alice, "/albums/new/", title=title)
    answer = post(alice, f"{album}share/", recipients="bob", confirmed="0")
    assert "“&lt;b&gt;x&lt;/b&gt;” and nobody else”" in answer.content.decode()


@pytest.mark.attack("F170")
def test_who_joins_a_team_after_the_check_is_not_of_its_people_of_now(
    image, team, alice, bob, carol
):
    place = f"/images/{image.pk}/share/"
    fields = {"teams": id_in(team), f"team_joins-{id_in(team)}": "now"}
    asked = post(alice, place, confirmed="0", **fields)
    assert "Only Bob Brook (@bob) and you" in text_of(asked)
    post(alice, f"{team}share/", recipients="carol")
    confirm(alice, place, asked)
    readers = Grant.objects.filter(image=image).values_list("reader__username", flat=True)
    assert set(readers) == {"alice", "bob"}


@pytest.mark.attack("F170")
def test_who_cannot_receive_any_more_is_refused_after_the_check(gives_access, alice, bob):
    _page, place = gives_access
    asked = post(alice, place, recipients="bob", confirmed="0")
    bob.user.is_active = False
    bob.user.save(update_fields=["is_active"])
    assert confirm(alice, place, asked).status_code == 422
    assert not Grant.objects.filter(reader=bob.user).exists()


def test_somebody_invited_is_named_and_whoever_is_called_the_same(image, alice, make_person):
    make_person("lee", "Dr. Lee")
    place = f"/images/{image.pk}/share/"
    post(alice, place, recipients="lee")
    other = SealedImage.objects.get(pk=image.pk)
    fields = {"invite-display_name": "Dr.  Lee", "invite-email": "lee@example.org"}
    fields |= {"invite-spoken_code": "Blue river 42", "invite-days": "3"}
    asked = post(alice, f"/images/{other.pk}/share/", confirmed="0", **fields)
    assert "Dr. Lee (invited) and you will be able to open this image." in text_of(asked)
    assert "gets a link at lee@example.org" in text_of(asked)
    assert "Dr. Lee (@lee), whom you shared with before, has an account." in text_of(asked)
    assert not Invitation.objects.exists()
    sent = fields_of(asked)
    assert {name: sent[name] for name in fields} == {name: [v] for name, v in fields.items()}
    assert confirm(alice, place, asked).status_code == 201
    assert Invitation.objects.get().code_salt


def test_look_alikes_are_looked_for_among_people_of_albums_and_teams(
    image, team, alice, make_person
):
    make_person("bob2", "Bob Brook")
    asked = text_of(post(alice, f"/images/{image.pk}/share/", recipients="bob2", confirmed="0"))
    assert "The name Bob Brook (@bob2) looks like Bob Brook (@bob)" in asked


def test_a_script_that_asks_first_gets_the_same_facts(gives_access, alice, bob):
    _page, place = gives_access
    fields = {"recipients": "bob", "confirmed": "0"}
    answer = alice.unlocked().post(place, fields, headers=JSON)
    bob_json = {"username": "bob", "display_name": "Bob Brook"}
    assert answer.json() == {
        "recipients": [bob_json],
        "teams": [],
        "already": [],
        "first_time": ["bob"],
        "look_alikes": [],
    }
    assert not Grant.objects.filter(reader=bob.user).exists()


def test_many_images_say_how_many_are_in_an_album(upload, album, alice, bob):
    images = [str(upload(data=jpeg(colour)).pk) for colour in ("red", "navy")]
    post(alice, f"{album}add/", images=images[0])
    asked = text_of(post(alice, "/images/selected/share/", images=images, recipients="bob"))
    assert "Who can open some of them already: the album “Lake” (1 image)" in asked


def test_many_images_are_shared_with_a_team_alone(upload, team, alice):
    place, images = "/images/selected/share/", [str(upload().pk)]
    teams = {"teams": id_in(team), f"team_joins-{id_in(team)}": "later"}
    asked = post(alice, place, images=images, recipients="", confirmed="0", **teams)
    assert "Only the people in the team “Desk” and you" in text_of(asked)
    done = text_of(confirm(alice, place, asked))
    assert "Everybody in the team, and who joins it later, can open it." in done


# ---- uploads, albums that images are added to, invitations ---------------------------------------


def test_an_upload_says_who_will_open_it_before_its_files_are_sent(album, alice, bob, carol):
    post(alice, f"{album}share/", recipients="carol")
    fields = {"recipients": "bob", "rights": "view", "caption": "Lake", "album": id_in(album)}
    asked = post(alice, "/images/upload/check/", image_count="4", **fields)
    everybody = "Bob Brook (@bob), everybody who can open the album “Lake”"
    assert f"Only {everybody} and you will be able to open these 4 images." in text_of(asked)
    assert "Who can open the album “Lake”: Carol Clay (@carol)" in text_of(asked)
    assert 'action="/images/upload/"' in asked.content.decode()
    assert "data-ask-first" in asked.content.decode()
    assert {name: fields_of(asked)[name] for name in fields} == {k: [v] for k, v in fields.items()}
    assert not SealedImage.objects.exists()
    back = confirm(alice, "/images/upload/check/", asked, confirmed="change")
    assert back.status_code == 200
    assert 'value="Lake"' in back.content.decode()


def test_what_nobody_else_gets_is_not_asked_about(album, alice):
    for fields in ({}, {"album": id_in(album)}):
        asked = post(alice, "/images/upload/check/", image_count="1", **fields)
        assert "data-ask-first" not in asked.content.decode()
    assert "everybody who can open the album" in text_of(asked)


@pytest.mark.attack("F172")
def test_of_somebody_elses_album_no_member_is_named(alice, bob, carol):
    album = made(alice, "/albums/new/", title="Lake", members_add="1")
    post(alice, f"{album}share/", recipients=["bob", "carol"])
    asked = text_of(post(bob, "/images/upload/check/", album=id_in(album)))
    assert "Only everybody who can open the album “Lake” and you" in asked
    assert "Alice Ardent (@alice) decides who can open the album “Lake”." in asked
    assert "Carol" not in asked
    theirs = "/images/upload/check/"
    assert post(carol, theirs, album=id_in(made(bob, "/albums/new/", title="B"))).status_code == 422


def test_images_are_added_to_a_shared_album_after_a_check(album, image, alice, bob):
    place, fields = "/images/selected/album/", {"images": str(image.pk), "album": id_in(album)}
    assert "Adding to the album is done" in text_of(post(alice, place, confirmed="0", **fields))
    post(alice, f"{album}remove/", images=str(image.pk))
    post(alice, f"{album}share/", recipients="bob")
    for address in (place, f"{album}add/"):
        asked = post(alice, address, confirmed="0", **fields)
        sentence = "Everybody who can open the album “Lake” will be able to open this image."
        assert sentence in text_of(asked)
        assert "Who can open the album “Lake”: Bob Brook (@bob)" in text_of(asked)
        assert bob.unlocked().get(f"/images/{image.pk}/").status_code == 404
    back = confirm(alice, place, asked, confirmed="change", **fields)
    assert back.status_code == 200
    assert "checked" in back.content.decode()
    assert "is done" in text_of(confirm(alice, place, asked, **fields))
    assert bob.client.get(f"/images/{image.pk}/").status_code == 200


def test_somebody_is_invited_after_a_check(alice):
    fields = {"display_name": "Dr. Lee", "days": "3", "spoken_code": "Blue river 42"}
    asked = post(alice, "/invitations/", confirmed="0", **fields)
    assert "Dr. Lee will be able to make an account here" in text_of(asked)
    assert not Invitation.objects.exists()
    back = confirm(alice, "/invitations/", asked, confirmed="change")
    assert 'value="Dr. Lee"' in back.content.decode()
    assert confirm(alice, "/invitations/", asked).status_code == 201
    assert post(alice, "/invitations/", confirmed="0", display_name="").status_code == 422
