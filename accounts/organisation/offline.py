"""The organisation's key: made, and used, where nothing is online.

Needs no settings, no database and no key file, so it also runs by itself on a machine that has no
installation: `python -m accounts.organisation.offline create FILE`, and there
`… open REQUEST --key FILE --answer FILE`.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from Crypto.IO import PEM
from Crypto.PublicKey.RSA import RsaKey

from accounts.organisation.exchange import Request, open_request
from cryptocore import keypair
from cryptocore.errors import CryptoError
from cryptocore.recovery_code import groups

PRIVATE, PUBLIC = "PRIVATE KEY", "PUBLIC KEY"
LONGEST_BYTES = 16_384


class Refused(Exception):
    """What was asked for was not done; the message says why, and that nothing was written."""


def create(path: Path) -> tuple[str, Path]:
    """Make the organisation's key: its private half in a new file `path` (0600), its public half
    beside it. Return the fingerprint and where the public half is. Raises Refused."""
    public_path = path.with_name(f"{path.name}.pub")
    key = keypair.generate()
    public_der = keypair.public_der(key)
    for target in (path, public_path):
        if target.exists():
            raise Refused(f"{target} exists. Nothing was written.")
    write_new(public_path, PEM.encode(public_der, PUBLIC) + "\n")
    try:
        write_new(path, PEM.encode(keypair.private_der(key), PRIVATE) + "\n")
    except BaseException:
        public_path.unlink()  # worth nothing without the other half, and in the way of a next try
        raise
    return keypair.fingerprint(public_der), public_path


def answer(request_path: Path, *, key_path: Path, answer_path: Path) -> tuple[Request, str]:
    """Open a request and write its answer. Return the request and the one-time code, in groups.

    Raises Refused for a file that is not what it should be, another key, or an altered request.
    """
    try:
        request = Request.parse(read(request_path))
    except CryptoError:
        raise Refused(f"{request_path} is not a recovery request. Nothing was written.") from None
    private_key = read_private_key(key_path)
    fingerprint = keypair.fingerprint(keypair.public_der(private_key))
    if fingerprint != request.organisation_key:
        raise Refused(
            f"{key_path} is the key {fingerprint[:16]}…, and the request is for "
            f"{request.organisation_key[:16]}…. Nothing was written."
        )
    try:
        answered, code = open_request(request, private_key)
    except CryptoError:
        raise Refused("The request was altered: it does not open. Nothing was written.") from None
    write_new(answer_path, answered.encode().decode())
    return request, "-".join(groups(code))


def read_private_key(path: Path) -> RsaKey:
    """Return the key in a file that `create` wrote. Raises Refused."""
    try:
        return keypair.check_private_key(_from_pem(path, PRIVATE))
    except (CryptoError, ValueError):
        raise Refused(f"{path} is not the organisation's private key.") from None


def read_public_key(path: Path) -> tuple[str, RsaKey]:
    """Return fingerprint and key of a public half. Raises Refused."""
    try:
        der = _from_pem(path, PUBLIC)
        return keypair.fingerprint(der), keypair.load_public_key(der)
    except (CryptoError, ValueError):
        raise Refused(f"{path} is not the organisation's public key.") from None


def _from_pem(path: Path, kind: str) -> bytes:
    """Return the DER in a PEM file of this kind, unencrypted."""
    der, marker, encrypted = PEM.decode(read(path).decode("ascii"))
    if marker != kind or encrypted:
        raise ValueError("another kind of file")
    return der


def read(path: Path) -> bytes:
    """Return a small file. Raises Refused if there is none, or it is longer than our files are."""
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_BYTES + 1)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}. Nothing was written.") from None
    if len(data) > LONGEST_BYTES:
        raise Refused(f"{path} is too long to be one of our files. Nothing was written.")
    return data


def write_new(path: Path, text: str) -> None:
    """Write a file that its owner alone reads (0600). Raises Refused rather than overwrite one,
    or leave part of one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(f"{path} exists. Nothing was written.") from None
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}. Nothing was written.") from None
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink()
        raise Refused(f"{path}: {error.strerror}. Nothing was written.") from None


# ---- as commands -----------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> Any:
    """Add both commands; return what takes further ones."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    making = acts.add_parser("create", help="make the key: FILE, and FILE.pub")
    making.add_argument("file", type=Path, metavar="FILE")
    opening = acts.add_parser("open", help="open a request; prints the one-time code, once")
    opening.add_argument("request", type=Path, metavar="REQUEST")
    opening.add_argument("--key", type=Path, required=True, metavar="FILE")
    opening.add_argument("--answer", type=Path, required=True, metavar="FILE")
    return acts


def told_of_key(fingerprint: str, public_path: Path) -> str:
    return (
        f"Copy {public_path} to the server, to DATA_DIR/recovery-key.pub or where "
        "RECOVERY_KEY_FILE says, and put into its "
        f"environment:\nRECOVERY_KEY_FINGERPRINT={fingerprint}\nKeep the private half offline, "
        "and a copy of it elsewhere: without it nobody can be recovered."
    )


def told_of_answer(request: Request, code: str, answer_path: Path) -> str:
    return (
        f"For {request.username} ({request.person}), who types this code, once:\n{code}\nGive it "
        f"to nobody else, and take {answer_path} to the server: recover_account import "
        f"{answer_path.name}"
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m accounts.organisation.offline", description=__doc__
    )
    add_arguments(parser)
    asked = parser.parse_args(arguments)
    try:
        print(run(asked.act, asked))
    except Refused as refused:
        sys.exit(str(refused))


def run(act: str, asked: argparse.Namespace) -> str:
    """Do what was asked for and return what to print. Raises Refused."""
    if act == "create":
        return told_of_key(*create(asked.file))
    request, code = answer(asked.request, key_path=asked.key, answer_path=asked.answer)
    return told_of_answer(request, code, asked.answer)


if __name__ == "__main__":
    main(sys.argv[1:])
