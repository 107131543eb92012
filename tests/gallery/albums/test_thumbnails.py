"""The thumbnails of an album in one answer."""

from gallery.services.albums.rekeying import revoke_member
from tests.gallery.test_query_counts import queries_of
from tests.gallery.test_thumbnails import ask, own, parts


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
    assert sum(few[1:]) < 25
