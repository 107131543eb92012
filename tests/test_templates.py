"""How the templates are laid out, kept by a test rather than by memory."""

from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
LONGEST_LINE = 130  # 120 is the aim; a tag of Django cannot span lines


def test_no_line_of_a_template_is_too_long_to_review():
    too_long = [
        f"{path.relative_to(TEMPLATES)}:{number}"
        for path in TEMPLATES.rglob("*.html")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    assert too_long == []
