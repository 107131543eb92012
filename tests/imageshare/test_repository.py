"""What is under version control, and so in every copy of the project."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS_TO_KEEP = re.compile(
    r"\.(sqlite3|db|log|jsonl|pem|key|p12|env)$|(^|/)secrets\.env|server-keys"
)
PRIVATE_KEY = b"PRIVATE " + b"KEY-----"


@pytest.mark.attack("A4")
@pytest.mark.skipif(not shutil.which("git") or not (ROOT / ".git").exists(), reason="no clone")
def test_no_key_database_or_log_is_under_version_control():
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT).decode().split("\0")
    for name in filter(None, listed):
        assert not NOT_OURS_TO_KEEP.search(name), name
        path = ROOT / name
        if path.is_file():
            assert PRIVATE_KEY not in path.read_bytes(), name
