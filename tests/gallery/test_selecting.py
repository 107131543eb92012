"""Many images at once: what one refuses all refuse, and each is told of by itself."""

import os
import re
import uuid
from dataclasses import replace

import pytest
from django.conf import settings as site
from django.core import signing
from django.core.files.storage import storages
from django.test import Client
from django.utils import timezone

from accounts.keys import pins
from accounts.keys.identities import identity_of
from accounts.models import KeyPair
from audit.events import Event
from audit.models import AuditEntry
from gallery import outcomes, presenting
from gallery.access import access_to
from gallery.models import Grant, Notice, Rendition, SealedImage
from gallery.opening import Opener
from gallery.services import many
from gallery.services.deleting import delete_image
from gallery.services.revoking import revoke
from tests.conftest import jpeg
from tests.gallery.test_sharing import opens, share
from tests.gallery.test_uploading import file, post

JSON = {"accept": "application/json"}
ACTS = ["share", "revoke", "delete"]


def ask(person, act, images, *, headers=JSON, **fields):
    """Post a selection, as somebody signed in already."""
    form = {"images": [str(getattr(one, "pk", one)) for one in images], **fields}
    return person.client.post(f"/images/selected/{act}/", form, headers=headers)


def confirm(person, act, images, **fields):
    return ask(person, act, images, confirmed="1", **fields)


@pytest.fixture
def three(alice, bob):
    """Three images that alice shared with bob, the newest last."""
    alice.sign_in()
    files = [file(jpeg(colour), f"{colour}.jpg") for colour in ("teal", "navy", "olive")]
    ids = [one["id"] for one in post(alice, files, recipients=["bob"]).json()["images"]]
    return [SealedImage.objects.get(pk=one) for one in ids]


def state() -> tuple[int, ...]:
    live = Grant.objects.filter(ended_at=None).count()
    locks = sum(SealedImage.objects.values_list("lock", flat=True))
    return live, locks, Notice.objects.count(), SealedImage.objects.exclude(deleted_at=None).count()


def entries(event) -> int:
    return AuditEntry.objects.filter(event=event, outcome="done").count()


# ---- who may ---------------------------------------------------------------------------------


@pytest.mark.attack("C10", "F98")
@pytest.mark.parametrize("act", ACTS)
def test_one_image_of_somebody_else_refuses_all(three, alice, bob, carol, mallory, act, upload):
    post(mallory, [file(jpeg())])
    theirs = SealedImage.objects.get(owner=mallory.user)
    alice.sign_in()
    before = state()
    for stranger in (theirs.pk, uuid.uuid4()):
        answer = confirm(alice, act, [*three, stranger], recipients="bob")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        tried = {"event": "image:refused", "actor": alice.user.pk, "subject": stranger}
        assert AuditEntry.objects.filter(**tried).exists()
    assert state() == before


@pytest.mark.attack("C10", "F98")
@pytest.mark.parametrize("act", ACTS)
def test_a_recipient_may_not(three, bob, mallory, act):
    bob.sign_in()
    before = state()
    for fields in ({}, {"recipients": "mallory"}, {"recipients": "alice", "confirmed": "1"}):
        answer = ask(bob, act, three, **fields)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert state() == before


@pytest.mark.parametrize("act", ACTS)
def test_a_former_recipient_gets_the_single_answer(three, alice, bob, act):
    revoke(keyring=alice.keyring, image_id=three[0].pk, recipient=bob.user)
    bob.sign_in()
    answer = confirm(bob, act, three[:1], recipients="bob")
    assert (answer.status_code, answer.json()["code"]) == (410, "access_ended")


@pytest.mark.parametrize("act", ACTS)
def test_staff_and_people_who_are_locked_or_signed_out_may_not(three, alice, staff, act, settings):
    before = state()
    answer = staff.post(f"/images/selected/{act}/", {"images": three[0].pk}, headers=JSON)
    assert answer.status_code in (401, 404)
    alice.client.cookies.pop(settings.UNLOCK_COOKIE_NAME)
    assert confirm(alice, act, three, recipients="bob").json()["code"] == "locked"
    alice.client = Client()
    assert confirm(alice, act, three, recipients="bob").json()["code"] == "signed_out"
    assert state() == before


