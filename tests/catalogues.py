"""`make messages`: bring the catalogues in locale/ up to date with the texts in code and templates.

Needs gettext (Debian: gettext). A new text is listed with an empty translation, a changed one as
fuzzy: translate it, take out the word fuzzy, and run this again.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from tests import environment  # noqa: F401 (settings need it)

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
WITH_TEXTS = ("accounts", "audit", "gallery", "imageshare", "templates")
TRANSLATED = ("de", "fr")
DATES = re.compile(r'^"(POT-Creation|PO-Revision)-Date: .*\n', re.MULTILINE)  # else all conflict


def catalogue(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def extract(folder: Path) -> Path:
    """Write every text of ours to a template of a catalogue below `folder`; return its path."""
    for name in WITH_TEXTS:
        os.symlink(ROOT / name, folder / name)
    (folder / "locale").mkdir()
    here, paths = Path.cwd(), settings.LOCALE_PATHS
    os.chdir(folder)  # the command looks for texts and catalogues below the place it runs at
    settings.LOCALE_PATHS = [str(folder / "locale")]
    try:
        call_command(
            "makemessages", locale=["en"], keep_pot=True, symlinks=True, no_location=True,
            no_wrap=True, verbosity=0,
        )  # fmt: skip
    finally:
        settings.LOCALE_PATHS = paths
        os.chdir(here)
    return folder / "locale" / "django.pot"


def compiled(catalogue: Path) -> bytes:
    """Return the .mo of a catalogue. Raises CalledProcessError if a place holder was lost."""
    command = ["msgfmt", "--check-format", "-o", "-", str(catalogue)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def main() -> None:
    if not shutil.which("xgettext"):
        raise SystemExit("This needs gettext: apt install gettext")
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        texts = extract(Path(folder))
        for language in TRANSLATED:
            file = catalogue(language)
            if not file.exists():
                file.parent.mkdir(parents=True)
                command = ["msginit", "--no-translator", "-l", language, "-i", texts, "-o", file]
            else:
                command = ["msgmerge", "--quiet", "--update", "--backup=none", file, texts]
            subprocess.run([*command, "--no-wrap"], check=True)
            subprocess.run(
                ["msgattrib", "--no-obsolete", "--no-wrap", "-o", file, file], check=True
            )
            file.write_text(DATES.sub("", file.read_text()))
            file.with_suffix(".mo").write_bytes(compiled(file))


if __name__ == "__main__":
    main()
