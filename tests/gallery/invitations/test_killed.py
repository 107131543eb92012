"""A server that is killed while an invitation is accepted: everything of it, or nothing."""

import os
import signal
from collections.abc import Callable

import pytest
from django.db import connections
from django.test import Client

from accounts.models import User, WrappedKey
from gallery.errors import InvitationGone
from gallery.models import Invitation, InvitedGrant
from gallery.services.invitations import accepting, links
from tests.conftest import PASSWORD
from tests.gallery.invitations.conftest import accept, status_of
from tests.gallery.invitations.test_accepting import findings

pytestmark = pytest.mark.usefixtures("emptied_storage")


def killed(act: Callable[[], object]) -> None:
    """Do it in a process of its own, which is killed on its way."""
    connections.close_all()
    process = os.fork()
    if process == 0:
        try:
            act()
        finally:
            os._exit(0)
    _process, status = os.waitpid(process, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def die(*arguments: object, **options: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.attack("F121")
@pytest.mark.parametrize("at", ["_grant_for", "_hold_unmoved", "send_notices"])
def test_killed_before_it_is_stored_nothing_has_changed(invite, upload, monkeypatch, at):
    image = upload()
    new = invite(image)
    with monkeypatch.context() as patched:
        patched.setattr(accepting, at, die)
        killed(lambda: accept(new))
    assert not User.objects.filter(pk=new.invitation.person).exists()
    assert InvitedGrant.objects.get().wrapped
    assert findings(image) == []
    assert status_of(accept(new), image) == 200


@pytest.mark.attack("F121")
@pytest.mark.parametrize("at", ["truncate_write_ahead_log", "record_notices"])
def test_killed_after_it_is_stored_the_account_opens_everything(invite, upload, monkeypatch, at):
    image = upload()
    new = invite(image)
    with monkeypatch.context() as patched:
        patched.setattr(accepting, at, die)
        killed(lambda: accept(new))
    client = Client()
    client.post("/accounts/login/", {"username": "lee", "password": PASSWORD})
    assert client.get(f"/images/{image.pk}/original").status_code == 200
    assert Invitation.objects.get().link_wrapped is None
    assert not WrappedKey.objects.filter(subject=new.invitation.pk).exists()
    with pytest.raises(InvitationGone):
        links.follow(new.token)
