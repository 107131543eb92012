"""Every text goes through gettext, and the catalogues of locale/ keep up with the texts."""

import re
import shutil

import pytest
from django.conf import settings

from tests import catalogues

STYLES = catalogues.ROOT / "static" / "css"
TEMPLATES = catalogues.ROOT / "templates"
NAMES = {"ImageShare", "SHA", "RSA", "CSV", "KB", "MB", "ZIP", "QR"}  # the same in all languages
# What a template says to nobody, or has translated already.
CODE = re.compile(
    r"{#.*?#}|{%\s*comment.*?endcomment\s*%}|{%\s*blocktranslate.*?endblocktranslate\s*%}"
    r"|{%.*?%}|{{.*?}}",
    re.DOTALL,
)
SAID_BY_ATTRIBUTES = r'\s(?:alt|title|placeholder|label|aria-label|data-busy)="([^"]*)"'
PHYSICAL = (
    r"(?:margin|padding|border)-(?:left|right)\b|[{;\s](?:left|right)\s*:|:\s*(?:left|right)\b"
)

with_gettext = pytest.mark.skipif(not shutil.which("xgettext"), reason="needs gettext")


@pytest.mark.parametrize("path", TEMPLATES.rglob("*.html"), ids=lambda path: path.name)
def test_no_template_says_a_word_outside_gettext(path):
    text = CODE.sub(" ", path.read_text())
    said = re.findall(SAID_BY_ATTRIBUTES, text) + re.sub(r"<[^>]*>", " ", text).split()
    words = {word for part in said for word in re.findall(r"[A-Za-z]{2,}", part)}
    assert words - NAMES == set()


@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_a_translation_keeps_every_place_holder(language):
    """msgfmt looks at Python's alone; scripts fill in {names}, too."""
    catalogue = catalogues.catalogue(language).read_text()
    for entry in catalogue.split("\n\n")[1:]:
        texts = re.findall(r'^(msgid\w*|msgstr\S*) "(.*)"$', entry, re.MULTILINE)
        holders = [sorted(set(re.findall(r"%\(\w+\)\w|{\w+}", text))) for name, text in texts]
        assert all(found == holders[0] for found in holders), entry


@with_gettext
@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_what_pages_read_is_what_the_catalogue_says(language):
    file = catalogues.catalogue(language)
    assert file.with_suffix(".mo").read_bytes() == catalogues.compiled(file), "make messages"


def test_every_language_that_pages_offer_has_a_catalogue():
    offered = {code for code, name in settings.LANGUAGES}
    assert offered == {"en", *catalogues.TRANSLATED}


def test_no_style_says_left_or_right():
    """Right-to-left languages get the same styles."""
    for sheet in STYLES.glob("site.css"):
        assert re.findall(PHYSICAL, sheet.read_text()) == [], sheet.name
