"""A page of every component in every state, for those who change how pages look.

It is made of the real classes and includes, and of rows that are stored nowhere. An installation
answers as if there were none: it is served in development and to the tests alone.
"""

import re
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.forms import RegistrationForm
from gallery.presenting import Card

ICONS = Path(settings.BASE_DIR) / "static" / "img" / "icons.svg"
AVATARS = range(1, 9)
KINDS = ("", "primary", "quiet", "danger", "danger filled")
TONES = ("", "ok", "warn", "bad")
# What a card says of its image, as gallery/presenting.py has it.
STATES = (
    *("verified", "unnamed", "unchecked", "other-signer", "altered"),
    *("waiting", "suspended", "away", "locked"),
)


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    if not (settings.DEBUG or settings.TESTING):
        raise Http404
    received, own = _cards()
    context = {
        "kinds": KINDS,
        "tones": TONES,
        "icons": re.findall(r'<symbol id="([a-z-]+)"', ICONS.read_text()),
        "avatars": AVATARS,
        "received": received,
        "own": own,
        "form": RegistrationForm(auto_id="empty_%s"),
        "refused": RegistrationForm({"username": "a b"}, auto_id="refused_%s"),
        "page_obj": Paginator([*range(30)], 10).page(2),
        "person": "Ana Ruiz",
        "username": "@ana",
        "file_name": "IMG_4201.jpg",
        "now": timezone.now(),
        "groups": ("6TM7C", "0FY8T", "86T36", "PWSQ0", "2K2CZ", "NXFMG"),
        "words": ("amber", "lake", "north", "tile", "orbit", "fern", "quiet", "mast"),
    }
    return render(request, "components.html", context)


def _cards() -> tuple[list[Card], list[Card]]:
    """Return the cards of images one received, in every state, and of one's own."""
    now = timezone.now()
    plain = Card(
        id=uuid.UUID(int=0),
        url="#",
        thumbnail_url="",
        owner_name="Ana Ruiz",
        owner_username="ana",
        shared_at=now,
        ends_at=None,
        rights="download",
        recipient_count=3,
        caption="The lake before anybody was up",
        width=3,
        height=2,
    )
    received = [replace(plain, id=uuid.UUID(int=n), state=s) for n, s in enumerate(STATES, 1)]
    soon = replace(plain, state="verified", is_new=True, ends_at=now + timedelta(days=2))
    own = [
        replace(plain, state="verified", recipient_count=0),
        replace(plain, state="verified", recipient_count=0, is_placed=True),
        replace(plain, state="verified", opened_count=2),
        replace(plain, state="locked"),
    ]
    numbered = [replace(card, id=uuid.UUID(int=n)) for n, card in enumerate(own, 200)]
    return [*received, replace(soon, id=uuid.UUID(int=100))], numbered
