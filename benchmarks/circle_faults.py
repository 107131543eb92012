"""`make faults`: kill -9 amid acts on albums, teams and invitations, and on many images at once.

Every try begins with the same people, images, album, team and invitation, and is killed at a random
moment. A process of its own then looks: each access is as it was before or as it is after, all of
one act alike. Then what comes next: the same person asks again, the owners' next pages with open
keys, and `purge`. Prints a table of tried and bad, and exits with 1 if anything was bad.
`python -m benchmarks.circle_faults 100` kills each act a hundred times.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import django

from benchmarks.faults.forked import Act, begin, in_a_process, keep, kill_each
from tests import environment

PASSWORD, KILLS, MANY = "correct horse battery", 30, 6
made: dict[str, Any] = {}  # the ids of what is there; every process is forked from this one
CHECKS = (
    "an access that is neither as before nor as after",
    "of one act a part as before, another as after",
    "somebody who keeps access cannot open",
    "verify_images finds something",
    "asked again, and not done to the end",
    "due for a new key or lock still, after the owners' next pages",
    "bytes of a row missing, or others left, after purge",
    "the trail does not verify",
)
BEFORE, AFTER, NEITHER = "before", "after", "neither"


def main() -> None:
    django.setup()  # before any fork, so that kills meet the act and not its imports
    with tempfile.TemporaryDirectory(dir=environment.MEMORY) as folder:
        before = Path(folder) / "before"
        (ids,) = in_a_process(make)
        assert ids != "error"
        made.update(ids)
        keep(before)
        kills = int(sys.argv[1]) if sys.argv[1:] else KILLS
        acts = {name: (trial.act, partial(look, trial)) for name, trial in TRIALS.items()}
        sys.exit(1 if kill_each(acts, CHECKS, before, kills) else 0)


# ---- in processes of their own: what there is --------------------------------------------------


def make() -> list[Any]:
    """Return the ids of alice's images, album, team and invitation; carol has an image in the
    album, too, and bob and carol are in album and team."""
    begin(1)
    from django.core.management import call_command

    for alias in ("default", "audit"):
        call_command("migrate", database=alias, verbosity=0)
    from accounts.services.people.registration import register
    from accounts.services.ways_back.recovery import make_recovery_code

    for name in ("alice", "bob", "carol"):
        keyring = register(username=name, display_name="", email="", password=PASSWORD)
        make_recovery_code(keyring=keyring)
    ids: dict[str, Any] = {name: upload("alice") for name in ("album", "team", "both", "carried")}
    ids |= {"theirs": upload("carol"), "many": [upload("alice") for _ in range(MANY)]}
    ids["circles"] = make_circles(ids)
    ids["token"] = make_invitation(ids)
    return [ids]


def upload(owner: str) -> Any:
    import io
    import uuid

    from django.test import Client
    from PIL import Image

    client, file = Client(SERVER_NAME="127.0.0.1"), io.BytesIO()
    client.post("/accounts/login/", {"username": owner, "password": PASSWORD})
    Image.new("RGB", (64, 48), "teal").save(file, "JPEG")
    file.name, _ = "one.jpg", file.seek(0)
    answer = client.post(
        "/images/upload/", {"images": [file]}, headers={"accept": "application/json"}
    )
    return uuid.UUID(answer.json()["images"][0]["id"])


def make_circles(ids: dict[str, Any]) -> dict[str, Any]:
    from gallery.services.circles.making import make_circle
    from gallery.services.circles.placing import place_image

    about = {"title": "Lake", "description": "", "members_add": True}
    album, team = (
        make_circle(keyring=keys("alice"), **about, kind=kind) for kind in ("album", "team")
    )
    for circle in (album, team):
        let_in(circle, "bob", "carol")
    for owner, image in (("alice", "album"), ("carol", "theirs"), ("alice", "both")):
        place_image(keyring=keys(owner), circle_id=album.pk, image_id=ids[image])
    share("alice", ids["team"], teams=[team.pk])
    share("alice", ids["both"], teams=[team.pk])
    return {"album": album.pk, "team": team.pk}


def make_invitation(ids: dict[str, Any]) -> str:
    from gallery.invitation_keys import Details
    from gallery.services.invitations.making import make_invitation

    new = make_invitation(
        keyring=keys("alice"), details=Details("Lee", ""), spoken_code="", lasts=timedelta(days=7)
    )
    share("alice", ids["carried"], invitations=[new.key])
    return new.token


def keys(name: str) -> Any:
    from accounts.custody import open_with_password

    return open_with_password(person(name), PASSWORD)


def person(name: str) -> Any:
    from accounts.models import User

    return User.objects.get(username=name)


def share(owner: str, image: Any, *names: str, **besides: Any) -> None:
    from accounts.keys.recipients import recipient_of
    from gallery.services.sharing import share_image
    from gallery.services.uploading import Terms

    share_image(
        keyring=keys(owner),
        image_id=image,
        recipients=[recipient_of(person(name)) for name in names],
        terms=Terms("download", None),
        **besides,
    )


def let_in(circle: Any, *names: str) -> None:
    from accounts.keys.recipients import recipient_of
    from gallery.services.circles.sharing import share_circle
    from gallery.services.uploading import Terms

    share_circle(
        keyring=keys("alice"),
        circle_id=circle.pk,
        recipients=[recipient_of(person(name)) for name in names],
        terms=Terms("download", None),
        kind=circle.kind,
    )


# ---- the acts ----------------------------------------------------------------------------------


def accept() -> None:
    begin(10)
    from gallery.services.invitations import accepting, links

    accepting.accept(
        key=links.key_by_link(links.follow(made["token"]), ""),
        username="lee",
        display_name="Lee",
        email="",
        password=PASSWORD,
    )


def take_back() -> None:
    from gallery.models import Invitation
    from gallery.services.invitations.taking_back import take_back

    take_back(invitation=Invitation.objects.get(), by=person("alice"))
    come("alice")


def out_of_the_album() -> None:
    take_out("album")


def out_of_the_team() -> None:
    take_out("team")


def take_out(kind: str) -> None:
    from gallery.services.circles.rekeying import revoke_member

    circle = made["circles"][kind]
    act = {"circle_id": circle, "recipient": person("bob"), "kind": kind}
    revoke_member(keyring=keys("alice"), **act)
    come("alice")


def leave() -> None:
    from gallery.services.teams import leave_team

    leave_team(person=person("bob"), team_id=made["circles"]["team"])
    come("alice")


def share_many() -> None:
    from gallery.services.many import one_after_another

    def act(image: Any) -> list[None]:
        share("alice", image, "bob")
        return []

    one_after_another(made["many"], act, may_go_on=lambda: True)


def come(name: str) -> None:
    """What this person's next pages with open keys do, all of it."""
    from gallery.services.circles.ended import rekey_ended
    from gallery.services.ended import relock_ended

    keyring = keys(name)
    rekey_ended(keyring, seconds=60)
    relock_ended(keyring, seconds=60)


