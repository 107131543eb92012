"""A mail is sent if that is possible, and nobody waits for it for long."""

import logging
import socket

import pytest
from django.core.mail import get_connection

from accounts.mail import tell

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
