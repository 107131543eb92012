"""`make bench`: searching one's own images, the first time and after.

In one process, through Django and all its middleware; every image is genuine. The first search
reads their descriptions, in as many requests as it takes.
"""

import io
import statistics
import sys
import time

from benchmarks.throwaway import data_folder, prepare, say_how_busy

IMAGES, ROUNDS, PER_REQUEST = 2000, 9, 50


def main() -> None:
    say_how_busy()
    images = int(sys.argv[1]) if sys.argv[1:] else IMAGES
    with data_folder() as data_dir:
        prepare(data_dir)
        measure(images)


def measure(images: int) -> None:
    from django.conf import settings

    from benchmarks import many_rows

    settings.NAME_LOOKUPS_PER_HOUR = 2 * images  # one name for each image
    owner = many_rows.browser(many_rows.OWNER)
    reader = many_rows.browser(many_rows.READER)
    for start in range(0, images, PER_REQUEST):
        _upload(owner, range(start, min(start + PER_REQUEST, images)))
    print("| who | first search, s (requests) | every word of one image, ms | a word of all, ms |")
    print("|---|---|---|---|")
    for name, client in (("owner", owner), ("recipient", reader)):
        begun, requests, left = time.perf_counter(), 0, 1
        while left:
            requests, left = requests + 1, _search(client, "ward")["left"]
        first = time.perf_counter() - begun
        one, all_of_them = _median(client, f"ward {images // 2} end"), _median(client, "ward")
        print(f"| {name} | {first:.1f} ({requests}) | {one:.0f} | {all_of_them:.0f} |")


def _upload(owner: object, numbers: range) -> None:
    from PIL import Image

    for number in numbers:
        file = io.BytesIO()
        Image.new("RGB", (64, 48), (number % 256, number // 256, 99)).save(file, "JPEG")
        file.seek(0)
        file.name = f"scan-{number}.jpg"
        form = {"images": [file], "recipients": ["reader"], "caption": f"Ward {number} end"}
        answer = owner.post("/images/upload/", form, headers={"accept": "application/json"})
        assert answer.status_code == 201, answer.content


def _search(client: object, text: str) -> dict[str, object]:
    answer = client.post("/images/search/", {"q": text}, headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.content
    return answer.json()


def _median(client: object, text: str) -> float:
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        assert _search(client, text)["total"]
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds) * 1000


if __name__ == "__main__":
    main()
