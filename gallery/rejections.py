"""What a person reads when a file is refused: what happened, what is safe, what to do."""

import math

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gallery.errors import OverQuota
from gallery.pictures import Limits, PictureRejected

MEBIBYTE = 2**20

SENTENCES = {
    "empty": gettext_lazy("%(name)s is empty. It was not uploaded. Choose the file again."),
    "too_large": gettext_lazy(
        "%(name)s is %(size)s MB; the limit is %(max_size)s MB. It was not uploaded. "
        "Export it as JPEG, or ask staff to raise the limit."
    ),
    "not_an_image": gettext_lazy(
        "%(name)s is not an image we can show. It was not uploaded. "
        "Supported: JPEG, PNG, WebP, HEIC, AVIF, GIF."
    ),
    "tiff": gettext_lazy(
        "%(name)s is a TIFF or a camera’s raw file, which browsers cannot show. "
        "It was not uploaded. Export it as JPEG or PNG."
    ),
    "dicom": gettext_lazy(
        "%(name)s is a DICOM file, whose header names the patient. It was not uploaded. "
        "Export the picture alone, as PNG or JPEG."
    ),
    "incomplete": gettext_lazy(
        "%(name)s is incomplete: the file ends before its picture does. It was not uploaded. "
        "Copy or download it again from its source."
    ),
    "damaged": gettext_lazy(
        "%(name)s is damaged: parts of the file contradict each other. It was not uploaded. "
        "If a program still opens it, export it from there as JPEG or PNG."
    ),
    "unusual": gettext_lazy(
        "%(name)s uses a rare form of its format that we cannot clean. It was not uploaded. "
        "Export it as a plain JPEG or PNG."
    ),
    "unreadable": gettext_lazy(
        "We could not decode the picture in %(name)s. It was not uploaded. "
        "If a program still opens it, export it from there as JPEG or PNG."
    ),
    "entangled": gettext_lazy(
        "%(name)s contains hidden data that we cannot remove from such a large image. It was not "
        "uploaded. Export it again as JPEG."
    ),
    "too_complex": gettext_lazy(
        "%(name)s has more parts than we can take apart. It was not uploaded. Export it as a "
        "plain JPEG or PNG."
    ),
    "too_many_pixels": gettext_lazy(
        "%(name)s is %(width)s × %(height)s pixels; the limit is %(max_megapixels)s million "
        "in all. It was not uploaded. Export it smaller."
    ),
    "too_many_frames": gettext_lazy(
        "%(name)s has %(frames)s frames; the limit is %(max_frames)s. It was not uploaded. "
        "Export a shorter animation."
    ),
    "too_much_work": gettext_lazy(
        "%(name)s would take too long to show. It was not uploaded. "
        "Export it smaller or, if it is an animation, shorter."
    ),
}


def sentence_for(rejection: PictureRejected, name: str, limits: Limits) -> str:
    """Return the sentence about the file called `name` and why it was refused."""
    # Rounded up: a size that is over a limit never reads as if it were equal to it.
    size = math.ceil(rejection.facts.get("size", 0) / MEBIBYTE * 10) / 10
    facts = {
        "name": name,
        "size": number_format(size, decimal_pos=1),
        "width": rejection.facts.get("width"),
        "height": rejection.facts.get("height"),
        "frames": rejection.facts.get("frames"),
        "max_size": number_format(limits.max_bytes // MEBIBYTE),
        "max_megapixels": number_format(limits.max_pixels // 1_000_000),
        "max_frames": number_format(limits.max_frames),
    }
    return SENTENCES[rejection.code] % facts


def part_away_sentence(name: str) -> str:
    """Return the sentence about a file that was fine, while a part of the server was not."""
    return _("%(name)s could not be stored just now. Try again in a moment.") % {"name": name}


def over_quota_sentence(name: str, refusal: OverQuota) -> str:
    """Return the sentence about a file there is no room for."""
    facts = {
        "name": name,
        "size": filesizeformat(refusal.needed_bytes),
        "left": filesizeformat(refusal.left_bytes),
    }
    return (
        _(
            "%(name)s takes %(size)s with its previews, and you have %(left)s left. It was not "
            "uploaded. Delete images you no longer need, or ask staff for a higher limit."
        )
        % facts
    )


def too_much_this_hour_sentence(name: str, wait_seconds: int) -> str:
    """Return the sentence about a file whose person sent more pixels than an hour allows."""
    minutes = max(1, math.ceil(wait_seconds / 60))
    sentence = ngettext(
        "%(name)s was not uploaded: your images this hour add up to more than one person may send. "
        "What you uploaded before is safe. Send it again in a minute.",
        "%(name)s was not uploaded: your images this hour add up to more than one person may send. "
        "What you uploaded before is safe. Send it again in %(minutes)s minutes.",
        minutes,
    )
    return sentence % {"name": name, "minutes": minutes}


def upload_id_used_sentence(name: str) -> str:
    """Return the sentence about a file sent under the `upload_id` of another."""
    return _(
        "%(name)s was not uploaded: this form was already used for another image, or for one that "
        "you have deleted. Open the upload page again and choose it there."
    ) % {"name": name}


def stored_before_sentence(name: str) -> str:
    """Return the sentence about a file that is stored, but not as it was asked for now."""
    return _(
        "%(name)s was already uploaded, with other people, permissions or caption. That was not "
        "changed. Open it under “My images” to see who can open it."
    ) % {"name": name}
