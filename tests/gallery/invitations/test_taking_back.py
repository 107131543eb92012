"""An invitation taken back, or over by its date, opens nothing; its images get a new lock."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone

from accounts.models import WrappedKey
from gallery.errors import HeadMoved, InvitationGone
from gallery.models import Ended, Invitation, InvitedGrant, SealedImage
from gallery.services import ended
from gallery.services.invitations import links
from gallery.services.invitations.taking_back import take_back
from gallery.services.sharing import share_image
from gallery.services.uploading import Terms
from tests.gallery.invitations.conftest import accept, carry, status_of
from tests.gallery.invitations.test_accepting import events, findings
from tests.stored import holds

pytestmark = pytest.mark.usefixtures("emptied_storage")


@pytest.fixture
def days_later(monkeypatch):
    """Move the clock, once called, for everything of the gallery and of the accounts."""
    real = timezone.now

    def move(days: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(days=days))

    return move


def lock_of(image: SealedImage) -> int:
    return SealedImage.objects.get(pk=image.pk).lock


@pytest.mark.attack("F124")
def test_what_was_taken_back_opens_nothing_and_holds_no_key(invite, upload, alice):
    image = upload()
    new = invite(image)
    row, carried = Invitation.objects.get(), InvitedGrant.objects.get()
    kept = [bytes(row.link_wrapped), bytes(row.wrapped_key.oaep_bytes), bytes(carried.wrapped)]
    assert take_back(invitation=new.invitation, by=alice.user) == [image.pk]
    with pytest.raises(InvitationGone):
        links.follow(new.token)
    assert not any(map(holds, kept))
    assert not WrappedKey.objects.filter(subject=row.pk).exists()
    assert events()[-2:] == [
        ("invitation:taken-back", "intended"),
        ("invitation:taken-back", "done"),
    ]


@pytest.mark.attack("F124")
def test_the_owners_next_page_encrypts_again(invite, upload, alice, bob):
    image = upload(to=(bob,))
    new = invite(image)
    take_back(invitation=new.invitation, by=None, reason="asked by phone")
    assert findings(image) == []
    ended.relock_ended(alice.keyring)
    assert lock_of(image) == 2
    assert InvitedGrant.objects.get().ended_reason == Ended.TIME
    assert findings(image) == []
    assert status_of(bob, image) == 200
    assert ended.images_to_relock(alice.user) == []


@pytest.mark.parametrize("purged_first", [True, False])
def test_what_nobody_used_in_time_is_destroyed(invite, upload, alice, days_later, purged_first):
    image = upload()
    new = invite(image, days=7)
    row, carried = Invitation.objects.get(), InvitedGrant.objects.get()
    kept = [bytes(row.link_wrapped), bytes(carried.wrapped)]
    days_later(6)
    call_command("purge")
    assert all(map(holds, kept))
    days_later(8)
    with pytest.raises(InvitationGone):
        links.follow(new.token)
    if purged_first:
        call_command("purge")
        assert not any(map(holds, kept))
        assert not WrappedKey.objects.filter(subject=row.pk).exists()
    ended.relock_ended(alice.keyring)
    assert lock_of(image) == 2
    assert findings(image) == []


def test_purge_counts_the_invitations_that_nobody_used_in_time(invite, days_later, capsys):
    invite(days=5)
    invite(days=9)
    counted = []
    for days, is_dry in ((4, False), (6, True), (6, False), (6, False)):
        days_later(days)
        call_command("purge", dry_run=is_dry)
        counted.append(re.search(r"(\d+) invitations", capsys.readouterr().out)[1])
    assert counted == ["0", "1", "1", "0"]


def test_the_next_list_drops_what_is_over(invite, upload, alice, bob):
    image = upload()
    new = invite(image)
    take_back(invitation=new.invitation, by=alice.user)
    SealedImage.objects.update(relock_after=None)
    share_image(
        keyring=alice.keyring, image_id=image.pk, recipients=[], terms=Terms("view", None),
        invitations=[invite().key],
    )  # fmt: skip
    assert InvitedGrant.objects.get(invitation=new.invitation).ended_at
    assert findings(image) == []
    assert SealedImage.objects.get().relock_after  # what it wrapped has the lock still


def test_an_invitation_is_taken_back_once(invite, alice):
    new = invite()
    take_back(invitation=new.invitation, by=alice.user)
    with pytest.raises(ValidationError):
        take_back(invitation=new.invitation, by=alice.user)


def test_what_was_used_is_not_taken_back(invite, upload, alice):
    image = upload()
    new = invite(image)
    lee = accept(new)
    with pytest.raises(ValidationError):
        take_back(invitation=new.invitation, by=alice.user)
    assert status_of(lee, image) == 200


def test_nothing_more_is_shared_with_what_is_over(invite, upload, alice):
    """Its key was open in another tab."""
    new = invite()
    take_back(invitation=new.invitation, by=alice.user)
    with pytest.raises(HeadMoved):
        carry(alice, upload(), new)
    assert not InvitedGrant.objects.exists()


@pytest.mark.attack("F125")
def test_an_end_that_only_a_row_says_changes_no_lock(invite, upload, alice):
    """Somebody who writes to the database must not make an owner sign a list without anybody."""
    image = upload()
    new = invite(image)
    for change in ({"taken_back_at": timezone.now()}, {"ends_at": timezone.now()}):
        before = Invitation.objects.values().get()
        Invitation.objects.update(**change)
        SealedImage.objects.update(relock_after=None)
        ended.relock_ended(alice.keyring)
        assert lock_of(image) == 1
        Invitation.objects.update(**{name: before[name] for name in change})
    SealedImage.objects.update(relock_after=None)
    assert status_of(accept(new), image) == 200
