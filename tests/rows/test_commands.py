"""Commands meet altered rows: they name them, go on, and end."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Custody, KeyOrder, KeyPair, KeySlot, MacKey, Pins, User, WrappedKey
from gallery.models import Rendition, SealedImage
from tests.postgres import only_sqlite
from tests.rows.flips import Flip, Snapshot, flips_of, key_as_stored, some_of

ALTERED = [
    User,
    KeyPair,
    KeySlot,
    MacKey,
    WrappedKey,
    KeyOrder,
    Pins,
    Custody,
    Rendition,
    SealedImage,
]


def run(*arguments: str) -> tuple[str, str]:
    """Return what a command says, and what it names on standard error."""
    out, errors = io.StringIO(), io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=errors)
    except (CommandError, SystemExit) as error:
        errors.write(str(error))
    return out.getvalue(), errors.getvalue()


@pytest.mark.attack("F33")
def test_commands_go_on_whatever_is_in_a_row(world):
    snapshot = Snapshot()
    for model in ALTERED:
        for flips in some_of(flips_of(model, world.altered_keys(model)))[::3]:
            if next((flip for flip in flips if flip.make()), None):
                standing, _ = run("rotate_keys", "--status")
                said, named = run("verify_keys")
                assert "dave: " in standing
                assert "Keys: " in said + named
                assert "orphans" in run("purge", "--dry-run")[0]
            snapshot.restore()


@only_sqlite
@pytest.mark.attack("F33")
@pytest.mark.parametrize(
    ("model", "column", "what"),
    [
        (User, "joined_at", "text"),
        (KeyPair, "created_at", "no day"),
        (KeyPair, "epoch", "float"),
        (KeySlot, "ends_at", "text not in UTF-8"),
        (MacKey, "notice_key_id", "bytes"),
    ],
)
def test_a_value_of_no_type_is_named_with_its_person_and_column(alice, bob, model, column, what):
    mine = {"pk": alice.user.pk} if model is User else {"user": alice.user}
    row = model.objects.filter(**mine).first()
    assert Flip(model, key_as_stored(row), column, what).make()
    said = f"no value of its type: person {alice.user.pk}, {model._meta.verbose_name}, {column}"
    assert said in run("verify_keys")[1]
    assert str(bob.user.pk) not in run("verify_keys")[1]
    assert "bob: " in run("rotate_keys", "--status")[0]


@only_sqlite
@pytest.mark.attack("F33")
def test_a_person_whose_id_cannot_be_read_keeps_no_command_from_its_end(alice, bob):
    assert Flip(User, key_as_stored(alice.user), "id", "text").make()
    assert "person, id" in run("verify_keys")[1]
    assert "bob: " in run("rotate_keys", "--status")[0]
