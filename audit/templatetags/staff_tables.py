"""Tables of staff, whose rows become blocks of named lines on a phone."""

from collections.abc import Iterable, Mapping

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

register = template.Library()


@register.filter
def labelled(cells: Iterable[SafeString], headers: Iterable[Mapping[str, str]]) -> SafeString:
    """Return the cells of a row, each with the words of its column, for where no header is seen."""
    named = []
    for cell, header in zip(cells, headers, strict=False):
        # Each begins with <td or <th: what Django made of it is safe, and stays as it is.
        tag, rest = SafeString(cell[:3]), SafeString(cell[3:])
        named.append((tag, capfirst(header["text"]), rest))
    return format_html_join("", '{} data-label="{}"{}', named)
