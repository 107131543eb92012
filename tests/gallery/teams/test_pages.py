"""The addresses of teams, and what pages and forms of images say of them."""

import io

import pytest

from accounts.services.rotating.ordering import order_after_theft
from audit.models import AuditEntry
from gallery.models import Circle, Grant, Member, Placement
from gallery.services.circles.making import make_circle
from gallery.services.directory import exchanged_with
from tests.conftest import jpeg
from tests.gallery.teams.conftest import TEAM, Team, shared_with_team
from tests.gallery.teams.test_leaving import lets_members_share
from tests.gallery.test_query_counts import queries

JSON = {"accept": "application/json"}


def post(person, place, **fields):
    return person.sign_in().post(place, fields, headers=JSON)


def post_upload(client, data, **fields):
    file = io.BytesIO(data)
    file.name = "holiday.jpg"
    return client.post("/images/upload/", {"images": [file], **fields}, headers=JSON)


def get(person, place):
    return person.sign_in().get(place, headers=JSON)


def page(person, place):
    return person.sign_in().get(place).content.decode()


def at(team, act=""):
    return f"/teams/{team.pk}/{act}"


def text_of(html: str) -> str:
    return " ".join(html.split())


# ---- a team ----------------------------------------------------------------------------------


def test_a_team_is_made_filled_changed_and_deleted(alice, bob, carol):
    made = post(alice, "/teams/new/", name="Imaging desk", description="Second floor")
    assert made.status_code == 201
    place = made.json()["url"]
    added = post(alice, f"{place}share/", recipients=["bob", "carol"])
    assert added.json() == {
        "added": ["bob", "carol"],
        "changed": [],
        "invited": [],
        "unchanged": [],
        "waiting": [],
    }
    shown = get(bob, place).json()
    assert (shown["name"], shown["owner"]["username"]) == ("Imaging desk", "alice")
    assert [one["username"] for one in shown["people"]] == ["alice", "bob", "carol"]
    assert (shown["members_add"], shown["is_owner"], shown["to_relock"]) == (False, False, 0)
    edited = post(alice, f"{place}edit/", name="Night shift", members_add="1")
    assert edited.json() == {"name": "Night shift", "description": "", "members_add": True}
    (line,) = get(bob, "/teams/").json()["teams"]
    assert (line["name"], line["people"], line["may_share"]) == ("Night shift", 3, True)
    taken_out = post(alice, f"{place}revoke/", recipient="carol")
    assert taken_out.json()["recipient"] == "carol"
    assert post(alice, f"{place}delete/").status_code == 200
    assert get(bob, place).status_code == 410
    assert get(bob, "/teams/").json() == {"teams": []}


@pytest.mark.parametrize(
    ("act", "fields", "field", "code"),
    [
        ("edit/", {"name": ""}, "name", "required"),
        ("share/", {}, "recipients", "required"),
        ("share/", {"recipients": "nobody-here"}, "recipients", "unknown_recipient"),
        ("revoke/", {"recipient": "carol"}, "recipient", "not_a_recipient"),
        ("revoke/", {"recipient": "alice"}, "recipient", "not_a_recipient"),
    ],
)
def test_bad_input_is_told_clearly_and_changes_nothing(
    team, alice, carol, act, fields, field, code
):
    answer = post(alice, at(team, act), **fields)
    assert answer.status_code == 422
    assert answer.json()["errors"][field][0]["code"] == code
    assert alice.client.post(at(team, act), fields).status_code == 422
    assert (Member.objects.count(), team.now.epoch) == (2, 1)


@pytest.mark.attack("F146")
def test_names_of_teams_are_shown_to_people_in_them_alone(team, image, alice, bob, carol, mallory):
    team.add(carol)
    team.take_out(carol)
    for person, status in ((mallory, 404), (carol, 410)):
        answer = person.sign_in().get(at(team))
        assert answer.status_code == status
        assert "Imaging desk" not in answer.content.decode()
    assert "Imaging desk" in page(bob, at(team))
    assert "Imaging desk" not in page(bob, f"/images/{image.pk}/")  # how it came to him: not said
    from tests.gallery.test_sharing import share

    share(alice, image, mallory)
    assert "Imaging desk" not in page(mallory, f"/images/{image.pk}/")


