"""A preview looks as Chromium shows the original: nobody is shown one picture and sent another.

Both are shown by one browser, the original at its natural size, and compared where the original
is calm: beside an edge a JPEG of the best quality differs, too. HEIC is not among them, as
Chromium shows none.
"""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Browser, Page

from gallery import containers
from gallery.intake import MEDIA_TYPES, take_in
from tests.e2e.browser import IN_A_BROWSER
from tests.gallery.coloured_files import coloured
from tests.gallery.picture_files import LIMITS

pytestmark = IN_A_BROWSER
CASES = Path(__file__).parent.parent / "gallery" / "pictures" / "cases"

# The largest difference of a channel, of 255. A preview is a JPEG or a lossy WebP; what is
# brighter than a screen is taken from a table of 33 steps; and Chromium shows the transparency of
# an AVIF that says it has no full range as if it had.
LARGEST, LARGEST_BRIGHT, LARGEST_SEE_THROUGH_AVIF = 8, 16, 18
COMPARED = 270  # at least

# Chromium shows nothing of these three, and shows what is taken of them; of the fourth it shows
# all but the last fields, for want of its last two bytes.
MENDED = {
    "w_odd_no_pad_riff_counts_pad.webp",
    "w_riff_includes_header.webp",
    "w_riff_plus1.webp",
    "j_no_eoi.jpg",
}
MOVING = {"g_anim_no_trailer.gif"}  # a preview is the first frame
BATCH = 20
CALM_STEPS, CALM_RANGE = 8, 8  # eight pixels in each direction

SHOW = """async (pictures) => {
  document.body.style = "margin: 0; background: white";
  let top = 0;
  const places = [];
  for (const [bytes, type] of pictures) {
    const image = new Image();
    image.src = `data:${type};base64,${bytes}`;
    image.style = `position: absolute; left: 0; top: ${top}px`;
    document.body.append(image);
    await image.decode().catch(() => {});
    places.push([top, image.naturalWidth, image.naturalHeight]);
    top += image.naturalHeight;
  }
  return places;
}"""


class Sample(NamedTuple):
    name: str
    data: bytes


class Shown(NamedTuple):
    """What Chromium shows of a sample, of what is taken of it, and of its preview."""

    sample: Sample
    original: Image.Image | None
    cleaned: Image.Image | None
    preview: Image.Image


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    narrow = {"width": 500, "height": 400}
    return browser.new_context(device_scale_factor=1, viewport=narrow).new_page()


def samples() -> list[Sample]:
    cases = [path for path in sorted(CASES.iterdir()) if containers.format_of(path.read_bytes())]
    kept = [path for path in cases if path.suffix != ".heic" and path.name not in MOVING]
    return [
        *(Sample(name, data) for name, data in coloured().items()),
        *(Sample(path.name, path.read_bytes()) for path in kept),
    ]


def shown_by(page: Page, pictures: list[tuple[bytes, str]]) -> list[Image.Image | None]:
    page.set_content("<body>")
    coded = [[base64.b64encode(data).decode(), media_type] for data, media_type in pictures]
    places = page.evaluate(SHOW, coded)
    screen = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    return [
        screen.crop((0, top, width, top + height)) if width else None
        for top, width, height in places
    ]


def all_shown(page: Page) -> Iterator[Shown]:
    waiting = samples()
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        taken = [take_in(one.data, keep_details=False, limits=LIMITS) for one in batch]
        pictures = [
            picture
            for sample, one in zip(batch, taken, strict=True)
            for picture in (
                (sample.data, MEDIA_TYPES[one.format]),
                (one.original, one.media_type),
                (one.preview, one.preview_media_type),
            )
        ]
        shown = iter(shown_by(page, pictures))
        for sample in batch:
            original, cleaned, preview = (next(shown) for _ in range(3))
            assert preview is not None, sample.name
            yield Shown(sample, original, cleaned, preview)


def difference(one: Image.Image, other: Image.Image) -> int:
    """Return the largest difference of a channel where the first picture is calm."""
    low = high = one
    # A pixel further at each step: the same as a filter of 17 pixels, in a seventh of its time.
    for _ in range(CALM_STEPS):
        low, high = low.filter(ImageFilter.MinFilter(3)), high.filter(ImageFilter.MaxFilter(3))
    red, green, blue = ImageChops.difference(low, high).split()
    restless = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    calm = restless.point(lambda value: 255 if value <= CALM_RANGE else 0)
    assert calm.getextrema()[1], "nothing to compare"
    soft = ImageFilter.BoxBlur(2)
    apart = ImageChops.difference(one.filter(soft), other.filter(soft))
    apart = Image.composite(apart, Image.new("RGB", apart.size), calm)
    return max(high for _, high in apart.getextrema())


def allowed(sample: Sample) -> int:
    if any(word in sample.name for word in ("PQ", "HLG", "hdr_pq", ", 16", " 16", ", 18", " 18")):
        return LARGEST_BRIGHT
    if "AVIF RGBA" in sample.name or "avif_alpha" in sample.name:
        return LARGEST_SEE_THROUGH_AVIF
    return LARGEST


@pytest.mark.attack("F65", "F70")
def test_previews_look_as_chromium_shows_the_originals(page: Page):
    differences: dict[str, int] = {}
    too_large: dict[str, int] = {}
    for shown in all_shown(page):
        name, original = shown.sample.name, shown.original
        if name in MENDED:
            original = shown.cleaned
        assert original is not None, name
        assert shown.cleaned is not None, name
        assert original.size == shown.preview.size, name
        assert original.tobytes() == shown.cleaned.tobytes(), name
        differences[name] = difference(original, shown.preview)
        if differences[name] > allowed(shown.sample):
            too_large[name] = differences[name]
    largest = max(differences, key=lambda name: differences[name])
    print(f"{len(differences)} previews compared; {largest}: {differences[largest]} of 255")
    assert not too_large
    assert len(differences) >= COMPARED
