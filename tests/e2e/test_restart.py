"""A server that is killed, started again from another folder, and has lost nothing."""

import os
import signal

import pytest

from tests.conftest import jpeg
from tests.e2e.http_client import HttpClient
from tests.e2e.server import REAL, running

PASSWORD = "correct horse battery"


@pytest.mark.attack("E13", "E14", "E16")
def test_what_was_acknowledged_survives_a_kill_and_nothing_secret_is_in_the_log(data_dir, tmp_path):
    lake = jpeg("teal")
    with running(data_dir, REAL) as server:
        alice = HttpClient(server.address)
        alice.register("alice", "Alice Ardent", PASSWORD)
        uploaded = alice.upload([("lake.jpg", lake)], keep_details="1").json()
        image = uploaded["images"][0]["id"]
        for process in reversed(server.processes()):
            os.kill(process, signal.SIGKILL)
        server.process.wait(timeout=30)
    cookies = {cookie.name: cookie.value for cookie in alice.cookies}
    assert cookies.pop("language") == "en"  # the one that is no secret
    secrets = [PASSWORD, *cookies.values()]
    with running(data_dir, REAL, cwd=tmp_path) as server:
        alice.address = server.address
        assert alice.get(f"/images/{image}/original").body == lake  # still unlocked: the cookie
        log = server.log.read_text()
    for secret in secrets:
        assert secret not in log
        assert secret not in (data_dir / "audit.jsonl").read_text()