@pytest.mark.attack("F142")
def test_somebody_leaves_with_locked_keys_and_is_out_at_once(team, image, alice, bob):
    from django.conf import settings

    client = bob.sign_in()
    client.cookies.pop(settings.UNLOCK_COOKIE_NAME)
    assert client.post(at(team, "leave/"), headers=JSON).json() == {"left": str(team.pk)}
    assert bob.sign_in().get(f"/images/{image.pk}/preview").status_code == 410
    assert "You have left the team." in bob.client.get(at(team)).content.decode()
    get(alice, "/images/mine/")  # a page with open keys
    assert team.now.epoch == 2


def test_the_page_says_who_waits_and_how_much_is_to_be_encrypted_again(
    team, theirs, alice, bob, carol
):
    lets_members_share(team)
    order_after_theft(carol.user)
    team.add(carol)
    shared_with_team(team, theirs, by=bob)
    people = {one["username"]: one for one in get(alice, at(team)).json()["people"]}
    assert [people[name]["waiting"] for name in ("bob", "carol")] == [False, True]
    assert "Waiting for new keys" in page(alice, at(team))
    answer = post(alice, at(team, "revoke/"), recipient="carol")
    assert answer.json()["to_relock"] == 1  # bob's: he has to be here
    assert "1 image or album still waits" in text_of(page(alice, at(team)))


def test_the_list_asks_as_often_for_six_teams_as_for_two(alice, bob):
    few, many = (_asked_with_more_teams(alice, bob, amount) for amount in (2, 4))
    assert many == few
    assert [line["people"] for line in get(bob, "/teams/").json()["teams"]] == [2] * 6


def _asked_with_more_teams(owner, reader, amount: int):
    for _ in range(amount):
        about = {"title": "Desk", "description": "", "members_add": False}
        Team(owner, make_circle(keyring=owner.keyring, kind=TEAM, **about)).add(reader)
    return queries(reader.sign_in(), "/teams/")


# ---- sharing with one ------------------------------------------------------------------------


@pytest.mark.attack("F140")
@pytest.mark.parametrize("later", [True, False])
def test_sharing_an_image_asks_for_whom_and_does_that(team, upload, alice, bob, carol, later):
    image = upload()
    fields = {"teams": [str(team.pk)], "rights": "view"}
    answer = post(
        alice,
        f"/images/{image.pk}/share/",
        **fields,
        **({"team_joins": [str(team.pk)]} if later else {}),
    )
    assert answer.json()["teams"] == ([str(team.pk)] if later else [])
    assert answer.json()["added"] == ([] if later else ["bob"])
    team.add(carol)
    status = carol.sign_in().get(f"/images/{image.pk}/preview").status_code
    assert status == (200 if later else 404)
    assert bob.sign_in().get(f"/images/{image.pk}/original").status_code == 403


@pytest.mark.parametrize(("sent", "is_later"), [("later", True), ("now", False), (None, False)])
def test_the_page_offers_both_as_one_question_for_each_team(team, upload, alice, sent, is_later):
    image = upload()
    html = text_of(page(alice, f"/images/{image.pk}/"))
    assert "Only the 2 people in it now" in html
    assert "Also people who join later" in html
    fields = {"teams": str(team.pk)}
    if sent:
        fields[f"team_joins-{team.pk}"] = sent
    answer = alice.client.post(f"/images/{image.pk}/share/", fields)
    assert answer.status_code == 302
    assert Placement.objects.exists() == is_later
    html = text_of(page(alice, f"/images/{image.pk}/"))
    assert ("team, 2 people · also people who join later" in html) == is_later