@pytest.mark.parametrize("act", ACTS)
def test_asking_by_get_is_refused(three, alice, act):
    assert alice.client.get(f"/images/selected/{act}/").status_code == 405


# ---- what is selected ------------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("images", "code"),
    [
        ([], "required"),
        (["no-id"], "invalid"),
        (["' OR 1=1 --"], "invalid"),
        ([uuid.UUID(int=number) for number in range(site.MAX_SELECTED + 1)], "too_many_images"),
    ],
    ids=["none", "words", "sql", "one-too-many"],
)
def test_no_image_no_id_and_too_many_are_refused(alice, act, images, code):
    alice.sign_in()
    answer = ask(alice, act, images)
    assert answer.status_code == 422
    assert answer.json()["errors"]["images"][0]["code"] == code
    page = ask(alice, act, images, headers={})
    assert page.status_code == 422
    assert "Nothing was done" in page.content.decode()


def test_as_many_as_may_be_are_looked_up(alice):
    alice.sign_in()
    images = [uuid.UUID(int=number) for number in range(site.MAX_SELECTED)]
    assert ask(alice, "delete", images).status_code == 404


def test_a_script_is_shown_no_thumbnail_and_none_is_on_record(three, alice):
    assert confirm(alice, "share", three, recipients="bob").status_code == 200
    assert entries("thumbnails:opened") == 0
    assert ask(alice, "delete", three, headers={}).status_code == 200
    assert entries("thumbnails:opened") == 1


def test_an_image_sent_twice_is_done_once(three, alice, bob):
    answer = confirm(alice, "revoke", [*three[:1], *three[:1]], recipients="bob")
    assert [one["image"] for one in answer.json()["done"]] == [str(three[0].pk)]
    assert SealedImage.objects.get(pk=three[0].pk).lock == 2


# ---- first a page ----------------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
def test_a_selection_alone_changes_nothing(three, alice, act):
    before = state()
    page = ask(alice, act, three, headers={})
    assert page.status_code == 200
    assert all(f'value="{image.pk}"' in page.content.decode() for image in three)
    assert state() == before


def test_the_check_names_who_can_open_some_already_who_is_new_and_who_looks_alike(
    three, alice, bob, carol, make_person
):
    make_person("bob2", "Bob  Brook")
    share(alice, three[0], carol)
    fields = {"recipients": "bob2", "rights": "view"}
    page = ask(alice, "share", three, headers={}, **fields).content.decode()
    page = " ".join(page.split())
    for sentence in (
        "Bob  Brook (@bob2) and you will be able to open these 3 images.",
        "They can view only.",
        "<li>Bob Brook (@bob) (3 images)</li>",
        "<li>Carol Clay (@carol) (1 image)</li>",
        "You share with Bob  Brook (@bob2) for the first time.",
        "The name Bob  Brook (@bob2) looks like Bob Brook (@bob)",
    ):
        assert " ".join(sentence.split()) in page
    assert ask(alice, "share", three, **fields).json() == {
        "recipients": [{"username": "bob2", "display_name": "Bob  Brook"}],
        "already": [
            {"username": "bob", "display_name": "Bob Brook", "images": 3},
            {"username": "carol", "display_name": "Carol Clay", "images": 1},
        ],
        "first_time": ["bob2"],
        "look_alikes": [["bob2", "bob"]],
        "teams": [],
    }


def test_only_appears_where_nobody_else_can_open_any(upload, alice, bob):
    images = [upload(), upload()]
    page = ask(alice, "share", images, headers={}, recipients="bob").content.decode()
    assert "Only Bob Brook (@bob) and you will be able to open these 2 images." in page
    assert "can be opened by others" not in page


def test_the_revoke_page_names_who_can_open_how_many(three, alice, bob, carol):
    share(alice, three[0], carol)
    page = ask(alice, "revoke", three, headers={}).content.decode()
    assert "3 of 3 images" in page
    assert "1 of 3 images" in page
    people = ask(alice, "revoke", three).json()["people"]
    assert [(one["username"], one["images"]) for one in people] == [("bob", 3), ("carol", 1)]


def test_the_delete_page_says_how_many_people_lose_access(three, alice, bob, carol):
    share(alice, three[0], carol)
    page = ask(alice, "delete", three, headers={}).content.decode()
    assert "2 people besides you lose access." in page
    assert ask(alice, "delete", three).json() == {"images": 3, "people": 2}


