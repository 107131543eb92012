"""The demonstration fills an empty installation, and no other."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from audit.models import AuditEntry
from gallery.models import Acknowledgement, Circle, Grant, Invitation, SealedImage
from imageshare.demo.pictures import SCENES

JSON = {"accept": "application/json"}


def demonstrate() -> dict[str, str]:
    """Fill, and return the passwords it printed, by user name."""
    printed = io.StringIO()
    call_command("demo", stdout=printed)
    table = printed.getvalue().partition("recovery code\n")[2]
    return {line.split()[0]: line.split()[1] for line in table.splitlines()}


def test_everybody_signs_in_with_what_was_printed_and_opens_what_was_shared():
    passwords = demonstrate()
    assert SealedImage.objects.count() == len(SCENES) == 12
    for name in ("ana", "ben", "mira"):
        client = Client()
        answer = client.post(
            "/accounts/login/", {"username": name, "password": passwords[name]}, headers=JSON
        )
        assert answer.json()["unlocked"]
        shared = client.get("/images/", headers=JSON).json()["images"]
        assert shared
        assert {card["state"] for card in shared} == {"verified"}
        for card in client.get("/images/mine/", headers=JSON).json()["images"]:
            page = client.get(f"/images/{card['id']}/").content.decode()
            assert "added people to this list" not in page
    assert User.objects.get(username="overseer").is_superuser
    assert Grant.objects.exclude(ended_at=None).count() == 1
    assert Acknowledgement.objects.count() == 1
    assert AuditEntry.objects.filter(event="image:opened").count() >= 7
    kinds = Circle.objects.values_list("kind", flat=True).order_by("kind")
    assert list(kinds) == ["album", "album", "team"]
    assert Invitation.objects.get().state == Invitation.State.OPEN


def test_it_never_mixes_with_people_who_are_there(alice):
    with pytest.raises(CommandError, match="Nothing was changed"):
        demonstrate()
    assert User.objects.count() == 1
    assert not SealedImage.objects.exists()
