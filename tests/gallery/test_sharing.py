"""Sharing later, and changing what was granted."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.keys.recipients import find_people
from accounts.models import KeyPair
from audit.models import AuditEntry
from gallery.models import Grant, Notice, Statement
from gallery.services.sharing import share_image
from gallery.services.uploading import Terms

JSON = {"accept": "application/json"}


def share(person, image, *recipients, **fields):
    names = [
        recipient if isinstance(recipient, str) else recipient.username for recipient in recipients
    ]
    form = {"recipients": names, **fields}
    return person.sign_in().post(f"/images/{image.pk}/share/", form, headers=JSON)


def opens(person, image, what="preview"):
    return person.sign_in().get(f"/images/{image.pk}/{what}").status_code


@pytest.mark.attack("C10")
@pytest.mark.parametrize("verb", ["share", "revoke", "delete"])
def test_a_stranger_gets_the_answer_for_an_absent_image(shared_image, mallory, verb):
    answer = mallory.sign_in().post(
        f"/images/{shared_image.pk}/{verb}/",
        {"recipients": "mallory", "recipient": "bob"},
        headers=JSON,
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("verb", ["share", "revoke", "delete"])
def test_a_recipient_may_not(shared_image, bob, mallory, verb):
    answer = bob.sign_in().post(
        f"/images/{shared_image.pk}/{verb}/",
        {"recipients": "mallory", "recipient": "alice"},
        headers=JSON,
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert opens(mallory, shared_image) == 404


@pytest.mark.parametrize("verb", ["share", "revoke", "delete"])
def test_asking_by_get_is_refused(shared_image, alice, verb):
    assert alice.sign_in().get(f"/images/{shared_image.pk}/{verb}/").status_code == 405


@pytest.mark.parametrize(
    ("names", "code"),
    [([], "required"), (["alice"], "required"), (["nobody-here"], "unknown_recipient")],
)
def test_no_one_oneself_and_unknown_are_refused(shared_image, alice, names, code):
    answer = share(alice, shared_image, *names)
    assert answer.status_code == 422
    assert answer.json()["errors"]["recipients"][0]["code"] == code
    assert Statement.objects.filter(kind="share").count() == 1


def test_a_draft_is_shared_later_and_opens(upload, alice, bob, carol):
    image = upload()
    assert opens(bob, image) == 404
    answer = share(alice, image, bob, carol)
    assert answer.json()["added"] == ["bob", "carol"]
    assert not any(answer.json()[word] for word in ("changed", "unchanged", "waiting"))
    assert opens(bob, image) == opens(carol, image) == 200
    heads = Statement.objects.filter(subject=image.pk, kind="share").order_by("sequence")
    assert [head.sequence for head in heads] == [1, 2]


def test_sharing_again_with_the_same_terms_changes_nothing(shared_image, alice, bob):
    answer = share(alice, shared_image, bob)
    assert answer.json()["unchanged"] == ["bob"]
    assert Statement.objects.filter(kind="share").count() == 1
    assert Notice.objects.filter(person=bob.user).count() == 1


def test_sharing_again_with_other_terms_changes_them(shared_image, alice, bob):
    assert share(alice, shared_image, bob, rights="view").json()["changed"] == ["bob"]
    assert opens(bob, shared_image, "preview") == 200
    assert opens(bob, shared_image, "original") == 403
    assert Notice.objects.filter(person=bob.user).count() == 2


@pytest.mark.attack("D3")
def test_a_replaced_share_statement_gives_no_rights_back(shared_image, alice, bob):
    before = Grant.objects.filter(reader=bob.user).values("entry", "salt", "rights").get()
    share(alice, shared_image, bob, rights="view")
    Grant.objects.filter(reader=bob.user).update(**before)
    assert opens(bob, shared_image, "original") == 409


def test_an_end_within_a_second_is_signed_as_its_row_says(shared_image, alice, carol):
    end = timezone.now().replace(microsecond=1) + timedelta(days=1)
    share_image(
        keyring=alice.keyring,
        image_id=shared_image.pk,
        recipients=find_people([carol.username], besides=alice.user),
        terms=Terms("view", end),
    )
    assert Grant.objects.get(reader=carol.user).ends_at == end.replace(microsecond=0)
    page = alice.sign_in().get(f"/images/{shared_image.pk}/").content.decode()
    assert "added people to this list" not in page
    assert opens(carol, shared_image) == 200


def test_somebody_whose_time_was_over_is_granted_again(shared_image, alice, bob):
    Grant.objects.filter(reader=bob.user).update(ends_at=timezone.now())
    assert opens(bob, shared_image) == 410
    assert share(alice, shared_image, bob).json()["added"] == ["bob"]
    assert opens(bob, shared_image) == 200
    assert Grant.objects.filter(reader=bob.user).count() == 2


@pytest.mark.attack("B9")
def test_an_exchanged_key_stops_the_share(shared_image, alice, carol, mallory):
    theirs = KeyPair.objects.get(user=mallory.user, purpose="encryption")
    KeyPair.objects.filter(user=carol.user, purpose="encryption").update(
        public_key=bytes(theirs.public_key)
    )
    answer = share(alice, shared_image, carol)
    assert answer.json()["errors"]["recipients"][0]["code"] == "no_keys"
    assert not Grant.objects.filter(reader=carol.user).exists()


def test_every_act_is_recorded_as_intended_and_done(shared_image, alice, carol):
    share(alice, shared_image, carol)
    events = AuditEntry.objects.filter(event="image:shared", subject=shared_image.pk)
    assert list(events.order_by("sequence").values_list("outcome", flat=True)) == [
        "intended",
        "done",
    ]


def test_an_act_that_came_between_is_not_overwritten(shared_image, alice, carol, monkeypatch):
    """The head moves while the first try signs; the second try sees it and starts again."""
    from gallery.services import sharing

    calls = []
    real = sharing.store_shared

    def late(*arguments, **options):
        if not calls:
            calls.append("first")
            share(alice, shared_image, carol)
        return real(*arguments, **options)

    monkeypatch.setattr(sharing, "store_shared", late)
    answer = share(alice, shared_image, "bob", rights="view")
    assert answer.json()["changed"] == ["bob"]
    assert opens(carol, shared_image) == 200
    sequences = Statement.objects.filter(kind="share").values_list("sequence", flat=True)
    assert sorted(sequences) == [1, 2, 3]


def test_without_json_the_page_says_what_is_wrong(shared_image, alice):
    answer = alice.sign_in().post(
        f"/images/{shared_image.pk}/share/", {"recipients": "nobody-here"}
    )
    assert answer.status_code == 422
    assert b"nobody-here" in answer.content


def test_the_list_and_the_page_show_readers_to_the_owner_and_not_to_a_recipient(
    shared_image, alice, bob, carol
):
    share(alice, shared_image, carol)
    opens(bob, shared_image)
    owners = alice.sign_in().get(f"/images/{shared_image.pk}/", headers=JSON).json()
    people = {person["username"]: person["opened_count"] for person in owners["people"]}
    assert people == {"bob": 1, "carol": 0}
    readers = bob.client.get(f"/images/{shared_image.pk}/", headers=JSON)
    assert "people" not in readers.json()
    assert b"carol" not in readers.content.lower()
    assert b"carol" not in bob.client.get(f"/images/{shared_image.pk}/").content.lower()
