"""`make bench`: sealing and opening 25 MB, beside the same operations done by OpenSSL.

Both sides take turns within one run, so that a busy machine slows both; what counts is the ratio.
"""

import hashlib
import hmac
import os
import statistics
import time
from collections.abc import Callable

from Crypto.PublicKey import RSA
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cryptocore import content, signature, wrapping

SIZE, ROUNDS = 25 * 2**20, 7
LABEL, MESSAGE = b"label", b"statement" * 100
OAEP = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), LABEL)
PSS = rsa_padding.PSS(rsa_padding.MGF1(hashes.SHA256()), 32)


def main() -> None:
    theirs = rsa.generate_private_key(65537, 3072)
    der = theirs.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    ours, plaintext, key = RSA.import_key(der), os.urandom(SIZE), os.urandom(32)
    print("| 25 MB | ours, ms | OpenSSL, ms | ratio | aim |\n|---|---|---|---|---|")
    for people in (1, 10, 50):
        compare(
            f"sealed for {people}",
            lambda people=people: seal(plaintext, key, ours, people),
            lambda people=people: seal_by_openssl(plaintext, key, theirs, people),
            1.6,
        )
    stored, wrapped, signed = seal(plaintext, key, ours, 1)
    compare(
        "opened",
        lambda: open_it(stored, wrapped, signed, ours),
        lambda: open_by_openssl(stored, wrapped, signed, theirs),
        1.5,
    )


def compare(
    what: str, ours: Callable[[], object], theirs: Callable[[], object], aim: float
) -> None:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for side, act in zip(times, (ours, theirs), strict=True):
            begun = time.perf_counter()
            act()
            side.append(time.perf_counter() - begun)
    mine, other = (statistics.median(side) * 1000 for side in times)
    print(f"| {what} | {mine:.0f} | {other:.0f} | {mine / other:.2f} | {aim} |", flush=True)


def seal(plaintext: bytes, key: bytes, pair: RSA.RsaKey, people: int) -> tuple[bytes, bytes, bytes]:
    stored = content.encrypt(plaintext, key)
    hashlib.sha256(stored).digest()
    content.plaintext_tag(key, rendition="original", plaintext=plaintext)
    public = pair.public_key()
    wrapped = [wrapping.wrap(key, public, label=LABEL) for _ in range(people)]
    return stored, wrapped[0], signature.sign(MESSAGE, pair)


def seal_by_openssl(plaintext: bytes, key: bytes, pair: rsa.RSAPrivateKey, people: int) -> None:
    padder, iv = padding.PKCS7(128).padder(), os.urandom(16)
    encryptor = Cipher(algorithms.AES256(key), modes.CBC(iv)).encryptor()
    padded = padder.update(plaintext) + padder.finalize()
    stored = iv + encryptor.update(padded) + encryptor.finalize()
    hashlib.sha256(stored).digest()
    hmac.digest(key, plaintext, "sha256")
    public = pair.public_key()
    for _ in range(people):
        public.encrypt(key, OAEP)
    pair.sign(MESSAGE, PSS, hashes.SHA256())


def open_it(stored: bytes, wrapped: bytes, signed: bytes, pair: RSA.RsaKey) -> None:
    signature.verify(MESSAGE, signed, pair.public_key())
    hashlib.sha256(stored).digest()
    key = wrapping.unwrap(wrapped, pair, label=LABEL)
    content.decrypt(stored, key)


def open_by_openssl(stored: bytes, wrapped: bytes, signed: bytes, pair: rsa.RSAPrivateKey) -> None:
    pair.public_key().verify(signed, MESSAGE, PSS, hashes.SHA256())
    hashlib.sha256(stored).digest()
    key = pair.decrypt(wrapped, OAEP)
    decryptor = Cipher(algorithms.AES256(key), modes.CBC(stored[:16])).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    unpadder.update(decryptor.update(stored[16:]) + decryptor.finalize()) + unpadder.finalize()


if __name__ == "__main__":
    main()