def test_who_also_has_access_through_a_team_is_said_so(team, image, alice, bob):
    from tests.gallery.test_sharing import share

    share(alice, image, bob)
    html = text_of(page(alice, f"/images/{image.pk}/"))
    assert "also has access through Imaging desk, and keeps that." in html
    answer = post(alice, f"/images/{image.pk}/revoke/", recipient="bob")
    assert answer.json()["still_has_access"] is True
    assert bob.sign_in().get(f"/images/{image.pk}/preview").status_code == 200
    answer = post(alice, f"/images/{image.pk}/revoke/", team=str(team.pk))
    assert answer.json()["team"] == str(team.pk)
    assert bob.sign_in().get(f"/images/{image.pk}/preview").status_code == 410


@pytest.mark.parametrize("named", ["", "nonsense", "00000000-0000-4000-8000-000000000000"])
def test_a_team_that_an_image_was_not_shared_with_is_not_ended(upload, alice, named):
    answer = post(alice, f"/images/{upload().pk}/revoke/", team=named)
    assert (answer.status_code, answer.json()["errors"]["recipient"][0]["code"]) == (
        422,
        "not_a_recipient",
    )


@pytest.mark.attack("F145")
def test_members_are_refused_where_only_the_owner_shares_with_later_ones(team, theirs, bob):
    place = f"/images/{theirs.pk}/share/"
    fields = {"teams": [str(team.pk)], "team_joins": [str(team.pk)]}
    answer = post(bob, place, **fields)
    assert answer.json()["errors"]["teams"][0]["code"] == "team_not_for_later"
    assert "its owner shares with people who join later" in text_of(
        page(bob, f"/images/{theirs.pk}/")
    )
    assert post(bob, place, teams=[str(team.pk)]).json()["added"] == ["alice"]


@pytest.mark.attack("F145")
@pytest.mark.parametrize("who", ["mallory", "carol"])
def test_somebody_outside_learns_nobody_in_a_team_by_sharing_with_it(
    team, carol, mallory, who, request
):
    from tests.rows.world import sent

    team.add(carol)
    team.take_out(carol)
    person = request.getfixturevalue(who)
    person.sign_in()
    own = sent(person, person, "olive")
    answer = post(person, f"/images/{own.pk}/share/", teams=[str(team.pk)])
    assert answer.json()["errors"]["teams"][0]["code"] == "team_not_yours"
    assert Grant.objects.filter(image=own).count() == 1


def test_an_upload_is_shared_with_a_team_and_its_retry_finds_it(team, alice, bob, carol):
    fields = {
        "teams": [str(team.pk)],
        "team_joins": [str(team.pk)],
        "upload_id": "7b0e2a52-6f0e-4c57-9d0a-3a1c5a0f7e11",
    }
    data, ids = jpeg("navy"), []
    for _ in range(2):
        answer = post_upload(alice.sign_in(), data, **fields)
        assert answer.status_code == 201
        ids.append(answer.json()["images"][0]["id"])
    assert ids[0] == ids[1]
    team.add(carol)
    assert carol.sign_in().get(f"/images/{ids[0]}/preview").status_code == 200
    del fields["team_joins"]
    errors = post_upload(alice.sign_in(), data, **fields).json()["errors"]
    assert errors["0"][0]["code"] == "stored_before"


def test_a_selection_is_shared_with_a_team_after_it_was_checked(team, upload, alice, carol):
    images = [upload(), upload(data=jpeg("red"))]
    fields = {"images": [str(one.pk) for one in images], "recipients": [""]}
    fields |= {"teams": [str(team.pk)], "team_joins": [str(team.pk)]}
    checked = alice.sign_in().post("/images/selected/share/", fields)
    page = text_of(checked.content.decode())
    assert "Only the people in the team “Imaging desk” and you will be able to open" in page
    assert "People who join it later can open this, too: Alice Ardent decides who that is." in page
    assert not Placement.objects.exists()
    done = post(alice, "/images/selected/share/", confirmed="1", **fields).json()["done"]
    assert [one["teams"] for one in done] == [[str(team.pk)]] * 2
    team.add(carol)
    for image in images:
        assert carol.sign_in().get(f"/images/{image.pk}/preview").status_code == 200


