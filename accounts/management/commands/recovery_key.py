"""`manage.py recovery_key`; its help text is its specification."""

import argparse
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import F

from accounts.models import KeySlot, User
from accounts.organisation import offline
from audit.events import Event, record_after


class Command(BaseCommand):
    help = (
        "The organisation's recovery key, which is kept offline. `create FILE` makes it: the "
        "private half (PKCS#8, mode 0600) only in FILE, the public half in FILE.pub; prints the "
        "settings that pin it; never overwrites; records one event. `open REQUEST --key FILE "
        "--answer FILE` opens what `recover_account request` exported, writes the answer (0600) "
        "and prints the person's one-time code, once. `open` needs no database and is meant for a "
        "machine that is not online; if there is no installation on it: python -m "
        "accounts.organisation.offline. `status` says how many people each key can recover "
        "(disabled people included), and how many active people no key can. People stay with an "
        "earlier key until they unlock again, so keep its private half that long. Exit status 1: "
        "refused, nothing was written."
    )
    requires_system_checks: list[str] = []  # a new key is made before the old one is replaced

    def add_arguments(self, parser: CommandParser) -> None:
        acts = offline.add_arguments(parser)
        acts.add_parser("status", help="how many people each key can recover")

    def handle(self, *, act: str, **options: Any) -> None:
        asked = argparse.Namespace(**options)
        try:
            if act == "create":
                fingerprint, public_path = offline.create(asked.file)
                record_after(Event.ORGANISATION_KEY_MADE, actor=None, organisation_key=fingerprint)
                self.stdout.write(offline.told_of_key(fingerprint, public_path))
            elif act == "status":
                self.stdout.write(_status())
            else:
                self.stdout.write(offline.run(act, asked))
        except offline.Refused as refused:
            raise CommandError(str(refused)) from None


def _status() -> str:
    """Return a line for each key that somebody has a slot of, and what the pinned one lacks."""
    slots = KeySlot.objects.filter(
        kind=KeySlot.Kind.ORGANISATION, master_key_version=F("user__master_key_version")
    )
    people = Counter(slots.values_list("organisation_key", flat=True))
    pinned = settings.RECOVERY_KEY_FINGERPRINT
    lines = [
        f"{count} people: {key}{' (pinned)' if key == pinned else ''}"
        for key, count in people.most_common()
    ]
    # A disabled person's slot counts above, for they may be enabled again: the key is still needed.
    active = User.objects.filter(is_active=True)
    left = active.exclude(pk__in=slots.values("user")).count()
    return "\n".join([*lines, f"{left} people: none"])
