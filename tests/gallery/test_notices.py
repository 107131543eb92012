"""Notices: genuine ones are shown, and every other kind is called what it is."""

import io
import itertools
import json

import pytest
from django.db import connection

from accounts.models import MacKey
from audit.models import AuditEntry
from cryptocore import canonical
from gallery.models import Notice, NoticeHead
from gallery.services import inbox
from gallery.services.inbox import read_notices
from tests.conftest import jpeg
from tests.gallery.test_revoking import post_revoke
from tests.gallery.test_sharing import share

JSON = {"accept": "application/json"}


def states(person):
    return [notice.state.value for notice in read_notices(person.user).notices]


def shown(person):
    return person.sign_in().get("/activity/", headers=JSON).json()["notices"]


@pytest.mark.attack("D5", "D6")
def test_each_act_of_sharing_sends_one_notice_to_each_recipient(upload, alice, bob, carol, mallory):
    image = upload(to=(bob, carol))
    share(alice, image, bob, rights="view")
    post_revoke(alice, image)
    assert [notice["kind"] for notice in shown(bob)] == ["revoked", "changed", "shared"]
    assert [notice["kind"] for notice in shown(carol)] == ["shared"]
    assert shown(alice) == shown(mallory) == []
    assert all(notice["state"] == "genuine" for notice in shown(bob))


@pytest.mark.attack("D8")
@pytest.mark.parametrize("field", ["body", "tag"])
def test_a_flipped_bit_is_altered(shared_image, bob, field):
    notice = Notice.objects.get()
    damaged = bytearray(bytes(getattr(notice, field)))
    damaged[-2] ^= 1
    setattr(notice, field, bytes(damaged))
    notice.save()
    assert states(bob) == ["altered"]
    assert AuditEntry.objects.filter(event="notice:altered", subject=bob.user.pk).count() == 1


def test_a_rewritten_body_is_altered(shared_image, bob, mallory):
    notice = Notice.objects.get()
    body = json.loads(bytes(notice.body))
    body["actor"] = str(mallory.user.pk)
    Notice.objects.update(body=canonical.encode(body))
    (only,) = shown(bob)
    assert only["state"] == "altered"
    assert only["image"] is None
    assert "Mallory" not in only["sentence"]


@pytest.mark.attack("D4")
def test_a_forged_notice_is_altered(bob):
    Notice.objects.create(
        person=bob.user,
        sequence=1,
        body=b'{"kind":"shared"}',
        tag=bytes(32),
        mac_epoch=1,
        created_at="2026-01-01T00:00:00Z",
    )
    assert states(bob)[-1] == "altered"


@pytest.mark.attack("D2", "D4")
def test_another_persons_notice_is_altered(shared_image, bob, carol):
    Notice.objects.update(person=carol.user)
    assert "altered" in states(carol)


@pytest.mark.attack("D2")
def test_a_notice_copied_to_a_new_number_is_repeated(shared_image, bob):
    notice = Notice.objects.get()
    notice.pk, notice.sequence = None, 2
    notice.save(force_insert=True)
    assert states(bob) == ["repeated", "genuine"]


@pytest.mark.attack("D4")
@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_deleted_notice_is_missing_wherever_it_was(upload, bob, lost):
    for _ in range(3):
        upload(to=(bob,))
    Notice.objects.filter(sequence=lost).delete()
    assert states(bob).count("missing") == 1
    assert states(bob).count("genuine") == 2
    assert AuditEntry.objects.filter(event="notice:missing").count() == 1


def test_many_missing_in_a_row_are_one_entry_with_their_number(upload, alice, bob):
    for _ in range(5):
        upload(to=(bob,))
    Notice.objects.filter(sequence__in=[2, 3, 4]).delete()
    assert [(one["state"], one["sequence"], one["count"]) for one in shown(bob)] == [
        ("genuine", 5, 1),
        ("missing", 2, 3),
        ("genuine", 1, 1),
    ]
    assert b"3 notices that were sent to you are missing" in bob.client.get("/activity/").content
    leaf = AuditEntry.objects.get(event="notice:missing").parsed()
    assert leaf.facts == {"first": 2, "count": 3}


@pytest.mark.parametrize("lost", [None, 1, 2, 3, 4, 5])
def test_pages_hide_no_gap_and_invent_none(upload, bob, monkeypatch, lost):
    monkeypatch.setattr(inbox, "PER_PAGE", 2)
    for _ in range(5):
        upload(to=(bob,))
    Notice.objects.filter(sequence=lost).delete()
    client = bob.sign_in()
    pages = client.get("/activity/", headers=JSON).json()["pages"]
    found = [
        notice["sequence"]
        for page in range(1, pages + 1)
        for notice in client.get(f"/activity/?page={page}", headers=JSON).json()["notices"]
        if notice["state"] != "genuine"
    ]
    assert found == ([lost] if lost else [])


@pytest.mark.parametrize("lost", [None, 1, 2, 3, 4, 5])
def test_older_pages_that_begin_after_a_number_hide_no_gap_either(upload, bob, monkeypatch, lost):
    monkeypatch.setattr(inbox, "PER_PAGE", 2)
    for _ in range(5):
        upload(to=(bob,))
    Notice.objects.filter(sequence=lost).delete()
    found, number, before = [], 1, None
    while True:
        read = inbox.read_notices(bob.user, str(number), before=before)
        found += [(notice.state.value, notice.sequence) for notice in read.notices]
        if not read.page.has_next():
            break
        number, before = number + 1, read.page.object_list[-1].sequence
    assert found == [("missing" if n == lost else "genuine", n) for n in (5, 4, 3, 2, 1)]