@pytest.mark.attack("F141")
def test_an_album_is_shared_with_a_team_and_taken_back(
    team, make_team, upload, alice, bob, carol, mallory
):
    place = post(alice, "/albums/new/", title="Lake").json()["url"]
    image = upload()
    post(alice, f"{place}add/", images=str(image.pk))
    fields = {"teams": [str(team.pk)], "team_joins": [str(team.pk)]}
    assert post(alice, f"{place}share/", **fields).json()["teams"] == [str(team.pk)]
    team.add(carol)
    (line,) = get(carol, "/albums/").json()["albums"]
    assert (line["title"], line["state"], line["rights"]) == ("Lake", "verified", "download")
    shown = get(carol, place).json()
    assert [one["id"] for one in shown["images"]] == [str(image.pk)]
    assert carol.client.get(f"/images/{image.pk}/preview").status_code == 200
    assert "Imaging desk" not in page(carol, place)
    assert "also people who join later" in page(alice, place)
    assert get(mallory, place).status_code == 404
    assert get(mallory, "/albums/").json()["albums"] == []
    answer = post(alice, f"{place}revoke/", team=str(team.pk))
    assert (answer.json()["team"], answer.json()["to_relock"]) == (str(team.pk), 0)
    assert get(carol, place).status_code == 410
    assert get(carol, "/albums/").json()["albums"] == []
    again = post(alice, f"{place}revoke/", team=str(make_team(alice).pk))
    assert again.json()["errors"]["recipient"][0]["code"] == "not_a_recipient"


# ---- lists, people, notices ------------------------------------------------------------------


def test_images_of_ones_teams_are_among_those_shared_with_one_each_once(
    team, image, make_team, alice, bob, carol, upload
):
    second = make_team(alice, "Night shift")
    second.add(bob)
    shared_with_team(second, image)
    both = upload(data=jpeg("red"))
    from tests.gallery.test_sharing import share

    share(alice, both, bob)
    shared_with_team(team, both)
    listed = get(bob, "/images/").json()
    assert {one["id"] for one in listed["images"]} == {str(image.pk), str(both.pk)}
    assert listed["total"] == 2
    assert listed["images"][0]["state"] == "verified"
    team.leave(bob)
    assert get(bob, "/images/").json()["total"] == 2
    second.leave(bob)
    assert [one["id"] for one in get(bob, "/images/").json()["images"]] == [str(both.pk)]
    assert get(alice, "/images/").json()["total"] == 0


def test_people_of_a_team_in_common_find_each_other(team, bob, carol, mallory):
    assert carol.user not in exchanged_with(bob.user)
    team.add(carol)
    assert carol.user in exchanged_with(bob.user)
    assert bob.user in exchanged_with(carol.user)
    assert not exchanged_with(mallory.user).exists()
    team.leave(carol)
    assert carol.user not in exchanged_with(bob.user)


def test_who_is_added_and_taken_out_is_told_so(team, bob):
    html = page(bob, "/activity/")
    assert "added you to a team." in html
    assert f'href="/teams/{team.pk}/"' in html
    team.take_out(bob)
    assert "took you out of a team." in page(bob, "/activity/")
    kinds = [one["kind"] for one in get(bob, "/activity/").json()["notices"]]
    assert kinds == ["revoked", "shared"]


def test_what_a_stranger_asks_of_a_team_is_on_record(team, mallory):
    get(mallory, at(team))
    refused = AuditEntry.objects.get(event="team:refused").parsed()
    assert (refused.actor, refused.subject) == (mallory.user.pk, team.pk)
    assert Circle.objects.count() == 1
