"""Naming successors and removing them; the keys they are handed; what they are told."""

import pytest
from django.utils import timezone

from accounts.models import WrappedKey
from audit.models import AuditEntry
from cryptocore import entries
from gallery.models import Circle, Member, Placement, SealedImage, Statement, SuccessorKey
from gallery.services.circles.rekeying import rekey
from gallery.services.deleting import delete_image
from gallery.services.revoking import revoke
from gallery.services.successors import (
    circle_of,
    images_without_key,
    keep_for_successors,
    remove_successor,
)
from tests.accounts.test_oversight import act
from tests.gallery.albums.conftest import opened
from tests.gallery.successors.conftest import name

JSON = {"accept": "application/json"}


def ask(person, address: str = "", **fields):
    return person.client.post(f"/successors/{address}", fields, headers=JSON)


def page(person) -> dict:
    return person.client.get("/successors/", headers=JSON).json()


def notices(person) -> list[tuple]:
    shown = person.client.get("/activity/", headers=JSON).json()["notices"]
    return [(one["kind"], one["sentence"]) for one in shown if one["successors"]]


# ---- naming ----------------------------------------------------------------------------------


def test_somebody_named_is_shown_to_both_and_told(alice, bob, image):
    alice.sign_in()
    assert ask(alice, recipients=["bob"]).json() == {"named": ["bob"]}
    (named,) = page(alice)["named"]
    assert (named["username"], named["waiting"], page(alice)["left"]) == ("bob", False, 0)
    bob.sign_in()
    (naming,) = page(bob)["named_by"]
    assert (naming["username"], naming["is_disabled"], naming["images"]) == ("alice", False, 0)
    sentence = "named you as a successor: if staff disable their account, you can take over"
    assert [(kind, sentence in said) for kind, said in notices(bob)] == [("shared", True)]


def test_the_page_works_with_forms_alone_and_says_what_it_means(alice, bob, image):
    client = alice.sign_in()
    shown = client.get("/successors/").content.decode()
    assert "Name only people you would show everything." in shown
    answer = client.post("/successors/", {"recipients": "bob"}, follow=True)
    assert "can take over your images if staff disable your account." in answer.content.decode()
    answer = client.post("/successors/remove/", {"recipient": str(bob.user.pk)}, follow=True)
    assert "can no longer take over" in answer.content.decode()


@pytest.mark.parametrize("typed", ["", "alice", "nobody-here"])
def test_oneself_nobody_and_unknown_people_are_refused(alice, typed):
    alice.sign_in()
    assert ask(alice, recipients=[typed]).status_code == 422
    assert not Circle.objects.exists()


def told(event: str) -> list[str]:
    return list(
        AuditEntry.objects.filter(event=event)
        .order_by("sequence")
        .values_list("outcome", flat=True)
    )


def test_each_act_is_in_the_trail(alice, bob, carol, named):
    name(alice, carol)
    assert told("successors:made") == ["intended", "done"]
    assert told("successors:named") == ["intended", "done"] * 2
    rekey(keyring=alice.keyring, circle_id=circle_of(alice.user).pk)
    assert told("successors:rekeyed") == ["intended", "done"]
    remove_successor(keyring=alice.keyring, person=bob.user)
    assert told("successors:removed") == ["intended", "done"]
    remove_successor(keyring=alice.keyring, person=carol.user)
    assert told("successors:deleted") == ["intended", "done"]
    alice.sign_in()
    ask(alice, recipients=["nobody-here"])
    assert told("successors:refused") == ["refused"]


