"""Trying everything on everything, until nothing new is opened."""

import json
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.views.decorators.debug import sensitive_variables

from accounts.models import User
from gallery.zero_access import openers, places
from gallery.zero_access.locked import Locked
from gallery.zero_access.openers import Found, Kind
from gallery.zero_access.strings import Key, Strings

# What the key file opens, and may: with it one can alter notices unseen, and read nothing.
ALLOWED = {Kind.MAC}
# Four bytes each: three would be met by chance in the ciphertext of a large installation.
JPEG = tuple(b"\xff\xd8\xff" + bytes([marker]) for marker in (0xDB, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE))
PICTURES = (*JPEG, b"\x89PNG", b"GIF8", b"RIFF")
IV_BYTES = 16

Tell = Callable[[int, int], None]


@dataclass
class Search:
    """One search: what it has, what it found, and what is still to be tried."""

    locked: Locked
    strings: Strings
    tell: Tell = lambda tried, of: None
    found: set[Found] = field(default_factory=set)
    _waiting: deque[Key] = field(default_factory=deque, repr=False)
    _tried: set[bytes] = field(default_factory=set, repr=False)

    @property
    def ways(self) -> list[Found]:
        """What must not be reachable and is."""
        return sorted((one for one in self.found if one.kind not in ALLOWED), key=str)

    def opened(self, kind: Kind) -> set[uuid.UUID]:
        return {one.of for one in self.found if one.kind == kind}

    @sensitive_variables()
    def give_password(self, user: User, password: str) -> None:
        """Begin with somebody's password, to see what it opens."""
        for person in self.locked.people:
            if person.user == user:
                self._note(openers.by_password(person, password, "the password given"))

    @sensitive_variables()
    def give_key(self, key: bytes) -> None:
        """Begin with a key, to see what it opens."""
        self._waiting.append(Key(key, "the cookie given"))

    @sensitive_variables()
    def run(self) -> None:
        """Try every string, then whatever that opened, and so on. Raises StorageAway."""
        # What was stored without being encrypted: a picture begins as pictures do.
        images = {name: image for image in self.locked.images for name in image.names.values()}
        for name, head in places.stored_heads():
            if _is_plain(head) or _is_plain(head[IV_BYTES:]):
                subject = images[name].pk if name in images else uuid.UUID(int=0)
                self.found.add(Found(Kind.PLAINTEXT, subject, f"storage: {name}"))
        for person in self.locked.people:
            for password, where in self.strings.passwords.items():
                self._note(openers.by_password(person, password, where))
            for code, where in self.strings.codes.items():
                self._note(openers.by_code(person, code, where))
        self._waiting.extend(self.strings.keys.values())
        while self._waiting:
            key = self._waiting.popleft()
            if key.data in self._tried:
                continue
            self._tried.add(key.data)
            for opener in openers.openers_for(key):
                self._note(opener(self.locked, key))
            self.tell(len(self._tried), len(self._tried) + len(self._waiting))

    @sensitive_variables()
    def _note(self, found: Iterable[Found]) -> None:
        for one in found:
            self.found.add(one)
            if one.key:
                self._waiting.appendleft(Key(one.key, one.by))


def _is_plain(head: bytes) -> bool:
    return head.startswith(PICTURES) or head[4:8] == b"ftyp" or _begins_json(head)


def _begins_json(head: bytes) -> bool:
    """Whether it begins as a description does: an object whose first name is quoted."""
    if not head.startswith(b'{"'):
        return False
    name = head[1:].partition(b":")[0]
    try:
        return isinstance(json.loads(name), str)
    except ValueError:
        return False
