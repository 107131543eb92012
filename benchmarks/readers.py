"""Make readers in an installation of its own: `python -m benchmarks.readers DATA_DIR HOW_MANY`.

Each with keys, code and all, but pairs by OpenSSL, many times as fast as ours: how long
registration takes is measured elsewhere.
"""

import sys
from pathlib import Path

from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.throwaway import prepare
from cryptocore import keypair

PASSWORD = "correct horse battery"


def main(data_dir: str, how_many: str) -> None:
    prepare(Path(data_dir))
    from accounts.services.people.registration import register
    from accounts.services.ways_back.recovery import make_recovery_code

    keypair.generate = by_openssl
    for number in range(int(how_many)):
        name = f"reader-{number}"
        keyring = register(username=name, display_name=name, email="", password=PASSWORD)
        make_recovery_code(keyring=keyring)


def by_openssl() -> RsaKey:
    pair = rsa.generate_private_key(keypair.PUBLIC_EXPONENT, keypair.BITS)
    der = pair.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return RSA.import_key(der)


if __name__ == "__main__":
    main(*sys.argv[1:])
