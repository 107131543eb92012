"""Accepting an invitation: an account, and everything it carries, or nothing."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from accounts.models import User, WrappedKey
from accounts.services.rotating.carrying_out import carry_out_orders
from accounts.services.rotating.ordering import order_pairs
from audit.models import AuditEntry
from gallery.errors import InvitationGone, WrongCode
from gallery.invitation_keys import key_for_inviter
from gallery.models import Grant, Invitation, InvitedGrant, Notice, SealedImage, Statement
from gallery.opening import Opener
from gallery.services import revoking
from gallery.services.deleting import delete_image
from gallery.services.invitations import accepting, links
from gallery.services.invitations.taking_back import take_back
from gallery.services.resharing import readers_waiting_for
from gallery.services.revoking import end_invited, relock, revoke
from gallery.verification.images import ImageCheck
from tests.conftest import PASSWORD
from tests.gallery.invitations.conftest import CODE, accept, carry, status_of
from tests.stored import holds

pytestmark = pytest.mark.usefixtures("emptied_storage")


def events() -> list[tuple[str, str]]:
    entries = AuditEntry.objects.filter(event__startswith="invitation:").order_by("sequence")
    return list(entries.values_list("event", "outcome"))


def findings(image: SealedImage) -> list[str]:
    return [str(found) for found in ImageCheck([image.pk], reads_bytes=True).check(image.pk)]


# ---- what it is for --------------------------------------------------------------------------


@pytest.mark.parametrize("spoken_code", ["", CODE])
def test_what_was_shared_opens_at_once(invite, upload, alice, spoken_code):
    image, other = upload(), upload()
    new = invite(image, other, spoken_code=spoken_code)
    assert findings(image) == []
    heads = Statement.objects.filter(kind="share").count()
    lee = accept(new, spoken_code=spoken_code.upper())
    assert lee.user.pk == new.invitation.person
    assert status_of(lee, image) == status_of(lee, other) == 200
    # The owner signed nothing more: their list named this person already.
    assert Statement.objects.filter(kind="share").count() == heads
    assert findings(image) == findings(other) == []
    assert Notice.objects.filter(person=lee.user).count() == 2
    page = alice.sign_in().get(f"/images/{image.pk}/", headers={"accept": "application/json"})
    assert [row["username"] for row in page.json()["people"]] == ["lee"]


def test_an_invitation_is_in_the_trail_from_making_to_use(invite, upload):
    new = invite(upload())
    lee = accept(new)
    made, used = ("invitation:made", "invitation:accepted")
    assert events() == [(made, "intended"), (made, "done"), (used, "intended"), (used, "done")]
    entry = AuditEntry.objects.get(event=used, outcome="done")
    assert (entry.actor, entry.subject) == (lee.user.pk, new.invitation.pk)
    said = AuditEntry.objects.get(event=made, outcome="done").parsed().facts
    assert said.keys() == {"token", "commitment", "details", "ends_at", "person"}
    assert "Lee" not in str(said)


def test_the_terms_are_those_that_were_signed(invite, upload, alice):
    image, new = upload(), invite()
    carry(alice, image, new, rights="view")
    lee = accept(new)
    assert status_of(lee, image, "preview") == 200
    assert status_of(lee, image) == 403


def test_an_invitation_that_carries_nothing_makes_an_account(invite):
    lee = accept(invite())
    assert lee.sign_in().get("/images/").status_code == 200


def test_a_new_lock_keeps_what_an_invitation_carries(invite, upload, alice, bob):
    image = upload(to=(bob,))
    new = invite(image)
    revoke(keyring=alice.keyring, image_id=image.pk, recipient=bob.user)
    relock(keyring=alice.keyring, image_id=image.pk)
    assert findings(image) == []
    assert status_of(accept(new), image) == 200


def test_more_is_shared_before_the_link_is_used(invite, upload, alice):
    new = invite(upload())
    later = upload()
    carry(alice, later, new)
    carry(alice, later, new)
    assert InvitedGrant.objects.filter(image=later).count() == 1
    assert status_of(accept(new), later) == 200


def test_its_inviters_new_keys_open_what_they_may_share_more_with(invite, upload, alice):
    new = invite()
    order_pairs(alice.user, ["encryption"])
    for _ in range(3):
        carry_out_orders(alice.keyring)
    row = Invitation.objects.select_related("wrapped_key__key_pair").get()
    assert row.wrapped_key.key_pair.epoch == 2
    key = key_for_inviter(Opener(alice.keyring), row)
    assert key.key == new.key.key


def test_the_sweeps_find_nothing_wrong_before_and_after(invite, upload, alice, bob):
    image = upload(to=(bob,))
    new, other = invite(image), invite(image)
    call_command("verify_images")
    take_back(invitation=other.invitation, by=alice.user)
    call_command("verify_images")
    accept(new)
    call_command("verify_images")
    call_command("verify_keys")


# ---- refusals --------------------------------------------------------------------------------


@pytest.mark.attack("F120")
def test_a_link_works_once_and_its_keys_are_gone(invite, upload):
    image = upload()
    new = invite(image)
    row, carried = Invitation.objects.get(), InvitedGrant.objects.get()
    kept = [bytes(row.link_wrapped), bytes(row.wrapped_key.oaep_bytes), bytes(carried.wrapped)]
    assert all(map(holds, kept))
    accept(new)
    assert not any(map(holds, kept))
    assert not WrappedKey.objects.filter(subject=row.pk).exists()
    with pytest.raises(InvitationGone):
        accept(new, "other")
    assert not User.objects.filter(username="other").exists()


@pytest.mark.attack("F120")
def test_of_two_acceptances_at_once_one_wins(invite, upload, monkeypatch):
    image = upload()
    new = invite(image)
    key = links.key_by_link(links.follow(new.token), "")
    both, ended = threading.Barrier(2), []
    prepare = accepting._prepare

    def together(*arguments):
        made = prepare(*arguments)
        both.wait(20)
        return made

    monkeypatch.setattr(accepting, "_prepare", together)

    def one(username: str) -> None:
        try:
            about = {"username": username, "display_name": "Lee", "email": ""}
            accepting.accept(key=key, **about, password=PASSWORD)
            ended.append(username)
        except InvitationGone:
            ended.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=[name]) for name in ("lee", "mila")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [name for name in ended if name != "refused"]
    assert len(ended) == 2
    assert User.objects.get(pk=new.invitation.person).username == winner
    assert Grant.objects.filter(reader=new.invitation.person).count() == 1
    assert findings(image) == []


def test_a_taken_name_changes_nothing(invite, upload, bob):
    image = upload()
    new = invite(image)
    with pytest.raises(ValidationError):
        accept(new, "bob")
    assert status_of(accept(new), image) == 200


@pytest.mark.attack("F121")
def test_what_fails_half_way_leaves_everything_as_it_was(invite, upload, monkeypatch):
    image, other = upload(), upload()
    new = invite(image, other)
    before = Invitation.objects.values().get(), list(InvitedGrant.objects.values())
    send = accepting.send_notices

    def fail(kind, grants):
        if Grant.objects.filter(reader=new.invitation.person).count() == 2:
            raise KeyboardInterrupt
        return send(kind, grants)

    monkeypatch.setattr(accepting, "send_notices", fail)
    with pytest.raises(KeyboardInterrupt):
        accept(new)
    assert not User.objects.filter(pk=new.invitation.person).exists()
    assert not Grant.objects.filter(reader=new.invitation.person).exists()
    assert (Invitation.objects.values().get(), list(InvitedGrant.objects.values())) == before
    monkeypatch.setattr(accepting, "send_notices", send)
    lee = accept(new)
    assert status_of(lee, image) == status_of(lee, other) == 200


@pytest.mark.attack("F122")
def test_ten_wrong_codes_end_an_invitation(invite, upload):
    image = upload()
    new = invite(image, spoken_code=CODE)
    link = links.follow(new.token)
    for tried in range(10):
        with pytest.raises(WrongCode):
            links.key_by_link(link, f"red river {tried}")
    for code in (CODE, "blue"):
        with pytest.raises(InvitationGone):
            links.key_by_link(link, code)
    with pytest.raises(InvitationGone):
        links.follow(new.token)
    assert events()[-1] == ("invitation:taken-back", "done")
    assert SealedImage.objects.get(pk=image.pk).relock_after


def test_a_right_code_is_no_wrong_one(invite, upload, bob):
    new = invite(upload(), spoken_code=CODE)
    with pytest.raises(WrongCode):
        links.key_by_link(links.follow(new.token), "red river")
    with pytest.raises(ValidationError):
        accept(new, "bob", CODE)
    assert Invitation.objects.get().wrong_codes == 1


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "ä" * 43, "!" * 43, "A" * 44])
def test_what_is_no_link_leads_nowhere(invite, token):
    invite()
    with pytest.raises(InvitationGone):
        links.follow(token)


def test_a_link_is_written_in_one_way(invite):
    """The last character holds two bits that are not part of the secret."""
    new = invite()
    last = new.token[-1]
    others = (other for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh" if other != last)
    for other in others:
        with pytest.raises(InvitationGone):
            links.follow(new.token[:-1] + other)
    assert links.follow(new.token)


def test_nothing_works_where_people_do_not_invite(invite, settings):
    new = invite()
    for policy in ("invite", "closed", "typo"):
        settings.REGISTRATION = policy
        with pytest.raises(InvitationGone):
            links.follow(new.token)
        with pytest.raises(ValidationError):
            invite()
    settings.REGISTRATION = "invitations"
    assert links.follow(new.token)


def test_an_inviter_who_was_disabled_has_no_open_invitation(invite, alice):
    new = invite()
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    with pytest.raises(InvitationGone):
        links.follow(new.token)


# ---- what it carries may have changed --------------------------------------------------------


def test_what_was_ended_is_not_handed_over(invite, upload, alice):
    image, other = upload(), upload()
    new = invite(image, other)
    end_invited(keyring=alice.keyring, image_id=image.pk, invitation=new.invitation)
    assert SealedImage.objects.get(pk=image.pk).lock == 2
    delete_image(keyring=alice.keyring, image_id=other.pk)
    lee = accept(new)
    assert status_of(lee, image) == 404
    assert status_of(lee, other) == 404
    assert findings(image) == []


def test_ending_what_was_accepted_meanwhile_ends_that_access(invite, upload, alice):
    image = upload()
    new = invite(image)
    lee = accept(new)
    end_invited(keyring=alice.keyring, image_id=image.pk, invitation=new.invitation)
    assert status_of(lee, image) == 410
    assert findings(image) == []


@pytest.mark.attack("F123")
def test_a_row_that_somebody_put_in_is_not_made_a_grant(invite, upload, alice):
    image, other = upload(), upload()
    new = invite(image)
    row = InvitedGrant.objects.get()
    row.pk, row.image = None, other
    row.save(force_insert=True)
    lee = accept(new)
    assert status_of(lee, other) == 404
    assert Notice.objects.filter(person=lee.user).count() == 1


@pytest.mark.parametrize("wrapped", [None, b"", bytes(40)])
def test_a_key_that_does_not_open_waits_for_the_owner(invite, upload, alice, wrapped):
    image = upload()
    new = invite(image)
    InvitedGrant.objects.update(wrapped=wrapped)
    lee = accept(new)
    assert status_of(lee, image) == 409
    assert [waiting.person for waiting in readers_waiting_for(alice.user)] == [lee.user]
    assert findings(image) == []


def test_an_act_of_the_owner_between_is_not_lost(invite, upload, alice, monkeypatch):
    """The lock changes while the account is made; the second try hands over the new key."""
    image = upload()
    new = invite(image)
    prepare, calls = accepting._prepare, []

    def late(*arguments):
        if not calls:
            calls.append("first")
            relock(keyring=alice.keyring, image_id=image.pk)
        return prepare(*arguments)

    monkeypatch.setattr(accepting, "_prepare", late)
    assert status_of(accept(new), image) == 200


@pytest.mark.parametrize("act", ["revoke", "relock"])
def test_a_lock_that_changes_while_somebody_accepts_shuts_nobody_out(
    invite, upload, alice, bob, monkeypatch, act
):
    """Read before the acceptance, stored after it: the second try sees the grant."""
    image = upload(to=(bob,))
    new = invite(image)
    commit, accepted = revoking._commit, []

    def late(*arguments):
        if not accepted:
            accepted.append(accept(new))
        return commit(*arguments)

    monkeypatch.setattr(revoking, "_commit", late)
    if act == "revoke":
        revoke(keyring=alice.keyring, image_id=image.pk, recipient=bob.user)
    else:
        relock(keyring=alice.keyring, image_id=image.pk)
    assert SealedImage.objects.get().lock == 2
    assert status_of(accepted[0], image) == 200
    assert findings(image) == []


def test_ending_it_while_somebody_accepts_ends_their_access(invite, upload, alice, monkeypatch):
    image = upload()
    new = invite(image)
    commit, accepted = revoking._commit, []

    def late(*arguments):
        if not accepted:
            accepted.append(accept(new))
        return commit(*arguments)

    monkeypatch.setattr(revoking, "_commit", late)
    end_invited(keyring=alice.keyring, image_id=image.pk, invitation=new.invitation)
    assert status_of(accepted[0], image) == 410
    assert findings(image) == []


def test_what_is_shared_while_the_account_is_made_is_handed_over(
    invite, upload, alice, monkeypatch
):
    image, new = upload(), invite()
    prepare, calls = accepting._prepare, []

    def late(*arguments):
        if not calls:
            calls.append("first")
            carry(alice, image, new)
        return prepare(*arguments)

    monkeypatch.setattr(accepting, "_prepare", late)
    assert status_of(accept(new), image) == 200


def test_a_share_that_is_over_is_not_handed_over(invite, upload):
    image = upload()
    new = invite(image)
    InvitedGrant.objects.update(ends_at=timezone.now())
    assert status_of(accept(new), image) == 404
