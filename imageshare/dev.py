"""`make dev`: a server for development only, which starts again when the code changes.

`python -m imageshare.dev`. Its error pages show settings and code to everybody, so it serves only
this machine.
"""

import os
import sys
from pathlib import Path

from imageshare import start

ADDRESS = "127.0.0.1"


def main() -> None:
    os.umask(0o077)
    if os.environ.get("BIND", ADDRESS) not in ("", ADDRESS):
        sys.exit(f"make dev serves only {ADDRESS}: unset BIND. Others reach it with: make run")
    data_dir = Path(os.environ.get("DATA_DIR") or start.ROOT / "var" / "dev").absolute()
    port = int(os.environ.get("PORT") or 8000)
    os.environ.update(start.ON_ITS_OWN, DATA_DIR=str(data_dir), PORT=str(port), BIND=ADDRESS)
    os.environ.update(DEBUG="True", DJANGO_SETTINGS_MODULE="imageshare.settings")
    os.environ["EMAIL_URL"] = "consolemail://"  # mails are printed, whatever `.env` says
    start.refuse_taken_port((ADDRESS, port))
    start.prepare(data_dir)
    print(f"For development only. Everything it writes is in {data_dir}.", flush=True)
    # A process of Django's own from here on: one that has read the code cannot read it again.
    manage = str(start.ROOT / "manage.py")
    os.execv(sys.executable, [sys.executable, manage, "runserver", f"{ADDRESS}:{port}"])  # noqa: S606


if __name__ == "__main__":
    main()
