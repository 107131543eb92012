"""How templates and styles are laid out, kept by a test rather than by memory."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES, STYLES = ROOT / "templates", ROOT / "static" / "css"
LONGEST_LINE = 130  # 120 is the aim; a tag of Django cannot span lines
DARK = r"@media \(prefers-color-scheme: dark\) \{((?:[^{}]|\{[^{}]*\})*)\}"
COLOUR = r"color-scheme: dark|--[\w-]+: ?(#[\dA-F]{6}|none|(0 \d+px \d+px )?rgb\([\d /.]+\))"


def test_no_line_of_a_template_is_too_long_to_review():
    too_long = [
        f"{path.relative_to(TEMPLATES)}:{number}"
        for path in TEMPLATES.rglob("*.html")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    assert too_long == []


def test_the_dark_scheme_changes_colours_and_shadows_alone():
    """The browser tests ask of it only what axe says of colours (tests/e2e/browser.py)."""
    declared = [
        declaration
        for sheet in STYLES.glob("*.css")
        for block in re.findall(DARK, sheet.read_text())
        for declaration in re.findall(r"[^{};\s][^{};]*(?=[;}])", block)
    ]
    assert "--focus: #8AB8FF" in declared
    assert [one for one in declared if not re.fullmatch(COLOUR, one)] == []


def test_what_stands_above_every_page_stays_out_of_dialogs():
    """The upload page shows the check in a dialog, without what says `data-page-only`."""
    base = (TEMPLATES / "base.html").read_text()
    above = base.partition("{% block reminder %}")[2].partition("{% endblock %}")[0]
    banners = re.findall(r'{% include "(.+?)" %}', above)
    assert len(banners) == 2
    assert all("data-page-only>" in (TEMPLATES / banner).read_text() for banner in banners)
