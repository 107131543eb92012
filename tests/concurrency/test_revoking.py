"""Once taking access back was answered, the former reader gets no byte any more."""

import threading
from collections import Counter

import pytest

from audit.verification import verify
from gallery import storage
from gallery.models import Grant, SealedImage
from tests.concurrency import JSON, at_once, same_browser

IMAGES = 25
NAMES = ["bravo", "delta", "golf", "kilo"]


class Race:
    """One round: the owner takes access back while a reader keeps opening the image."""

    def __init__(self, image: SealedImage, name: str) -> None:
        self.image, self.name = f"/images/{image.pk}/", name
        self.opened = threading.Event()
        self.storing = threading.Event()
        self.revoked = threading.Event()
        self.before: Counter[int] = Counter()
        self.afterwards: Counter[int] = Counter()
        self.bytes_afterwards = 0

    def run(self, owner, reader) -> None:
        acts = [(self.revoke, owner), (self.open_until_revoked, reader)]
        at_once(lambda act: act[0](act[1]), acts)

    def revoke(self, owner) -> None:
        assert self.opened.wait(timeout=60)
        answer = owner.post(f"{self.image}revoke/", {"recipient": self.name}, headers=JSON)
        assert answer.status_code == 200, answer.content
        self.revoked.set()

    def open_until_revoked(self, reader) -> None:
        self.before[self.open(reader).status_code] += 1
        self.opened.set()
        assert self.storing.wait(timeout=60)
        while not self.revoked.is_set():
            self.before[self.open(reader).status_code] += 1
        answer = self.open(reader)
        self.afterwards[answer.status_code] += 1
        self.bytes_afterwards += len(answer.getvalue()) if answer.status_code == 200 else 0

    def open(self, reader):
        return reader.get(f"{self.image}original", headers=JSON)


@pytest.fixture
def races(monkeypatch) -> list[Race]:
    """Tells the newest race when the re-locked bytes are being stored: the commit is near then."""
    races: list[Race] = []
    put = storage.put

    def tell_and_put(data: bytes) -> str:
        if races:
            races[-1].storing.set()
        return put(data)

    monkeypatch.setattr(storage, "put", tell_and_put)
    return races


@pytest.mark.attack("C12")
def test_nothing_is_read_after_taking_access_back_was_answered(upload, alice, make_person, races):
    people = [make_person(name) for name in NAMES]
    readers = [same_browser(person.sign_in()) for person in people]
    for _ in range(IMAGES):
        image = upload(to=tuple(people))
        owner = same_browser(alice.client)
        for name, reader in zip(NAMES, readers, strict=True):
            races.append(Race(image, name))
            races[-1].run(owner, reader)

    assert len(races) == 100
    assert sum(race.bytes_afterwards for race in races) == 0
    assert sum((race.afterwards for race in races), Counter()) == {410: 100}
    before = sum((race.before for race in races), Counter())
    assert before.keys() <= {200, 410}
    assert before[200] >= 100
    assert {image.lock for image in SealedImage.objects.all()} == {1 + len(NAMES)}
    assert not Grant.objects.filter(ended_at=None).exclude(reader=alice.user).exists()
    assert list(verify()) == []