@pytest.mark.attack("B6")
def test_somebody_whom_only_a_row_names_is_not_listed(three, alice, mallory):
    grant = Grant.objects.get(image=three[0], reader=alice.user)
    grant.pk, grant.reader, grant.wrapped_key = uuid.uuid4(), mallory.user, None
    grant.save(force_insert=True)
    people = ask(alice, "revoke", three).json()["people"]
    assert [one["username"] for one in people] == ["bob"]


# ---- the acts --------------------------------------------------------------------------------


def test_sharing_many_is_the_single_act_on_each(three, alice, bob, carol):
    before = entries(Event.IMAGE_SHARED)
    answer = confirm(alice, "share", three, recipients=["bob", "carol"])
    assert answer.status_code == 200
    assert answer.json()["left"] == []
    for one, image in zip(answer.json()["done"], three, strict=True):
        assert one == {
            "image": str(image.pk),
            "outcome": "shared",
            "added": ["carol"],
            "changed": [],
            "unchanged": ["bob"],
            "waiting": [],
            "teams": [],
        }
        assert opens(carol, image) == 200
    assert entries(Event.IMAGE_SHARED) == before + 3
    assert Notice.objects.filter(person=carol.user).count() == 3
    assert Notice.objects.filter(person=bob.user).count() == 3


@pytest.mark.attack("C12")
def test_revoking_many_is_the_single_act_on_each(three, alice, bob, carol):
    share(alice, three[0], carol)
    opens(bob, three[0])
    named = [str(bob.user.pk), "carol"]
    done = confirm(alice, "revoke", three, recipients=named).json()["done"]
    receipts = [[(e["recipient"], e["opened"]) for e in one["ended"]] for one in done]
    assert receipts == [[("bob", 1), ("carol", 0)], [("bob", 0)], [("bob", 0)]]
    assert [one["outcome"] for one in done] == ["revoked"] * 3
    assert [opens(bob, image) for image in three] == [410] * 3
    assert opens(carol, three[0]) == 410
    assert entries(Event.IMAGE_REVOKED) == 4
    assert [opens(alice, image) for image in three] == [200] * 3


def test_deleting_many_is_the_single_act_on_each(three, alice, bob, emptied_storage):
    names = list(Rendition.objects.values_list("storage_name", flat=True))
    done = confirm(alice, "delete", three).json()["done"]
    assert [one["outcome"] for one in done] == ["deleted"] * 3
    assert not any(storages["sealed"].exists(name) for name in names)
    assert entries(Event.IMAGE_DELETED) == 3
    assert Notice.objects.filter(person=bob.user).count() == 6


@pytest.mark.attack("D1")
@pytest.mark.parametrize(("act", "fields"), [("share", "carol"), ("revoke", "bob"), ("delete", "")])
def test_sent_twice_it_is_done_once_and_says_so(three, alice, carol, act, fields):
    confirm(alice, act, three, recipients=fields)
    before = state()
    again = confirm(alice, act, three, recipients=fields)
    assert again.status_code == 200
    assert state() == before
    words = {"share": "unchanged", "revoke": "revoked", "delete": "deleted"}
    assert {one["outcome"] for one in again.json()["done"]} == {words[act]}


def test_the_result_page_says_what_happened_to_each(three, alice, bob, carol):
    opens(bob, three[0])
    page = confirm(alice, "revoke", three, headers={}, recipients="bob").content.decode()
    assert "All 3 images are done." in page
    assert "Before that: opened once, downloaded 0×." in page
    assert page.count("Before that: never opened, downloaded 0×.") == 2
    page = confirm(alice, "share", three, headers={}, recipients=["bob", "carol"]).content.decode()
    assert page.count("Bob Brook and Carol Clay can open it.") == 3
    page = confirm(alice, "delete", three, headers={}).content.decode()
    assert page.count("Deleted, for everybody.") == 3
    assert "teal.jpg" in page  # it is still said which