def test_a_list_that_does_not_verify_is_said_and_on_record(alice, bob, named):
    Member.objects.filter(reader=alice.user).update(salt=bytes(32))
    Statement.objects.filter(kind="membership").update(signature=bytes(384))
    answer = alice.sign_in().get("/successors/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "altered")
    assert told("successors:altered") == ["failed"]
    assert alice.client.get("/images/mine/").status_code == 200


def test_naming_the_same_again_changes_nothing(alice, bob, image):
    name(alice, bob)
    entries = AuditEntry.objects.filter(event="successors:named").count()
    name(alice, bob)
    assert AuditEntry.objects.filter(event="successors:named").count() == entries


@pytest.mark.attack("F152")
def test_a_circle_of_successors_is_no_album_and_no_team(alice, bob, named):
    circle = circle_of(alice.user)
    bob.sign_in()
    alice.sign_in()
    for person in (alice, bob):
        for kind in ("albums", "teams"):
            assert person.client.get(f"/{kind}/{circle.pk}/").status_code == 404
            assert not person.client.get(f"/{kind}/", headers=JSON).json()[kind]


@pytest.mark.attack("F152")
@pytest.mark.parametrize("kind", ["album", "team"])
def test_called_an_album_or_team_by_its_row_it_opens_nothing(alice, bob, named, kind):
    circle = circle_of(alice.user)
    Circle.objects.filter(pk=circle.pk).update(kind=kind)
    answer = bob.sign_in().get(f"/{kind}s/{circle.pk}/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "altered")


@pytest.mark.attack("F152")
def test_the_key_put_into_a_place_that_nobody_signed_opens_nothing(alice, bob, carol, named):
    circle, key = circle_of(alice.user), SuccessorKey.objects.get()
    entry = entries.encode_entry(kind="album", holder=circle.pk, rights="download")
    terms = {"rights": "download", "entry": entry, "salt": entries.new_salt()}
    place = {"lock": key.lock, "epoch": key.epoch, "wrapped": bytes(key.wrapped)}
    Placement.objects.create(
        circle=circle, image=named, granted_at=timezone.now(), **terms, **place
    )
    answer = bob.sign_in().get(f"/images/{named.pk}/original", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "altered")


def test_what_you_did_says_that_you_named_and_removed_successors(alice, bob, carol, named):
    name(alice, carol)
    remove_successor(keyring=alice.keyring, person=bob.user)
    remove_successor(keyring=alice.keyring, person=carol.user)
    shown = alice.sign_in().get("/activity/mine/").content.decode()
    removed = ["You removed your last successor.", "You removed Bob Brook from your successors."]
    places = [shown.index(words) for words in (*removed, "You named successors.")]
    assert places == sorted(places)
    assert shown.count('<a href="/successors/">') == 4
    acts = alice.client.get("/activity/mine/?what=ended", headers=JSON).json()["acts"]
    assert [(act["event"], act["reader"], act["image"]) for act in acts] == [
        ("successors:deleted", "", ""),
        ("successors:removed", "bob", ""),
    ]


# ---- the keys --------------------------------------------------------------------------------


def test_what_is_sealed_shared_and_locked_anew_is_handed_over(alice, bob, carol, named, upload):
    circle = circle_of(alice.user)
    assert not images_without_key(circle).exists()
    other = upload(to=(carol,))
    assert SuccessorKey.objects.filter(image=other).exists()  # in the very request
    revoke(keyring=alice.keyring, image_id=other.pk, recipient=carol.user)
    assert list(images_without_key(circle)) == [other]
    alice.client.get("/images/mine/")
    assert not images_without_key(circle).exists()
    assert SuccessorKey.objects.get(image=other).lock == SealedImage.objects.get(pk=other.pk).lock


def test_nobody_s_keys_are_handed_over_where_nobody_is_named(alice, upload):
    upload()
    assert not SuccessorKey.objects.exists()


def test_a_deleted_image_leaves_no_key(alice, named):
    delete_image(keyring=alice.keyring, image_id=named.pk)
    keep_for_successors(alice.keyring)
    assert not SuccessorKey.objects.exists()


def test_an_altered_image_keeps_no_other_from_being_handed_over(alice, bob, image, upload):
    other = upload()
    WrappedKey.objects.filter(subject=image.pk).delete()
    name(alice, bob)
    assert [row.image_id for row in SuccessorKey.objects.all()] == [other.pk]


# ---- removing --------------------------------------------------------------------------------


@pytest.mark.attack("F153")
def test_who_is_removed_has_no_key_and_those_who_remain_a_new_one(alice, bob, carol, named):
    name(alice, carol)
    circle, old = circle_of(alice.user), bytes(SuccessorKey.objects.get().wrapped)
    alice.sign_in()
    assert ask(alice, "remove/", recipient="bob").json() == {"removed": "bob"}
    now = circle_of(alice.user)
    assert now.epoch == circle.epoch + 1
    holders = WrappedKey.objects.filter(subject=circle.pk).values_list("key_pair__user", flat=True)
    assert set(holders) == {alice.user.pk, carol.user.pk}
    alice.client.get("/images/mine/")
    row = SuccessorKey.objects.get()
    assert (row.epoch, bytes(row.wrapped) != old) == (now.epoch, True)
    assert SealedImage.objects.get(pk=named.pk).lock == named.lock + 1
    assert row.lock == named.lock + 1
    assert opened(carol, named)


@pytest.mark.attack("F153")
def test_with_the_last_one_everything_of_it_goes(alice, bob, named):
    circle = circle_of(alice.user)
    alice.sign_in()
    assert ask(alice, "remove/", recipient="bob").status_code == 200
    assert circle_of(alice.user) is None
    assert not SuccessorKey.objects.exists()
    assert not WrappedKey.objects.filter(subject=circle.pk).exists()
    bob.sign_in()
    assert page(bob)["named_by"] == []
    assert ("deleted", "Alice Ardent (@alice) no longer names you as a successor.") in notices(bob)
    name(alice, bob)
    assert circle_of(alice.user) != circle


def test_somebody_who_is_none_cannot_be_removed_and_nobody_removes_others(alice, bob, carol, named):
    alice.sign_in()
    assert ask(alice, "remove/", recipient="carol").status_code == 422
    bob.sign_in()
    assert ask(bob, "remove/", recipient="bob").status_code == 422
    assert [one["username"] for one in page(alice)["named"]] == ["bob"]


# ---- once the owner is disabled --------------------------------------------------------------


def test_successors_are_told_and_take_over_everything_by_one_press(
    alice, bob, carol, named, upload, disable
):
    other = upload()
    disable(alice)
    bob.sign_in()
    assert "Staff disabled the account of Alice Ardent" in notices(bob)[0][1]
    (naming,) = page(bob)["named_by"]
    assert (naming["is_disabled"], naming["images"], naming["without_key"]) == (True, 2, 0)
    assert b"Take over 2 images" in bob.client.get("/successors/").content
    answer = ask(bob, "take-over/", owner=str(alice.user.pk)).json()
    assert (set(answer["taken"]), answer["failed"], answer["left"]) == (
        {str(named.pk), str(other.pk)},
        0,
        0,
    )
    mine = bob.client.get("/images/mine/", headers=JSON).json()["images"]
    assert {card["state"] for card in mine} == {"verified"}
    carol.sign_in()
    told = carol.client.get("/activity/", headers=JSON).json()["notices"][0]
    assert told["kind"] == "taken-over"


@pytest.mark.attack("F151")
def test_nobody_else_does_and_not_from_an_active_owner(alice, bob, carol, mallory, named, disable):
    owner = str(alice.user.pk)
    bob.sign_in()
    assert ask(bob, "take-over/", owner=owner).json()["code"] == "owner_active"
    disable(alice)
    for person in (carol, mallory):
        person.sign_in()
        for who in (owner, str(person.user.pk), "x", ""):
            answer = ask(person, "take-over/", owner=who)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert SealedImage.objects.get(pk=named.pk).owner == alice.user


def test_a_reader_who_is_a_successor_is_offered_it_on_the_page_of_the_image(
    alice, bob, carol, named, disable
):
    name(alice, carol)
    address = f"/images/{named.pk}/"
    assert b"You can take over" not in carol.sign_in().get(address).content
    disable(alice)
    assert b"You can take over" in carol.client.get(address).content
    answer = carol.client.post(f"{address}take-over/", follow=True)
    assert b"The image is yours now" in answer.content


def test_staff_see_no_list_of_successors_and_name_none(alice, named, staff):
    act(staff, alice.user, "disable")
    assert staff.get("/successors/", headers=JSON).json().get("code") == "recovery_code_needed"
