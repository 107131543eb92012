"""docs/format.md is what the code does: its shell block runs, and it names what there is."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from cryptocore import content, keypair, statements, wrapping
from cryptocore.context import context
from tests.cryptocore import bodies
from tests.cryptocore.refusals import flipped
from tests.keys import load_pair, pair_der

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "format.md").read_text()
HEADING = "Check and open one image with openssl alone"
THROUGH_ALBUM = "Open an image through an album with openssl alone"
PACKAGES = ("cryptocore", "accounts", "audit", "gallery", "imageshare")
PLAINTEXT = bytes(range(256)) * 1000 + b"\x10"
OWNER, READER = load_pair(1), load_pair(2)
CONTENT_KEY = bytes(range(32))

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")


def section(heading: str) -> str:
    return DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def shell_block(heading: str = HEADING) -> str:
    (block,) = re.findall(r"^```sh\n(.*?)^```$", section(heading), re.DOTALL | re.MULTILINE)
    return block


# The shell block


def manifest(stored: bytes, content_key: bytes = CONTENT_KEY, **changes) -> bytes:
    renditions = {name: bodies.rendition(name) for name in statements.RENDITIONS}
    renditions["original"] |= {"sha256": statements.digest(stored), "length": len(stored)}
    commitment = content.key_commitment(
        content_key, image_id=bodies.IMAGE, owner_id=bodies.OWNER, lock=12
    )
    fields = {"lock": 12, "renditions": renditions, "key_commitment": commitment.hex()}
    return bodies.compose("manifest", **{**fields, **changes})


def label(reader: UUID = bodies.READER) -> bytes:
    reader_key = bytes.fromhex(keypair.fingerprint(keypair.public_der(READER)))
    return context("content-key", bodies.INSTANCE, bodies.IMAGE, reader, 12, reader_key)


def files(**changes: bytes) -> dict[str, bytes]:
    """What a reader has, by file name; the manifest is signed after a change to it."""
    stored = changes.get("stored", content.encrypt(PLAINTEXT, CONTENT_KEY))
    body = changes.get("body", manifest(stored))
    return {
        "reader.p8": pair_der(2),
        "owner.spki": keypair.public_der(OWNER),
        "manifest.json": body,
        "manifest.sig": bodies.signed("manifest", body),
        "label.hex": label().hex().encode(),
        "wrapped-key": wrapping.wrap(CONTENT_KEY, READER.public_key(), label=label()),
        "original.sealed": stored,
    }


def run(
    folder: Path, made: dict[str, bytes], heading: str = HEADING
) -> subprocess.CompletedProcess[str]:
    for name, data in made.items():
        (folder / name).write_bytes(data)
    command = ["sh", "-c", shell_block(heading)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def assert_block_refuses(
    folder: Path, made: dict[str, bytes], why: str = "refused: ", heading: str = HEADING
) -> None:
    done = run(folder, made, heading)
    assert done.returncode != 0
    assert why in done.stderr
    assert {path.name for path in folder.iterdir()} == made.keys()


# Past its modulus a private key says everything twice, and OpenSSL repairs one from the other.
PLACES = [(name, part) for name in files() for part in (0.0, 0.13, 0.5, 0.999)]
PLACES = [(name, part) for name, part in PLACES if name != "reader.p8" or part < 0.2]


@needs_openssl
@pytest.mark.parametrize(("name", "part"), PLACES)
def test_the_block_refuses_a_flipped_bit_of_each_file(tmp_path, name, part):
    made = files()
    made[name] = flipped(made[name], 8 * int(part * len(made[name])))
    assert_block_refuses(tmp_path, made)


@needs_openssl
@pytest.mark.parametrize("name", files())
def test_the_block_refuses_an_empty_file(tmp_path, name):
    assert_block_refuses(tmp_path, {**files(), name: b""})


@needs_openssl
def test_the_block_refuses_another_persons_signature(tmp_path):
    made = files()
    made["owner.spki"] = keypair.public_der(load_pair(3))
    assert_block_refuses(tmp_path, made, "the manifest's signature")
    made["manifest.sig"] = bodies.signed("manifest", made["manifest.json"], load_pair(3))
    assert_block_refuses(tmp_path, made, "the manifest names another key")


@needs_openssl
def test_the_block_refuses_a_signature_of_another_kind(tmp_path):
    made = files()
    made["manifest.sig"] = bodies.signed("share", made["manifest.json"])
    assert_block_refuses(tmp_path, made, "the manifest's signature")


@needs_openssl
@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b":", b": ", 1),
        lambda body: body + b"\n{}",
        lambda body: body.replace(b'"lock":12', b'"lock":012'),
        lambda body: body.replace(b'"suite"', b'"sort":1,"suite"'),
        lambda body: body.replace(b'"kind":"manifest"', b'"kind":"share"'),
    ],
)
def test_the_block_refuses_a_signed_body_of_another_form(tmp_path, change):
    stored = content.encrypt(PLAINTEXT, CONTENT_KEY)
    made = files(stored=stored, body=change(manifest(stored)))
    assert_block_refuses(tmp_path, made, "the manifest's form")


@needs_openssl
def test_the_block_refuses_what_the_owner_did_not_commit_to(tmp_path):
    stored = content.encrypt(PLAINTEXT, CONTENT_KEY)
    for body in (manifest(stored, CONTENT_KEY[::-1]), manifest(stored, lock=13)):
        assert_block_refuses(tmp_path, files(stored=stored, body=body), "the key commitment")


@needs_openssl
def test_the_block_refuses_a_wrapped_key_of_another_place_or_size(tmp_path):
    made, public = files(), READER.public_key()
    for secret, place in ((CONTENT_KEY, label(bodies.OWNER)), (CONTENT_KEY[:16], label())):
        made["wrapped-key"] = wrapping.wrap(secret, public, label=place)
        assert_block_refuses(tmp_path, made, "the wrapped key")


@needs_openssl
def test_the_block_refuses_signed_bytes_with_a_wrong_padding(tmp_path):
    stored = content.encrypt(PLAINTEXT, CONTENT_KEY)
    cut = stored[:-16]
    assert_block_refuses(tmp_path, files(stored=cut, body=manifest(cut)), "the padding")


@needs_openssl
def test_the_block_opens_a_manifest_that_names_its_share_statement(tmp_path):
    stored = content.encrypt(PLAINTEXT, CONTENT_KEY)
    named = manifest(stored, share=bodies.hex_digest("a share statement"))
    assert run(tmp_path, files(stored=stored, body=named)).returncode == 0


@needs_openssl
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 100_000])
def test_the_block_opens_what_cryptocore_sealed(tmp_path, length):
    plaintext = PLAINTEXT[:length]
    done = run(tmp_path, files(stored=content.encrypt(plaintext, CONTENT_KEY)))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "original.opened").read_bytes() == plaintext
    assert not (tmp_path / "original.part").exists()


# The words


def test_every_section_that_the_code_refers_to_exists():
    sources = [path.read_text() for path in (ROOT / "cryptocore").glob("*.py")]
    named = {name for text in sources for name in re.findall(r'docs/format\.md, "(.*?)"', text)}
    assert named
    assert named <= set(re.findall(r"^##+ (.*)$", DOCUMENT, re.MULTILINE))


@pytest.mark.parametrize("kind", statements.KINDS)
def test_every_field_of_every_kind_is_described(kind):
    part = section("Statements").split(f"### `{kind}`")[1].split("###")[0]
    for name in [*statements.KINDS[kind], *statements.OPTIONAL.get(kind, {})]:
        assert f"| `{name}` |" in part


def test_every_common_field_and_constant_is_described():
    part = section("Statements")
    for name in ("kind", *statements.COMMON):
        assert f"| `{name}` |" in part
    assert f'`"{statements.SUITE}"`' in part
    assert all(f"`{media_type}`" in part for media_type in statements.PICTURE_TYPES)
    assert f"1 to {statements.MAX_ENTRIES} digests" in part


def test_every_purpose_in_the_code_is_in_the_table():
    table = set(re.findall(r"`([a-z0-9/-]+)`", section("Contexts")))
    sources = [path.read_text() for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    used = {name for text in sources for name in re.findall(r'context\(\s*"([^"]*)"', text)}
    assert used - table == set()
    assert statements.KINDS.keys() <= table


def test_every_file_of_vectors_is_in_the_table():
    listed = set(re.findall(r"^\| `(.*?)\.json`", section("Vectors"), re.MULTILINE))
    folder = ROOT / "tests" / "vectors"
    assert listed == {path.stem for path in folder.glob("*.json")}
    for name in listed:
        vectors = json.loads((folder / f"{name}.json").read_text())
        assert {vector["result"] for vector in vectors} == {"open", "refused"}
