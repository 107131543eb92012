"""What a person reads when a file is refused: what happened, what is safe, what to do."""

from django.utils.translation import gettext as _

from gallery.intake import Limits, PictureRejected

MEBIBYTE = 2**20


def sentence_for(rejection: PictureRejected, name: str, limits: Limits) -> str:
    """Return the sentence about this file and this refusal."""
    facts = {
        "name": name,
        "max_mb": limits.max_bytes // MEBIBYTE,
        "max_megapixels": limits.max_pixels // 1_000_000,
        "max_frames": limits.max_frames,
        **rejection.facts,
    }
    facts["mb"] = -(-rejection.facts.get("size", 0) // MEBIBYTE)
    return _sentences()[rejection.code] % facts


def _sentences() -> dict[str, str]:
    return {
        "empty": _("%(name)s is empty. It was not uploaded. Choose the file again."),
        "too_large": _(
            "%(name)s is %(mb)s MB; the limit is %(max_mb)s MB. It was not uploaded. "
            "Export it as JPEG, or ask staff to raise the limit."
        ),
        "not_an_image": _(
            "%(name)s is not an image we can show. It was not uploaded. "
            "Supported: JPEG, PNG, WebP, HEIC, AVIF, GIF."
        ),
        "heic_unavailable": _(
            "%(name)s is a HEIC photograph, which this installation cannot read. "
            "It was not uploaded. Export it as JPEG, or ask staff to install HEIC support."
        ),
        "too_many_pixels": _(
            "%(name)s is %(width)s × %(height)s pixels; the limit is %(max_megapixels)s million. "
            "It was not uploaded. Export it smaller."
        ),
        "too_many_frames": _(
            "%(name)s has %(frames)s frames; the limit is %(max_frames)s. It was not uploaded. "
            "Export a shorter animation."
        ),
        "unreadable": _(
            "We could not read %(name)s. It was not uploaded. The file may be incomplete; "
            "try exporting it as JPEG."
        ),
    }


def part_away_sentence(name: str) -> str:
    """Return the sentence about a file that was fine, while a part of ours was not."""
    return _("%(name)s could not be stored just now. Try again in a moment.") % {"name": name}
