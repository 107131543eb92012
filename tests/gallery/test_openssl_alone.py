"""One image as it is stored, checked and opened by the shell block of docs/format.md."""

from pathlib import Path

import pytest

from accounts.keys.content_keys import content_key_label
from accounts.models import KeyPair
from cryptocore.keypair import private_der
from gallery.models import SealedImage, Statement
from gallery.storage import read
from tests.conftest import Person, jpeg
from tests.cryptocore.test_format_document import assert_block_refuses, needs_openssl, run


def exported(image: SealedImage, reader: Person) -> dict[str, bytes]:
    """What a reader would take along: their own key, exported, and what is stored of the image."""
    manifest = Statement.objects.get(kind="manifest", subject=image.pk)
    wrapped = image.grants.get(reader=reader.user).wrapped_key
    signing = KeyPair.objects.get(user=image.owner, purpose=KeyPair.Purpose.SIGNING)
    name = image.renditions.get(name="original").storage_name
    label = content_key_label(wrapped.key_pair, subject=image.pk, lock=image.lock)
    return {
        "reader.p8": private_der(reader.keyring._private_key(wrapped.key_pair)),
        "owner.spki": bytes(signing.public_key),
        "manifest.json": bytes(manifest.body),
        "manifest.sig": bytes(manifest.signature),
        "label.hex": label.hex().encode(),
        "wrapped-key": bytes(wrapped.oaep_bytes),
        "original.sealed": read(name, at_most=10**9) or b"",
    }


@needs_openssl
def test_a_stored_image_is_verified_and_opened_by_openssl_alone(upload, bob, tmp_path: Path):
    picture = jpeg("orange", (120, 80))
    image = upload(to=(bob,), data=picture, keep_details="1")
    done = run(tmp_path, exported(image, bob))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "original.opened").read_bytes() == picture


@needs_openssl
@pytest.mark.parametrize("name", ["manifest.json", "original.sealed", "wrapped-key"])
def test_openssl_refuses_it_with_a_part_of_another_image(upload, bob, tmp_path: Path, name: str):
    one, other = upload(to=(bob,)), upload(to=(bob,))
    assert_block_refuses(tmp_path, {**exported(one, bob), name: exported(other, bob)[name]})
