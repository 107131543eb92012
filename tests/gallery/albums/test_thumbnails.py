"""The thumbnails of an album in one answer."""

import pytest

from gallery.services.circles.placing import take_out
from gallery.services.circles.rekeying import revoke_member
from gallery.services.revoking import revoke
from tests.gallery.test_query_counts import queries_of
from tests.gallery.test_thumbnails import ask, entries, meanwhile, own, parts


def test_of_an_album_each_member_gets_all_and_a_former_member_none(
    album, upload, alice, bob, carol
):
    images = [upload() for _ in range(3)]
    for one in images:
        album.place(one)
    album.share(carol)
    ids = [str(one.pk) for one in images]
    bob.sign_in()
    carol.sign_in()
    for person in (bob, carol):
        assert parts(ask(person, *ids)) == {one: own(person, one) for one in ids}
    revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=carol.user)
    assert parts(ask(carol, *ids)) == dict.fromkeys(ids, "access_ended")
    assert parts(ask(bob, *ids)) == {one: own(bob, one) for one in ids}


def test_forty_cost_as_many_queries_as_three(album, upload, bob):
    granted = [upload(to=(bob,)).pk for _ in range(12)]
    placed = [upload() for _ in range(12)]
    for one in placed:
        album.place(one)
    bob.sign_in()
    through = [one.pk for one in placed]
    ask(bob, *granted, *through)  # keys and certificates of one owner are remembered from here
    few = queries_of(lambda: ask(bob, *granted[:2], *through[:1]), "few")
    assert queries_of(lambda: ask(bob, *granted, *through), "many")[1:] == few[1:]
    assert sum(few[1:]) < 30


@pytest.mark.attack("F161")
def test_who_is_taken_out_of_an_album_while_its_images_are_read_gets_none(
    album, image, upload, alice, bob, monkeypatch
):
    """The next key comes at once, the images' own locks when their owners are here: bytes and keys
    of before still open what was fetched before."""
    later, granted = upload(), upload(to=(bob,))
    album.place(later)
    bob.sign_in()
    act = {"keyring": alice.keyring, "circle_id": album.pk, "recipient": bob.user}
    meanwhile(monkeypatch, lambda: revoke_member(**act))
    found = parts(ask(bob, image.pk, granted.pk, later.pk))
    assert found.pop(str(granted.pk)) == own(bob, granted.pk)
    assert found == dict.fromkeys((str(image.pk), str(later.pk)), "access_ended")
    assert entries(bob, "image:refused") == 2


@pytest.mark.attack("F161")
def test_an_image_taken_out_of_an_album_while_it_is_read_does_not_come(
    album, image, upload, alice, bob, monkeypatch
):
    later = upload()
    album.place(later)
    bob.sign_in()
    act = {"keyring": alice.keyring, "circle_id": album.pk, "image_id": later.pk}
    meanwhile(monkeypatch, lambda: take_out(**act))
    found = parts(ask(bob, image.pk, later.pk))
    assert found == {str(image.pk): own(bob, image.pk), str(later.pk): "access_ended"}


def test_who_keeps_another_way_gets_what_is_read_meanwhile(album, image, alice, bob, monkeypatch):
    answer = alice.client.post(f"/images/{image.pk}/share/", {"recipients": "bob"})
    assert answer.status_code == 302
    bob.sign_in()
    act = {"keyring": alice.keyring, "image_id": image.pk, "recipient": bob.user}
    meanwhile(monkeypatch, lambda: revoke(**act))
    assert parts(ask(bob, image.pk)) == {str(image.pk): own(bob, image.pk)}
