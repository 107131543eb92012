"""A trail of its own for each test, so that all of it can be verified."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def trail_file(settings: Any, tmp_path: Path, transactional_db: None) -> Path:
    settings.AUDIT_FILE = tmp_path / "audit.jsonl"
    return settings.AUDIT_FILE
