"""The settings, with a language that is written from right to left: our texts in English."""

from imageshare.settings import *  # noqa: F403
from imageshare.settings import LANGUAGES as OURS

LANGUAGES = [*OURS, ("ar", "العربية")]
