#!/usr/bin/env python3
"""Django's command line; `manage.py help` lists the commands."""

import os
import sys

from django.core.management import execute_from_command_line

from imageshare.keyfile import KeyFileError


def main() -> None:
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageshare.settings")
    try:
        execute_from_command_line(sys.argv)
    except KeyFileError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
