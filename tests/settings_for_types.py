"""The settings as mypy's plugin reads them: those of the tests, so no installation is needed."""

from tests import environment

from imageshare.settings import *  # noqa: F403  # isort: skip

assert environment.DATA_DIR  # made while it was imported, before the settings were
