import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from cryptocore import canonical, keypair, statements
from cryptocore.errors import CryptoError
from cryptocore.signature import sign
from tests.cryptocore import bodies
from tests.cryptocore.bodies import changed, compose, hex_digest, without
from tests.cryptocore.refusals import assert_refused, flipped
from tests.keys import load_pair

PUBLIC = bodies.SIGNER.public_key()
KINDS = sorted(statements.KINDS)
DIGEST = hex_digest("any")
UPPER = DIGEST.upper()
LEAVES = [("renditions", "original", name) for name in bodies.rendition("original")]
NESTED = [("renditions", name) for name in statements.RENDITIONS]

WRONG = [
    *((kind, ("kind",), other) for kind in KINDS for other in ("album", "", None, 1)),
    *(("membership", ("circle",), other) for other in ("person", "Album", "", None, 1)),
    *(("membership", ("epoch",), other) for other in (0, -1, True, "1", None, 2**32)),
    *(("membership", ("key_commitment",), other) for other in (UPPER, DIGEST[1:], "", None)),
    *(("membership", ("details", "sha256"), other) for other in (UPPER, "", None)),
    *(("membership", ("details", "length"), other) for other in (0, 16, 33, "48", None, True)),
    *(("membership", ("members_add",), other) for other in (0, 1, "true", None)),
    *(("membership", ("entries",), other) for other in ([], None, [DIGEST, DIGEST], [UPPER])),
    ("share", ("kind",), "manifest"),
    *(("share", ("suite",), other) for other in ("imageshare-2", "", None, 1, ["imageshare-1"])),
    *(
        ("share", (name,), other)
        for name in ("instance", "subject", "signer")
        for other in (
            str(bodies.IMAGE).upper(),
            bodies.IMAGE.hex,
            "{" + str(bodies.IMAGE) + "}",
            "urn:uuid:" + str(bodies.IMAGE),
            str(bodies.IMAGE) + "\n",
            "",
            None,
            1,
        )
    ),
    *(("share", ("sequence",), other) for other in (0, -1, True, "1", None, [1])),
    *(("share", ("previous",), other) for other in (DIGEST, "", 0, False)),
    *(
        ("share", ("time",), other)
        for other in (
            "2026-11-23T08:09:13",
            "2026-11-23T08:09:13+00:00",
            "2026-11-23T08:09:13.0Z",
            "2026-11-23 08:09:13Z",
            "2026-11-23T08:09:13z",
            "2026-11-23T08:09Z",
            "2026-02-29T08:09:13Z",
            "2026-11-23T24:00:00Z",
            "2026-12-31T23:59:60Z",
            "0000-01-01T00:00:00Z",
            "٢٠٢٦-11-23T08:09:13Z",
            "2026-11-23T08:09:13Z\n",
            "",
            None,
            1795421353,
        )
    ),
    *(
        (kind, (name,), other)
        for kind, name in (
            *(("share", "key"), ("key", "fingerprint"), ("manifest", "key_commitment")),
            ("acknowledgement", "manifest"),
        )
        for other in (UPPER, DIGEST[:-1], DIGEST + "0", DIGEST[:-1] + "g", DIGEST + "\n", None, 1)
    ),
    *(("key", ("purpose",), other) for other in ("mac", "Signing", "", None, ["signing"], {})),
    *(("key", ("epoch",), other) for other in (0, -1, True, 2**32, None, "1")),
    *(("key", ("key_pair",), other) for other in (bodies.IMAGE.hex, None, 1)),
    *(("manifest", ("lock",), other) for other in (0, -1, True, 2**32, None, "1")),
    *(("manifest", ("renditions",), other) for other in ({}, [], None, "original", 1)),
    *(("manifest", path, other) for path in NESTED for other in ({}, [], None, "x")),
    *(
        ("manifest", ("renditions", "original", "length"), other)
        for other in (0, 16, 31, 33, 47, -48, True, None, "48")
    ),
    *(
        ("manifest", ("renditions", "original", name), other)
        for name in ("sha256", "plaintext_tag")
        for other in (UPPER, DIGEST[:-1], None, 1)
    ),
    *(
        ("manifest", ("renditions", name, "media_type"), other)
        for name in ("original", "preview", "thumbnail")
        for other in ("application/json", "image/svg+xml", "text/html", "image/JPEG", "", None, 1)
    ),
    *(
        ("manifest", ("renditions", "description", "media_type"), other)
        for other in ("image/jpeg", "text/plain", "", None)
    ),
    *(
        ("share", ("entries",), other)
        for other in (
            [],
            {},
            None,
            DIGEST,
            [UPPER],
            [1],
            [None],
            [DIGEST, DIGEST],
            sorted(map(hex_digest, "abc"), reverse=True),
            sorted(map(hex_digest, map(str, range(502)))),
        )
    ),
]


@pytest.mark.parametrize(("kind", "path", "other"), WRONG)
def test_a_field_of_another_form_is_refused(kind, path, other):
    assert_refused(statements.parse, kind, changed(kind, *path, to=other))


