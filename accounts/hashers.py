"""How passwords are kept."""

import argon2
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts.turns import KDF_TURNS
from cryptocore.passwords import normalise


class NormalisingArgon2Hasher(Argon2PasswordHasher):
    """Argon2id over the NFC form: the same word typed on macOS (NFD) and Windows (NFC) is one."""

    time_cost = settings.KDF_TIME_COST
    memory_cost = settings.KDF_MEMORY_KIB
    parallelism = settings.KDF_PARALLELISM

    def encode(self, password: str, salt: str) -> str:
        with KDF_TURNS.turn():
            return super().encode(normalise(password), salt)

    def must_update(self, encoded: str) -> bool:
        return _is_possible(encoded) and super().must_update(encoded)

    def verify(self, password: str, encoded: str) -> bool:
        if not _is_possible(encoded):
            return False
        with KDF_TURNS.turn():
            return super().verify(normalise(password), encoded)


def _is_possible(encoded: str) -> bool:
    """Whether a row holds a hash at all, and none that would exhaust us: it names its own cost."""
    try:
        cost = argon2.extract_parameters(encoded.removeprefix("argon2"))
    except ValueError:
        return False
    return (
        cost.time_cost <= settings.KDF_CEILING_TIME_COST
        and cost.memory_cost <= settings.KDF_CEILING_MEMORY_KIB
    )
