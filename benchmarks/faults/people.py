"""The people of these trials, and what they do to a server that may die meanwhile."""

import io
import os
import signal
import subprocess
import sys
from http.client import HTTPException

from PIL import Image

from tests.e2e.http_client import Answer, HttpClient
from tests.e2e.server import ROOT, Server, environment_of

PASSWORD = "correct horse battery"
# The server was killed in the middle, perhaps of its answer.
CUT_OFF = (OSError, HTTPException)
# These trials are one person's hours at once: what is measured is not the throttle.
UNTHROTTLED = {"UPLOADS_PER_HOUR": "1000000", "NAME_LOOKUPS_PER_HOUR": "1000000"}


class Person:
    """One person, who signs in and unlocks again if a kill made it necessary."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.client = HttpClient(server.address)
        self.client.register(name, name.title(), PASSWORD)

    def return_to(self, server: Server) -> None:
        self.client.address = server.address
        form = {"username": self.name, "password": PASSWORD}
        if self.client.get("/images/").status == 401:
            assert self.client.post("/accounts/login/", form).status == 200
        if self.client.get("/images/upload/", as_json=False).status != 200:
            assert self.client.post("/accounts/unlock/", {"password": PASSWORD}).status == 200

    def upload(self, data: bytes, *recipients: "Person") -> Answer:
        names = [person.name for person in recipients]
        return self.client.upload([("x.jpg", data)], keep_details="1", recipients=names)

    def revoke(self, image: str, recipient: "Person") -> Answer:
        return self.client.post(f"/images/{image}/revoke/", {"recipient": recipient.name})

    def open(self, image: str) -> Answer:
        return self.client.get(f"/images/{image}/original")

    def opens(self, image: str, data: bytes) -> bool:
        return self.open(image).body == data


def image_of(answer: Answer) -> str:
    return str(answer.json()["images"][0]["id"])


def picture(number: int, size: tuple[int, int] = (64, 48)) -> bytes:
    """Return a JPEG unlike those of other numbers."""
    file = io.BytesIO()
    Image.new("RGB", size, (number % 256, number // 256, 99)).save(file, "JPEG", quality=95)
    return file.getvalue()


def kill(server: Server) -> None:
    for process in server.processes():
        os.kill(process, signal.SIGKILL)


def manage(server: Server, *words: str) -> tuple[int, str]:
    """Run a management command beside the server; return its exit status and what it said."""
    environment = {**environment_of(server.data_dir, server.port), "PURGE_GRACE_SECONDS": "0"}
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, (done.stdout or done.stderr).strip()
