"""Notices taken away together with their count: an older head, genuine in its time, put back."""

import pytest

from audit.models import AuditEntry
from gallery.models import Notice, NoticeHead
from gallery.services.inbox import read_notices
from tests.gallery.test_sharing import share


def put_back(head: NoticeHead, *, person, dropped: int) -> None:
    Notice.objects.filter(person=person, sequence__gt=dropped).delete()
    NoticeHead.objects.filter(person=person).delete()
    head.save(force_insert=True)


def states(person):
    return [notice.state.value for notice in read_notices(person.user).notices]


@pytest.mark.attack("D3")
def test_a_dropped_share_leaves_a_gap_though_the_head_is_genuine(upload, bob):
    upload(to=(bob,))
    older = NoticeHead.objects.get(person=bob.user)
    upload(to=(bob,))
    put_back(older, person=bob.user, dropped=1)
    assert states(bob) == ["missing", "genuine"]
    assert AuditEntry.objects.filter(event="notice:missing", subject=bob.user.pk).count() == 1


@pytest.mark.attack("D3")
def test_every_share_dropped_and_no_head_leaves_all_of_them_missing(upload, bob):
    for _ in range(3):
        upload(to=(bob,))
    Notice.objects.all().delete()
    NoticeHead.objects.all().delete()
    (gap,) = read_notices(bob.user).notices
    assert (gap.state.value, gap.count) == ("missing", 3)


@pytest.mark.attack("D3")
def test_the_gap_stays_when_more_is_shared(upload, bob, alice):
    upload(to=(bob,))
    older = NoticeHead.objects.get(person=bob.user)
    upload(to=(bob,))
    put_back(older, person=bob.user, dropped=1)
    share(alice, upload(), bob)
    assert "missing" in states(bob)
