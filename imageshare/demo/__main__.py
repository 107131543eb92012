"""`make demo`: a filled installation in a throw-away folder. `python -m imageshare.demo`.

The folder is removed when it stops. Never shown to others: its passwords are on the screen.
"""

import os
import shutil
import tempfile
from pathlib import Path

from imageshare import start


def main() -> None:
    data_dir = Path(tempfile.mkdtemp(prefix="imageshare-demo-"))
    os.environ["DATA_DIR"] = str(data_dir)
    os.environ.update(start.ON_ITS_OWN)
    try:
        start.main(before_serving=_fill)
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)


def _fill() -> None:
    from django.core.management import call_command

    call_command("demo")


if __name__ == "__main__":
    main()