def test_one_act_on_many_is_one_line_of_the_activity_page(three, alice, bob, carol):
    confirm(alice, "share", three, recipients="carol")
    share(alice, three[0], carol, rights="view")
    page = carol.sign_in().get("/activity/").content.decode()
    assert "Alice Ardent (@alice) shared 3 images with you." in page
    assert '<a href="/images/">' in page
    assert "Alice Ardent (@alice) changed what you may do with an image." in page
    assert len(carol.client.get("/activity/", headers=JSON).json()["notices"]) == 4
    confirm(alice, "revoke", three, recipients=["bob", "carol"])
    page = carol.client.get("/activity/").content.decode()
    assert "Alice Ardent (@alice) ended your access to 3 images." in page
    Notice.objects.filter(person=carol.user, sequence=2).update(body=b"{}")
    page = carol.client.get("/activity/").content.decode()
    assert "shared an image with you." in page
    assert "shared 3 images" not in page
    assert "may not be genuine" in page


# ---- one among them --------------------------------------------------------------------------


@pytest.mark.parametrize(("act", "fields"), [("share", "carol"), ("revoke", "bob"), ("delete", "")])
def test_an_image_deleted_meanwhile_is_named_and_the_others_go_on(three, alice, carol, act, fields):
    delete_image(keyring=alice.keyring, image_id=three[1].pk)
    done = confirm(alice, act, three, recipients=fields).json()["done"]
    assert done[1]["outcome"] == "deleted"
    assert done[1]["message"] == "Not changed: it was deleted already."
    assert "deleted" not in {done[0].get("message"), done[2].get("message")}
    assert "message" not in done[0] | done[2]


@pytest.mark.attack("F31")
@pytest.mark.parametrize(("act", "fields"), [("share", "carol"), ("revoke", "bob")])
def test_an_altered_image_is_named_recorded_and_the_others_go_on(three, alice, carol, act, fields):
    SealedImage.objects.filter(pk=three[1].pk).update(lock=7)
    assert ask(alice, act, three, headers={}).status_code == 200
    done = confirm(alice, act, three, recipients=fields).json()["done"]
    assert [one["outcome"] == "altered" for one in done] == [False, True, False]
    assert AuditEntry.objects.filter(event=Event.IMAGE_ALTERED, subject=three[1].pk).count() == 1
    assert entries({"share": Event.IMAGE_SHARED, "revoke": Event.IMAGE_REVOKED}[act]) >= 2


def test_an_altered_image_can_be_deleted(three, alice, emptied_storage):
    SealedImage.objects.filter(pk=three[1].pk).update(lock=7)
    done = confirm(alice, "delete", three).json()["done"]
    assert [one["outcome"] for one in done] == ["deleted"] * 3


def test_somebody_revoked_or_a_lock_changed_between_check_and_confirmation(three, alice, bob):
    ask(alice, "revoke", three)
    revoke(keyring=alice.keyring, image_id=three[0].pk, recipient=bob.user)
    done = confirm(alice, "revoke", three, recipients="bob").json()["done"]
    assert [one["outcome"] for one in done] == ["revoked"] * 3
    assert entries(Event.IMAGE_REVOKED) == 3


def test_people_without_access_are_not_changed_and_nobody_is_refused(three, alice, carol):
    share(alice, three[0], carol)
    done = confirm(alice, "revoke", three, recipients="carol").json()["done"]
    assert [one["outcome"] for one in done] == ["revoked", "unchanged", "unchanged"]
    for names, code in (([], "required"), (["nobody-here"], "not_a_recipient")):
        answer = confirm(alice, "revoke", three, recipients=names)
        assert answer.status_code == 422
        assert answer.json()["errors"]["recipients"][0]["code"] == code


