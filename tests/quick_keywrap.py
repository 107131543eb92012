"""AES-256-KWP by OpenSSL: the bytes of cryptocore.keywrap in a fortieth of the time.

Pycryptodome's runs in Python, 5 ms for a private key, and a test opens several. The tests of
cryptocore and all servers in processes of their own use the real one; tests/cryptocore/
test_quick_keywrap.py compares both. Where there is no OpenSSL library the suite takes longer.
"""

import ctypes
import ctypes.util
from typing import Any

from cryptocore import keywrap
from cryptocore.errors import CryptoError

ALLOW_WRAPPING = 0x1  # EVP_CIPHER_CTX_FLAG_WRAP_ALLOW
MOST_LONGER_BYTES = 16


def library() -> ctypes.CDLL | None:
    name = ctypes.util.find_library("crypto")
    crypto = ctypes.CDLL(name) if name else None
    if crypto is None or not hasattr(crypto, "EVP_aes_256_wrap_pad"):
        return None
    for function in (crypto.EVP_CIPHER_CTX_new, crypto.EVP_aes_256_wrap_pad):
        function.restype = ctypes.c_void_p
    return crypto


CRYPTO = library()


def wrap_key(key: bytes, kek: bytes) -> bytes:
    if not 1 <= len(key) <= keywrap.MAX_KEY_BYTES or len(kek) != keywrap.KEK_BYTES:
        return keywrap.wrap_key(key, kek)  # which says what is wrong
    return _run(CRYPTO.EVP_EncryptInit_ex, CRYPTO.EVP_EncryptUpdate, key, kek)


def unwrap_key(wrapped: bytes, kek: bytes) -> bytes:
    if not 1 <= len(wrapped) <= keywrap.MAX_KEY_BYTES or len(kek) != keywrap.KEK_BYTES:
        return keywrap.unwrap_key(wrapped, kek)
    return _run(CRYPTO.EVP_DecryptInit_ex, CRYPTO.EVP_DecryptUpdate, wrapped, kek)


def _run(begin: Any, update: Any, data: bytes, kek: bytes) -> bytes:
    state = ctypes.c_void_p(CRYPTO.EVP_CIPHER_CTX_new())
    CRYPTO.EVP_CIPHER_CTX_set_flags(state, ALLOW_WRAPPING)
    result, length = ctypes.create_string_buffer(len(data) + MOST_LONGER_BYTES), ctypes.c_int(0)
    try:
        begin(state, ctypes.c_void_p(CRYPTO.EVP_aes_256_wrap_pad()), None, kek, None)
        if not update(state, result, ctypes.byref(length), data, len(data)):
            raise CryptoError
        return result.raw[: length.value]
    finally:
        CRYPTO.EVP_CIPHER_CTX_free(state)
