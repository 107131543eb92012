"""What people do after a row was altered: each act is done or refused, and none fails."""

import io
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from django.test import Client

from accounts.models import (
    Custody,
    KeyOrder,
    KeyPair,
    KeySlot,
    MacKey,
    Pins,
    ThrottleWindow,
    User,
    WrappedKey,
)
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
from tests.conftest import PASSWORD, jpeg
from tests.environment import DATA_DIR
from tests.rows.flips import Flip
from tests.rows.reached import Reached
from tests.rows.walks import Walker
from tests.rows.world import JSON, World

ANOTHER = "another long password 77"


class Actor(Walker):
    """Alters, acts, notes what fails, and puts everything back, stored bytes too."""

    TABLES = (
        *(User, KeySlot, KeyPair, WrappedKey, MacKey, KeyOrder, Pins, Custody, ThrottleWindow),
        *(
            SealedImage,
            Rendition,
            Statement,
            Grant,
            Notice,
            NoticeHead,
            Acknowledgement,
            Circle,
            Member,
            Placement,
        ),
        *(Invitation, InvitedGrant),
    )

    def __init__(self, world: World, *, looks_everywhere: bool = False) -> None:
        """Else one act after a flip: of those that the change reaches, the next in turn."""
        super().__init__(world, looks_everywhere=looks_everywhere)
        erins = Rendition.objects.filter(image=world.images["erins"])
        names = erins.values_list("storage_name", flat=True)
        self._erins = [DATA_DIR / "images" / name for name in names]
        self._turn = 0

    def _learn(self, flip: Flip, beside: tuple[str, ...]) -> None:
        for act in ACTS:
            self._reach.learn(act.__name__, partial(act, self.world), self._put_back)
        super()._learn(flip, beside)

    def _look_around(self, flip: Flip, reached: Reached) -> None:
        if self._everywhere:
            chosen = ACTS
        else:
            turns = [(self._turn + number) % len(ACTS) for number in range(len(ACTS))]
            chosen = [ACTS[turn] for turn in turns if ACTS[turn].__name__ in reached][:1]
        for act in chosen:
            self._judge(flip, act.__name__, act(self.world))
            self._turn = ACTS.index(act) + 1

    def _places(self, flip: Flip) -> list[tuple[str, str]]:
        return []

    def _beside(self, flip: Flip) -> tuple[str, ...]:
        """Some of these acts sign alice and bob out."""
        return ("erin", "erins")

    def _look_beside(self, flip: Flip, beside: tuple[str, ...], reached: Reached) -> None:
        """Where anything is another thing by now: not only what the flip changed, but the act."""
        super()._look_beside(flip, beside, self._reach.now())
        if any(not path.exists() for path in self._erins):
            self.wrong.append(f"{flip} | stored bytes of erin's are gone")


def sign_in(world: World) -> Any:
    form = {"username": "bob", "password": PASSWORD}
    return new_client().post("/accounts/login/", form, headers=JSON)


def unlock(world: World) -> Any:
    return world.clients["alice"].post("/accounts/unlock/", {"password": PASSWORD}, headers=JSON)


def upload(world: World) -> Any:
    file = io.BytesIO(jpeg("olive"))
    file.name = "one.jpg"
    form = {"images": [file], "recipients": ["bob", "carol"], "upload_id": str(uuid.uuid4())}
    return world.clients["alice"].post("/images/upload/", form, headers=JSON)


def share(world: World) -> Any:
    form = {"recipients": ["mallory", "bob"]}
    return world.clients["alice"].post(world.place("first", "share/"), form, headers=JSON)


def revoke(world: World) -> Any:
    form = {"recipient": "carol"}
    return world.clients["alice"].post(world.place("first", "revoke/"), form, headers=JSON)


def acknowledge(world: World) -> Any:
    return world.clients["carol"].post(world.place("first", "acknowledge/"), headers=JSON)


def delete(world: World) -> Any:
    return world.clients["alice"].post(world.place("first", "delete/"), headers=JSON)


