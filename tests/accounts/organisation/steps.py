"""The steps of a recovery by the organisation, as its people take them."""

import io

from django.core.management import call_command
from django.test import Client

from accounts.models import KeySlot
from audit.models import AuditEntry
from tests.conftest import Person, jpeg

JSON = {"accept": "application/json"}
NEW = "an entirely new one 42"


def slot_of(person, kind="organisation"):
    return KeySlot.objects.filter(user=person.user, kind=kind).first()


def run(*arguments: object) -> str:
    printed = io.StringIO()
    call_command(*map(str, arguments), stdout=printed)
    return printed.getvalue()


def outcomes(event: str) -> list[str]:
    entries = AuditEntry.objects.filter(event=event).order_by("sequence")
    return [entry.outcome for entry in entries]


def recover(person, code, client=None):
    form = {"username": person.username, "recovery_code": code}
    form |= {"new_password1": NEW, "new_password2": NEW}
    return (client or Client()).post("/accounts/recover/", form, headers=JSON)


def upload_as(person: Person, *, to: Person) -> str:
    file = io.BytesIO(jpeg("navy"))
    file.name = "mine.jpg"
    form = {"images": [file], "recipients": [to.username]}
    answer = person.client.post("/images/upload/", form, headers=JSON)
    assert answer.status_code == 201, answer.content
    return answer.json()["images"][0]["id"]
