"""Which pages people open after a row was altered, and what is wrong with what they see."""

import sys
import traceback
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.contrib.sessions.models import Session
from django.core.signals import got_request_exception
from django.db.models import Model

from accounts.models import Custody, Invite, KeyPair, KeySlot, MacKey, User, WrappedKey
from gallery.models import (
    Acknowledgement,
    Circle,
    Grant,
    Invitation,
    InvitedGrant,
    Member,
    Notice,
    NoticeHead,
    Placement,
    Rendition,
    SealedImage,
    Statement,
)
from tests.rows.flips import Flip, Snapshot
from tests.rows.world import JSON, World

OF_ONE_IMAGE = (
    SealedImage,
    Rendition,
    Statement,
    Grant,
    WrappedKey,
    Acknowledgement,
    Circle,
    Member,
    Placement,
)
IMAGES = [
    ("bob", "/images/{first}/"),
    ("bob", "/images/{first}/original"),
    ("bob", "/images/{placed}/original"),
    ("carol", "/images/{placed}/"),
    ("carol", "/images/{second}/preview"),
    ("alice", "/images/mine/"),
    ("alice", "/images/upload/"),
    ("alice", "/images/{first}/"),
    ("bob", "/albums/"),
    ("bob", "/albums/{album}/"),
    ("alice", "/albums/{album}/"),
    ("alice", "/images/{placed}/"),
    ("mallory", "/images/{first}/"),
    ("overseer", "/admin/accounts/user/"),
]
PEOPLE = [
    ("alice", "/images/mine/"),
    ("alice", "/images/{first}/"),
    ("alice", "/images/upload/"),
    ("alice", "/images/waiting/"),
    ("alice", "/accounts/security/"),
    ("bob", "/images/{first}/"),
    ("bob", "/activity/"),
    ("bob", "/people/alice/"),
    ("alice", "/people/bob/"),
    ("overseer", "/admin/accounts/keypair/"),
    ("overseer", "/admin/gallery/sealedimage/"),
    ("overseer", "/admin/gallery/notice/"),
    ("overseer", "/admin/accounts/invite/"),
]
UNLOCKING = [
    ("alice", "/images/"),
    ("alice", "/accounts/security/"),
    ("alice", "/accounts/recovery-code/"),
    ("alice", "/accounts/unlock/"),
    ("bob", "/images/{first}/original"),
]
NOTICES = [("bob", "/activity/"), ("carol", "/activity/"), ("bob", "/images/{first}/")]
INVITES = [("nobody", "/accounts/invite/{invite}/"), ("alice", "/accounts/security/")]
INVITATIONS = [
    ("nobody", "{link}"),
    ("alice", "/invitations/"),
    ("alice", "/images/{first}/"),
    ("alice", "/images/upload/"),
    ("alice", "/images/mine/"),
    ("bob", "/images/{first}/original"),
    ("bob", "{link}"),
]
OTHERS = [
    ("alice", "/images/"),
    ("alice", "/images/relock/"),
    ("alice", "/accounts/security/"),
    ("alice", "/accounts/new-start/"),
    ("alice", "/people/bob/"),
    ("overseer", "/admin/"),
]
PLACES: dict[type[Model], list[tuple[str, str]]] = {
    **dict.fromkeys(OF_ONE_IMAGE, IMAGES),
    **dict.fromkeys((Notice, NoticeHead, MacKey), NOTICES),
    **dict.fromkeys((User, KeyPair), PEOPLE),
    **dict.fromkeys((Session, Custody, KeySlot), UNLOCKING),
    **dict.fromkeys((Invitation, InvitedGrant), INVITATIONS),
    Invite: INVITES,
}


class Walker:
    """Alters, looks, notes what is wrong, and puts everything back."""

    def __init__(self, world: World, *, looks_everywhere: bool = False) -> None:
        """Else at every third place only, of each flip at others."""
        self.world = world
        self._step = 1 if looks_everywhere else 3
        self.wrong: list[str] = []
        self.tried = 0
        self._snapshot = Snapshot()
        self._cookies = {who: SimpleCookie(client.cookies) for who, client in world.clients.items()}
        self._error = ""

    def walk(self, flip: Flip) -> bool:
        """Look at everything after `flip`; return whether the database took it."""
        concerns_bob = self.world.belongs_to("bob", flip)
        got_request_exception.connect(self._note_error)
        try:
            if not flip.make():
                return False
            self._look_around(flip)
            self._look_beside(flip, concerns_bob)
            self.tried += 1
        finally:
            got_request_exception.disconnect(self._note_error)
            self._put_back()
        return True

    def _look_around(self, flip: Flip) -> None:
        for who, place in places_after(flip)[self.tried % self._step :: self._step]:
            self._look(flip, who, self.world.fill(place))

    def _put_back(self) -> None:
        self._snapshot.restore()
        for who, cookies in self._cookies.items():
            self.world.clients[who].cookies = SimpleCookie(cookies)

    def _note_error(self, **about: Any) -> None:
        error = sys.exc_info()[1]
        frames = traceback.extract_tb(error.__traceback__)
        ours = [one for one in frames if "site-packages" not in one.filename] or frames
        place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
        self._error = f"{type(error).__name__} at {place}: {str(error)[:60]}"

    def _look(self, flip: Flip, who: str, place: str) -> None:
        answer = self.world.clients[who].get(place)
        self._judge(flip, f"{who} {place}", answer)
        released = self.world.released.get(place)
        if released and answer.status_code == 200 and answer.getvalue() != released:
            self.wrong.append(f"{flip} | {who} {place}: other bytes")

    def _judge(self, flip: Flip, what: str, answer: Any) -> None:
        if answer.status_code >= 500:
            self.wrong.append(f"{flip} | {what} {answer.status_code} {self._error}")

    def _look_beside(self, flip: Flip, concerns_bob: bool) -> None:
        """Erin has nothing to do with it; what dave shared with bob has nothing, either."""
        if flip.model in OF_ONE_IMAGE:
            self._expect(flip, "bob", "kept", "daves")
        else:
            self._expect(flip, *(("erin", "erins") if concerns_bob else ("bob", "daves")))

    def _expect(self, flip: Flip, reader: str, *images: str) -> None:
        answer = self.world.clients[reader].get("/images/", headers=JSON)
        cards = answer.json().get("images", []) if answer.status_code < 500 else []
        states = {card["id"]: card["state"] for card in cards}
        for image in images:
            state = states.get(str(self.world.images[image].pk))
            if state != "verified":
                error = self._error if answer.status_code >= 500 else ""
                said = f"{answer.status_code} {state} {error}"
                self.wrong.append(f"{flip} | {reader} lost {image}: {said}")
            self._look(flip, reader, self.world.place(image, "thumbnail"))


def places_after(flip: Flip) -> list[tuple[str, str]]:
    places = PLACES.get(flip.model, OTHERS)
    if flip.model not in admin.site._registry:
        return places
    base = f"/admin/{flip.model._meta.app_label}/{flip.model._meta.model_name}/"
    row = f"{base}{flip.key}/change/"
    staffs = [base, f"{base}?q=alice&o=1.-2", row, f"{base}{flip.key}/history/"]
    if flip.model is User:
        staffs.append(f"{base}{flip.key}/quota/")
    return [*places, *(("overseer", place) for place in staffs)]