def test_notices_and_head_both_deleted_are_missing(shared_image, bob):
    Notice.objects.all().delete()
    NoticeHead.objects.all().delete()
    assert states(bob) == ["missing"]


def test_a_new_notice_covers_up_no_deleted_one(upload, bob):
    upload(to=(bob,))
    Notice.objects.all().delete()
    NoticeHead.objects.all().delete()
    upload(to=(bob,))
    assert states(bob) == ["genuine", "missing"]


@pytest.mark.parametrize("sequence", [0, 7, 2**31 - 1])
def test_a_forged_head_keeps_nobody_from_sharing_and_stays_seen(upload, bob, sequence):
    upload(to=(bob,))
    NoticeHead.objects.update(sequence=sequence)
    upload(to=(bob,))
    assert states(bob) == ["genuine", "missing", "genuine"]


@pytest.mark.parametrize("sequence", [2, 2**31 - 1])
def test_a_forged_row_keeps_nobody_from_sharing(upload, bob, sequence):
    upload(to=(bob,))
    forged = Notice.objects.get()
    forged.pk, forged.sequence, forged.tag = None, sequence, bytes(32)
    forged.save(force_insert=True)
    upload(to=(bob,))
    assert states(bob).count("genuine") == 2
    assert "altered" in states(bob)


def test_all_notices_deleted_are_missing(shared_image, bob):
    Notice.objects.all().delete()
    assert states(bob) == ["missing"]


def test_a_forged_head_hides_nothing(shared_image, bob):
    Notice.objects.all().delete()
    NoticeHead.objects.update(sequence=0)
    assert states(bob) == ["missing"]


def test_a_notice_after_a_deleted_one_takes_a_new_number(upload, bob):
    upload(to=(bob,))
    Notice.objects.all().delete()
    upload(to=(bob,))
    assert states(bob) == ["genuine", "missing"]


def test_an_older_mac_key_still_verifies_and_a_lost_one_does_not(shared_image, bob):
    MacKey.objects.filter(user=bob.user).update(notice_key_id="gone")
    assert "genuine" not in states(bob)


def test_what_is_wrong_is_recorded_once_a_day_not_at_every_look(shared_image, bob):
    Notice.objects.update(tag=bytes(32))
    for _ in range(3):
        states(bob)
    assert AuditEntry.objects.filter(event="notice:altered").count() == 1


def test_the_page_marks_notices_read_and_the_script_does_not(shared_image, bob):
    shown(bob)
    assert Notice.objects.filter(read_at=None).exists()
    assert bob.client.get("/activity/").status_code == 200
    assert not Notice.objects.filter(read_at=None).exists()


def test_asking_for_headers_alone_marks_nothing_read(shared_image, bob):
    bob.sign_in().head("/activity/")
    assert Notice.objects.filter(read_at=None).exists()


def test_what_comes_while_a_page_is_made_stays_new(upload, bob):
    upload(to=(bob,))
    read = read_notices(bob.user)
    upload(to=(bob,))
    inbox.mark_read(bob.user, read)
    assert Notice.objects.get(read_at=None).sequence == 2


@pytest.mark.parametrize("page", [1, 2])
def test_what_comes_between_any_two_looks_at_the_database_is_not_missing(
    upload, bob, monkeypatch, page
):
    monkeypatch.setattr(inbox, "PER_PAGE", 2)
    for _ in range(page * 2):  # so that one more begins another page
        upload(to=(bob,))
    looks = 1
    while states_while(upload, bob, page, before=looks) is not None:
        looks += 1
    assert looks > 5
    assert not AuditEntry.objects.filter(event="notice:missing").exists()


def states_while(upload, bob, page, before: int) -> list[str] | None:
    """Read a page while somebody shares before this query of it; None if it has not so many."""
    query = itertools.count(1)

    def share_before(execute, *arguments):
        if next(query) == before:
            upload(to=(bob,))
        return execute(*arguments)

    with connection.execute_wrapper(share_before):
        read = read_notices(bob.user, str(page))
    found = [notice.state.value for notice in read.notices]
    assert set(found) == {"genuine"}
    return found if next(query) > before else None


def test_two_people_of_the_same_name_can_be_distinguished(upload, alice, bob, make_person):
    upload(to=(bob,))
    twin = make_person("alicia", "Alice Ardent")
    assert shown(bob)[0]["sentence"].startswith("Alice Ardent (@alice) shared")
    assert str(twin.user) == str(alice.user)


def test_telling_many_takes_as_many_queries_as_telling_one(
    alice, make_person, django_assert_max_num_queries
):
    people = [make_person(f"reader-{number}") for number in range(6)]
    client = alice.sign_in()
    for count in (1, 6):
        names = [person.username for person in people[:count]]
        send_to(client, names)  # the first notice of anybody looks for earlier ones
    before = Notice.objects.count()
    with django_assert_max_num_queries(200) as queries:
        send_to(client, [person.username for person in people])
    about_notices = [query for query in queries if "gallery_notice" in query["sql"]]
    assert len(about_notices) == 4
    assert Notice.objects.count() == before + 6


def send_to(client, names):
    file = io.BytesIO(jpeg())
    file.name = "x.jpg"
    form = {"images": [file], "recipients": names}
    assert client.post("/images/upload/", form, headers=JSON).status_code == 201


def test_a_locked_person_still_reads_their_notices(shared_image, bob):
    client = bob.sign_in()
    client.post("/accounts/lock/")
    assert client.get("/activity/", headers=JSON).status_code == 200
