"""`rotate_keys`: what an operator orders, and what it says of it."""

import tracemalloc
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from accounts.keys.certificates import NoKeys, wrapping_key_of
from accounts.keys.keysets import keyset_digest
from accounts.management.commands import rotate_keys
from accounts.models import Custody, KeyOrder, KeyPair, MacKey, User, token_digest
from audit.events import AuditUnavailable
from audit.models import AuditEntry
from cryptocore import recovery_code
from gallery.models import Notice
from gallery.services.inbox import NoticeState, read_notices
from tests.accounts.test_rotation import finish, pairs
from tests.gallery.test_sharing import share


def run(*arguments):
    out, errors = StringIO(), StringIO()
    call_command("rotate_keys", *arguments, stdout=out, stderr=errors)
    return out.getvalue()


def state_of_all():
    return (
        sorted(KeyOrder.objects.values_list("user", "purpose", "reason", "done_at")),
        [keyset_digest(user.pk) for user in User.objects.order_by("pk")],
        AuditEntry.objects.exclude(event__startswith="account").count(),
    )


# ---- refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nobody"],
        ["alice", "nobody"],
        ["alice", "--all"],
        ["--older-than", "365"],
        ["alice", "--compromised", "--purpose", "mac"],
        ["--all", "--compromised", "--older-than", "1"],
        ["alice", "--older-than", "-1"],
        ["alice", "--purpose", "everything"],
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(alice, arguments):
    before = state_of_all()
    with pytest.raises(CommandError):
        run(*arguments)
    assert state_of_all() == before


@pytest.mark.parametrize("more", [[], ["--compromised"], ["--purpose", "mac"]])
def test_a_dry_run_changes_nothing_and_says_what_would_be_done(alice, bob, more):
    before = state_of_all()
    said = run("alice", "bob", "--dry-run", *more)
    assert said.startswith("Would be ordered")
    assert "one-time code" not in said
    assert state_of_all() == before


def test_status_changes_nothing(alice, bob):
    before = state_of_all()
    assert run("--status").splitlines()[-1] == "2 people: 2 done."
    assert state_of_all() == before


def test_who_has_no_keys_is_not_touched(staff, alice):
    User.objects.create_user("keyless", "a password nobody knows")
    run("--all")
    assert set(KeyOrder.objects.values_list("user__username", flat=True)) == {"alice", "overseer"}


def test_who_cannot_be_done_is_named_and_the_others_are_done(alice, bob, monkeypatch):
    real = rotate_keys.replace_mac_key

    def away_for_alice(user):
        if user.username == "alice":
            raise OperationalError
        real(user)

    monkeypatch.setattr(rotate_keys, "replace_mac_key", away_for_alice)
    errors = StringIO()
    with pytest.raises(CommandError, match="1 people failed"):
        call_command("rotate_keys", "alice", "bob", stderr=errors)
    assert errors.getvalue() == "alice: not done (OperationalError)\n"
    assert KeyOrder.objects.filter(user=bob.user).count() == 2
    assert not KeyOrder.objects.filter(user=alice.user).exists()


def test_what_cannot_be_recorded_is_not_done(alice, monkeypatch):
    from audit import events

    def away(*arguments, **named):
        raise AuditUnavailable

    monkeypatch.setattr(events, "record", away)
    for more in (["--purpose", "mac"], ["--compromised"]):
        before = MacKey.objects.count(), pairs(alice)
        with pytest.raises(CommandError):
            run("alice", *more)
        assert (MacKey.objects.count(), pairs(alice)) == before


# ---- as planned ------------------------------------------------------------------------------


def test_pairs_are_ordered_once_and_a_mac_key_is_replaced_at_once(alice):
    assert run("alice") == (
        "Were ordered: 2 key pairs. Were replaced: 1 MAC keys. "
        "Were marked compromised: the keys of 0 people.\n"
    )
    assert MacKey.objects.filter(user=alice.user).count() == 2
    run("alice", "--purpose", "encryption")
    assert KeyOrder.objects.count() == 2
    assert finish(alice)
    assert pairs(alice) == [("destroyed", False), ("primary", True)]
    assert pairs(alice, "signing") == [("destroyed", False), ("primary", True)]


def test_all_started_again_leaves_a_mac_key_it_has_just_made(alice, bob):
    MacKey.objects.update(created_at=timezone.now() - timedelta(days=2))
    for _ in range(2):
        run("--all")
    assert MacKey.objects.count() == 4
    assert KeyOrder.objects.count() == 4


def test_only_what_is_older_is_replaced(alice, bob):
    old = timezone.now() - timedelta(days=400)
    KeyPair.objects.filter(user=bob.user).update(created_at=old)
    MacKey.objects.filter(user=bob.user).update(created_at=old)
    run("--all", "--older-than", "365")
    assert set(KeyOrder.objects.values_list("user__username", flat=True)) == {"bob"}
    assert MacKey.objects.filter(user=alice.user).count() == 1
    assert MacKey.objects.filter(user=bob.user).count() == 2


def test_a_notice_before_and_one_after_a_new_mac_key_both_verify_and_are_counted(
    shared_image, alice, bob
):
    run("bob", "--purpose", "mac")
    share(alice, shared_image, bob, rights="view")
    states = [notice.state for notice in read_notices(bob.user).notices]
    assert states == [NoticeState.GENUINE, NoticeState.GENUINE]
    assert sorted(Notice.objects.values_list("mac_epoch", flat=True)) == [1, 2]
    Notice.objects.filter(mac_epoch=2).delete()
    states = [notice.state for notice in read_notices(bob.user).notices]
    assert states == [NoticeState.MISSING, NoticeState.GENUINE]


