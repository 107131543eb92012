"""An image in an album as it is stored, opened by the shell blocks of docs/format.md."""

from pathlib import Path

import pytest

from accounts.keys.content_keys import content_key_label
from accounts.models import KeyPair
from cryptocore.keypair import private_der
from gallery.models import Member, Placement, Statement
from gallery.storage import read
from tests.conftest import jpeg
from tests.cryptocore.test_format_document import (
    THROUGH_ALBUM,
    assert_block_refuses,
    needs_openssl,
    run,
)


def exported(album, image, reader) -> dict[str, bytes]:
    """What a member would take along: their own key, exported, and what is stored of album and
    image."""
    manifest = Statement.objects.filter(kind="manifest", subject=image.pk).latest("sequence")
    membership = Statement.objects.filter(subject=album.pk).latest("sequence")
    wrapped = Member.objects.get(reader=reader.user, circle=album.pk).wrapped_key
    signing = KeyPair.objects.get(user=image.owner, purpose=KeyPair.Purpose.SIGNING)
    name = image.renditions.get(name="original").storage_name
    label = content_key_label(wrapped.key_pair, subject=album.pk, lock=wrapped.lock)
    return {
        "reader.p8": private_der(reader.keyring._private_key(wrapped.key_pair)),
        "album.spki": bytes(signing.public_key),
        "membership.json": bytes(membership.body),
        "membership.sig": bytes(membership.signature),
        "album-label.hex": label.hex().encode(),
        "album-key": bytes(wrapped.oaep_bytes),
        "place": bytes(Placement.objects.get(image=image, circle=album.pk).wrapped),
        "owner.spki": bytes(signing.public_key),
        "manifest.json": bytes(manifest.body),
        "manifest.sig": bytes(manifest.signature),
        "original.sealed": read(name, at_most=10**9) or b"",
    }


@needs_openssl
def test_an_image_in_an_album_is_verified_and_opened_by_openssl_alone(
    album, upload, bob, tmp_path: Path
):
    picture = jpeg("orange", (120, 80))
    image = upload(data=picture, keep_details="1")
    album.place(image)
    made = exported(album, image, bob)
    opened = run(tmp_path, made, THROUGH_ALBUM)
    assert opened.returncode == 0, opened.stderr
    done = run(tmp_path, {})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "original.opened").read_bytes() == picture


@needs_openssl
@pytest.mark.parametrize("name", ["membership.json", "album-key", "place", "album-label.hex"])
def test_openssl_refuses_it_with_a_part_of_another_album(
    album, make, image, alice, bob, tmp_path: Path, name: str
):
    other = make(alice, "Sea")
    other.place(image)
    other.share(bob)
    theirs = exported(other, image, bob)[name]
    made = {**exported(album, image, bob), name: theirs}
    assert_block_refuses(tmp_path, made, heading=THROUGH_ALBUM)


@needs_openssl
@pytest.mark.parametrize("name", ["membership.json", "membership.sig", "album-key", "place"])
def test_openssl_refuses_it_with_a_changed_byte(album, image, bob, tmp_path: Path, name: str):
    made = exported(album, image, bob)
    changed = bytearray(made[name])
    changed[len(changed) // 2] ^= 1
    assert_block_refuses(tmp_path, {**made, name: bytes(changed)}, heading=THROUGH_ALBUM)
