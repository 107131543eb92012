"""A worker for tests to kill, or to see fork: `python -m tests.gallery.decoding.worker WHAT`.

Its settings are those of the tests that start it.
"""

import os
import sys
from pathlib import Path

HOSTILE = Path(__file__).with_name("hostile_starter.py")


def main(what: str) -> None:
    from gallery.decoding.asking import Decoders
    from tests.gallery.picture_files import LIMITS, plain

    decoders = Decoders(HOSTILE)
    hanging = decoders.take(b"wait", keep_details=False, limits=LIMITS)
    if what == "wait to be killed":
        print(decoders.process_id, flush=True)
        hanging.picture(b"".join)
    elif os.fork():
        os.wait()
        print(decoders.process_id, flush=True)
    else:
        decoders.take(plain("PNG"), keep_details=False, limits=LIMITS).picture(b"".join)
        print(decoders.process_id, flush=True)
    hanging.close()


if __name__ == "__main__":
    main(sys.argv[1])
