import pytest

from cryptocore import canonical
from tests.cryptocore.refusals import assert_refused

NOT_CANONICAL = {
    "nothing": b"",
    "not json": b"{",
    "an array": b"[]",
    "a number": b"1",
    "space after a colon": b'{"a": 1}',
    "space at the end": b'{"a":1} ',
    "line end": b'{"a":1}\n',
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "keys unsorted": b'{"b":1,"a":1}',
    "a key twice": b'{"a":1,"a":1}',
    "a key twice, deeper": b'{"a":{"b":1,"b":2}}',
    "fraction": b'{"a":1.5}',
    "whole number written as fraction": b'{"a":1.0}',
    "exponent": b'{"a":1e2}',
    "minus zero": b'{"a":-0}',
    "leading zero": b'{"a":01}',
    "2**53": b'{"a":9007199254740992}',
    "-2**53": b'{"a":-9007199254740992}',
    "five thousand digits": b'{"a":' + b"9" * 5000 + b"}",
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "needless escape": b'{"a":"\\u0061"}',
    "escaped slash": b'{"a":"\\/"}',
    "escape in upper case": b'{"a":"\\u001F"}',
    "half a surrogate pair": b'{"a":"\\ud800"}',
    "raw half of a surrogate pair": b'{"a":"\xed\xa0\x80"}',
    "latin-1": b'{"a":"\xe9"}',
    "utf-16": '{"a":1}'.encode("utf-16"),
    "raw control character": b'{"a":"\x01"}',
    "something after it": b'{"a":1}{"a":1}',
    "depth 5": b'{"a":{"a":{"a":{"a":{}}}}}',
    "depth 5 in arrays": b'{"a":[[[[]]]]}',
    "a hundred thousand brackets": b"[" * 100_000,
    "a hundred thousand objects": b'{"a":' * 40_000,
    "256 KiB and a byte": b'{"a":"' + b"x" * (canonical.MAX_BYTES - 7) + b'"}',
}


@pytest.mark.parametrize("data", NOT_CANONICAL.values(), ids=NOT_CANONICAL)
def test_what_is_not_canonical_is_refused(data):
    assert_refused(canonical.decode, data)


NO_ENCODING = [1.0, float("nan"), b"bytes", (1,), 2**53, -(2**53), "\ud800", {1: 1}, {1}]


@pytest.mark.parametrize("value", NO_ENCODING, ids=repr)
def test_what_has_no_encoding_is_a_programmers_mistake(value):
    with pytest.raises((ValueError, TypeError)):
        canonical.encode({"a": value})


def test_only_an_object_stands_on_its_own():
    with pytest.raises(TypeError):
        canonical.encode([])


def test_encode_keeps_the_limits_that_decode_keeps():
    with pytest.raises(ValueError, match="deeply"):
        canonical.encode({"a": [[[[]]]]})
    with pytest.raises(ValueError, match="longer"):
        canonical.encode({"a": "x" * canonical.MAX_BYTES})
    with pytest.raises(ValueError, match="deeply"):
        canonical.encode({"a": {}}, max_depth=1)


def test_a_loop_is_refused_rather_than_followed():
    loop = {}
    loop["a"] = loop
    with pytest.raises(ValueError, match="deeply"):
        canonical.encode(loop)


def test_the_largest_allowed_is_allowed():
    for data in (
        b'{"a":"' + b"x" * (canonical.MAX_BYTES - 8) + b'"}',
        b'{"a":{"a":{"a":{}}}}',
        b'{"a":9007199254740991,"b":-9007199254740991}',
    ):
        assert canonical.encode(canonical.decode(data)) == data


def test_a_callers_limits_hold():
    assert canonical.decode(b'{"a":1}', max_bytes=7, max_depth=1) == {"a": 1}
    assert_refused(canonical.decode, b'{"a":1}', max_bytes=6)
    assert_refused(canonical.decode, b'{"a":{}}', max_depth=1)


def test_text_is_utf8_and_only_escaped_where_json_must():
    value = {"ü": 'é "\\ \n\x1f\x7f/ \U0001f5bc', "a": [None, True, False, 0]}
    assert canonical.encode(value) == (
        '{"a":[null,true,false,0],"ü":"é \\"\\\\ \\n\\u001f\x7f/ \U0001f5bc"}'.encode()
    )


def test_keys_are_sorted_by_code_point_at_every_depth():
    value = {"b": {"ä": 1, "z": 2}, "B": 3, "a": 4}
    assert canonical.encode(value) == '{"B":3,"a":4,"b":{"z":2,"ä":1}}'.encode()
