"""The settings as mypy's plugin reads them: those of the tests, so that it needs no installation."""

from tests import environment  # noqa: F401 (first: it prepares a data folder)
from imageshare.settings import *  # isort: skip