def test_a_part_that_is_away_is_told_of_each_image(three, alice, bob, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gallery.storage._write_and_sync", full)
    done = confirm(alice, "revoke", three, recipients="bob").json()["done"]
    assert [one["outcome"] for one in done] == ["busy"] * 3
    assert [opens(bob, image) for image in three] == [200] * 3


# ---- people ----------------------------------------------------------------------------------


@pytest.mark.attack("B9")
def test_a_changed_compared_key_is_refused_before_anything_is_changed(three, alice, carol, bob):
    identity = identity_of(carol.user.pk)
    pins.note_compared(keyring=alice.keyring, person=carol.user, identity=identity, matches=False)
    before = state()
    for confirmed in ("", "1"):
        answer = ask(alice, "share", three, recipients=["bob", "carol"], confirmed=confirmed)
        assert answer.status_code == 422
        assert answer.json()["errors"]["recipients"][0]["code"] == "key_changed"
    assert state() == before


def test_a_refused_form_leaves_images_people_and_terms_chosen(three, alice, bob):
    fields = {"recipients": ["bob", "nobody-here"], "rights": "view"}
    page = ask(alice, "share", three, headers={}, **fields)
    text = page.content.decode()
    assert page.status_code == 422
    assert all(f'value="{image.pk}"' in text for image in three)
    assert 'value="nobody-here"' in text
    assert 'value="view" checked' in text


def test_somebody_whose_keys_were_stolen_waits(three, alice, carol):
    carol.user.key_pairs.filter(purpose="encryption").update(
        state=KeyPair.State.COMPROMISED, compromised_at=timezone.now()
    )
    done = confirm(alice, "share", three, recipients="carol").json()["done"]
    assert [one["waiting"] for one in done] == [["carol"]] * 3


@pytest.mark.attack("F94")
def test_a_theft_ordered_in_the_middle_stops_wrapping_to_the_stolen_key(
    three, alice, carol, monkeypatch
):
    real = many._do

    def stolen_after_the_first(image_id, act):
        done = real(image_id, act)
        carol.user.key_pairs.filter(purpose="encryption").update(
            state=KeyPair.State.COMPROMISED, compromised_at=timezone.now()
        )
        return done

    monkeypatch.setattr(many, "_do", stolen_after_the_first)
    done = confirm(alice, "share", three, recipients="carol").json()["done"]
    assert [one["outcome"] for one in done] == ["shared", "key_changed", "key_changed"]
    assert Grant.objects.filter(reader=carol.user).count() == 1


# ---- the time of a request -------------------------------------------------------------------


@pytest.fixture
def no_time(monkeypatch):
    monkeypatch.setattr(many, "SECONDS", 0)


@pytest.mark.usefixtures("no_time")
def test_what_a_request_does_not_reach_is_left_for_the_next(three, alice, bob, carol):
    left, rounds = [str(image.pk) for image in three], 0
    while left:
        answer = confirm(alice, "share", left, recipients="carol").json()
        assert len(answer["done"]) == 1
        left, rounds = answer["left"], rounds + 1
    assert rounds == 3
    assert [opens(carol, image) for image in three] == [200] * 3


@pytest.mark.attack("F101")
@pytest.mark.parametrize("end", ["lock", "logout"])
@pytest.mark.parametrize(
    ("act", "fields"),
    [("share", {"recipients": "carol"}), ("revoke", {"recipients": "bob"}), ("delete", {})],
)
def test_an_act_goes_no_further_once_its_person_locked_or_signed_out(
    three, alice, carol, monkeypatch, act, fields, end
):
    real, other = many._do, Client()
    other.cookies = alice.client.cookies.copy()

    def done_and_then_locked(*arguments):
        done = real(*arguments)
        other.post(f"/accounts/{end}/")
        return done

    monkeypatch.setattr(many, "_do", done_and_then_locked)
    answer = confirm(alice, act, three, **fields).json()
    assert [one["image"] for one in answer["done"]] == [str(three[0].pk)]
    assert answer["left"] == [str(image.pk) for image in three[1:]]


def hidden_fields(page: str) -> dict[str, list[str]]:
    """Return the fields of the form that goes on."""
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page):
        fields.setdefault(name, []).append(value)
    return fields


@pytest.mark.usefixtures("no_time")
@pytest.mark.parametrize(("act", "who"), [("share", "carol"), ("revoke", "bob"), ("delete", "")])
def test_pages_go_on_and_the_last_says_what_happened_to_each(three, alice, carol, act, who):
    page = confirm(alice, act, three, headers={}, recipients=who).content.decode()
    assert "1 of 3 done" in page
    assert "Continue with the other 2" in page
    for _ in range(2):
        form = hidden_fields(page)
        page = alice.client.post(f"/images/selected/{act}/", form).content.decode()
    assert "All 3 images are done." in page
    assert all(f"{colour}.jpg" in page for colour in ("teal", "navy", "olive"))


