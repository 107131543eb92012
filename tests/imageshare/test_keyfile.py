"""The key file: made once, private, and never printed."""

import json
import stat

import pytest

from imageshare import keyfile
from imageshare.keyfile import KeyFileError, ServerKeys


@pytest.fixture
def path(tmp_path):
    keyfile.create(tmp_path / "keys.json")
    return tmp_path / "keys.json"


def test_an_existing_key_file_is_never_overwritten(path):
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        keyfile.create(path)
    assert path.read_bytes() == before


def test_only_its_owner_reads_it(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_made_is_read_again_and_prints_no_key(path):
    keys = ServerKeys.load(path)
    stored = json.loads(path.read_text())
    assert str(keys.instance_id) == stored["instance_id"]
    assert keys.signing_key.size_in_bits() == 3072
    for ring in (keys.audit, keys.notice, keys.factor):
        key_id, key = ring.newest
        assert len(key) == 32
        assert ring.get(key_id) == key
        assert key.hex() not in repr(ring) + repr(keys) + str(vars(keys))
    assert len({keys.audit.newest[1], keys.notice.newest[1], keys.factor.newest[1]}) == 3


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"instance_id": "x"}', "\x00", '{"audit": 7}'])
def test_another_file_in_its_place_is_refused_in_a_sentence(tmp_path, text):
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(KeyFileError, match="not a key file"):
        ServerKeys.load(path)


def test_a_missing_one_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(KeyFileError, match="make run"):
        ServerKeys.load(tmp_path / "none.json")


def test_keys_that_do_not_fit_are_refused(path):
    stored = json.loads(path.read_text())
    stored["notice"] = {}
    path.write_text(json.dumps(stored))
    with pytest.raises(KeyFileError):
        ServerKeys.load(path)
