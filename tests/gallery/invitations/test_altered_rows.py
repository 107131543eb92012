"""What somebody who writes to the database does to an invitation: refused, as the trail says."""

import hashlib
import uuid
from datetime import timedelta

import pytest
from django.db import Error
from django.utils import timezone

from accounts.models import User, WrappedKey
from audit.models import AuditEntry, AuditEntryQuerySet
from gallery.errors import Altered, InvitationGone
from gallery.invitation_keys import Details, key_for_inviter
from gallery.ledger import TrailAway
from gallery.models import Invitation, InvitedGrant, SealedImage
from gallery.opening import Opener
from gallery.services.deleting import delete_image
from gallery.services.invitations import links, making
from gallery.services.invitations.taking_back import take_back
from gallery.services.revoking import end_invited, relock
from tests.audit.conftest import tamper
from tests.gallery.invitations.conftest import CODE, accept, carry, status_of
from tests.gallery.invitations.test_accepting import findings

pytestmark = pytest.mark.usefixtures("emptied_storage")


def rows() -> list:
    """Everything of the invitations there are: to be put back as it is now."""
    return [
        *WrappedKey.objects.filter(subject__in=Invitation.objects.values("pk")),
        *Invitation.objects.all(),
        *InvitedGrant.objects.all(),
    ]


def put_back(earlier: list) -> None:
    for row in earlier:
        row.save()


def assert_opens_nothing(new) -> None:
    with pytest.raises(InvitationGone):
        accept(new, "second")
    assert not User.objects.filter(username="second").exists()


# ---- another's link, key or end --------------------------------------------------------------


@pytest.mark.attack("F126")
def test_a_link_put_into_anothers_row_opens_nothing(invite, upload, mallory):
    """Mallory puts the link of an invitation of her own into alice's, and its key."""
    new = invite(upload())
    own = making.make_invitation(
        keyring=mallory.keyring,
        details=Details("Me", ""),
        spoken_code="",
        lasts=timedelta(days=1),
    )
    hers = Invitation.objects.get(inviter=mallory.user)
    Invitation.objects.filter(pk=hers.pk).update(token_digest="0" * 64)
    taken = {"token_digest": hers.token_digest, "link_wrapped": hers.link_wrapped}
    Invitation.objects.filter(pk=new.invitation.pk).update(**taken)
    assert_opens_nothing(own)
    Invitation.objects.filter(pk=new.invitation.pk).update(inviter=mallory.user)
    assert_opens_nothing(own)


@pytest.mark.attack("F126")
@pytest.mark.parametrize("name", ["token_digest", "link_wrapped", "person"])
def test_exchanged_links_keys_or_people_open_nothing(invite, upload, name):
    both = [invite(upload()), invite(upload())]
    one, other = (Invitation.objects.filter(pk=new.invitation.pk) for new in both)
    first, second = (getattr(row.get(), name) for row in (one, other))
    free = {"token_digest": "f" * 64, "link_wrapped": None, "person": uuid.uuid4()}
    one.update(**{name: free[name]})
    other.update(**{name: first})
    one.update(**{name: second})
    for new in both:
        assert_opens_nothing(new)


@pytest.mark.attack("F126")
def test_nobody_passes_for_the_inviter(invite, upload, mallory):
    new = invite(upload())
    Invitation.objects.update(inviter=mallory.user)
    assert_opens_nothing(new)
    with pytest.raises(Altered):
        key_for_inviter(Opener(mallory.keyring), Invitation.objects.get())


@pytest.mark.attack("F126")
def test_a_later_end_in_the_row_lengthens_nothing(invite, upload, alice, monkeypatch):
    new, real = invite(upload(), days=1), timezone.now
    Invitation.objects.update(ends_at=real() + timedelta(days=20))
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(days=2))
    assert_opens_nothing(new)
    with pytest.raises(Altered):
        key_for_inviter(Opener(alice.keyring), Invitation.objects.get())


@pytest.mark.attack("F126")
def test_an_invitation_that_nobody_made_opens_nothing(invite, upload):
    new = invite(upload())
    row = Invitation.objects.get()
    InvitedGrant.objects.all().delete()
    Invitation.objects.all().delete()
    row.pk = None
    row.save(force_insert=True)
    assert_opens_nothing(new)


@pytest.mark.attack("F122")
def test_a_spoken_code_taken_out_of_the_row_is_still_needed(invite, upload):
    new = invite(upload(), spoken_code=CODE)
    cost = Invitation.objects.values("code_salt", "time_cost", "memory_kib", "parallelism").get()
    for change in (
        {"code_salt": None},
        {"code_salt": bytes(16)},
        {"time_cost": 9},
        {"memory_kib": 2**31 - 1},
        {"memory_kib": None},
    ):
        Invitation.objects.update(**change)
        with pytest.raises((InvitationGone, links.WrongCode)):
            links.key_by_link(links.follow(new.token), CODE)
        Invitation.objects.update(**cost)
    assert accept(new, spoken_code=CODE)


