"""Twenty openings at once against one act of taking access back: none answers bytes after it."""

import threading
from collections import Counter

import pytest

from accounts.models import WrappedKey
from audit.verification import verify
from gallery import storage
from tests.concurrency import JSON, at_once, same_browser
from tests.conftest import jpeg

OPENS = 20
ROUNDS = 3
WHAT = ["original", "preview", "thumbnail"]


class Revoke:
    """When the owner's act is storing the new bytes, when the image was opened meanwhile, and when
    the act was answered."""

    def __init__(self) -> None:
        self.storing, self.opened, self.answered = (threading.Event() for _ in range(3))


class Opening:
    """One reader's tab: opens until the act was answered, then once more."""

    def __init__(self, tab, address: str, number: int) -> None:
        self.tab, self.address = tab, f"{address}{WHAT[number % len(WHAT)]}"
        self.during: Counter[int] = Counter()
        self.afterwards: list[tuple[int, bytes]] = []

    def run(self, revoke: Revoke) -> None:
        assert revoke.storing.wait(timeout=60)
        while not revoke.answered.is_set():
            status, _ = self.open()
            self.during[status] += 1
            if status == 200:
                revoke.opened.set()
        self.afterwards.append(self.open())

    def open(self) -> tuple[int, bytes]:
        answer = self.tab.get(self.address, headers=JSON)
        return answer.status_code, answer.getvalue()


@pytest.fixture
def revoke_watched(monkeypatch) -> list[Revoke]:
    """The newest of these is notified when the re-locked bytes are being stored."""
    acts: list[Revoke] = []
    put = storage.put

    def tell_and_put(data: bytes) -> str:
        if acts:
            acts[-1].storing.set()
            assert acts[-1].opened.wait(timeout=60)  # otherwise it may be over before a look
        return put(data)

    monkeypatch.setattr(storage, "put", tell_and_put)
    return acts


def race(image, owner, readers, acts: list[Revoke]) -> list[Opening]:
    """Take bob's access back while his tabs open the image; return what each was answered."""
    address, act = f"/images/{image.pk}/", Revoke()
    acts.append(act)

    def revoke() -> None:
        answer = owner.post(f"{address}revoke/", {"recipient": "bob"}, headers=JSON)
        act.answered.set()
        assert answer.status_code == 200, answer.content

    openings = [Opening(tab, address, number) for number, tab in enumerate(readers)]
    at_once(lambda run: run(), [revoke, *(lambda one=one: one.run(act) for one in openings)])
    acts.clear()
    return openings


@pytest.mark.attack("C12", "E12")
def test_of_twenty_openings_at_once_none_answers_bytes_after_the_revoke(
    upload, alice, bob, carol, revoke_watched
):
    reader, picture = bob.sign_in(), jpeg("olive")
    tabs = [same_browser(reader) for _ in range(OPENS)]
    during: Counter[int] = Counter()
    for _ in range(ROUNDS):
        image = upload(to=(bob, carol), data=picture, keep_details="1")
        assert reader.get(f"/images/{image.pk}/original").getvalue() == picture
        for opening in race(image, same_browser(alice.client), tabs, revoke_watched):
            during += opening.during
            ((status, body),) = opening.afterwards
            assert status == 410
            assert body.startswith(b'{"code": "access_ended"')
        assert carol.sign_in().get(f"/images/{image.pk}/original").getvalue() == picture
    assert during.keys() <= {200, 410}
    assert during[200] > 0
    assert not WrappedKey.objects.filter(key_pair__user=bob.user).exists()
    assert list(verify()) == []
