"""The peers' addresses on a server of their own: Gunicorn's own worker, as it is installed, which
has the kernel send files (sendfile)."""

import os
import sys

WORDS = ("--worker-class", "gthread", "--workers", "2", "--threads", "32", "--log-level", "warning")


def main() -> None:
    name, address = f"{__spec__.parent}.plain_wsgi:application", f"127.0.0.1:{os.environ['PORT']}"
    words = [sys.executable, "-m", "gunicorn", name, *WORDS, "--bind", address]
    os.execv(sys.executable, words)


if __name__ == "__main__":
    main()
