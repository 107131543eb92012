"""`python -m imageshare.start`, with the fixed pairs of tests/keys where people get new keys.

Each pair is given once in a data folder, whichever worker gives it; after the last, real ones are
made. Making one takes seconds, and every person needs two.
"""

import os
from pathlib import Path

from Crypto.PublicKey.RSA import RsaKey

from cryptocore import keypair
from imageshare import start
from tests.keys import WITH_MIXED_ONES, load_pair

generate = keypair.generate


def unused_pair() -> RsaKey:
    given = Path(os.environ["DATA_DIR"]).with_suffix(".pairs")
    given.mkdir(exist_ok=True)
    for number in range(1, WITH_MIXED_ONES + 1):
        try:
            (given / str(number)).touch(exist_ok=False)
        except FileExistsError:
            continue
        return load_pair(number)
    return generate()


if __name__ == "__main__":
    keypair.generate = unused_pair
    start.main()
