"""kill -9 while an owner takes access back: the old state or the new one, never neither."""

import random
import threading
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.killing import after_all
from benchmarks.faults.people import CUT_OFF, UNTHROTTLED, Person, image_of, kill, picture
from benchmarks.faults.table import Table, file_system_of
from tests.e2e.http_client import Answer
from tests.e2e.server import Server, running

KILLS, IMAGES = 30, 10  # images at the beginning of each round


@dataclass
class Trial:
    """alice owns, bob loses his access, carol keeps hers."""

    alice: Person
    bob: Person
    carol: Person
    pictures: dict[str, bytes] = field(default_factory=dict)
    still_bobs: list[str] = field(default_factory=list)  # revoking was never asked for
    asked: list[str] = field(default_factory=list)  # … was, and nobody answered
    revoked: list[str] = field(default_factory=list)  # … was, and is acknowledged
    answers: list[Answer] = field(default_factory=list)
    opened_after: int = 0  # openings by bob right after an acknowledged revoking

    def return_to(self, server: Server) -> None:
        for person in (self.alice, self.bob, self.carol):
            person.return_to(server)

    def share_more(self) -> None:
        while len(self.still_bobs) < IMAGES:
            data = picture(len(self.pictures))
            image = image_of(self.alice.upload(data, self.bob, self.carol))
            self.pictures[image] = data
            self.still_bobs.append(image)

    def revoke_until_cut_off(self) -> None:
        while self.still_bobs:
            image = self.still_bobs.pop(0)
            try:
                answer = self.alice.revoke(image, self.bob)
            except CUT_OFF:
                self.asked.append(image)
                return
            self.answers.append(answer)
            (self.revoked if answer.status == 200 else self.asked).append(image)
            if answer.status == 200 and not self.bob_is_kept_out(image):
                return

    def bob_is_kept_out(self, image: str) -> bool:
        """Let bob try at once; False if the server died meanwhile."""
        try:
            self.opened_after += self.bob.open(image).status != 410
        except CUT_OFF:
            return False
        return True


def kill_while_revoking(folder: Path, table: Table) -> None:
    data_dir, chance, trial = folder / "data", random.Random(11), None
    for _ in range(KILLS):
        with running(data_dir, **UNTHROTTLED) as server:
            trial = trial or Trial(*(Person(server, name) for name in ("alice", "bob", "carol")))
            trial.return_to(server)
            trial.share_more()
            doom = threading.Timer(chance.uniform(0.05, 1.5), kill, [server])
            doom.start()
            trial.revoke_until_cut_off()
            doom.join()
            server.process.wait(timeout=30)
    table.row(f"kills while revoking, on {file_system_of(folder)}", KILLS, 0)
    table.answers("answers until the server died", trial.answers, 200)
    with running(data_dir, **UNTHROTTLED) as server:
        trial.return_to(server)
        judge(trial, table)
        after_all(server, table)
    table.tracebacks(server, "revokes")


def judge(trial: Trial, table: Table) -> None:
    """See for every image who opens it now, and that each gets the picture or the one refusal."""
    bob = {image: seen_by_bob(trial, image) for image in trial.pictures}
    opened = trial.opened_after + sum(bob[image] != "new" for image in trial.revoked)
    table.row("acknowledged, and bob opens it then or later", len(trial.revoked), opened)
    neither = sum(bob[image] == "neither" for image in trial.asked)
    old = sum(bob[image] == "old" for image in trial.asked)
    told = f"{old} old, {len(trial.asked) - old - neither} new"
    table.row(f"cut off: neither the old state nor the new ({told})", len(trial.asked), neither)
    lost = sum(bob[image] != "old" for image in trial.still_bobs)
    table.row("never asked for, and bob opens it no more", len(trial.still_bobs), lost)
    for person in (trial.alice, trial.carol):
        wrong = sum(not person.opens(image, data) for image, data in trial.pictures.items())
        table.row(f"images that {person.name}, who keeps access, cannot open",
                  len(trial.pictures), wrong)  # fmt: skip


def seen_by_bob(trial: Trial, image: str) -> str:
    answer = trial.bob.open(image)
    if answer.status == 410:
        return "new"
    return "old" if answer.body == trial.pictures[image] else "neither"
