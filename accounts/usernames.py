"""User names: lower-case ASCII, and no two that look alike.

In a product for sharing, mistaking one name for another hands a picture to the wrong person.
"""

import re

from django.urls.converters import StringConverter
from django.utils.translation import gettext_lazy as _

PATTERN = re.compile(r"[a-z][a-z0-9._-]{2,31}")
LOOK_ALIKES = [("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"), ("_", "-"), (".", "-")]
RESERVED = frozenset(
    """
    about account accounts admin administrator all anonymous everybody everyone help imageshare me
    moderator nobody none null operator owner postmaster root security self server site staff
    support system team undefined webmaster you
    """.split()  # noqa: SIM905 — a list of forty would fill the page
)

RULE = _(
    "3 to 32 characters: small letters a–z, digits, dot, underscore and hyphen, "
    "beginning with a letter."
)
TAKEN = _("This name is taken, or looks too much like one that is. Choose another.")


def fold(text: str) -> str:
    """Return `text` as a stored user name would be written: no outer spaces, lower case."""
    return text.strip().lower()


def is_reserved(username: str) -> bool:
    """Whether this is a reserved word, or looks like one: `adm1n` is not a person's name."""
    return skeleton(username) in {skeleton(word) for word in RESERVED}


def is_well_formed(username: str) -> bool:
    return PATTERN.fullmatch(username) is not None


class InAddress(StringConverter):
    """A user name in an address. What an altered row calls one has none: nobody is there."""

    def to_url(self, value: str) -> str:
        return value if is_well_formed(value) else "-"


def skeleton(username: str) -> str:
    """Return what is left of a name when look-alikes are folded: `a1ice` and `alice` agree."""
    for shown, folded in LOOK_ALIKES:
        username = username.replace(shown, folded)
    return username
