"""An owner who asks for it hears when somebody opens an image for the first time."""

from accounts.models import MacKey
from gallery.models import Notice
from gallery.services.mailing import choose
from tests.gallery.test_sharing import opens, share

JSON = {"accept": "application/json"}


def ask_for_it(person) -> None:
    choose(person=person.user, how="off", first_openings=True)


def sentences(person) -> list[str]:
    shown = person.sign_in().get("/activity/", headers=JSON).json()["notices"]
    assert {notice["state"] for notice in shown} <= {"genuine"}
    return [notice["sentence"] for notice in shown]


def test_the_first_opening_is_told_once(shared_image, alice, bob):
    ask_for_it(alice)
    bob.sign_in().get("/images/")  # thumbnails of a list are no opening
    bob.client.get(f"/images/{shared_image.pk}/thumbnail")
    assert sentences(alice) == []
    for what in ("", "preview", "original"):
        assert bob.client.get(f"/images/{shared_image.pk}/{what}").status_code == 200
    assert sentences(alice) == ["Bob Brook (@bob) opened your image for the first time."]


def test_each_reader_is_told_of_and_the_owner_is_not(shared_image, alice, bob, carol):
    ask_for_it(alice)
    share(alice, shared_image, carol)
    assert opens(alice, shared_image) == 200
    assert opens(bob, shared_image) == 200
    assert opens(carol, shared_image) == 200
    assert len(sentences(alice)) == 2


def test_who_did_not_ask_hears_nothing(shared_image, alice, bob):
    assert opens(bob, shared_image) == 200
    assert sentences(alice) == []
    ask_for_it(alice)
    assert opens(bob, shared_image, "original") == 200  # not the first time any more
    assert sentences(alice) == []


def test_a_refused_opening_is_not_told(shared_image, alice, bob, mallory):
    ask_for_it(alice)
    assert opens(mallory, shared_image) == 404
    bob.sign_in()
    alice.sign_in().post(f"/images/{shared_image.pk}/revoke/", {"recipient": "bob"})
    assert opens(bob, shared_image) == 410
    assert sentences(alice) == []


def test_a_zip_of_several_is_one_line(upload, alice, bob):
    ask_for_it(alice)
    images = [upload(to=(bob,)).pk for _ in range(3)]
    answer = bob.sign_in().post("/images/zip/", {"images": images})
    assert b"".join(answer.streaming_content)
    page = alice.sign_in().get("/activity/").content.decode()
    assert "Bob Brook (@bob) opened 3 of your images for the first time." in page


def test_an_owner_who_cannot_be_told_keeps_nobody_from_opening(shared_image, alice, bob):
    ask_for_it(alice)
    MacKey.objects.filter(user=alice.user).update(wrapped_key=bytes(40))
    assert opens(bob, shared_image) == 200
    assert not Notice.objects.filter(person=alice.user).exists()