def test_a_new_mac_key_alone_leaves_the_count_of_notices_whole(shared_image, bob):
    run("bob", "--purpose", "mac")
    assert [notice.state for notice in read_notices(bob.user).notices] == [NoticeState.GENUINE]


def test_status_says_who_is_ordered_under_way_and_done(shared_image, alice, bob, carol):
    from accounts.services.rotating.carrying_out import carry_out_orders

    run("alice", "bob", "--purpose", "encryption")
    carry_out_orders(bob.keyring)
    lines = run("--status").splitlines()
    words = {line.split(":")[0]: line.split("; ")[0].split(": ")[1] for line in lines[:-1]}
    assert words == {"alice": "ordered", "bob": "under way", "carol": "done"}
    assert lines[-1] == "3 people: 1 done, 1 ordered, 1 under way."
    assert "1 wrapped keys on earlier pairs" in next(line for line in lines if "bob" in line)


def test_every_act_is_in_the_trail_with_the_digest_of_all_key_rows(alice):
    run("alice")
    found = AuditEntry.objects.filter(subject=alice.user.pk, actor=None).order_by("pk")
    entries = [(entry.event, entry.outcome, entry.parsed().facts) for entry in found]
    assert [(event, outcome) for event, outcome, _ in entries] == [
        ("mac-key:rotated", "intended"),
        ("mac-key:rotated", "done"),
        ("keys:rotation-ordered", "done"),
    ]
    assert entries[1][2]["keyset"] == keyset_digest(alice.user.pk)


def test_an_order_to_bring_keys_together_does_not_stand_in_for_a_new_pair(bob):
    KeyOrder.objects.order_rewrapping(bob.user)
    run("bob", "--purpose", "encryption")
    order = KeyOrder.objects.get(user=bob.user, done_at=None)
    assert (order.reason, order.replaced_at) == ("routine", None)


@pytest.mark.parametrize("days", ["-1", "800000", "99999999999", "soon"])
def test_an_age_that_is_none_is_refused(bob, days):
    with pytest.raises(CommandError):
        run("bob", "--older-than", days)


def test_many_people_take_no_more_memory(settings):
    people = [User(username=f"p{n:04}", skeleton=f"p{n:04}") for n in range(2000)]
    for user in people:
        user.master_key_version = 1
    User.objects.bulk_create(people)
    peaks = []
    for names in (200, 2000):
        chosen = User.objects.filter(username__lt=f"p{names:04}")
        tracemalloc.start()
        assert sum(1 for _ in rotate_keys._in_chunks(chosen)) == names
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


# ---- after a theft ---------------------------------------------------------------------------


def code_of(said):
    return said.split("one-time code ")[1].split()[0]


def test_from_that_moment_nothing_is_wrapped_to_the_old_key_and_nobody_is_signed_in(alice, bob):
    bob.sign_in()
    said = run("bob", "--compromised")
    assert bob.client.get("/images/", headers={"accept": "application/json"}).status_code == 401
    assert not Custody.objects.filter(user=bob.user).exists()
    with pytest.raises(NoKeys):
        wrapping_key_of(bob.user.pk)
    assert set(KeyPair.objects.filter(user=bob.user).values_list("state", flat=True)) == {
        "compromised"
    }
    assert not KeyPair.objects.filter(user=bob.user, compromised_at=None).exists()
    kept = token_digest(recovery_code.normalise(code_of(said)))
    assert set(KeyOrder.objects.values_list("proof_digest", flat=True)) == {kept}
    assert pairs(alice) == [("primary", True)]


def test_the_code_is_printed_once_and_stands_nowhere_else(bob):
    from tests.stored import holds

    code = code_of(run("bob", "--compromised"))
    for spelling in (code, code.replace("-", "")):
        assert not holds(spelling.encode())
        assert not holds(spelling.encode(), "audit")


def test_named_again_there_is_a_new_code_and_of_all_only_who_is_new(alice, bob):
    first = run("bob", "--compromised")
    since = set(KeyPair.objects.filter(user=bob.user).values_list("compromised_at", flat=True))
    said = run("--all", "--compromised")
    assert "bob" not in said
    assert "alice: one-time code" in said
    second = run("bob", "--compromised")
    assert code_of(first) != code_of(second)
    kept = token_digest(recovery_code.normalise(code_of(second)))
    mine = KeyOrder.objects.filter(user=bob.user)
    assert set(mine.values_list("proof_digest", flat=True)) == {kept}
    after = set(KeyPair.objects.filter(user=bob.user).values_list("compromised_at", flat=True))
    assert after == since


def test_a_rotation_under_way_becomes_a_replacement(shared_image, bob):
    from accounts.services.rotating.carrying_out import carry_out_orders

    run("bob")
    carry_out_orders(bob.keyring)
    run("bob", "--compromised")
    reasons = KeyOrder.objects.filter(done_at=None).values_list("reason", flat=True)
    assert list(reasons) == ["compromised", "compromised"]
    carry_out_orders(bob.keyring)
    assert {state for state, _ in pairs(bob, "signing")} <= {"compromised", "destroyed"}
    assert run("bob", "--status").startswith("bob: waiting for the person")