def ask_of_many(world: World) -> Any:
    """The page before an act on many, which reads who can open them."""
    form = {"images": selected(world), "recipients": "mallory"}
    return world.clients["alice"].post("/images/selected/share/", form, headers=JSON)


def share_many(world: World) -> Any:
    form = {"images": selected(world), "recipients": "mallory", "confirmed": "1"}
    return world.clients["alice"].post("/images/selected/share/", form, headers=JSON)


def revoke_many(world: World) -> Any:
    people = ["bob", str(world.people["carol"].user.pk)]
    form = {"images": selected(world), "recipients": people, "confirmed": "1"}
    return world.clients["alice"].post("/images/selected/revoke/", form)


def selected(world: World) -> list[str]:
    return [
        str(image.pk)
        for image in world.images.values()
        if image.owner == world.people["alice"].user
    ]


def change_password(world: World) -> Any:
    new = {"new_password1": ANOTHER, "new_password2": ANOTHER}
    form = {"old_password": PASSWORD, **new}
    return world.clients["alice"].post("/accounts/password/", form, headers=JSON)


def recover(world: World) -> Any:
    new = {"new_password1": ANOTHER, "new_password2": ANOTHER}
    form = {"username": "bob", "recovery_code": world.people["bob"].recovery_code, **new}
    return new_client().post("/accounts/recover/", form, headers=JSON)


def make_code(world: World) -> Any:
    return world.clients["alice"].post("/accounts/recovery-code/", headers=JSON)


def share_again(world: World) -> Any:
    return world.clients["alice"].post("/images/waiting/", {"reader": "bob"}, headers=JSON)


def relock(world: World) -> Any:
    return world.clients["alice"].post("/images/relock/", headers=JSON)


def begin_list(world: World) -> Any:
    return world.clients["alice"].post("/accounts/contacts/anew/", headers=JSON)


def share_circle(world: World) -> Any:
    form = {"recipients": "mallory"}
    return world.clients["alice"].post(world.album("altered", "share/"), form, headers=JSON)


def revoke_member(world: World) -> Any:
    form = {"recipient": "carol"}
    return world.clients["alice"].post(world.album("altered", "revoke/"), form, headers=JSON)


def edit_album(world: World) -> Any:
    form = {"title": "Sea"}
    return world.clients["alice"].post(world.album("altered", "edit/"), form, headers=JSON)


def delete_circle(world: World) -> Any:
    return world.clients["alice"].post(world.album("altered", "delete/"), headers=JSON)


def place(world: World) -> Any:
    form = {"images": selected(world)[:1]}
    return world.clients["alice"].post(world.album("altered", "add/"), form, headers=JSON)


def take_out(world: World) -> Any:
    form = {"images": str(world.images["placed"].pk)}
    return world.clients["alice"].post(world.album("altered", "remove/"), form, headers=JSON)


def zip_album(world: World) -> Any:
    return world.clients["bob"].post(world.album("altered", "zip/"), headers=JSON)


def follow(world: World) -> Any:
    form = {"username": "lee", "display_name": "Lee", "password1": ANOTHER, "password2": ANOTHER}
    return new_client().post(world.link, form, headers=JSON)


def claim(world: World) -> Any:
    return world.clients["bob"].post(f"{world.link}claim/", headers=JSON)


def take_back(world: World) -> Any:
    """The first that the list names: altered or not."""
    listed = world.clients["alice"].get("/invitations/", headers=JSON)
    if listed.status_code != 200 or not listed.json()["invitations"]:
        return listed
    (one, *_) = listed.json()["invitations"]
    return world.clients["alice"].post(f"/invitations/{one['id']}/take-back/", headers=JSON)


def new_client() -> Client:
    return Client(raise_request_exception=False)


ACTS: list[Callable[[World], Any]] = [
    sign_in,
    share,
    revoke,
    unlock,
    upload,
    acknowledge,
    delete,
    recover,
    share_again,
    change_password,
    relock,
    make_code,
    begin_list,
    ask_of_many,
    share_many,
    revoke_many,
    share_circle,
    revoke_member,
    edit_album,
    place,
    take_out,
    delete_circle,
    zip_album,
    follow,
    claim,
    take_back,
]
