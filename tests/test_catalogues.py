"""Every text goes through gettext, and the catalogues of locale/ keep up with the texts."""

import re
import shutil
import subprocess

import pytest
from django.conf import settings

from tests import catalogues

STYLES = catalogues.ROOT / "static" / "css"
TEMPLATES = catalogues.ROOT / "templates"
NAMES = {"ImageShare", "SHA", "RSA", "CSV", "KB", "MB", "ZIP", "QR"}  # the same in all languages
# What a template says to nobody, or has translated already.
CODE = re.compile(
    r"{#.*?#}|{%\s*comment.*?endcomment\s*%}|{%\s*blocktranslate.*?endblocktranslate\s*%}"
    r"|{%\s*block (?:bodyclass|encoding)\s*%}.*?{%\s*endblock\s*%}|{%.*?%}|{{.*?}}",
    re.DOTALL,
)
SAID_BY_ATTRIBUTES = r'\s(?:alt|title|placeholder|label|aria-label|data-busy)="([^"]*)"'
PHYSICAL = (
    r"(?:margin|padding|border)-(?:left|right)\b|[{;\s](?:left|right)\s*:|:\s*(?:left|right)\b"
)

with_gettext = pytest.mark.skipif(not shutil.which("xgettext"), reason="needs gettext")


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_says_a_word_outside_gettext(path):
    text = CODE.sub(" ", path.read_text())
    said = (
        re.findall(SAID_BY_ATTRIBUTES, text) + re.sub(r'<[^>]*>|[\w-]+="[^"]*"', " ", text).split()
    )
    words = {word for part in said for word in re.findall(r"[A-Za-z]{2,}", part)}
    assert words - NAMES == set()


@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_a_translation_keeps_every_place_holder(language):
    """msgfmt looks at Python's alone; scripts fill in {names}, too."""
    catalogue = catalogues.catalogue(language).read_text()
    for entry in catalogue.split("\n\n")[1:]:
        texts = dict(re.findall(r'^(msgid\w*|msgstr\S*) "(.*)"$', entry, re.MULTILINE))
        said = {name: set(re.findall(r"%\(\w+\)\w|{\w+}", text)) for name, text in texts.items()}
        many = said.get("msgid_plural", said["msgid"])
        assert said.get("msgstr[1]", said.get("msgstr")) == many, entry
        assert said.get("msgstr[0]", many) in (said["msgid"], many), entry


@with_gettext
@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_what_pages_read_is_what_the_catalogue_says(language):
    file = catalogues.catalogue(language)
    assert file.with_suffix(".mo").read_bytes() == catalogues.compiled(file), "make messages"


@with_gettext
@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_the_catalogue_has_every_text(language, tmp_path):
    texts = catalogues.extract(tmp_path)
    command = ["msgcmp", catalogues.catalogue(language), texts]
    compared = subprocess.run(command, capture_output=True, text=True)
    assert (compared.returncode, compared.stderr) == (0, ""), "make messages, then translate"


def test_every_language_that_pages_offer_has_a_catalogue():
    offered = {code for code, name in settings.LANGUAGES}
    assert offered == {"en", *catalogues.TRANSLATED}


def test_no_style_says_left_or_right():
    """Right-to-left languages get the same styles."""
    for sheet in STYLES.glob("site.css"):
        assert re.findall(PHYSICAL, sheet.read_text()) == [], sheet.name