def test_names_stand_with_a_signing_key_both_or_none():
    named = compose("key", **bodies.NAMED)
    assert statements.parse("key", named)["username"] == "ana"
    longest = {"username": "a" * 32, "display_name": "山" * 80}
    assert statements.parse("key", compose("key", **{**bodies.NAMED, **longest}))
    for name in statements.OPTIONAL["key"]:
        half = {key: value for key, value in bodies.NAMED.items() if key != name}
        with pytest.raises(ValueError, match="both"):
            compose("key", **half)
    with pytest.raises(ValueError, match="identity"):
        compose("key", **{**bodies.NAMED, "purpose": "encryption"})
    for kind in ("manifest", "share"):
        with pytest.raises(ValueError, match="exactly"):
            compose(kind, username="ana", display_name="Ana")


@pytest.mark.parametrize(
    ("name", "other"),
    [
        *(("username", other) for other in ("an", "Ana", "1na", "a" * 33, "ana\n", "anä", None, 1)),
        *(("display_name", other) for other in ("", "x" * 81, None, 1, ["Ana"])),
    ],
)
def test_a_name_of_another_form_is_refused(name, other):
    value = json.loads(compose("key", **bodies.NAMED)) | {name: other}
    assert_refused(statements.parse, "key", bodies.as_json(value))


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_field_is_refused(kind):
    for name in statements.parse(kind, compose(kind)):
        assert_refused(statements.parse, kind, without(kind, name))


@pytest.mark.parametrize("path", [*NESTED, *LEAVES])
def test_a_missing_rendition_or_a_part_of_one_is_refused(path):
    assert_refused(statements.parse, "manifest", without("manifest", *path))


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_field_is_refused(kind):
    assert_refused(statements.parse, kind, changed(kind, "note", to="hello"))


@pytest.mark.parametrize("path", [("renditions", "large"), ("renditions", "original", "note")])
def test_an_unknown_rendition_or_part_of_one_is_refused(path):
    assert_refused(statements.parse, "manifest", changed("manifest", *path, to=DIGEST))


@pytest.mark.parametrize("kind", KINDS)
def test_a_statement_of_one_kind_is_none_of_another(kind):
    for other in {*KINDS, "album", "", "key\x00"} - {kind}:
        assert_refused(statements.parse, other, compose(kind))


def test_a_second_statement_without_its_previous_is_refused():
    assert_refused(statements.parse, "share", changed("share", "sequence", to=2))
    with pytest.raises(ValueError, match="previous"):
        compose("share", sequence=2)
    assert statements.parse("share", compose("share", sequence=2, previous=DIGEST))


@pytest.mark.parametrize("kind", KINDS)
def test_another_spelling_of_the_same_values_is_refused(kind):
    body = compose(kind)
    for other in (body + b"\n", b" " + body, body.replace(b":", b": ", 1), b"\xef\xbb\xbf" + body):
        assert_refused(statements.parse, kind, other)
    assert_refused(statements.parse, kind, b'{"kind":"' + kind.encode() + b'",' + body[1:])


@pytest.mark.parametrize(
    ("kind", "name", "other"),
    [
        (kind, path[0], other)
        for kind, path, other in WRONG
        if len(path) == 1 and path[0] in bodies.FIELDS[kind]
    ],
)
def test_compose_refuses_what_parse_refuses(kind, name, other):
    with pytest.raises(ValueError):  # noqa: PT011
        compose(kind, **{name: other})


@pytest.mark.parametrize(
    "changes",
    [
        {"time": datetime(2026, 11, 23)},  # noqa: DTZ001
        {"time": datetime(999, 1, 1, tzinfo=UTC)},
        {"sequence": 0},
        {"sequence": 2**53, "previous": DIGEST},
        {"previous": DIGEST},
        {"key": "pair-01"},
        {"instance": "x"},
        {"note": 1},
        {"entries": []},
    ],
    ids=str,
)
def test_compose_refuses_a_programmers_mistake(changes):
    with pytest.raises(ValueError):  # noqa: PT011
        compose("share", **changes)


def test_a_kind_outside_the_list_is_a_programmers_mistake_where_we_write():
    with pytest.raises(ValueError, match="kind"):
        statements.compose(
            "album",
            instance=bodies.INSTANCE,
            subject=bodies.IMAGE,
            sequence=1,
            previous=None,
            time=bodies.TIME,
            signer=bodies.OWNER,
            key=bodies.KEY,
        )
    with pytest.raises(ValueError, match="kind"):
        statements.sign_statement("album", compose("share"), bodies.SIGNER)


