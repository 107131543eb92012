"""A mail is sent if that is possible, and nobody waits for it for long."""

import logging
import socket

import pytest
from django.core import mail
from django.core.mail import get_connection

from accounts.custody import DoesNotOpen
from accounts.mail import tell
from accounts.models import User
from accounts.services.ways_back.locked_keys import bring_back
from accounts.services.ways_back.passwords import change_password, restore_password
from accounts.services.ways_back.recovery import make_recovery_code, recover
from tests.conftest import PASSWORD

NEW = "an entirely new one 42"
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def silent_server(settings):
    """A mail server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.EMAIL_BACKEND = SMTP
        settings.EMAIL_HOST, settings.EMAIL_PORT = listening.getsockname()
        yield


def test_an_address_that_no_mail_can_go_to_stops_nothing(bob, settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    bob.user.email = "bob@example.org\n"
    with caplog.at_level(logging.ERROR, "imageshare.alarm"):
        tell(bob.user, "subject", "text")
    assert "was not sent" in caplog.text


def test_a_mail_server_has_ten_seconds():
    assert get_connection(SMTP).timeout == 10


def test_a_mail_server_that_says_nothing_stops_nothing(bob, settings, silent_server, caplog):
    settings.EMAIL_TIMEOUT = 0.1
    bob.user.email = "bob@example.org"
    with caplog.at_level(logging.ERROR, "imageshare.alarm"):
        tell(bob.user, "subject", "text")
    assert "was not sent" in caplog.text


# ---- what a person is mailed of ----------------------------------------------------------------


def change(bob):
    change_password(user=bob.user, old_password=PASSWORD, new_password=NEW)


def recover_by_code(bob):
    recover(user=bob.user, code=bob.recovery_code, new_password=NEW)


def make_a_code(bob):
    make_recovery_code(keyring=bob.keyring)


def set_elsewhere_and_bring_back(bob):
    bob.user.set_password(NEW)
    bob.user.save()
    bring_back(user=bob.user, old_password=PASSWORD, password=NEW)


def set_elsewhere_and_restore(bob):
    bob.user.set_password(NEW)
    bob.user.save()
    restore_password(user=bob.user, password=PASSWORD)


@pytest.mark.attack("F42")
@pytest.mark.parametrize(
    ("act", "subject"),
    [
        (change, "Your password was changed"),
        (recover_by_code, "Your recovery code was used"),
        (make_a_code, "A recovery code was made"),
        (set_elsewhere_and_bring_back, "Your keys are back"),
        (set_elsewhere_and_restore, "Your own password works again"),
    ],
)
def test_a_change_of_password_or_code_is_mailed(bob, settings, act, subject):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    bob.user.email = "bob@example.org"
    bob.user.save()
    act(bob)
    assert [(one.subject, one.to) for one in mail.outbox] == [(subject, ["bob@example.org"])]
    for secret in (PASSWORD, NEW, bob.recovery_code):
        assert secret not in mail.outbox[0].body


@pytest.mark.attack("F42")
@pytest.mark.parametrize("act", [change, recover_by_code, make_a_code])
def test_a_change_that_did_not_happen_is_not(bob, settings, act):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    bob.user.email = "bob@example.org"
    bob.user.save()
    User.objects.filter(pk=bob.user.pk).update(master_key_version=2)
    with pytest.raises(DoesNotOpen):
        act(bob)
    assert mail.outbox == []
