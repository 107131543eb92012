"""Write this folder's JSON: what ImageShare stores and signs, each with what must come of it.

    python -m tests.vectors.make

Every vector says `"result": "open"` or `"refused"`; docs/format.md says why. All bytes are hex.
The same code always writes the same files: IVs, salts and seeds come from the vector's name.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from Crypto.Cipher import AES, PKCS1_v1_5, oaep
from Crypto.Hash import SHA1, SHA256
from Crypto.PublicKey.RSA import RsaKey
from Crypto.Signature import pss
from Crypto.Util.Padding import pad

from cryptocore import (
    circles,
    content,
    entries,
    invitations,
    keypair,
    keywrap,
    picture,
    statements,
)
from cryptocore.context import context
from cryptocore.mac import mac
from tests.cryptocore import bodies
from tests.keys import load_pair

HERE = Path(__file__).parent
KEY = bytes(range(32))
Vector = dict[str, Any]
LEFT_OUT = "left out"


def seeded(name: str, size: int) -> bytes:
    return hashlib.shake_256(name.encode()).digest(size)


def source(name: str) -> Callable[[int], bytes]:
    """A random source that is none: the same bytes for the same name."""
    stream, place = seeded(name, 4096), 0

    def read(size: int) -> bytes:
        nonlocal place
        place += size
        return stream[place - size : place]

    return read


def opened(name: str, **fields: Any) -> Vector:
    return {"name": name, "result": "open", **fields}


def refused(name: str, **fields: Any) -> Vector:
    return {"name": name, "result": "refused", **fields}


# Content


def stored(plaintext: bytes, name: str) -> str:
    return content._encrypt_under_iv(plaintext, KEY, seeded(name, 16)).hex()


def content_vectors() -> Iterator[Vector]:
    for length in range(65):
        for ending in ("00", "01", "10") if length else ("",):
            name = f"{length} bytes, ending {ending}" if length else "no bytes"
            plaintext = seeded(name, length)[: max(length - 1, 0)] + bytes.fromhex(ending)
            whole = stored(plaintext, name)
            yield opened(name, key=KEY.hex(), stored=whole, plaintext=plaintext.hex())
    yield from refused_content()


def refused_content() -> Iterator[Vector]:
    for last in ("00" * 16, "11" * 16, "ff" * 16, "00" * 14 + "0102", "00" + "10" * 15):
        iv = seeded(last, 16)
        blocks = AES.new(KEY, AES.MODE_CBC, iv=iv).encrypt(bytes.fromhex(last))
        yield refused(f"padding {last}", key=KEY.hex(), stored=(iv + blocks).hex())
    whole = stored(b"a picture", "a picture")
    for size in (0, 15, 16, 31):
        yield refused(f"cut to {size} bytes", key=KEY.hex(), stored=whole[: 2 * size])
    yield refused("a byte after it", key=KEY.hex(), stored=whole + "00")
    for size in (16, 24):
        short = AES.new(KEY[:size], AES.MODE_CBC, iv=bytes(16)).encrypt(pad(b"a picture", 16))
        yield refused(
            f"a key of {size} bytes", key=KEY[:size].hex(), stored="00" * 16 + short.hex()
        )


# Statements


def signature_of(kind: str, body: bytes, key: RsaKey) -> str:
    scheme = pss.new(key, salt_bytes=32, rand_func=source(kind))
    return scheme.sign(SHA256.new(context(kind) + body)).hex()


def statement(
    make: Callable[..., Vector], name: str, kind: str, body: bytes, **over: Any
) -> Vector:
    """A vector with the right signature, unless `over` holds another."""
    facts = {"kind": kind, "pair": 1, **without_filler(body), **over}
    return make(name, **{"signature": signature_of(kind, body, load_pair(1)), **facts})


def without_filler(body: bytes) -> Vector:
    """Leave a long run of x out of the file: `at` says where the `x` bytes of it stand."""
    long = b"x" * 1024
    if long not in body:
        return {"body": body.hex()}
    at = body.index(long)
    rest = body[at:].lstrip(b"x")
    return {"body": (body[:at] + rest).hex(), "at": at, "x": len(body) - at - len(rest)}


def statement_vectors() -> Iterator[Vector]:
    for kind in statements.KINDS:
        yield statement(opened, f"{kind}: well-formed", kind, bodies.compose(kind))
    named = bodies.compose("key", **bodies.NAMED)
    yield statement(opened, "key: with names", "key", named)
    following = bodies.compose("share", sequence=2, previous=bodies.hex_digest("the first"))
    yield statement(opened, "share: the second", "share", following)
    full = sorted(bodies.hex_digest(str(number)) for number in range(501))
    yield statement(opened, "share: 501 entries", "share", bodies.compose("share", entries=full))
    named = bodies.compose("manifest", share=bodies.hex_digest("a share statement"))
    yield statement(opened, "manifest: names its share statement", "manifest", named)
    edited = bodies.compose(
        "manifest", sequence=2, previous=bodies.hex_digest("the manifest before an edit")
    )
    yield statement(opened, "manifest: the next of the same lock", "manifest", edited)
    tagged = bodies.compose("acknowledgement", picture=bodies.hex_digest("a picture tag"))
    yield statement(opened, "acknowledgement: names its picture", "acknowledgement", tagged)
    successors = bodies.compose("membership", circle="successors")
    yield statement(opened, "membership: successors", "membership", successors)
    of_one = bodies.compose("membership", circle="successors", album=str(bodies.IMAGE))
    yield statement(opened, "membership: successors of one album", "membership", of_one)
    for name, body in malformed_shares():
        yield statement(refused, f"share: {name}", "share", body)
    for name, kind, body in malformed_others():
        yield statement(refused, f"{kind}: {name}", kind, body)
    yield from wrongly_signed()


def malformed_shares() -> Iterator[tuple[str, bytes]]:
    body = bodies.compose("share")
    yield "a space after a colon", body.replace(b":", b": ", 1)
    yield "a line end", body + b"\n"
    yield "a byte order mark", b"\xef\xbb\xbf" + body
    yield "keys unsorted", b'{"kind":"share",' + body.replace(b'"kind":"share",', b"")[1:]
    yield "a needless escape", body.replace(b'"share"', b'"\\u0073hare"')
    yield "a duplicate key", body.replace(b'"kind":"share",', b'"kind":"share","kind":"share",')
    yield "an unknown key", bodies.changed("share", "note", to="hello")
    yield "a missing key", bodies.without("share", "time")
    yield "depth 5", bodies.changed("share", "entries", to=[[[[]]]])
    yield "a float", body.replace(b'"sequence":1', b'"sequence":1.0')
    yield "2**53", bodies.changed("share", "sequence", to=2**53)
    yield "true for a number", bodies.changed("share", "sequence", to=True)
    yield "257 KiB", bodies.changed("share", "suite", to="x" * 257 * 1024)
    yield "not UTF-8", body.replace(b"imageshare-1", b"imageshare-\xff")
    yield "half a surrogate pair", body.replace(b"imageshare-1", b"imageshare-\\ud800")
    yield "another suite", bodies.changed("share", "suite", to="imageshare-2")
    yield "a first one with a previous", bodies.changed("share", "previous", to="00" * 32)
    yield "a second one without", bodies.changed("share", "sequence", to=2)
    yield "entries unsorted", bodies.changed("share", "entries", to=["ff" * 32, "00" * 32])
    yield "an entry twice", bodies.changed("share", "entries", to=["00" * 32] * 2)
    yield "no entries", bodies.changed("share", "entries", to=[])
    yield "502 entries", bodies.changed("share", "entries", to=[f"{n:064x}" for n in range(502)])
    yield "a digest in upper case", bodies.changed("share", "entries", to=["AB" * 32])
    yield "a UUID without hyphens", bodies.changed("share", "subject", to=bodies.IMAGE.hex)
    yield "a time with an offset", bodies.changed("share", "time", to="2026-11-23T09:09:13+01:00")
    yield "the 29th of February 2026", bodies.changed("share", "time", to="2026-02-29T08:09:13Z")


def malformed_others() -> Iterator[tuple[str, str, bytes]]:
    svg = "image/svg+xml"
    renditions = ("renditions", "original")
    yield "media type", "manifest", bodies.changed("manifest", *renditions, "media_type", to=svg)
    yield "no thumbnail", "manifest", bodies.without("manifest", "renditions", "thumbnail")
    yield "lock 0", "manifest", bodies.changed("manifest", "lock", to=0)
    for name, share in (("null", None), ("a number", 1), ("in upper case", "AB" * 32)):
        yield f"share: {name}", "manifest", bodies.changed("manifest", "share", to=share)
    for name, tag in (("null", None), ("cut", "00" * 31), ("in upper case", "AB" * 32)):
        body = bodies.changed("acknowledgement", "picture", to=tag)
        yield f"picture: {name}", "acknowledgement", body
    for name, changes in malformed_albums():
        tied = json.loads(bodies.compose("membership")) | changes
        yield name, "membership", bodies.as_json(tied)
    yield "no manifest", "acknowledgement", bodies.without("acknowledgement", "manifest")
    named = bodies.changed("share", "share", to="00" * 32)
    yield "names a share statement", "share", named
    yield "no whole blocks", "manifest", bodies.changed("manifest", *renditions, "length", to=47)
    yield "purpose", "key", bodies.changed("key", "purpose", to="mac")
    yield "epoch 2**32", "key", bodies.changed("key", "epoch", to=2**32)
    for name, changes in malformed_names():
        named = json.loads(bodies.compose("key", **bodies.NAMED)) | changes
        left = {field: value for field, value in named.items() if value != LEFT_OUT}
        yield name, "key", bodies.as_json(left)


def malformed_names() -> Iterator[tuple[str, Vector]]:
    yield "a username alone", {"display_name": LEFT_OUT}
    yield "a display name alone", {"username": LEFT_OUT}
    yield "names with a reading key", {"purpose": "encryption"}
    yield "a username in upper case", {"username": "Ana"}
    yield "a username of two characters", {"username": "an"}
    yield "a username of 33 characters", {"username": "a" * 33}
    yield "an empty display name", {"display_name": ""}
    yield "a display name of 81 characters", {"display_name": "山" * 81}
    yield "a number for a display name", {"display_name": 1}


def malformed_albums() -> Iterator[tuple[str, Vector]]:
    album = str(bodies.IMAGE)
    yield "an album of an album", {"album": album}
    yield "a team of an album", {"circle": "team", "album": album}
    yield "successors of no album", {"circle": "successors", "album": None}
    yield "an album without hyphens", {"circle": "successors", "album": bodies.IMAGE.hex}


def wrongly_signed() -> Iterator[Vector]:
    body = bodies.compose("share")
    right = signature_of("share", body, load_pair(1))
    for kind in ("manifest", "key", "acknowledgement"):
        other = signature_of(kind, body, load_pair(1))
        yield statement(refused, f"signed as {kind}", "share", body, signature=other)
        yield statement(refused, f"a share as {kind}", kind, body, signature=other)
    without_context = pss.new(load_pair(1), salt_bytes=32, rand_func=source("bare"))
    bare = without_context.sign(SHA256.new(body)).hex()
    yield statement(refused, "signed without its context", "share", body, signature=bare)
    yield statement(refused, "no signature", "share", body, signature="")
    yield statement(refused, "signature cut", "share", body, signature=right[:-2])
    turned = right[:-2] + f"{int(right[-2:], 16) ^ 1:02x}"
    yield statement(refused, "a bit of the signature", "share", body, signature=turned)
    theirs = signature_of("share", body, load_pair(2))
    yield statement(refused, "another key than it names", "share", body, signature=theirs, pair=2)
    zero = pss.new(load_pair(1), salt_bytes=0).sign(SHA256.new(context("share") + body)).hex()
    yield statement(refused, "a salt of no bytes", "share", body, signature=zero)


# Share entries


def entry_vectors() -> Iterator[Vector]:
    salt = seeded("salt", 32)
    view = {"holder": bodies.READER, "rights": "view", "opens": 3, "watermark": True}
    made = {
        "the least": entries.encode_entry(holder=bodies.READER, rights="download"),
        "an album": entries.encode_entry(kind="album", holder=bodies.IMAGE, rights="view"),
        "a team": entries.encode_entry(kind="team", holder=bodies.IMAGE, rights="view"),
        "the most": entries.encode_entry(**view, ends_at=bodies.TIME),
    }
    for name, entry in made.items():
        digest = entries.entry_digest(entry, salt)
        yield opened(name, entry=entry.hex(), salt=salt.hex(), digest=digest)
    most = json.loads(made["the most"])
    for name, other in malformed_entries(most):
        wrong = bodies.as_json(other)
        yield refused(name, entry=wrong.hex(), salt=salt.hex(), digest="")
    for size in (0, 31, 33):
        yield refused(
            f"a salt of {size} bytes",
            entry=made["the most"].hex(),
            salt=seeded("salt", size).hex(),
            digest="",
        )


def malformed_entries(entry: Vector) -> Iterator[tuple[str, Vector]]:
    yield "rights: own", {**entry, "rights": "own"}
    yield "opens: 0", {**entry, "opens": 0}
    yield "opens: true", {**entry, "opens": True}
    yield "watermark: 1", {**entry, "watermark": 1}
    yield "ends at a date", {**entry, "ends_at": "2026-12-24"}
    yield "an unknown key", {**entry, "note": "hello"}
    yield "a missing key", {name: entry[name] for name in entry if name != "watermark"}
    yield "a person and an album", {**entry, "album": entry["person"]}
    yield "a UUID in upper case", {**entry, "person": entry["person"].upper()}


# Keys


def label_fields() -> dict[str, Any]:
    key = keypair.fingerprint(keypair.public_der(load_pair(3)))
    return {
        "instance": str(bodies.INSTANCE),
        "image": str(bodies.IMAGE),
        "reader": str(bodies.READER),
        "lock": 7,
        "key": key,
    }


def label(**changes: Any) -> bytes:
    made = {**label_fields(), **changes}
    people = (UUID(made[name]) for name in ("instance", "image", "reader"))
    return context("content-key", *people, made["lock"], bytes.fromhex(made["key"]))


def wrapped(name: str, secret: bytes = KEY, **options: Any) -> str:
    arguments = {"hashmod": SHA256, "label": label(), "rand_func": source(name), **options}
    return oaep.new(load_pair(3).public_key(), **arguments).encrypt(secret).hex()


def wrapped_key_vectors() -> Iterator[Vector]:
    right = wrapped("right")
    yield opened("the reader's", **wrapped_key(right), content_key=KEY.hex())
    other = str(bodies.OWNER)
    for changes in ({"instance": other}, {"image": other}, {"reader": other}, {"lock": 8}):
        name = f"a label with another {next(iter(changes))}"
        yield refused(name, **wrapped_key(wrapped(name, label=label(**changes))))
    key = keypair.fingerprint(keypair.public_der(load_pair(4)))
    yield refused("a label with another key", **wrapped_key(wrapped("k", label=label(key=key))))
    yield refused("no label", **wrapped_key(wrapped("n", label=b"")))
    yield refused("SHA-1", **wrapped_key(wrapped("s", hashmod=SHA1)))
    v1_5 = PKCS1_v1_5.new(load_pair(3).public_key(), randfunc=source("v" * 9)).encrypt(KEY)
    yield refused("PKCS#1 v1.5", **wrapped_key(v1_5.hex()))
    yield refused("another pair", **wrapped_key(right, pair=4))
    yield refused("cut", **wrapped_key(right[:-2]))
    yield refused("a zero before it", **wrapped_key("00" + right))
    yield refused("nothing", **wrapped_key(""))
    yield refused("a bit of it", **wrapped_key(right[:-1] + f"{int(right[-1], 16) ^ 1:x}"))
    for size in (16, 31, 33):
        short = wrapped(f"{size}", secret=seeded("short", size))
        yield refused(f"a content key of {size} bytes", **wrapped_key(short))


def wrapped_key(wrapped_hex: str, pair: int = 3) -> Vector:
    return {"pair": pair, "label_fields": label_fields(), "wrapped": wrapped_hex}


def kwp_vectors() -> Iterator[Vector]:
    for size in (1, 8, 31, 32, 1792):
        key = seeded("a key", size)
        under = keywrap.wrap_key(key, KEY).hex()
        yield opened(f"a key of {size} bytes", kek=KEY.hex(), wrapped=under, key=key.hex())
    under = keywrap.wrap_key(seeded("a key", 32), KEY)
    yield refused("another KEK", kek=KEY[::-1].hex(), wrapped=under.hex())
    yield refused("cut", kek=KEY.hex(), wrapped=under[:-8].hex())
    yield refused("nothing", kek=KEY.hex(), wrapped="")
    without_padding = AES.new(KEY, AES.MODE_KW).seal(seeded("a key", 32))
    yield refused("RFC 3394, without padding", kek=KEY.hex(), wrapped=without_padding.hex())
    for bit in range(0, 320, 40):
        turned = (int.from_bytes(under, "big") ^ 1 << bit).to_bytes(40, "big")
        yield refused(f"bit {bit} from the end", kek=KEY.hex(), wrapped=turned.hex())


def commitment_vectors() -> Iterator[Vector]:
    made = {"image": str(bodies.IMAGE), "owner": str(bodies.OWNER), "lock": 7}
    right = content.key_commitment(KEY, image_id=bodies.IMAGE, owner_id=bodies.OWNER, lock=7).hex()
    yield opened("right", content_key=KEY.hex(), commitment=right, **made)
    yield refused("another key", content_key=KEY[::-1].hex(), commitment=right, **made)
    changes = {"image": str(bodies.READER), "owner": str(bodies.READER), "lock": 8}
    for name, value in changes.items():
        other = {**made, name: value}
        yield refused(f"another {name}", content_key=KEY.hex(), commitment=right, **other)
    yield refused("cut", content_key=KEY.hex(), commitment=right[:-2], **made)
    yield refused("a byte after it", content_key=KEY.hex(), commitment=right + "00", **made)
    yield refused("nothing", content_key=KEY.hex(), commitment="", **made)
    yield refused("a short key", content_key=KEY[:16].hex(), commitment=right, **made)


def tag_vectors() -> Iterator[Vector]:
    plaintext = b"a picture"
    for name in statements.RENDITIONS:
        tag = content.plaintext_tag(KEY, rendition=name, plaintext=plaintext).hex()
        subkey = content.rendition_tag_key(KEY, name).hex()
        made = {"content_key": KEY.hex(), "tag_key": subkey, "tag": tag}
        yield opened(name, rendition=name, plaintext=plaintext.hex(), **made)
        yield refused(f"{name}: other bytes", rendition=name, plaintext="00", **made)
    yield refused("another rendition", rendition="preview", plaintext=plaintext.hex(), **made)


def picture_vectors() -> Iterator[Vector]:
    for size in (0, 1, 64, 1000):
        made = tagged_picture(seeded("a picture", size))
        other = made["plaintext"] + "00"
        yield opened(f"{size} bytes", **made)
        yield refused(f"{size} bytes, and one more", **{**made, "plaintext": other})
        yield refused(f"{size} bytes, another key", **{**made, "picture_key": KEY[::-1].hex()})
    made = tagged_picture(b"a picture")
    yield refused("cut", **{**made, "tag": made["tag"][:-2]})
    yield refused("no tag", **{**made, "tag": ""})
    yield refused("without its context", **{**made, "tag": mac(b"a picture", KEY).hex()})
    for size in (0, 31, 33):
        yield refused(f"a key of {size} bytes", **{**made, "picture_key": seeded("k", size).hex()})


def tagged_picture(plaintext: bytes) -> Vector:
    tag = picture.picture_tag(KEY, [plaintext]).hex()
    return {"picture_key": KEY.hex(), "plaintext": plaintext.hex(), "tag": tag}


def circle_key_vectors() -> Iterator[Vector]:
    place = {
        "instance": str(bodies.INSTANCE),
        "team": str(bodies.READER),
        "team_epoch": 2,
        "circle": str(bodies.IMAGE),
        "epoch": 7,
    }
    album_key, team_key = seeded("an album", 32), seeded("a team", 32)
    ids = {name: UUID(str(place[name])) for name in ("instance", "team", "circle")}
    under = circles.wrap_circle_key(album_key, team_key, **{**place, **ids})
    made = {**place, "team_key": team_key.hex(), "wrapped": under.hex()}
    yield opened("right", circle_key=album_key.hex(), **made)
    other = str(bodies.OWNER)
    changes = {"instance": other, "team": other, "team_epoch": 3, "circle": other, "epoch": 8}
    for name, value in changes.items():
        yield refused(f"another {name}", **{**made, name: value})
    swapped = {"team": place["circle"], "circle": place["team"]}
    yield refused("album and team exchanged", **{**made, **swapped})
    yield refused("another team's key", **{**made, "team_key": album_key.hex()})
    yield refused("a short key", **{**made, "team_key": team_key[:16].hex()})
    yield refused("cut", **{**made, "wrapped": under[:-8].hex()})
    yield refused("nothing", **{**made, "wrapped": ""})
    place_of_image = {
        "instance": ids["instance"],
        "circle": ids["team"],
        "epoch": 2,
        "subject": ids["circle"],
        "lock": 7,
    }
    as_content_key = circles.wrap_content_key(album_key, team_key, **place_of_image)
    yield refused("wrapped as a content key", **{**made, "wrapped": as_content_key.hex()})


# Invitations


def invitation_vectors() -> Iterator[Vector]:
    link, code_key = seeded("link", 32), seeded("code key", 32)
    for name, code in (("a link", b""), ("a link with a spoken code", code_key)):
        yield opened(name, **invitation(link, code), content_key=KEY.hex())
    right = invitation(link, code_key)
    yield refused("without its spoken code", **{**right, "code_key": ""})
    yield refused("another spoken code", **{**right, "code_key": seeded("other", 32).hex()})
    yield refused("another link", **{**right, "link": seeded("other", 32).hex()})
    yield refused("a short link", **{**right, "link": link[:31].hex()})
    for name in ("instance", "invitation", "person", "image"):
        yield refused(f"another {name}", **{**right, name: str(bodies.OWNER)})
    yield refused("another lock", **{**right, "lock": 8})
    for name in ("under_link", "wrapped"):
        cut = right[name][:-16]
        yield refused(f"{name}: cut", **{**right, name: cut})
        turned = right[name][:-1] + f"{int(right[name][-1], 16) ^ 1:x}"
        yield refused(f"{name}: a bit of it", **{**right, name: turned})


def invitation(link: bytes, code_key: bytes) -> Vector:
    key = seeded("invitation key", 32)
    of = {
        "instance": bodies.INSTANCE,
        "invitation": UUID("6d2e1f3a-4b5c-4d6e-8f70-8192a3b4c5d6"),
        "person": bodies.READER,
    }
    under_link = invitations.wrap_invitation_key(key, link, code_key or None, **of)
    wrapped = invitations.wrap_content_key(KEY, key, **of, subject=bodies.IMAGE, lock=7)
    places = {name: str(place) for name, place in of.items()}
    return {
        **places,
        "link": link.hex(),
        "code_key": code_key.hex(),
        "image": str(bodies.IMAGE),
        "lock": 7,
        "under_link": under_link.hex(),
        "wrapped": wrapped.hex(),
    }


# Circles


def place_in_circle(**changes: Any) -> dict[str, Any]:
    made = {"instance": bodies.INSTANCE, "circle": bodies.OWNER, "epoch": 3}
    return {**made, **changes}


def as_text(fields: dict[str, Any]) -> Vector:
    return {
        name: str(value) if isinstance(value, UUID) else value for name, value in fields.items()
    }


def circle_commitment_vectors() -> Iterator[Vector]:
    made = {"circle": bodies.IMAGE, "owner": bodies.OWNER, "epoch": 3}
    right = circles.commitment(KEY, **made).hex()
    yield opened("right", circle_key=KEY.hex(), commitment=right, **as_text(made))
    other_key = KEY[::-1].hex()
    yield refused("another key", circle_key=other_key, commitment=right, **as_text(made))
    for name, value in {"circle": bodies.READER, "owner": bodies.READER, "epoch": 4}.items():
        other = as_text({**made, name: value})
        yield refused(f"another {name}", circle_key=KEY.hex(), commitment=right, **other)
    yield refused("cut", circle_key=KEY.hex(), commitment=right[:-2], **as_text(made))
    yield refused("a short key", circle_key=KEY[:16].hex(), commitment=right, **as_text(made))


def circle_content_key_vectors() -> Iterator[Vector]:
    made = place_in_circle(subject=bodies.IMAGE, lock=7)
    content_key = seeded("a content key", 32)
    right = circles.wrap_content_key(content_key, KEY, **made).hex()

    def vector(make: Callable[..., Vector], name: str, **changes: Any) -> Vector:
        fields = as_text({**made, **changes})
        fields["image"] = fields.pop("subject")
        return make(name, **{"circle_key": KEY.hex(), "wrapped": right, **fields})

    yield vector(opened, "right", content_key=content_key.hex())
    for name in ("instance", "circle", "subject"):
        yield vector(refused, f"another {name}", **{name: bodies.READER})
    yield vector(refused, "another epoch", epoch=4)
    yield vector(refused, "another lock", lock=8)
    yield vector(refused, "another key", circle_key=KEY[::-1].hex())
    yield vector(refused, "cut", wrapped=right[:-16])
    yield vector(refused, "nothing", wrapped="")


def circle_details_vectors() -> Iterator[Vector]:
    made = place_in_circle()
    plaintext = b'{"description":"","title":"Lake"}'
    key = circles._details_key(KEY, made["instance"], made["circle"], made["epoch"])
    right = content._encrypt_under_iv(plaintext, key, seeded("details", 16)).hex()
    fields = {"circle_key": KEY.hex(), "stored": right, **as_text(made)}
    yield opened("right", **fields, plaintext=plaintext.hex())
    for size in (0, 16, 31):
        yield refused(f"cut to {size} bytes", **{**fields, "stored": right[: 2 * size]})
    yield refused("a short key", **{**fields, "circle_key": KEY[:16].hex()})


FILES = {
    "invitations": invitation_vectors,
    "content": content_vectors,
    "statements": statement_vectors,
    "share-entries": entry_vectors,
    "wrapped-keys": wrapped_key_vectors,
    "keys-under-kek": kwp_vectors,
    "key-commitments": commitment_vectors,
    "plaintext-tags": tag_vectors,
    "picture-tags": picture_vectors,
    "circle-commitments": circle_commitment_vectors,
    "circle-content-keys": circle_content_key_vectors,
    "circle-details": circle_details_vectors,
    "circle-keys": circle_key_vectors,
}


def text(name: str) -> str:
    """Return the whole of `name`.json: one vector a line, so that a change shows in a diff."""
    lines = (json.dumps(vector, sort_keys=True) for vector in FILES[name]())
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    for name in FILES:
        (HERE / f"{name}.json").write_text(text(name))