def test_composed_is_canonical_with_every_common_field():
    assert compose("share") == (
        b'{"entries":["' + '","'.join(sorted(map(hex_digest, "abc"))).encode() + b'"],'
        b'"instance":"b6d1c8f4-2a37-4c64-8f0e-3f5a7c1d9e01",'
        b'"key":"' + bodies.KEY.encode() + b'","kind":"share","previous":null,"sequence":1,'
        b'"signer":"0d9f3a7e-59a1-4b6c-8a52-2f1c9e6b7d40",'
        b'"subject":"6f1b0a52-3c0e-4e0b-9a43-7d5a0c1f2e11",'
        b'"suite":"imageshare-1","time":"2026-11-23T08:09:13Z"}'
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_compose_makes_parse_reads(kind):
    value = statements.parse(kind, compose(kind))
    assert value["kind"] == kind
    assert bodies.FIELDS[kind].items() <= value.items()


@pytest.mark.parametrize("media_type", statements.PICTURE_TYPES)
def test_every_picture_type_of_the_list_is_taken(media_type):
    body = changed("manifest", "renditions", "original", "media_type", to=media_type)
    assert statements.parse("manifest", body)


def test_a_share_with_five_hundred_recipients_and_the_owner_is_taken():
    entries = sorted(map(hex_digest, map(str, range(501))))
    assert statements.parse("share", compose("share", entries=entries))["entries"] == entries


def test_a_time_anywhere_is_written_in_utc_without_its_fraction():
    time = datetime(2026, 11, 23, 9, 9, 13, 5, timezone(timedelta(hours=1)))
    assert statements.format_time(time) == "2026-11-23T08:09:13Z"
    assert statements.parse_time("2026-11-23T08:09:13Z") == datetime(
        2026, 11, 23, 8, 9, 13, tzinfo=UTC
    )


# Signatures


BODY = compose("share")
SIGNATURE = statements.sign_statement("share", BODY, bodies.SIGNER)


def test_each_single_flipped_bit_of_a_statement_is_refused():
    for bit in range(8 * len(BODY)):
        changed_body = flipped(BODY, bit)
        assert_refused(statements.verify_statement, "share", changed_body, SIGNATURE, PUBLIC)


def test_each_single_flipped_bit_of_its_signature_is_refused():
    for bit in range(8 * len(SIGNATURE)):
        other = flipped(SIGNATURE, bit)
        assert_refused(statements.verify_statement, "share", BODY, other, PUBLIC)


@pytest.mark.parametrize("other", ["key", "manifest", "album", "", "share\x00"])
def test_a_signature_of_one_kind_serves_no_other(other):
    assert_refused(statements.verify_statement, other, BODY, SIGNATURE, PUBLIC)


def test_a_signature_over_the_body_alone_is_refused():
    bare = sign(BODY, bodies.SIGNER)
    assert_refused(statements.verify_statement, "share", BODY, bare, PUBLIC)


def test_a_body_signed_as_another_kind_is_refused():
    for kind in ("manifest", "key"):
        signature = sign(statements.signed_bytes(kind, BODY), bodies.SIGNER)
        assert_refused(statements.verify_statement, "share", BODY, signature, PUBLIC)
        assert_refused(statements.verify_statement, kind, BODY, signature, PUBLIC)


def test_a_well_signed_body_of_another_form_is_refused():
    for body in (b"", b"{}", BODY + b" ", changed("share", "note", to=1)):
        signature = sign(statements.signed_bytes("share", body), bodies.SIGNER)
        assert_refused(statements.verify_statement, "share", body, signature, PUBLIC)


def test_a_statement_naming_another_key_than_signed_it_is_refused():
    body = compose("share", key=keypair.fingerprint(keypair.public_der(load_pair(2))))
    signature = sign(statements.signed_bytes("share", body), bodies.SIGNER)
    assert_refused(statements.verify_statement, "share", body, signature, PUBLIC)


def test_someone_elses_signature_is_refused():
    theirs = sign(statements.signed_bytes("share", BODY), load_pair(2))
    assert_refused(statements.verify_statement, "share", BODY, theirs, PUBLIC)
    assert_refused(statements.verify_statement, "share", BODY, theirs, load_pair(2).public_key())


@pytest.mark.parametrize(
    ("body", "number"),
    [(b"{}", 1), (BODY + b" ", 1), (compose("manifest"), 1), (BODY, 2)],
    ids=["nothing", "not canonical", "another kind", "another key"],
)
def test_what_nobody_could_verify_is_not_signed(body, number):
    with pytest.raises(ValueError, match="statement"):
        statements.sign_statement("share", body, load_pair(number))


@pytest.mark.parametrize("kind", KINDS)
def test_a_signed_statement_verifies_and_is_read(kind):
    body = compose(kind)
    signature = statements.sign_statement(kind, body, bodies.SIGNER)
    assert len(signature) == 384
    value = statements.verify_statement(kind, body, signature, PUBLIC)
    assert value == statements.parse(kind, body)


def test_the_signed_bytes_are_the_kinds_context_and_the_body():
    assert statements.signed_bytes("share", BODY) == b"imageshare/v1/share\x00" + BODY


def test_the_digest_is_of_the_body_alone():
    assert statements.digest(BODY) == hex_digest(BODY.decode())


def test_the_key_a_body_names_is_found_before_anything_is_verified():
    body = compose("share")
    assert statements.key_named_in(body) == statements.parse("share", body)["key"]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"no JSON", b"\xff", b"[]", b"1", b"{}", b'{"key":1}', b'{"key":["a"]}'),
        b"[" * 100_000,
        b'{"key":"a","more":"' + b"a" * canonical.MAX_BYTES + b'"}',
    ],
)
def test_a_body_that_names_no_key_is_refused(body):
    with pytest.raises(CryptoError):
        statements.key_named_in(body)