@pytest.mark.attack("F99")
@pytest.mark.usefixtures("no_time")
def test_what_is_carried_is_one_persons_of_one_act_and_nobody_elses_word(three, alice, bob, carol):
    page = confirm(alice, "share", three, headers={}, recipients="carol").content.decode()
    carried = hidden_fields(page)["done"][0]
    same = {"person": alice.user, "act": "share", "people": ["carol"]}
    assert len(outcomes.carried_on(carried, **same)) == 1
    assert outcomes.carried_on(carried, **{**same, "person": bob.user}) == []
    assert outcomes.carried_on(carried, **{**same, "act": "delete"}) == []
    assert outcomes.carried_on(carried, **{**same, "people": ["bob"]}) == []
    forged = signing.dumps(signing.loads(carried, salt=outcomes.SALT), key="x", salt=outcomes.SALT)
    for value in (forged, carried[:-1], "", "é"):
        assert outcomes.carried_on(value, **same) == []


def test_what_is_carried_of_a_thousand_long_captions_fits_in_a_form(three, alice):
    """What compresses least: characters of three bytes, at random."""
    access = access_to(three[0].pk, reader=alice.user)
    (card,) = presenting.cards([access], Opener(alice.keyring))
    told = []
    for _ in range(site.MAX_SELECTED):
        caption = "".join(chr(0x4E00 + 64 * byte) for byte in os.urandom(500))
        named = replace(card, caption=caption)
        told.append(outcomes.outcome_of(many.Done(uuid.uuid4()), named, outcomes.tell_deleted))
    carried = outcomes.carried(told, person=alice.user, act="delete", people=[])
    assert len(carried) < site.DATA_UPLOAD_MAX_MEMORY_SIZE / 2


@pytest.mark.usefixtures("no_time")
def test_names_are_counted_once_for_an_act_of_many_requests(three, alice, carol, settings):
    settings.NAME_LOOKUPS_PER_HOUR = 2  # one was for the upload
    page = confirm(alice, "share", three, headers={}, recipients="carol").content.decode()
    form = hidden_fields(page)
    assert alice.client.post("/images/selected/share/", form).status_code == 200
    assert confirm(alice, "share", three, recipients="nobody-here").status_code == 429


@pytest.mark.attack("C10")
@pytest.mark.parametrize("name", ["carol", "nobody-here", "06abea66-8e01-4d09-a9b2-168f6dc6a871"])
def test_names_are_counted_where_an_answer_says_whether_there_is_such_a_person(
    three, alice, carol, settings, name
):
    settings.NAME_LOOKUPS_PER_HOUR = 2  # one was for the upload
    assert confirm(alice, "revoke", three[:1], recipients=name).status_code in (200, 422)
    assert confirm(alice, "revoke", three[:1], recipients=name).status_code == 429
    assert confirm(alice, "revoke", three[:1], recipients=["bob", name]).status_code == 429
    assert confirm(alice, "revoke", three, recipients="bob").status_code == 200


@pytest.mark.attack("C10")
@pytest.mark.parametrize("where", ["selected/share", "{image}/share", "upload/check"])
def test_what_is_said_of_accepted_keys_does_not_say_who_exists(three, alice, carol, where):
    address = f"/images/{where}/".format(image=three[0].pk)

    def said(name):
        form = {"images": three[0].pk, "accept_changed": f"C (@{name})"}
        answer = alice.client.post(address, form, headers=JSON)
        return answer.status_code, answer.content.decode().replace(name, "…")

    assert said("carol") == said("nobody-here")


# ---- the lists -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "boxes", "ticked"), [("", 0, 0), ("?select=1", 3, 0), ("?select=all", 3, 3)]
)
def test_a_list_has_boxes_only_where_somebody_selects(three, alice, query, boxes, ticked):
    page = alice.client.get(f"/images/mine/{query}").content.decode()
    assert page.count('type="checkbox" name="images"') == boxes
    assert page.count(" checked>") == ticked
    assert page.count('class="image-card card"') == 3 - boxes
    assert ("Delete…" in page) == bool(boxes)


def test_a_recipient_can_select_only_to_download(three, bob):
    page = bob.sign_in().get("/images/?select=1").content.decode()
    assert page.count('type="checkbox" name="images"') == 3
    assert "Download" in page
    for act in ACTS:
        assert f"/images/selected/{act}/" not in page


def test_images_are_selected_while_locked_too(three, alice, settings):
    alice.client.cookies.pop(settings.UNLOCK_COOKIE_NAME)
    page = alice.client.get("/images/mine/?select=1").content.decode()
    assert page.count('type="checkbox" name="images"') == 3
    assert "teal.jpg" not in page
