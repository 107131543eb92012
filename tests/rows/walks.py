"""Which pages people open after a row was altered, and what is wrong with what they see."""

import sys
import traceback
from functools import partial
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
from tests import worlds
from tests.rows.flips import Flip
from tests.rows.reached import Reach, Reached
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
STEP = 3


class Walker:
    """Alters, looks where that can be seen, notes what is wrong, and puts everything back."""

    def __init__(self, world: World, *, looks_everywhere: bool = False) -> None:
        """Else at every third page that the change reaches, of each at others."""
        self.world = world
        self._everywhere = looks_everywhere
        self.wrong: list[str] = []
        self.tried = self.looked = 0
        self._before = worlds.World.now()  # with the trail, which knows what acts signed
        self._pairs = worlds.fixtures.pairs
        self._cookies = {who: SimpleCookie(client.cookies) for who, client in world.clients.items()}
        self._error = ""
        self._reach = Reach()

    def walk(self, flip: Flip) -> bool:
        """Look at everything after `flip`; return whether the database took it."""
        beside = self._beside(flip)  # before the change, which may hide whose the row is
        self._learn(flip, beside)
        got_request_exception.connect(self._note_error)
        try:
            if not flip.make():
                return False
            reached = self._reach.after(flip.model)
            self._look_around(flip, reached)
            self._look_beside(flip, beside, reached)
            self.tried += 1
        finally:
            got_request_exception.disconnect(self._note_error)
            self._put_back()
        return True

    def _learn(self, flip: Flip, beside: tuple[str, ...]) -> None:
        """Before the change: what do these pages ask?"""
        reader, *images = beside
        self._learn_page(reader, "/images/", headers=JSON)
        for image in images:
            self._learn_page(reader, self.world.place(image, "thumbnail"))
        for who, place in self._places(flip):
            self._learn_page(who, place)

    def _learn_page(self, who: str, place: str, **about: Any) -> None:
        ask = partial(self.world.clients[who].get, place, **about)
        self._reach.learn(name_of(who, place, **about), ask, self._put_back)

    def _places(self, flip: Flip) -> list[tuple[str, str]]:
        return [(who, self.world.fill(place)) for who, place in places_after(flip)]

    def _look_around(self, flip: Flip, reached: Reached) -> None:
        places = self._places(flip)
        if not self._everywhere:
            places = [(who, place) for who, place in places if name_of(who, place) in reached]
            places = places[self.tried % STEP :: STEP] or places[:1]
        for who, place in places:
            self._look(flip, who, place)

    def _put_back(self) -> None:
        self._before.put_back()
        worlds.fixtures.pairs = self._pairs
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
        self.looked += 1
        self._judge(flip, f"{who} {place}", answer)
        released = self.world.released.get(place)
        if released and answer.status_code == 200 and answer.getvalue() != released:
            self.wrong.append(f"{flip} | {who} {place}: other bytes")

    def _judge(self, flip: Flip, what: str, answer: Any) -> None:
        if answer.status_code >= 500:
            self.wrong.append(f"{flip} | {what} {answer.status_code} {self._error}")

    def _beside(self, flip: Flip) -> tuple[str, ...]:
        """Who is looked at beside it, and their images. Erin has nothing to do with anything that
        is altered; what dave shared with bob has nothing, either."""
        if flip.model in OF_ONE_IMAGE:
            return ("bob", "kept", "daves")
        return ("erin", "erins") if self.world.belongs_to("bob", flip) else ("bob", "daves")

    def _look_beside(self, flip: Flip, beside: tuple[str, ...], reached: Reached) -> None:
        reader, *images = beside
        if self._everywhere or name_of(reader, "/images/", headers=JSON) in reached:
            self._expect(flip, reader, *images)
        for image in images:
            place = self.world.place(image, "thumbnail")
            if self._everywhere or name_of(reader, place) in reached:
                self._look(flip, reader, place)

    def _expect(self, flip: Flip, reader: str, *images: str) -> None:
        """In the reader's list, these are as they were."""
        answer = self.world.clients[reader].get("/images/", headers=JSON)
        self.looked += 1
        cards = answer.json().get("images", []) if answer.status_code < 500 else []
        states = {card["id"]: card["state"] for card in cards}
        for image in images:
            state = states.get(str(self.world.images[image].pk))
            if state != "verified":
                error = self._error if answer.status_code >= 500 else ""
                said = f"{answer.status_code} {state} {error}"
                self.wrong.append(f"{flip} | {reader} lost {image}: {said}")


def name_of(who: str, place: str, **about: Any) -> str:
    return f"{who} {place} {about or ''}"


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
