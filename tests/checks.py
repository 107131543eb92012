"""`make check`: what Django's own checks say of a deployment over https, and missing migrations."""

import os

from django.core.management import execute_from_command_line

from tests import environment


def main() -> None:
    for name in environment.CHEAP:  # the floors a deployment has, not the tests' cheap ones
        os.environ.pop(name)
    os.environ["SITE_URL"] = "https://images.example.org"
    execute_from_command_line(["manage.py", "check", "--deploy", "--fail-level", "WARNING"])
    execute_from_command_line(["manage.py", "makemigrations", "--check", "--dry-run"])


if __name__ == "__main__":
    main()