@pytest.mark.attack("F126")
def test_an_invitation_key_of_somebody_elses_is_not_wrapped_under(invite, upload, alice, mallory):
    """Mallory wraps a key she knows to alice, in the place of the invitation's: what alice shares
    next would open to her."""
    image, new = upload(), invite()
    row = Invitation.objects.select_related("wrapped_key__key_pair").get()
    known = making._wrapped_to_inviter(alice.keyring, bytes(32), row.pk)
    WrappedKey.objects.filter(pk=row.wrapped_key_id).update(
        oaep_bytes=known.oaep_bytes, quick_key=known.quick_key
    )
    row.refresh_from_db()
    with pytest.raises(Altered):
        key_for_inviter(Opener(alice.keyring), row)
    carry(alice, image, new)  # with the key as it was made
    relock(keyring=alice.keyring, image_id=image.pk)
    assert InvitedGrant.objects.get().wrapped is None  # its person will wait instead
    assert status_of(accept(new), image) == 409


@pytest.mark.attack("F126")
def test_another_name_in_the_row_is_not_shown(invite, alice):
    one, other = invite(), invite()
    details = Invitation.objects.get(pk=other.invitation.pk).details
    Invitation.objects.filter(pk=one.invitation.pk).update(details=details)
    opener = Opener(alice.keyring)
    for new, shown in ((one, False), (other, True)):
        row = Invitation.objects.select_related("wrapped_key__key_pair").get(pk=new.invitation.pk)
        key = key_for_inviter(opener, row)
        if shown:
            assert key.details() == Details("Dr. Lee", "lee@example.org")
        else:
            with pytest.raises(Altered):
                key.details()


@pytest.mark.attack("F126")
def test_a_letter_changed_in_the_encrypted_name_is_not_decrypted(invite, alice):
    """CBC lets whoever changes the initial vector change the first block as they like."""
    invite()
    row = Invitation.objects.select_related("wrapped_key__key_pair").get()
    row.details = bytes(row.details[:5]) + bytes([row.details[5] ^ 1]) + bytes(row.details[6:])
    row.save()
    with pytest.raises(Altered):
        key_for_inviter(Opener(alice.keyring), row).details()


# ---- an older state put back -----------------------------------------------------------------


@pytest.mark.attack("F127")
def test_a_used_invitation_put_back_opens_nothing(invite, upload, alice):
    image = upload()
    new = invite(image)
    earlier = rows()
    lee = accept(new)
    put_back(earlier)
    assert_opens_nothing(new)
    with pytest.raises(Altered):
        key_for_inviter(Opener(alice.keyring), Invitation.objects.get())
    assert status_of(lee, image) == 200
    assert [found for found in findings(image) if "person" not in found] == []


@pytest.mark.attack("F127")
@pytest.mark.parametrize("lee_is_gone", [False, True])
def test_a_used_invitation_put_back_makes_no_second_account(invite, upload, lee_is_gone):
    new = invite(upload())
    earlier = rows()
    lee = accept(new)
    if lee_is_gone:
        User.objects.filter(pk=lee.user.pk).update(username="elsewhere")
    put_back(earlier)
    assert_opens_nothing(new)


@pytest.mark.attack("F127")
def test_an_invitation_taken_back_and_put_back_opens_nothing(invite, upload, alice):
    image = upload()
    new = invite(image)
    earlier = rows()
    take_back(invitation=new.invitation, by=alice.user)
    put_back(earlier)
    assert_opens_nothing(new)
    relock(keyring=alice.keyring, image_id=image.pk)
    assert InvitedGrant.objects.get().wrapped is None


@pytest.mark.attack("F127")
def test_what_was_ended_and_put_back_is_not_handed_over(invite, upload, alice):
    image, kept = upload(), upload()
    new = invite(image, kept)
    earlier = [row for row in rows() if isinstance(row, InvitedGrant) and row.image == image]
    end_invited(keyring=alice.keyring, image_id=image.pk, invitation=new.invitation)
    put_back(earlier)
    lee = accept(new)
    assert status_of(lee, image) == 404
    assert status_of(lee, kept) == 200


@pytest.mark.attack("F127")
def test_terms_put_back_are_not_handed_over(invite, upload, alice):
    image, new = upload(), invite()
    carry(alice, image, new)
    earlier = list(InvitedGrant.objects.all())
    carry(alice, image, new, rights="view")
    put_back(earlier)
    assert status_of(accept(new), image, "preview") == 404


@pytest.mark.attack("F127")
def test_a_deleted_image_put_back_is_not_handed_over(invite, upload, alice):
    image = upload()
    new = invite(image)
    earlier = rows()
    delete_image(keyring=alice.keyring, image_id=image.pk)
    SealedImage.objects.filter(pk=image.pk).update(deleted_at=None)
    put_back(earlier)
    assert status_of(accept(new), image) == 404


# ---- the trail -------------------------------------------------------------------------------


@pytest.mark.attack("F126")
def test_entries_that_the_audit_key_does_not_vouch_for_make_no_invitation(invite):
    new = invite()
    for entry in AuditEntry.objects.filter(event="invitation:made"):
        chain = hashlib.sha256(bytes(entry.chain)).digest()
        tamper("UPDATE audit_auditentry SET chain = %s WHERE sequence = %s", chain, entry.sequence)
    assert_opens_nothing(new)


def test_without_the_trail_no_link_is_followed(invite, monkeypatch):
    new = invite()

    def away(self):
        raise Error

    monkeypatch.setattr(AuditEntryQuerySet, "proofs", away)
    with pytest.raises(TrailAway):
        links.follow(new.token)
