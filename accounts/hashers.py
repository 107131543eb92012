"""How passwords are kept."""

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

    def verify(self, password: str, encoded: str) -> bool:
        with KDF_TURNS.turn():
            return super().verify(normalise(password), encoded)
