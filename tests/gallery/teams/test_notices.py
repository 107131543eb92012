"""Who is in a team hears of what the team is given, as of what is shared with them alone."""

import pytest
from django.core import mail

from accounts.keys.recipients import recipient_of
from gallery.models import Notice, Statement
from gallery.notice_lines import lines_of
from gallery.sealing import MEMBERSHIP
from gallery.services.inbox import read_notices
from gallery.services.mailing import send_mails
from gallery.services.sharing import share_image
from gallery.services.uploading import Terms
from tests.conftest import jpeg
from tests.gallery.teams.conftest import DOWNLOAD, comes, shared_with_team
from tests.gallery.teams.test_pages import post, post_upload

pytestmark = pytest.mark.usefixtures("emptied_storage")


def said(person) -> list[str]:
    """Return the lines of their activity page, newest first."""
    return [one["sentence"] for one in lines_of(read_notices(person.user).notices)]


def kinds(person) -> list[tuple[str, str]]:
    return [(one.kind, one.state.value) for one in read_notices(person.user).notices]


def test_an_image_and_an_album_are_told_to_everybody_in_the_team_but_their_owner(
    image, album, alice, bob, carol
):
    assert said(bob) == [
        "Alice Ardent (@alice) shared an album with you.",
        "Alice Ardent (@alice) shared an image with you.",
        "Alice Ardent (@alice) added you to a team.",
    ]
    assert {state for _kind, state in kinds(bob)} == {"genuine"}
    assert said(alice) == said(carol) == []


def test_many_images_are_one_line_and_so_are_many_albums(team, upload, alice, bob):
    for colour in ("red", "navy", "plum"):
        shared_with_team(team, upload(data=jpeg(colour)))
    for title in ("Lake", "Ridge"):
        place = post(alice, "/albums/new/", title=title).json()["url"]
        post(alice, f"{place}share/", teams=str(team.pk), team_joins=str(team.pk))
    assert said(bob) == [
        "Alice Ardent (@alice) shared 2 albums with you.",
        "Alice Ardent (@alice) shared 3 images with you.",
        "Alice Ardent (@alice) added you to a team.",
    ]
    page = bob.sign_in().get("/activity/").content.decode()
    assert 'href="/albums/"' in page.partition("shared 2 albums")[0].rpartition("<li")[2]


def test_an_upload_for_a_team_is_told_and_other_terms_are_too(team, alice, bob):
    fields = {"teams": str(team.pk), "team_joins": str(team.pk)}
    answer = post_upload(alice.sign_in(), jpeg(), **fields)
    image_id = answer.json()["images"][0]["id"]
    place = f"/images/{image_id}/share/"
    post(alice, place, rights="view", **fields)
    post(alice, place, rights="view", **fields)  # nothing new
    assert said(bob)[:2] == [
        "Alice Ardent (@alice) changed what you may do with an image.",
        "Alice Ardent (@alice) shared an image with you.",
    ]
    assert Notice.objects.filter(person=bob.user).count() == 3


def test_who_is_named_as_well_is_told_once(team, upload, alice, bob):
    fields = {"teams": str(team.pk), "team_joins": str(team.pk)}
    post(alice, f"/images/{upload().pk}/share/", recipients="bob", **fields)
    assert said(bob)[0] == "Alice Ardent (@alice) shared an image with you."
    assert Notice.objects.filter(person=bob.user).count() == 2


@pytest.mark.attack("F174")
def test_who_left_or_was_taken_out_hears_of_nothing_more(team, upload, alice, bob, carol):
    team.add(carol)
    team.take_out(bob)
    team.leave(carol)
    comes(alice)
    shared_with_team(team, upload())
    assert said(bob) == [
        "Alice Ardent (@alice) took you out of a team.",
        "Alice Ardent (@alice) added you to a team.",
    ]
    assert said(carol) == ["Alice Ardent (@alice) added you to a team."]


def test_everybody_hears_that_their_team_is_off_an_image_or_an_album(
    image, album, team, alice, bob, carol
):
    team.add(carol)
    share_image(
        keyring=alice.keyring,
        image_id=image.pk,
        recipients=[recipient_of(carol.user)],
        terms=DOWNLOAD,
    )
    before = said(alice), said(carol)
    assert post(alice, f"/images/{image.pk}/revoke/", team=str(team.pk)).status_code == 200
    assert said(bob)[0] == "Alice Ardent (@alice) ended your access to an image."
    assert (said(alice), said(carol)) == before  # carol has it by herself, too
    assert post(alice, f"/albums/{album.pk}/revoke/", team=str(team.pk)).status_code == 200
    for person in (bob, carol):
        assert said(person)[0] == "Alice Ardent (@alice) ended your access to an album."
    assert {state for _kind, state in kinds(bob)} == {"genuine"}


@pytest.mark.parametrize("what", ["image", "album"])
def test_a_team_whose_list_does_not_verify_is_taken_off_and_nobody_hears_of_it(
    what, image, album, team, alice, bob
):
    place = f"/images/{image.pk}/" if what == "image" else f"/albums/{album.pk}/"
    Statement.objects.filter(kind=MEMBERSHIP, subject=team.pk).delete()
    before = said(bob)
    assert post(alice, f"{place}revoke/", team=str(team.pk)).status_code == 200
    assert bob.sign_in().get(place).status_code == 410
    assert said(bob) == before


@pytest.mark.attack("F174")
def test_a_row_that_nobody_signed_brings_nobody_a_notice(team, upload, bob, carol):
    own = team.circle.members.get(reader=bob.user)
    own.pk, own.reader, own.wrapped_key = None, carol.user, None
    own.save(force_insert=True)
    shared_with_team(team, upload())
    assert "Alice Ardent (@alice) shared an image with you." in said(bob)
    assert not Notice.objects.filter(person=carol.user).exists()


def test_mails_count_them_and_name_nothing(team, upload, bob, days_later, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    bob.user.email = "bob@example.org"
    bob.user.save(update_fields=["email"])
    shared_with_team(team, upload(caption="At the lake"), terms=Terms("view", None))
    days_later(0.1)
    assert send_mails().sent == 1
    (sent,) = mail.outbox
    assert sent.subject == "2 new notices are waiting"
    assert "lake" not in sent.body
