"""kill -9 while somebody uploads without pause: is what was acknowledged still there?"""

import random
import threading
from pathlib import Path

from benchmarks.faults.people import (
    CUT_OFF,
    UNTHROTTLED,
    Person,
    image_of,
    kill,
    manage,
    picture,
)
from benchmarks.faults.table import Table, file_system_of
from tests.e2e.http_client import Answer
from tests.e2e.server import Server, running

UPLOADS, KILLS = 200, 40


def kill_while_uploading(folder: Path, table: Table) -> None:
    """Upload without pause while the server is killed at random moments and started again."""
    data_dir, chance = folder / "data", random.Random(7)
    kept: dict[str, bytes] = {}
    answers: list[Answer] = []
    alice, kills = None, 0
    while len(kept) < UPLOADS or kills < KILLS:
        with running(data_dir, **UNTHROTTLED) as server:
            alice = alice or Person(server, "alice")
            alice.return_to(server)
            doom = threading.Timer(chance.uniform(0.2, 2.5), kill, [server])
            doom.start()
            answers += upload_until_cut_off(alice, kept)
            doom.join()
            kills += 1
            server.process.wait(timeout=30)
    table.row(f"kills while uploading, on {file_system_of(folder)}", kills, 0)
    table.answers("answers until the server died", answers, 201)
    with running(data_dir, **UNTHROTTLED) as server:
        alice.return_to(server)
        wrong = sum(not alice.opens(image, data) for image, data in kept.items())
        table.row("uploads acknowledged, then lost or changed", len(kept), wrong)
        cards = all_mine(alice)
        unreadable = sum(card["state"] != "verified" for card in cards)
        table.row("images listed after all kills that do not verify", len(cards), unreadable)
        after_all(server, table)
    table.tracebacks(server, "uploads")


def upload_until_cut_off(alice: Person, kept: dict[str, bytes]) -> list[Answer]:
    """Upload until the server dies; whatever it answers, it is asked again."""
    answers = []
    while True:
        data = picture(len(kept) + len(answers))
        try:
            answer = alice.upload(data)
        except CUT_OFF:
            return answers
        answers.append(answer)
        if answer.status == 201:
            kept[image_of(answer)] = data


def all_mine(person: Person) -> list[dict]:
    first = person.client.get("/images/mine/").json()
    cards = first["images"]
    for page in range(2, first["pages"] + 1):
        cards += person.client.get(f"/images/mine/?page={page}").json()["images"]
    return cards


def after_all(server: Server, table: Table) -> None:
    """Clean up as an operator does; see that nothing is left over and the trail is whole."""
    table.note(f"before purge: {manage(server, 'purge', '--dry-run')[1]}")
    manage(server, "purge")
    left = manage(server, "purge", "--dry-run")[1]
    table.row("orphans after purge", 1, int(not left.startswith("would remove 0 orphans")))
    status, said = manage(server, "verify_audit", "--reconcile")
    table.note(said)
    table.row("audit trail after verify_audit --reconcile", 1, status)
