"""The server with its encryption switched off, to see that the search at rest would find it."""

from collections.abc import Iterable, Iterator

from Crypto.Util.Padding import pad, unpad

from cryptocore import content, keypair, keywrap
from imageshare import start
from tests.e2e.quick_start import unused_pair


def leave_plain(pieces: Iterable[bytes], content_key: bytes, iv: bytes) -> Iterator[bytes]:
    yield iv + pad(b"".join(pieces), 16)


def length_of_plain(stored_length: int, end: bytes, content_key: bytes) -> int:
    return stored_length - len(end) + len(unpad(end[16:], 16))


def leave_key(key: bytes, kek: bytes) -> bytes:
    return key


def leave_password(self: object, password: str, salt: str) -> str:
    return f"plain${password}"


def leave_the_rest_too() -> None:
    """What can only be patched once Django is set up: passwords, and Django's own uploads."""
    from django.conf import global_settings, settings

    from accounts import hashers

    hashers.NormalisingArgon2Hasher.encode = leave_password
    settings.FILE_UPLOAD_HANDLERS = global_settings.FILE_UPLOAD_HANDLERS


def main() -> None:
    keypair.generate = unused_pair
    content._encrypted, content.plaintext_length = leave_plain, length_of_plain
    keywrap.wrap_key = keywrap.unwrap_key = leave_key
    prepare = start.prepare_databases
    start.prepare_databases = lambda: (prepare(), leave_the_rest_too())
    start.main()


if __name__ == "__main__":
    main()
