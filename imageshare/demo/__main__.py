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
        start.main(before_serving=_fill, greeting=_greet)
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)


def _fill() -> None:
    from django.core.management import call_command

    from imageshare.demo.story import ALL_IMAGES

    call_command("demo", images=int(os.environ.get("DEMO_IMAGES") or ALL_IMAGES))


def _greet(data_dir: Path) -> str:
    from django.conf import settings

    return (
        f"\nThe demonstration is at {settings.SITE_URL} and its staff pages at "
        f"{settings.SITE_URL}/admin/.\n"
        f"Ctrl-C ends it and deletes everything in it ({data_dir}), keys and passwords too."
    )


if __name__ == "__main__":
    main()
