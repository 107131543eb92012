"""Unlock keys: a new one each hour, each destroyed when no session can need it."""

import os
from datetime import timedelta

import pytest

from imageshare import unlockkeys
from imageshare.unlockkeys import UnlockKeys


@pytest.fixture
def keys(tmp_path):
    return UnlockKeys(tmp_path / "unlock-keys", sessions_last=timedelta(hours=12))


@pytest.fixture
def at(monkeypatch):
    """Let it be some hours later than it was."""
    clock = {"now": 1_790_000_000.0}
    monkeypatch.setattr(unlockkeys.time, "time", lambda: clock["now"])

    def later(hours: float) -> None:
        clock["now"] += 3600 * hours

    return later


@pytest.mark.attack("F36")
def test_a_key_is_used_for_an_hour_kept_for_a_session_and_destroyed(keys, at):
    name, key = keys.newest()
    at(0.9)
    assert keys.newest() == (name, key)
    at(0.2)
    second = keys.newest()
    assert second[0] != name
    assert second[1] != key
    at(11.8)
    assert keys.destroy_old() == 0
    assert keys.get(name) == key  # of who unlocked at 0.9
    at(0.2)
    assert keys.destroy_old() == 1
    with pytest.raises(KeyError):
        keys.get(name)
    assert keys.get(second[0]) == second[1]


@pytest.mark.attack("F36")
def test_a_destroyed_key_is_overwritten_first(keys, at, tmp_path):
    name, _key = keys.newest()
    kept = tmp_path / "another name of the same bytes"
    os.link(tmp_path / "unlock-keys" / name, kept)
    at(13)
    keys.destroy_old()
    assert kept.read_bytes() == bytes(64)


def test_they_are_private(keys, tmp_path):
    keys.newest()
    folder = tmp_path / "unlock-keys"
    assert [path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())] == [0o700, 0o600]


@pytest.mark.parametrize("hours", [-24 * 365, 24 * 365])
def test_a_clock_that_was_wrong_leaves_no_key_for_years(keys, at, hours):
    name, _key = keys.newest()
    at(hours)
    assert keys.newest()[0] != name
    keys.destroy_old()
    with pytest.raises(KeyError):
        keys.get(name)


def test_what_a_crash_left_half_written_is_used_by_nobody_and_goes(keys, at, tmp_path):
    keys.newest()
    begun = tmp_path / "unlock-keys" / ".1790000000-00000000"
    begun.write_text("")
    at(2)
    assert not keys.newest()[0].startswith(".")
    at(13)
    keys.destroy_old()
    assert not begun.exists()


def test_another_process_finds_the_same_key(keys, tmp_path):
    other = UnlockKeys(tmp_path / "unlock-keys", sessions_last=timedelta(hours=12))
    name, key = keys.newest()
    assert other.newest() == (name, key)