# ---- looking -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """`of`: whose access changes to which images; `gives`: whether they can open them afterwards;
    `each`: image by image, and not all of them at once."""

    act: Act
    who: str
    of: tuple[str, ...]
    gives: bool = False
    each: bool = False


TRIALS = {
    "accepting an invitation": Trial(accept, "lee", ("carried",), gives=True),
    "taking an invitation back": Trial(take_back, "link", ("",)),
    "taking somebody out of an album": Trial(out_of_the_album, "bob", ("album", "theirs")),
    "taking somebody out of a team": Trial(out_of_the_team, "bob", ("team",)),
    "leaving a team": Trial(leave, "bob", ("team",)),
    "sharing many images": Trial(share_many, "bob", ("many",), gives=True, each=True),
}


def look(trial: Trial) -> list[str]:
    """Return what is wrong: at once after the kill, and again once all is done."""
    begin(15)
    states = set(states_of(trial))
    wrong = {CHECKS[0]} if NEITHER in states else set()
    wrong |= {CHECKS[1]} if len(states) > 1 and not trial.each else set()
    wrong |= looked_at(trial)
    finish(trial)
    wrong |= looked_at(trial) | left_over()
    if set(states_of(trial)) != {AFTER}:
        wrong.add(CHECKS[4])
    return [*wrong]


def states_of(trial: Trial) -> Iterator[str]:
    if trial.who == "link":
        yield BEFORE if opens_link() else AFTER
        return
    if trial.who == "lee" and lee_is_there() == opens_link():
        yield NEITHER  # an account and an open link, or none of both
    for image in images_of(trial.of):
        yield state_of(trial.who, image, gives=trial.gives)


def images_of(names: tuple[str, ...]) -> Iterator[Any]:
    for name in names:
        yield from made["many"] if name == "many" else [made[name]]


def opens_link() -> bool:
    from gallery.errors import InvitationGone
    from gallery.services.invitations import links

    try:
        return bool(links.key_by_link(links.follow(made["token"]), "").key)
    except InvitationGone:
        return False


def lee_is_there() -> bool:
    from accounts.models import User

    return User.objects.filter(username="lee").exists()


def state_of(name: str, image: Any, *, gives: bool) -> str:
    from gallery.errors import AccessEnded, GalleryError, NotYours

    if name == "lee" and not lee_is_there():
        return BEFORE
    try:
        opened = bool(opened_by(name, image))
    except (AccessEnded, NotYours):
        opened = False
    except GalleryError:
        return NEITHER
    return AFTER if opened is gives else BEFORE


def opened_by(name: str, image: Any) -> bytes:
    from gallery.access import access_to
    from gallery.opening import Opener

    access = access_to(image, reader=person(name))
    return Opener(keys(name)).open(access, "original").plaintext()


def looked_at(trial: Trial) -> set[str]:
    from gallery.errors import GalleryError
    from gallery.verification.findings import Kind
    from gallery.verification.sweep import Sweep

    wrong = set()
    kept = [("carol", name) for name in ("album", "theirs", "team", "both")]
    kept += [("bob", "both"), *(("alice", name) for name in ("album", "team", "carried", "theirs"))]
    for name, image in kept:
        try:
            opened_by(name, made[image])
        except GalleryError as error:
            print(f"({name} {image}: {type(error).__name__} {error})", flush=True)
            wrong.add(CHECKS[2])
    sweep = Sweep(reads_bytes=True, progress=lambda images: None)
    found = [one for one in sweep.run() if one.kind != Kind.ORPHAN]  # what was cut off: purge's
    for finding in found:
        print(f"({finding})", flush=True)
    return wrong | ({CHECKS[3]} if found else set())


def finish(trial: Trial) -> None:
    """Ask again, and let the owners come: what was taken on and not finished is due in an hour."""
    from django.core.exceptions import ValidationError
    from django.utils import timezone

    from gallery.errors import GalleryError, InvitationGone
    from gallery.models import Circle, SealedImage

    with suppress(GalleryError, InvitationGone, ValidationError):  # it is done
        trial.act()
    now = timezone.now()
    SealedImage.objects.exclude(relock_after=None).update(relock_after=now)
    Circle.objects.exclude(rekey_after=None).update(rekey_after=now)
    for name in ("alice", "carol", "alice"):
        come(name)


def left_over() -> set[str]:
    from django.conf import settings

    from audit.reconciliation import reconcile
    from audit.verification import verify
    from gallery.models import Circle, SealedImage
    from gallery.services.purging import missing_renditions, purge

    wrong = set()
    due = SealedImage.objects.exclude(relock_after=None).exists()
    if due or Circle.objects.exclude(rekey_after=None).exists():
        wrong.add(CHECKS[5])
    settings.PURGE_GRACE = timedelta(seconds=-1)
    purge()
    if missing_renditions() or purge(dry_run=True)["orphans"]:
        wrong.add(CHECKS[6])
    reconcile()
    return wrong | ({CHECKS[7]} if list(verify()) else set())


if __name__ == "__main__":
    main()
