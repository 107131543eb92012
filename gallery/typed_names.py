"""From what somebody typed or pasted to user names: read in exactly one way, or refused."""

import re
from collections.abc import Iterator, Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts import usernames
from accounts.keys.names import certified_name, prefetch_names
from accounts.keys.recipients import printable_start, unknown_recipient
from accounts.models import User

SEPARATORS = ",;\n"
BETWEEN_PEOPLE = re.compile(f"[{SEPARATORS}]")
SPACES = re.compile(r"[^\S\n]+")
USERNAME_SHOWN = re.compile(r"\(@([^()@\s,;]*)\)")


def user_names(typed: str) -> list[str]:
    """Return the user names in `typed`: `bob` or `@bob`, several with separators or, each with its
    `@`, with spaces between them; or people as pages show them, "Bob Brook (@bob)".

    Raises ValidationError where it is not clear who is meant, and AuditUnavailable.
    """
    shown = map(usernames.fold, USERNAME_SHOWN.findall(typed))
    askable = set(filter(usernames.is_well_formed, shown))
    people = list(User.objects.filter(username__in=askable, is_active=True)) if askable else []
    prefetch_names(people)
    called = {one.username: certified_name(one).require_known().display_name for one in people}
    display_names = {name: " ".join(words.split()) for name, words in called.items()}
    return read(typed, display_names)


def read(typed: str, display_names: Mapping[str, str]) -> list[str]:
    """Return the user names in `typed`; `display_names` are those of the people shown in it.

    A display name may hold anything, separators and other people's names too. So the last "(@…)"
    is read first: the display name of that very person must stand before it, and what is left of
    that is read the same way. Raises ValidationError where that fails.
    """
    text = SPACES.sub(" ", typed)
    shown = list(USERNAME_SHOWN.finditer(text))
    beginnings = {0, *(place.end() for place in re.finditer(BETWEEN_PEOPLE, text))}
    beginnings |= {one.end() for one in shown}
    names: list[str] = []
    end = len(text)
    for one in reversed(shown):
        if one.start() >= end:
            continue  # a part of somebody's display name
        name = usernames.fold(one[1])
        if name not in display_names:
            raise unknown_recipient(name)
        before, after = text[: one.start()].rstrip(" "), text[one.end() : end]
        start = len(before.removesuffix(display_names[name]).rstrip(" "))
        is_so_called = before.endswith(display_names[name])
        is_end = after.lstrip(" ")[:1] in ("", *SEPARATORS)
        # Words before them without a separator could be of a longer name they had.
        if not (is_so_called and start in beginnings and is_end):
            raise _unclear(text)
        names = [name, *_plain_names(after), *names]
        end = start
    return [*_plain_names(text[:end]), *names]


def lookups_in(typed: str) -> int:
    """Return how many names at most are looked up for `typed`."""
    chunks = BETWEEN_PEOPLE.split(typed)
    return sum(chunk.count("@") or len(chunk.split()) for chunk in chunks)


def _plain_names(text: str) -> Iterator[str]:
    for chunk in BETWEEN_PEOPLE.split(text):
        words = chunk.split()
        if len(words) > 1 and not all(word.startswith("@") for word in words):
            raise _unclear(chunk)  # two people, or the first and last name of one
        yield from (word.removeprefix("@") for word in words)


def _unclear(text: str) -> ValidationError:
    sentence = _(
        "It is not clear who “%(shown)s” is. Nothing was shared. Type only usernames, with commas "
        "between them: bob, carol."
    )
    params = {"shown": printable_start(text.strip())}
    return ValidationError(sentence, code="unclear_recipient", params=params)
