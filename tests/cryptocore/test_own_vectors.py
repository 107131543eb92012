"""tests/vectors/*.json: what we store and sign, each with what must come of it."""

import json
from uuid import UUID

import pytest

from cryptocore import (
    circles,
    content,
    entries,
    invitations,
    keywrap,
    picture,
    statements,
    wrapping,
)
from cryptocore.context import context
from tests.cryptocore.refusals import assert_refused
from tests.keys import load_pair
from tests.vectors import make


def unhex(vector, *names):
    return [bytes.fromhex(vector[name]) for name in names]


def open_content(vector):
    stored, key = unhex(vector, "stored", "key")
    return {"plaintext": content.decrypt(stored, key).hex()}


def open_statement(vector):
    short, signature = unhex(vector, "body", "signature")
    at = vector.get("at", 0)
    body = short[:at] + b"x" * vector.get("x", 0) + short[at:]
    key = load_pair(vector["pair"]).public_key()
    assert statements.verify_statement(vector["kind"], body, signature, key)
    return {}


def open_entry(vector):
    entry, salt = unhex(vector, "entry", "salt")
    assert entries.parse_entry(entry)
    return {"digest": entries.entry_digest(entry, salt)}


def open_wrapped_key(vector):
    fields = vector["label_fields"]
    people = (UUID(fields[name]) for name in ("instance", "image", "reader"))
    label = context("content-key", *people, fields["lock"], bytes.fromhex(fields["key"]))
    wrapped = bytes.fromhex(vector["wrapped"])
    content_key = wrapping.unwrap(wrapped, load_pair(vector["pair"]), label=label)
    assert content.rendition_tag_key(content_key, "original")
    return {"content_key": content_key.hex()}


def open_key(vector):
    return {"key": keywrap.unwrap_key(*unhex(vector, "wrapped", "kek")).hex()}


def open_commitment(vector):
    content_key, commitment = unhex(vector, "content_key", "commitment")
    people = {name + "_id": UUID(vector[name]) for name in ("image", "owner")}
    content.check_key_commitment(content_key, commitment, **people, lock=vector["lock"])
    return {}


def open_tag(vector):
    content_key, tag, plaintext = unhex(vector, "content_key", "tag", "plaintext")
    rendition = vector["rendition"]
    content.check_plaintext_tag(content_key, tag, rendition=rendition, plaintext=plaintext)
    return {"tag_key": content.rendition_tag_key(content_key, rendition).hex()}


def open_picture(vector):
    key, tag, plaintext = unhex(vector, "picture_key", "tag", "plaintext")
    picture.check_picture_tag(key, tag, [plaintext[:1], plaintext[1:]])
    return {}


def open_circle_key(vector):
    team_key, wrapped = unhex(vector, "team_key", "wrapped")
    place = {name: UUID(vector[name]) for name in ("instance", "team", "circle")}
    place |= {name: vector[name] for name in ("team_epoch", "epoch")}
    return {"circle_key": circles.unwrap_circle_key(wrapped, team_key, **place).hex()}


def open_invitation(vector):
    link, code_key, under_link, wrapped = unhex(vector, "link", "code_key", "under_link", "wrapped")
    of = {name: UUID(vector[name]) for name in ("instance", "invitation", "person")}
    key = invitations.unwrap_invitation_key(under_link, link, code_key or None, **of)
    place = {**of, "subject": UUID(vector["image"]), "lock": vector["lock"]}
    return {"content_key": invitations.unwrap_content_key(wrapped, key, **place).hex()}


def place_of(vector, *names):
    return {name: UUID(vector[name]) for name in names} | {"epoch": vector["epoch"]}


def open_circle_commitment(vector):
    circle_key, commitment = unhex(vector, "circle_key", "commitment")
    circles.check_commitment(circle_key, commitment, **place_of(vector, "circle", "owner"))
    return {}


def open_circle_content_key(vector):
    wrapped, circle_key = unhex(vector, "wrapped", "circle_key")
    place = place_of(vector, "instance", "circle")
    place |= {"subject": UUID(vector["image"]), "lock": vector["lock"]}
    return {"content_key": circles.unwrap_content_key(wrapped, circle_key, **place).hex()}


def open_circle_details(vector):
    stored, circle_key = unhex(vector, "stored", "circle_key")
    place = place_of(vector, "instance", "circle")
    return {"plaintext": circles.decrypt_details(stored, circle_key, **place).hex()}


OPEN = {
    "invitations": open_invitation,
    "content": open_content,
    "statements": open_statement,
    "share-entries": open_entry,
    "wrapped-keys": open_wrapped_key,
    "keys-under-kek": open_key,
    "key-commitments": open_commitment,
    "plaintext-tags": open_tag,
    "picture-tags": open_picture,
    "circle-commitments": open_circle_commitment,
    "circle-content-keys": open_circle_content_key,
    "circle-details": open_circle_details,
    "circle-keys": open_circle_key,
}


def test_every_file_of_vectors_is_tried():
    assert {path.stem for path in make.HERE.glob("*.json")} == OPEN.keys() == make.FILES.keys()


@pytest.mark.parametrize(
    ("tally", "name"), [(f"ours: {name}.json", name) for name in OPEN], indirect=["tally"]
)
def test_each_vector_has_its_result(tally, name):
    for vector in json.loads((make.HERE / f"{name}.json").read_text()):
        if vector["result"] == "open":
            assert OPEN[name](vector).items() <= vector.items(), vector["name"]
        else:
            assert vector["result"] == "refused"
            assert_refused(OPEN[name], vector)
        tally.ran += 1


@pytest.mark.parametrize("name", OPEN)
def test_the_script_still_writes_the_same_file(name):
    assert make.text(name) == (make.HERE / f"{name}.json").read_text()
